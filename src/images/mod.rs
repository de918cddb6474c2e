//! Images in messages: checked, shrunk and encoded anew.
//!
//! Clients send images as base64. The relay never passes on the bytes it received: it decodes the image and encodes its
//! pixels as PNG ([`normalize`]). Positions, camera data, profiles and anything else in the file are lost that way.
//! Decoding takes long and is done by a few threads of low priority ([`ImagePool`]), so that a flood of images delays no
//! text. Knows nothing of rooms or messages: takes texts and returns images.

mod base64_text;
mod config;
mod decode;
mod encode;
mod jpeg;
mod pool;
mod queue;
mod shrink;
mod vp8l;
mod webp;

use std::fmt;

use image::error::ImageError as CodecError;

pub use config::Config;
pub use decode::Format;
pub use pool::{ImagePool, PoolConfig, Waiting};
pub use queue::PoolFull;

/// Limits of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest side of an image that leaves the relay, in pixels; 0 counts as 1. Larger images are shrunk. Default 800.
    pub max_side: u32,
    /// Longest base64 text, in bytes, which are characters in base64; line breaks count. Default 5,000,000.
    pub max_raw_length: usize,
    /// Most pixels of a received image. Default 16,000,000.
    pub max_pixels: u64,
    /// Most memory for decoding one image, in bytes: its pixels and what the decoder stores about the whole image.
    /// Buffers for a few rows and the received bytes come on top. Default 64 MiB.
    pub max_memory: u64,
}

/// An image that is safe to pass on.
#[derive(Clone, PartialEq, Eq)]
pub struct NormalImage {
    /// A PNG in base64, padded and without line breaks.
    pub data: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The BLAKE3 hash of the PNG. Equal for equal pixels, whatever file they came in.
    pub digest: [u8; 32],
}

/// Why an image was refused.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The text exceeds [`Limits::max_raw_length`].
    #[error("image text is {length} bytes; the limit is {limit}")]
    TextTooLong {
        /// Length of the text in bytes.
        length: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The text is a data URL, `data:image/png;base64,…`, not plain base64.
    #[error("image is a data URL; only the base64 text after its comma is accepted")]
    DataUrl,
    /// The text is not base64 of the standard alphabet.
    #[error("image text is not base64")]
    NotBase64(#[from] base64::DecodeError),
    /// The file is not a JPEG, PNG, GIF or WebP.
    #[error("image is not a JPEG, PNG, GIF or WebP file")]
    UnknownFormat,
    /// A side is longer than JPEG and GIF can represent.
    #[error("{format} image is {width} x {height} pixels; the limit is {limit} pixels a side")]
    SideTooLong {
        /// The format of the file.
        format: Format,
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// The limit in pixels, 65,535.
        limit: u32,
    },
    /// The image exceeds [`Limits::max_pixels`].
    #[error("{format} image is {width} x {height} pixels; the limit is {limit} pixels in all")]
    TooManyPixels {
        /// The format of the file.
        format: Format,
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// The limit in pixels.
        limit: u64,
    },
    /// The image exceeds [`Limits::max_memory`].
    #[error("{format} image needs {needed} bytes to decode; the limit is {limit}")]
    TooMuchMemory {
        /// The format of the file.
        format: Format,
        /// The estimate in bytes.
        needed: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The headers are damaged, or describe no image that can be decoded.
    #[error("{format} file is malformed: {reason}")]
    Malformed {
        /// The format of the file.
        format: Format,
        /// The reason, in words.
        reason: &'static str,
    },
    /// The file is damaged, or uses a feature that its decoder does not support.
    #[error("{format} file cannot be decoded")]
    Undecodable {
        /// The format of the file.
        format: Format,
        /// The error that the decoder reported.
        source: CodecError,
    },
    /// The pixels could not be encoded as PNG.
    #[error("image cannot be encoded")]
    Unencodable {
        /// The error that the encoder reported.
        source: CodecError,
    },
    /// The decoder panicked. This is a bug in it; the image was refused.
    #[error("image decoder panicked")]
    DecoderPanicked,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_side: 800, max_raw_length: 5_000_000, max_pixels: 16_000_000, max_memory: 64 * 1024 * 1024 }
    }
}

impl fmt::Debug for NormalImage {
    /// Omits the image: it is long and does not belong into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { data, width, height, digest: _ } = self;
        write!(f, "NormalImage({width} x {height}, {} bytes)", data.len())
    }
}

/// Decodes an image from base64 and encodes it as PNG within `limits`.
///
/// Accepts JPEG, PNG, GIF and WebP, told apart by their content. The base64 text may contain white space and lack its
/// padding. The first frame of an animation is taken. The orientation noted in the file is applied; all other metadata
/// is dropped, colour profiles included. The result has 8 bits per channel and keeps transparency; the hidden colours of
/// fully transparent pixels are dropped.
///
/// Runs for up to a second and needs up to three times the memory of [`Limits::max_memory`]. Call it on a thread that
/// may block; [`ImagePool`] has some.
///
/// # Errors
/// [`ImageError`] says which limit was exceeded, or why the image cannot be read.
pub fn normalize(base64_text: &str, limits: &Limits) -> Result<NormalImage, ImageError> {
    // The file is dropped as soon as its pixels are known.
    let (pixels, orientation) = decode::decode(&base64_text::decode(base64_text, limits.max_raw_length)?, limits)?;
    let mut pixels = shrink::shrink(pixels, limits.max_side);
    // Turning is cheaper once the image is small.
    pixels.apply_orientation(orientation);
    encode::encode(pixels)
}

#[cfg(test)]
mod tests;

//! Images in messages: checked, shrunk and re-encoded.
//!
//! Clients send images as base64. The relay never passes on the bytes that it received: it decodes the image and
//! encodes the pixels as PNG ([`normalize`]). This removes positions, camera data, profiles and everything else in the
//! file. Decoding is slow. A few threads of low priority do it ([`ImagePool`]), so a flood of images does not delay
//! texts. Knows nothing of rooms or messages: takes texts and returns images.

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
pub use decode::ImageFileFormat;
pub use pool::{ImagePool, PoolConfig, Waiting};
pub use queue::PoolFull;

/// Limits of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest side of a normalized image, in pixels; 0 counts as 1. Larger images are shrunk, which needs up to 48 bytes
    /// for each pixel of a square with this side: 31 MB. Default 800.
    pub max_side: u32,
    /// Longest base64 text, in bytes, line breaks included. Default 5,000,000.
    pub max_raw_length: usize,
    /// Most pixels of a received image. Default 16,000,000.
    pub max_pixels: u64,
    /// Most memory of a decoder, in bytes: for the decoded pixels, and for its own data about the whole image. It is
    /// computed from the headers. Buffers for a few rows and the file itself are not counted. Default 64 MiB.
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
    /// The BLAKE3 hash of the PNG. Equal pixels have equal hashes, whatever the format of the received file.
    pub digest: [u8; 32],
}

/// The reason why an image was refused.
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
    /// A side is longer than 65,535 pixels, which is the most that JPEG and GIF can represent.
    #[error("{format} image is {width} x {height} pixels; the limit is {limit} pixels a side")]
    SideTooLong {
        /// The format of the file.
        format: ImageFileFormat,
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// The limit in pixels.
        limit: u32,
    },
    /// The image exceeds [`Limits::max_pixels`].
    #[error("{format} image is {width} x {height} pixels; the limit is {limit} pixels in all")]
    TooManyPixels {
        /// The format of the file.
        format: ImageFileFormat,
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
        format: ImageFileFormat,
        /// The estimate in bytes.
        needed: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The headers are damaged, or describe an image that cannot be decoded.
    #[error("{format} file is malformed: {reason}")]
    Malformed {
        /// The format of the file.
        format: ImageFileFormat,
        /// The reason, in words.
        reason: &'static str,
    },
    /// The file is damaged, or uses a feature that the decoder does not support.
    #[error("{format} file cannot be decoded")]
    Undecodable {
        /// The format of the file.
        format: ImageFileFormat,
        /// The error that the decoder reported.
        source: CodecError,
    },
    /// The pixels could not be encoded as PNG.
    #[error("image cannot be encoded")]
    Unencodable {
        /// The error that the encoder reported.
        source: CodecError,
    },
    /// The image gave way to that of a sender with fewer of them in the queue.
    #[error("too many images are waiting")]
    Displaced,
    /// A decoder panicked, because of a bug in it.
    #[error("image decoder panicked")]
    DecoderPanicked,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_side: 800, max_raw_length: 5_000_000, max_pixels: 16_000_000, max_memory: 64 * 1024 * 1024 }
    }
}

impl fmt::Debug for NormalImage {
    /// Omits the image: it is long and does not belong in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { data, width, height, digest: _ } = self;
        write!(f, "NormalImage({width} x {height}, {} bytes)", data.len())
    }
}

/// Decodes an image from base64 and encodes it as PNG within `limits`.
///
/// Accepts JPEG, PNG, GIF and WebP; the format is detected by content. The base64 text may contain white space and lack
/// its padding. Only the first frame of an animation is used. A JPEG that ends too early is accepted, and the missing
/// part is grey.
///
/// The orientation in the metadata is applied. All metadata is dropped, colour profiles included. The PNG is grey or
/// RGB, with or without alpha, and has 8 bits per channel. The hidden colours of fully transparent pixels are dropped.
///
/// Takes a fraction of a second, and up to a few seconds for a file that was made to be slow. Allocates up to twice
/// [`Limits::max_memory`]. Call it on a thread that may block, as [`ImagePool`] does.
///
/// # Errors
/// [`ImageError`] names the limit that was exceeded, or the reason why the image cannot be decoded.
///
/// # Panics
/// Never on purpose; but a bug in a decoder may panic. [`ImagePool`] catches that.
pub fn normalize(base64_text: &str, limits: &Limits) -> Result<NormalImage, ImageError> {
    // The file is dropped as soon as it is decoded.
    let (pixels, orientation) = decode::decode(&base64_text::decode(base64_text, limits.max_raw_length)?, limits)?;
    let mut pixels = shrink::shrink(pixels, limits.max_side);
    // Turning a small image is cheaper.
    pixels.apply_orientation(orientation);
    encode::encode(pixels)
}

#[cfg(test)]
mod tests;

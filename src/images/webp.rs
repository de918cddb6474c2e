//! The chunks of a WebP file.
//!
//! The decoder believes some sizes in the file before it checks them. A small file can thus make it allocate gigabytes.
//! [`Layout`] finds the chunks that the decoder will read, and computes how much it will allocate.

use image::metadata::Orientation;

use super::vp8l;

/// The parts of a WebP file that its decoder reads for the first frame.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    canvas: (u32, u32),
    /// The size of the first frame if the file is an animation.
    frame: Option<(u32, u32)>,
    has_alpha: bool,
    exif: Option<&'a [u8]>,
    pixels: Pixels<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Pixels<'a> {
    Lossy { data: &'a [u8], alpha: Option<&'a [u8]> },
    Lossless(&'a [u8]),
}

struct Chunk<'a> {
    kind: [u8; 4],
    /// Shorter than declared if the file ends too early.
    body: &'a [u8],
}

/// The chunks in `bytes`. The last one may be incomplete.
fn chunks(mut bytes: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    std::iter::from_fn(move || {
        let (&kind, rest) = bytes.split_first_chunk::<4>()?;
        let (&length, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        let body = rest.get(..length).unwrap_or(rest);
        // Chunks have an even length.
        bytes = rest.get(length.saturating_add(length & 1)..).unwrap_or_default();
        Some(Chunk { kind, body })
    })
}

impl<'a> Layout<'a> {
    /// Finds the chunks. `None` if they are damaged, or in an arrangement that no encoder produces.
    pub(super) fn find(file: &'a [u8]) -> Option<Self> {
        let all = || chunks(file.get(12..).unwrap_or_default());
        let first = all().next()?;
        let (canvas, has_alpha) = match &first.kind {
            b"VP8X" => parse_extended(first.body)?,
            b"VP8 " => (lossy_size(first.body)?, false),
            b"VP8L" => lossless_header(first.body)?,
            _ => return None,
        };
        if &first.kind != b"VP8X" {
            let pixels = Pixels::from(&first, None)?;
            return Some(Self { canvas, frame: None, has_alpha, exif: None, pixels });
        }
        let body_of = |kind: &[u8; 4]| all().skip(1).find(|chunk| &chunk.kind == kind).map(|chunk| chunk.body);
        let exif = body_of(b"EXIF");
        let is_animated = first.body.first()? & 2 != 0;
        match (is_animated, body_of(b"ANMF")) {
            (true, Some(body)) => {
                let (&[_, _, _, _, _, _, w0, w1, w2, h0, h1, h2, _, _, _, _], parts) = body.split_first_chunk()?;
                let size = (u24([w0, w1, w2]) + 1, u24([h0, h1, h2]) + 1);
                let mut parts = chunks(parts);
                let first = parts.next()?;
                let pixels = if &first.kind == b"ALPH" {
                    // The decoder takes the next chunk for lossy data, whatever its kind.
                    Pixels::Lossy { data: parts.next()?.body, alpha: Some(first.body) }
                } else {
                    Pixels::from(&first, None)?
                };
                Some(Self { canvas, frame: Some(size), has_alpha, exif, pixels })
            }
            (false, None) => {
                let pixels = match (body_of(b"VP8 "), body_of(b"VP8L")) {
                    (Some(data), None) => Pixels::Lossy { data, alpha: body_of(b"ALPH") },
                    (None, Some(data)) => Pixels::Lossless(data),
                    _ => return None,
                };
                Some(Self { canvas, frame: None, has_alpha, exif, pixels })
            }
            _ => None,
        }
    }

    /// Width and height of the canvas, in pixels.
    pub(super) fn size(&self) -> (u32, u32) {
        self.canvas
    }

    /// The orientation in the EXIF chunk.
    pub(super) fn orientation(&self) -> Orientation {
        // Some encoders copy the prefix from JPEG, which does not belong in a WebP.
        let exif = self.exif.map(|exif| exif.strip_prefix(b"Exif\0\0").unwrap_or(exif));
        exif.and_then(Orientation::from_exif_chunk).unwrap_or(Orientation::NoTransforms)
    }

    /// Memory that the decoder allocates for the image, its output included, in bytes. `None` if the chunks are damaged
    /// or disagree about the frame's size.
    pub(super) fn decoder_bytes(&self) -> Option<u64> {
        let (width, height) = self.frame.unwrap_or(self.canvas);
        let canvas = u64::from(self.canvas.0) * u64::from(self.canvas.1);
        let frame = u64::from(width) * u64::from(height);
        let output = canvas * if self.has_alpha { 4 } else { 3 };
        let composition = if self.frame.is_some() { canvas * 4 + frame * 4 } else { 0 };
        let pixels = match self.pixels {
            Pixels::Lossy { data, alpha } => {
                if lossy_size(data)? != (width, height) {
                    return None;
                }
                // Luma and two quarters of chroma, in macroblocks.
                let planes = u64::from(width).next_multiple_of(16) * u64::from(height).next_multiple_of(16) * 3 / 2;
                planes + alpha.map_or(Some(0), |alpha| alpha_bytes(alpha, width, height))?
            }
            Pixels::Lossless(data) => {
                let (size, _) = lossless_header(data)?;
                if size != (width, height) {
                    return None;
                }
                // If there is no alpha, the decoder decodes to a copy that has it.
                let copy = if self.frame.is_none() && !self.has_alpha { frame * 4 } else { 0 };
                copy + vp8l::side_bytes(data.get(LOSSLESS_HEADER..)?, width, height)?
            }
        };
        Some(output + composition + pixels)
    }
}

impl<'a> Pixels<'a> {
    fn from(chunk: &Chunk<'a>, alpha: Option<&'a [u8]>) -> Option<Self> {
        match &chunk.kind {
            b"VP8 " => Some(Self::Lossy { data: chunk.body, alpha }),
            b"VP8L" => Some(Self::Lossless(chunk.body)),
            _ => None,
        }
    }
}

/// The bytes that precede the bit stream in a chunk `VP8L`.
const LOSSLESS_HEADER: usize = 5;

/// Reads the size of the canvas, and whether the image has alpha.
fn parse_extended(body: &[u8]) -> Option<((u32, u32), bool)> {
    let (&[flags, _, _, _, w0, w1, w2, h0, h1, h2], _) = body.split_first_chunk()?;
    Some(((u24([w0, w1, w2]) + 1, u24([h0, h1, h2]) + 1), flags & 0x10 != 0))
}

/// Reads the size in a chunk `VP8 `.
fn lossy_size(body: &[u8]) -> Option<(u32, u32)> {
    let (&[_, _, _, 0x9D, 0x01, 0x2A, w0, w1, h0, h1], _) = body.split_first_chunk()? else { return None };
    // The upper two bits are scales, which decoders ignore.
    let side = |bytes| u32::from(u16::from_le_bytes(bytes) & 0x3FFF);
    Some((side([w0, w1]), side([h0, h1])))
}

/// Reads the size in a chunk `VP8L`, and whether the image has alpha.
fn lossless_header(body: &[u8]) -> Option<((u32, u32), bool)> {
    let (&[0x2F, b0, b1, b2, b3], _) = body.split_first_chunk::<LOSSLESS_HEADER>()? else { return None };
    let bits = u32::from_le_bytes([b0, b1, b2, b3]);
    Some((((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1), bits >> 28 & 1 != 0))
}

/// Memory for a chunk `ALPH`, in bytes.
fn alpha_bytes(body: &[u8], width: u32, height: u32) -> Option<u64> {
    let pixels = u64::from(width) * u64::from(height);
    let (info, data) = body.split_first()?;
    let is_compressed = info & 3 != 0;
    Some(if is_compressed { pixels * 5 + vp8l::side_bytes(data, width, height)? } else { pixels })
}

fn u24([b0, b1, b2]: [u8; 3]) -> u32 {
    u32::from_le_bytes([b0, b1, b2, 0])
}

//! The headers of a JPEG.
//!
//! The decoder also reads metadata, some of it in quadratic time, and does not limit its memory. [`Jpeg`] reads the
//! headers first, keeps those that describe the pixels, and computes how much the decoder will allocate.

use image::metadata::Orientation;

const START_OF_IMAGE: [u8; 2] = [0xFF, 0xD8];
const HUFFMAN_TABLES: u8 = 0xC4;
const END_OF_IMAGE: u8 = 0xD9;
const START_OF_SCAN: u8 = 0xDA;
const QUANTIZATION_TABLES: u8 = 0xDB;
const RESTART_INTERVAL: u8 = 0xDD;
/// The segment with EXIF data.
const APP1: u8 = 0xE1;
/// The segment in which Adobe's programs declare the colour model.
const APP14: u8 = 0xEE;
/// The frames that the decoder supports: baseline, extended sequential, progressive.
const BASELINE: u8 = 0xC0;
const PROGRESSIVE: u8 = 0xC2;
/// The largest sampling factor that the standard permits.
const MAX_SAMPLING: u8 = 4;
/// Most scans in a file. Encoders make about ten for a progressive image. Each takes time, even if it is nearly empty.
const MAX_SCANS: usize = 40;
/// The sides of a block, in samples.
const BLOCK: u64 = 8;

/// A JPEG without metadata.
#[derive(Debug)]
pub(super) struct Jpeg {
    /// The file to decode.
    pub(super) file: Vec<u8>,
    /// The orientation in the EXIF data of the original file.
    pub(super) orientation: Orientation,
    frame: Frame,
    /// Whether the decoder must store the coefficients of the whole image: if it is progressive, or if its components
    /// are in separate scans.
    is_buffered: bool,
}

#[derive(Debug)]
struct Frame {
    width: u16,
    height: u16,
    /// The sampling factors of each component, horizontal and vertical.
    sampling: Vec<(u8, u8)>,
}

impl Jpeg {
    /// Reads the headers up to the first scan. `None` if they are damaged or describe no supported frame, or if the
    /// file has too many scans.
    pub(super) fn parse(file: &[u8]) -> Option<Self> {
        let mut rest = file.strip_prefix(&START_OF_IMAGE)?;
        let mut kept = Vec::with_capacity(file.len());
        kept.extend_from_slice(&START_OF_IMAGE);
        let (mut frame, mut orientation, mut is_buffered) = (None, None, false);
        loop {
            let (segment, after) = Segment::split(rest)?;
            match segment.marker {
                BASELINE..=PROGRESSIVE if frame.is_none() => {
                    frame = Some(Frame::parse(segment.body)?);
                    is_buffered = segment.marker == PROGRESSIVE;
                    segment.append_to(&mut kept);
                }
                HUFFMAN_TABLES | QUANTIZATION_TABLES | RESTART_INTERVAL => segment.append_to(&mut kept),
                APP14 if segment.body.starts_with(b"Adobe") => segment.append_to(&mut kept),
                APP1 if orientation.is_none() => {
                    let exif = segment.body.strip_prefix(b"Exif\0\0");
                    orientation = exif.and_then(Orientation::from_exif_chunk);
                }
                START_OF_SCAN => {
                    let frame = frame?;
                    // This marker does not occur in the data of a scan, where 0 follows each byte 0xFF.
                    let more_scans = after.windows(2).filter(|pair| pair == &[0xFF, START_OF_SCAN]).count();
                    if more_scans >= MAX_SCANS {
                        return None;
                    }
                    is_buffered |= usize::from(*segment.body.first()?) != frame.sampling.len();
                    segment.append_to(&mut kept);
                    kept.extend_from_slice(after);
                    let orientation = orientation.unwrap_or(Orientation::NoTransforms);
                    return Some(Self { file: kept, orientation, frame, is_buffered });
                }
                // A second frame, an unsupported frame, or arithmetic coding.
                0xC0..=0xCF | END_OF_IMAGE => return None,
                _ => {}
            }
            rest = after;
        }
    }

    /// Width and height, in pixels.
    pub(super) fn size(&self) -> (u32, u32) {
        (self.frame.width.into(), self.frame.height.into())
    }

    /// Memory for the coefficients of the whole image, in bytes; 0 if the decoder needs those of a few rows only.
    pub(super) fn coefficient_bytes(&self) -> u64 {
        // A coefficient has 16 bits.
        if self.is_buffered { self.frame.coefficients() * 2 } else { 0 }
    }
}

impl Frame {
    fn parse(body: &[u8]) -> Option<Self> {
        let (&[_precision, h1, h0, w1, w0, count], components) = body.split_first_chunk()?;
        let (components, rest) = components.as_chunks::<3>();
        if components.len() != usize::from(count) || !(1..=4).contains(&count) || !rest.is_empty() {
            return None;
        }
        let sampling: Vec<_> = components.iter().map(|[_, factors, _]| (factors >> 4, factors & 0xF)).collect();
        let permitted = 1..=MAX_SAMPLING;
        sampling.iter().all(|(h, v)| permitted.contains(h) && permitted.contains(v)).then(|| Self {
            width: u16::from_be_bytes([w1, w0]),
            height: u16::from_be_bytes([h1, h0]),
            sampling,
        })
    }

    /// The number of coefficients, including those that pad the image to whole units.
    fn coefficients(&self) -> u64 {
        let max_of = |factor: fn(&(u8, u8)) -> u8| self.sampling.iter().map(factor).max().map_or(1, u64::from);
        let (max_h, max_v) = (max_of(|&(h, _)| h), max_of(|&(_, v)| v));
        let units = u64::from(self.width).div_ceil(BLOCK * max_h) * u64::from(self.height).div_ceil(BLOCK * max_v);
        let blocks_per_unit: u64 = self.sampling.iter().map(|&(h, v)| u64::from(h) * u64::from(v)).sum();
        units * blocks_per_unit * BLOCK * BLOCK
    }
}

/// A marker and its data.
struct Segment<'a> {
    marker: u8,
    length: [u8; 2],
    body: &'a [u8],
}

impl<'a> Segment<'a> {
    /// Splits `bytes` after the first segment. Skips fill bytes and stray bytes before the marker, as decoders do.
    fn split(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let start = bytes.iter().position(|&byte| byte == 0xFF)?;
        let bytes = bytes.get(start..)?;
        let marker = bytes.iter().position(|&byte| byte != 0xFF && byte != 0)?;
        let (&[marker, l1, l0], rest) = bytes.get(marker..)?.split_first_chunk()?;
        let length = [l1, l0];
        let (body, after) = rest.split_at_checked(usize::from(u16::from_be_bytes(length)).checked_sub(2)?)?;
        Some((Self { marker, length, body }, after))
    }

    fn append_to(&self, file: &mut Vec<u8>) {
        file.extend_from_slice(&[0xFF, self.marker]);
        file.extend_from_slice(&self.length);
        file.extend_from_slice(self.body);
    }
}

mod formats;
mod hostile;
mod metadata;
mod refusals;
mod sizes;

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{DynamicImage, ImageBuffer, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

use super::*;

const RED: [u8; 3] = [255, 0, 0];
const GREEN: [u8; 3] = [0, 255, 0];
const BLUE: [u8; 3] = [0, 0, 255];

/// Normalizes a file with the default limits.
fn normalize_file(file: &[u8]) -> Result<NormalImage, ImageError> {
    normalize(&STANDARD.encode(file), &Limits::default())
}

/// The pixels of a file after normalizing it.
fn pixels(file: &[u8]) -> DynamicImage {
    let image = normalize_file(file).unwrap();
    let decoded = image::load_from_memory_with_format(&png_of(&image), ImageFormat::Png).unwrap();
    assert_eq!((image.width, image.height), (decoded.width(), decoded.height()));
    decoded
}

fn png_of(image: &NormalImage) -> Vec<u8> {
    STANDARD.decode(&image.data).unwrap()
}

fn encode_as(format: ImageFormat, image: impl Into<DynamicImage>) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    image.into().write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// Squares of `side` x `side` pixels, in rows.
fn squares<const COLUMNS: usize>(side: u32, rows: &[[[u8; 3]; COLUMNS]]) -> RgbImage {
    let (width, height) = (u32::try_from(COLUMNS).unwrap(), u32::try_from(rows.len()).unwrap());
    ImageBuffer::from_fn(width * side, height * side, |x, y| {
        Rgb(rows[usize::try_from(y / side).unwrap()][usize::try_from(x / side).unwrap()])
    })
}

/// A smooth image, different in each pixel.
fn gradient(width: u32, height: u32) -> RgbImage {
    let part = |at: u32, of: u32| u8::try_from(at * 255 / of).unwrap();
    ImageBuffer::from_fn(width, height, |x, y| Rgb([part(x, width), part(y, height), part(x + y, width + height)]))
}

fn translucent(width: u32, height: u32) -> RgbaImage {
    ImageBuffer::from_pixel(width, height, Rgba([200, 100, 50, 128]))
}

/// Whether the pixels are of these colours, apart from what lossy formats change.
fn assert_close(image: &DynamicImage, (x, y): (u32, u32), expected: [u8; 3]) {
    let Rgb(found) = image.to_rgb8()[(x, y)];
    let is_close = found.iter().zip(expected).all(|(found, expected)| found.abs_diff(expected) <= 12);
    assert!(is_close, "{found:?} at {x}, {y}; expected {expected:?}");
}

/// Adds a chunk to a PNG, before its other chunks except the first.
fn with_png_chunk(png: &[u8], kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    let (head, tail) = png.split_at(8 + 25);
    [head, &png_chunk(kind, body), tail].concat()
}

fn png_chunk(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    let typed = [&kind, body].concat();
    let length = u32::try_from(body.len()).unwrap();
    [&length.to_be_bytes(), &*typed, &crc32(&typed).to_be_bytes()].concat()
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes
        .iter()
        .fold(u32::MAX, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| crc >> 1 ^ (0xEDB8_8320 * (crc & 1))))
}

/// The kinds of the chunks of a PNG, in their order.
fn png_chunks(png: &[u8]) -> Vec<[u8; 4]> {
    let (mut rest, mut kinds) = (&png[8..], Vec::new());
    while let Some((length, after)) = rest.split_first_chunk() {
        kinds.push(*after.first_chunk().unwrap());
        rest = &after[usize::try_from(u32::from_be_bytes(*length)).unwrap() + 8..];
    }
    kinds
}

/// Adds a segment to a JPEG, before its other segments.
fn with_jpeg_segment(jpeg: &[u8], marker: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xFF, marker], &length, body, &jpeg[2..]].concat()
}

fn riff_chunk(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    [&kind, &length, body, &[0][..body.len() % 2]].concat()
}

/// A WebP with a canvas of this size, and more chunks.
fn extended_webp(flags: u8, (width, height): (u32, u32), chunks: &[Vec<u8>]) -> Vec<u8> {
    let side = |side: u32| (side - 1).to_le_bytes()[..3].to_vec();
    let header = [vec![flags, 0, 0, 0], side(width), side(height)].concat();
    webp(&[riff_chunk(*b"VP8X", &header), chunks.concat()].concat())
}

fn webp(chunks: &[u8]) -> Vec<u8> {
    riff_chunk(*b"RIFF", &[b"WEBP", chunks].concat())
}

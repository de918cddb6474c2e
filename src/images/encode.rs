//! Pixels to PNG.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, ExtendedColorType, ImageEncoder as _};

use super::{ImageError, NormalImage};

/// Encodes `image` with as few channels as its pixels need.
pub(super) fn encode(image: DynamicImage) -> Result<NormalImage, ImageError> {
    let (width, height) = (image.width(), image.height());
    let (pixels, color) = in_fewest_channels(image);
    let mut png = Vec::new();
    PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Adaptive)
        .write_image(&pixels, width, height, color)
        .map_err(|source| ImageError::Unencodable { source })?;
    Ok(NormalImage { data: STANDARD.encode(&png), width, height, digest: blake3::hash(&png).into() })
}

/// Returns the samples of `image` without redundant channels.
fn in_fewest_channels(image: DynamicImage) -> (Vec<u8>, ExtendedColorType) {
    use ExtendedColorType::{L8, La8, Rgb8, Rgba8};
    match image {
        DynamicImage::ImageLuma8(image) => (image.into_raw(), L8),
        DynamicImage::ImageLumaA8(image) => {
            let mut samples = image.into_raw();
            let pixels = samples.as_chunks_mut::<2>().0;
            hide_transparent(pixels);
            if pixels.iter().all(|&[_, alpha]| alpha == u8::MAX) {
                return (pixels.iter().map(|&[luma, _]| luma).collect(), L8);
            }
            (samples, La8)
        }
        DynamicImage::ImageRgb8(image) => {
            let samples = image.into_raw();
            let pixels = samples.as_chunks::<3>().0;
            if pixels.iter().all(|&[red, green, blue]| red == green && green == blue) {
                return (pixels.iter().map(|&[luma, ..]| luma).collect(), L8);
            }
            (samples, Rgb8)
        }
        image => {
            let mut samples = image.into_rgba8().into_raw();
            let pixels = samples.as_chunks_mut::<4>().0;
            hide_transparent(pixels);
            let is_opaque = pixels.iter().all(|&[.., alpha]| alpha == u8::MAX);
            let is_grey = pixels.iter().all(|&[red, green, blue, _]| red == green && green == blue);
            match (is_grey, is_opaque) {
                (true, true) => (pixels.iter().map(|&[luma, ..]| luma).collect(), L8),
                (true, false) => (pixels.iter().flat_map(|&[luma, .., alpha]| [luma, alpha]).collect(), La8),
                (false, true) => (pixels.iter().flat_map(|&[red, green, blue, _]| [red, green, blue]).collect(), Rgb8),
                (false, false) => (samples, Rgba8),
            }
        }
    }
}

/// Drops the colours of fully transparent pixels: no viewer shows them, and the sender may not know of them.
fn hide_transparent<const CHANNELS: usize>(pixels: &mut [[u8; CHANNELS]]) {
    for pixel in pixels {
        if pixel.last() == Some(&0) {
            *pixel = [0; CHANNELS];
        }
    }
}

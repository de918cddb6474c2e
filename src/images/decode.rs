//! Image files to pixels, within limits.

use std::fmt;
use std::io::Cursor;

use image::codecs::gif::GifDecoder;
use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::error::ImageError as CodecError;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat};

use super::jpeg::Jpeg;
use super::webp::Layout;
use super::{ImageError, Limits};

/// Longest side of a received image, in pixels: the most that JPEG and GIF can represent. Bounds the buffers for rows.
const MAX_SIDE: u32 = 65_535;
/// Most memory for the metadata of a PNG, in bytes. The decoder unpacks it before the image.
const PNG_METADATA_BYTES: u64 = 16 * 1024 * 1024;

/// The format of an image file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageFileFormat {
    /// JPEG, in RGB, grey or CMYK.
    Jpeg,
    /// PNG, and the still image of an animated PNG.
    Png,
    /// GIF.
    Gif,
    /// WebP, lossy, lossless or animated.
    WebP,
}

impl ImageFileFormat {
    fn detect(file: &[u8]) -> Option<Self> {
        match image::guess_format(file).ok()? {
            ImageFormat::Jpeg => Some(Self::Jpeg),
            ImageFormat::Png => Some(Self::Png),
            ImageFormat::Gif => Some(Self::Gif),
            ImageFormat::WebP => Some(Self::WebP),
            _ => None,
        }
    }

    fn undecodable(self, source: CodecError) -> ImageError {
        ImageError::Undecodable { format: self, source }
    }

    fn malformed(self, reason: &'static str) -> ImageError {
        ImageError::Malformed { format: self, reason }
    }

    fn check_size(self, (width, height): (u32, u32), limits: &Limits) -> Result<(), ImageError> {
        if width == 0 || height == 0 {
            return Err(self.malformed("it has no pixels"));
        }
        if width.max(height) > MAX_SIDE {
            return Err(ImageError::SideTooLong { format: self, width, height, limit: MAX_SIDE });
        }
        if u64::from(width) * u64::from(height) > limits.max_pixels {
            return Err(ImageError::TooManyPixels { format: self, width, height, limit: limits.max_pixels });
        }
        Ok(())
    }

    fn check_memory(self, needed: u64, limits: &Limits) -> Result<(), ImageError> {
        if needed > limits.max_memory {
            return Err(ImageError::TooMuchMemory { format: self, needed, limit: limits.max_memory });
        }
        Ok(())
    }
}

impl fmt::Display for ImageFileFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Gif => "GIF",
            Self::WebP => "WebP",
        })
    }
}

/// Decodes an image file to pixels of 8 bits per channel. Returns the orientation as well, which is not yet applied.
///
/// Checks the limits against the headers before memory is allocated for pixels.
pub(super) fn decode(file: &[u8], limits: &Limits) -> Result<(DynamicImage, Orientation), ImageError> {
    let format = ImageFileFormat::detect(file).ok_or(ImageError::UnknownFormat)?;
    let undecodable = |source| format.undecodable(source);
    let (image, orientation) = match format {
        ImageFileFormat::Jpeg => {
            let jpeg = Jpeg::parse(file).ok_or_else(|| format.malformed("no supported frame"))?;
            format.check_size(jpeg.size(), limits)?;
            let decoder = JpegDecoder::new(Cursor::new(&jpeg.file)).map_err(undecodable)?;
            let (image, _) = read(format, decoder, jpeg.coefficient_bytes(), limits)?;
            (image, jpeg.orientation)
        }
        ImageFileFormat::Png => {
            let mut metadata_limits = image::Limits::no_limits();
            metadata_limits.max_alloc = Some(PNG_METADATA_BYTES);
            let decoder = PngDecoder::with_limits(Cursor::new(file), metadata_limits).map_err(undecodable)?;
            read(format, decoder, 0, limits)?
        }
        ImageFileFormat::Gif => {
            let decoder = GifDecoder::new(Cursor::new(file)).map_err(undecodable)?;
            // The decoder reads indices of colours first, each of one byte.
            let (width, height) = decoder.dimensions();
            read(format, decoder, u64::from(width) * u64::from(height), limits)?
        }
        ImageFileFormat::WebP => {
            let layout = Layout::find(file).ok_or_else(|| format.malformed("no supported arrangement of chunks"))?;
            format.check_size(layout.size(), limits)?;
            let needed = layout
                .decoder_bytes()
                .ok_or_else(|| format.malformed("its image data is damaged or has another size"))?;
            format.check_memory(needed, limits)?;
            let decoder = WebPDecoder::new(Cursor::new(file)).map_err(undecodable)?;
            // Do not ask this decoder for the orientation: it allocates as much as the EXIF chunk declares.
            (read_pixels(format, decoder)?, layout.orientation())
        }
    };
    Ok((to_8_bits(image), orientation))
}

/// Checks the headers that `decoder` has read, and decodes the pixels. The decoder needs `extra_bytes` besides those.
fn read(
    format: ImageFileFormat,
    mut decoder: impl ImageDecoder,
    extra_bytes: u64,
    limits: &Limits,
) -> Result<(DynamicImage, Orientation), ImageError> {
    format.check_size(decoder.dimensions(), limits)?;
    let needed = decoder.total_bytes().saturating_add(extra_bytes);
    format.check_memory(needed, limits)?;
    // A GIF's frame may be larger than its screen; its decoder allocates both.
    let mut decoder_limits = image::Limits::no_limits();
    decoder_limits.max_alloc = Some(limits.max_memory - needed);
    decoder.set_limits(decoder_limits).map_err(|source| format.undecodable(source))?;
    // An error in the metadata is no reason to refuse the image.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Ok((read_pixels(format, decoder)?, orientation))
}

fn read_pixels(format: ImageFileFormat, decoder: impl ImageDecoder) -> Result<DynamicImage, ImageError> {
    DynamicImage::from_decoder(decoder).map_err(|source| format.undecodable(source))
}

fn to_8_bits(image: DynamicImage) -> DynamicImage {
    use DynamicImage::{ImageLuma8, ImageLuma16, ImageLumaA8, ImageLumaA16, ImageRgb8, ImageRgb16, ImageRgba8};
    match image {
        ImageLuma8(_) | ImageLumaA8(_) | ImageRgb8(_) | ImageRgba8(_) => image,
        ImageLuma16(_) => ImageLuma8(image.into_luma8()),
        ImageLumaA16(_) => ImageLumaA8(image.into_luma_alpha8()),
        ImageRgb16(_) => ImageRgb8(image.into_rgb8()),
        _ => ImageRgba8(image.into_rgba8()),
    }
}

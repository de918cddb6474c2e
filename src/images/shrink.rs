//! Shrinks images.

use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageBuffer, Pixel};

type Image<P> = ImageBuffer<P, Vec<u8>>;

/// The filter is good but slow. Large images are therefore averaged in square blocks first. The averaged image is at
/// least 3/2 times as wide and as high as the result.
const PIXELS_FOR_FILTER: (u32, u32) = (3, 2);
/// Largest side of a block, in pixels. The sum of 256 x 256 samples, weighted by alpha, fits into 32 bits.
const MAX_FACTOR: u32 = 256;

/// Shrinks `image` so that no side exceeds `max_side` pixels; 0 counts as 1. Keeps the proportions. Never enlarges.
///
/// Colours are weighted by their alpha, so that hidden colours do not appear at transparent edges.
pub(super) fn shrink(image: DynamicImage, max_side: u32) -> DynamicImage {
    let Some(size) = shrunk_size(image.width(), image.height(), max_side.max(1)) else { return image };
    match image {
        DynamicImage::ImageLuma8(image) => resize::<_, 1>(image, size).into(),
        DynamicImage::ImageLumaA8(image) => resize::<_, 2>(image, size).into(),
        DynamicImage::ImageRgb8(image) => resize::<_, 3>(image, size).into(),
        image => resize::<_, 4>(image.into_rgba8(), size).into(),
    }
}

/// Returns the size to shrink to; `None` if the image is small enough.
fn shrunk_size(width: u32, height: u32, max_side: u32) -> Option<(u32, u32)> {
    let long_side = width.max(height);
    let scale = |side: u32| {
        let (side, long_side) = (u64::from(side), u64::from(long_side));
        let scaled = (side * u64::from(max_side) + long_side / 2) / long_side;
        u32::try_from(scaled).unwrap_or(max_side).max(1)
    };
    (long_side > max_side).then(|| (scale(width), scale(height)))
}

/// Resizes `image`, whose pixels have `CHANNELS` channels, with the filter.
fn resize<P, const CHANNELS: usize>(image: Image<P>, (width, height): (u32, u32)) -> Image<P>
where
    P: Pixel<Subpixel = u8> + 'static,
{
    let (numerator, denominator) = PIXELS_FOR_FILTER;
    let needed = width.max(height).saturating_mul(numerator);
    let factor = (image.width().max(image.height()).saturating_mul(denominator) / needed).clamp(1, MAX_FACTOR);
    let has_alpha = has_alpha::<CHANNELS>();
    let averaged = if factor > 1 || has_alpha {
        let averaged = average::<P, CHANNELS>(&image, factor);
        // The filter needs memory, too.
        drop(image);
        averaged
    } else {
        image
    };
    let mut resized = imageops::resize(&averaged, width, height, FilterType::CatmullRom);
    if has_alpha {
        resized.as_chunks_mut::<CHANNELS>().0.iter_mut().for_each(divide_by_alpha);
    }
    resized
}

/// Whether the pixels have alpha: grey and RGB have an odd number of channels, and alpha is one more.
const fn has_alpha<const CHANNELS: usize>() -> bool {
    CHANNELS.is_multiple_of(2)
}

/// Replaces each block of `factor` x `factor` pixels by its average, with colours multiplied by alpha. Blocks at the
/// right and the lower edge may be smaller. `factor` is at most [`MAX_FACTOR`].
fn average<P, const CHANNELS: usize>(image: &Image<P>, factor: u32) -> Image<P>
where
    P: Pixel<Subpixel = u8>,
{
    let mut averaged = Image::<P>::new(image.width().div_ceil(factor), image.height().div_ceil(factor));
    let (factor, row_length) = (factor as usize, image.width() as usize * CHANNELS);
    let averaged_row_length = averaged.width() as usize * CHANNELS;
    // The sums of the columns in one row of blocks.
    let mut sums = vec![[0; CHANNELS]; image.width() as usize];
    let rows_of_blocks = image.as_raw().chunks(row_length * factor);
    for (rows, averaged_row) in rows_of_blocks.zip(averaged.chunks_exact_mut(averaged_row_length)) {
        sums.fill([0; CHANNELS]);
        for row in rows.chunks_exact(row_length) {
            add_row::<CHANNELS>(&mut sums, row);
        }
        for (block, pixel) in sums.chunks(factor).zip(averaged_row.as_chunks_mut().0) {
            *pixel = average_of(block, rows.len() / row_length);
        }
    }
    averaged
}

/// Adds a row of pixels. Colours are multiplied by alpha, and alpha by 255. Without alpha, nothing is multiplied.
fn add_row<const CHANNELS: usize>(sums: &mut [[u32; CHANNELS]], row: &[u8]) {
    if !has_alpha::<CHANNELS>() {
        sums.as_flattened_mut().iter_mut().zip(row).for_each(|(sum, &sample)| *sum += u32::from(sample));
        return;
    }
    for (sum, pixel) in sums.iter_mut().zip(row.as_chunks::<CHANNELS>().0) {
        let (Some((alpha_sum, color_sums)), Some((&alpha, colors))) = (sum.split_last_mut(), pixel.split_last()) else {
            continue;
        };
        *alpha_sum += u32::from(alpha) * u32::from(u8::MAX);
        color_sums.iter_mut().zip(colors).for_each(|(sum, &color)| *sum += u32::from(color) * u32::from(alpha));
    }
}

/// Returns the average of a block from the sums of its columns, each of `rows` pixels.
fn average_of<const CHANNELS: usize>(columns: &[[u32; CHANNELS]], rows: usize) -> [u8; CHANNELS] {
    let mut total = [0; CHANNELS];
    for column in columns {
        for (total, sum) in total.iter_mut().zip(column) {
            *total += sum;
        }
    }
    let weight = if has_alpha::<CHANNELS>() { usize::from(u8::MAX) } else { 1 };
    let divisor = u32::try_from(columns.len() * rows * weight).unwrap_or(u32::MAX).max(1);
    total.map(|sum| u8::try_from((sum + divisor / 2) / divisor).unwrap_or(u8::MAX))
}

/// Undoes the multiplication of colours by alpha.
fn divide_by_alpha<const CHANNELS: usize>(pixel: &mut [u8; CHANNELS]) {
    let Some((&mut alpha, colors)) = pixel.split_last_mut() else { return };
    let alpha = u32::from(alpha);
    for color in colors {
        let divided = (u32::from(*color) * u32::from(u8::MAX) + alpha / 2).checked_div(alpha).unwrap_or_default();
        // The filter overshoots at sharp edges.
        *color = u8::try_from(divided).unwrap_or(u8::MAX);
    }
}

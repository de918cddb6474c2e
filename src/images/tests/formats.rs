use image::codecs::gif::GifEncoder;
use image::{Frame, Luma, LumaA};

use super::*;

const PALETTE: &[u8] = include_bytes!("../../../tests/cases/images/palette.png");
const PROGRESSIVE: &[u8] = include_bytes!("../../../tests/cases/images/progressive.jpg");
const CMYK: &[u8] = include_bytes!("../../../tests/cases/images/cmyk.jpg");
const YCCK: &[u8] = include_bytes!("../../../tests/cases/images/ycck.jpg");
const LOSSY_WEBP: &[u8] = include_bytes!("../../../tests/cases/images/lossy.webp");
const LOSSY_ALPHA_WEBP: &[u8] = include_bytes!("../../../tests/cases/images/lossy-alpha.webp");
const REGIONS_WEBP: &[u8] = include_bytes!("../../../tests/cases/images/lossless-regions.webp");
const ANIMATED_WEBP: &[u8] = include_bytes!("../../../tests/cases/images/animated.webp");

fn assert_row(image: &DynamicImage, colors: &[[u8; 3]]) {
    for (x, &color) in (8..).step_by(16).zip(colors) {
        assert_close(image, (x, 8), color);
    }
}

#[test]
fn each_format_keeps_its_colours() {
    let row = squares(16, &[[RED, GREEN, BLUE]]);
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
        assert_row(&pixels(&encode_as(format, row.clone())), &[RED, GREEN, BLUE]);
    }
    for file in [PALETTE, PROGRESSIVE, LOSSY_WEBP] {
        assert_row(&pixels(file), &[RED, GREEN, BLUE]);
    }
}

#[test]
fn a_lossless_image_keeps_its_pixels() {
    let image = gradient(40, 30);
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        assert_eq!(pixels(&encode_as(format, image.clone())).to_rgb8(), image);
    }
}

#[test]
fn a_lossless_webp_with_codes_for_regions_is_accepted() {
    assert_eq!(pixels(REGIONS_WEBP).to_rgb8()[(50, 10)], Rgb([10, 200, 30]));
}

#[test]
fn the_inks_of_cmyk_become_their_colours() {
    for file in [CMYK, YCCK] {
        let [cyan, magenta, yellow] = [[0, 255, 255], [255, 0, 255], [255, 255, 0]];
        assert_row(&pixels(file), &[cyan, magenta, yellow, [0; 3], [255; 3], RED]);
    }
}

#[test]
fn the_first_frame_of_an_animated_gif_is_taken() {
    let mut file = Vec::new();
    let frame = |color| Frame::new(DynamicImage::from(squares(16, &[[color]])).into_rgba8());
    GifEncoder::new(&mut file).encode_frames([frame(GREEN), frame(BLUE)]).unwrap();
    assert_row(&pixels(&file), &[GREEN]);
}

#[test]
fn the_first_frame_of_an_animated_webp_is_taken() {
    assert_row(&pixels(ANIMATED_WEBP), &[RED, GREEN, BLUE]);
}

#[test]
fn sixteen_bits_become_eight() {
    let levels = [0, 128, 32_767, 32_896, 65_535];
    let image = ImageBuffer::from_fn(5, 1, |x, _| Luma([levels[usize::try_from(x).unwrap()]]));
    let grey = pixels(&encode_as(ImageFormat::Png, DynamicImage::ImageLuma16(image.clone())));
    assert_eq!(grey.to_luma8().into_raw(), [0, 0, 127, 128, 255]);

    let rgb = pixels(&encode_as(ImageFormat::Png, DynamicImage::ImageLuma16(image).into_rgb16()));
    assert_eq!(rgb.to_luma8().into_raw(), [0, 0, 127, 128, 255]);
}

#[test]
fn alpha_is_kept() {
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let image = translucent(20, 10);
        assert_eq!(pixels(&encode_as(format, image.clone())), DynamicImage::from(image));
    }
    assert_eq!(pixels(LOSSY_ALPHA_WEBP).to_rgba8()[(8, 8)].0[3], 128);
}

#[test]
fn the_result_has_the_channels_that_it_needs() {
    let grey = ImageBuffer::from_pixel(9, 9, LumaA([77, 255]));
    for image in [DynamicImage::ImageLumaA8(grey.clone()), DynamicImage::ImageLumaA8(grey).into_rgba8().into()] {
        assert!(matches!(pixels(&encode_as(ImageFormat::Png, image)), DynamicImage::ImageLuma8(_)));
    }
    let opaque: RgbaImage = ImageBuffer::from_pixel(9, 9, Rgba([1, 2, 3, 255]));
    assert!(matches!(pixels(&encode_as(ImageFormat::Png, opaque)), DynamicImage::ImageRgb8(_)));
    let shade: RgbaImage = ImageBuffer::from_pixel(9, 9, Rgba([5, 5, 5, 100]));
    assert!(matches!(pixels(&encode_as(ImageFormat::Png, shade)), DynamicImage::ImageLumaA8(_)));
}

#[test]
fn the_hidden_colours_of_transparent_pixels_are_dropped() {
    let image: RgbaImage = ImageBuffer::from_fn(2, 1, |x, _| Rgba([9, 99, 199, u8::from(x > 0)]));
    let expected = [0, 0, 0, 0, 9, 99, 199, 1];
    assert_eq!(pixels(&encode_as(ImageFormat::Png, image)).to_rgba8().into_raw(), expected);
}

#[test]
fn line_breaks_and_missing_padding_are_tolerated() {
    let file = encode_as(ImageFormat::Png, gradient(30, 30));
    let expected = normalize_file(&file).unwrap();
    // Padded, because of two bytes after the last group of three. Bytes after an image are ignored.
    let text = STANDARD.encode([&*file, &[0; 4][..4 - (file.len() + 2) % 3]].concat());
    assert!(text.ends_with('='));
    let wrapped: String = text.as_bytes().chunks(76).flat_map(|line| [str::from_utf8(line).unwrap(), "\r\n"]).collect();
    for text in [text.trim_end_matches('='), &wrapped, &format!("  {text}\n")] {
        assert_eq!(normalize(text, &Limits::default()).unwrap(), expected);
    }
}

#[test]
fn the_digest_is_that_of_the_png() {
    let image = normalize_file(&encode_as(ImageFormat::Gif, gradient(10, 10))).unwrap();
    assert_eq!(image.digest, *blake3::hash(&png_of(&image)).as_bytes());
}

#[test]
fn equal_pixels_have_equal_digests_in_all_formats() {
    let [png, webp] = [ImageFormat::Png, ImageFormat::WebP].map(|format| encode_as(format, gradient(20, 20)));
    assert_eq!(normalize_file(&png).unwrap().digest, normalize_file(&webp).unwrap().digest);
}

#[test]
fn debug_output_omits_the_image() {
    let image = normalize_file(&encode_as(ImageFormat::Png, gradient(3, 2))).unwrap();
    assert!(!format!("{image:?}").contains(&image.data));
}

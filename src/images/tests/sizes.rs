use image::{GrayImage, Luma};

use super::*;

fn size(width: u32, height: u32, max_side: u32) -> (u32, u32) {
    let file = encode_as(ImageFormat::Png, RgbImage::new(width, height));
    let image = normalize(&STANDARD.encode(file), &Limits { max_side, ..Limits::default() }).unwrap();
    (image.width, image.height)
}

#[test]
fn an_image_is_never_enlarged() {
    assert_eq!(size(1, 1, 800), (1, 1));
    assert_eq!(size(800, 799, 800), (800, 799));
}

#[test]
fn a_large_image_is_shrunk_in_its_proportions() {
    assert_eq!(size(801, 400, 800), (800, 400));
    assert_eq!(size(1600, 900, 800), (800, 450));
    assert_eq!(size(900, 3200, 800), (225, 800));
}

#[test]
fn no_side_is_shrunk_to_nothing() {
    assert_eq!(size(5_000, 1, 800), (800, 1));
    assert_eq!(size(2, 65_535, 10), (1, 10));
    assert_eq!(size(300, 200, 1), (1, 1));
    assert_eq!(size(300, 200, 0), (1, 1));
}

#[test]
fn one_colour_stays_the_same_when_shrunk() {
    for (width, height) in [(1_000, 1_000), (2_399, 1_801), (4_001, 2_999)] {
        let image: RgbImage = ImageBuffer::from_pixel(width, height, Rgb([7, 130, 251]));
        let shrunk = pixels(&encode_as(ImageFormat::Png, image)).into_rgb8();
        assert!(shrunk.pixels().all(|&pixel| pixel == Rgb([7, 130, 251])));
    }
}

#[test]
fn a_shrunk_gradient_is_still_one() {
    for (width, height) in [(1_000, 500), (4_000, 3_000)] {
        let shrunk = pixels(&encode_as(ImageFormat::Png, gradient(width, height)));
        for (x, y) in [(0, 0), (400, 200), (799, 399)] {
            let Rgb(expected) = gradient(shrunk.width(), shrunk.height())[(x, y)];
            assert_close(&shrunk, (x, y), expected);
        }
    }
}

#[test]
fn details_too_fine_become_their_average() {
    let image: GrayImage = ImageBuffer::from_fn(3_200, 400, |x, y| Luma([if (x + y) % 2 == 0 { 0 } else { 255 }]));
    let shrunk = pixels(&encode_as(ImageFormat::Png, image)).into_luma8();
    assert!(shrunk.pixels().all(|pixel| pixel.0[0].abs_diff(128) <= 1));
}

#[test]
fn transparent_edges_have_no_dark_fringe() {
    // Black is hidden under the transparent half.
    for width in [1_000, 3_001] {
        let image: RgbaImage =
            ImageBuffer::from_fn(width, 10, |x, _| if x < width / 2 { Rgba([255; 4]) } else { Rgba([0; 4]) });
        let shrunk = pixels(&encode_as(ImageFormat::Png, image)).into_rgba8();
        assert!(shrunk.pixels().any(|pixel| pixel.0[3] == 0) && shrunk.pixels().any(|pixel| pixel.0[3] == 255));
        let mut visible = shrunk.pixels().filter(|pixel| pixel.0[3] > 0);
        assert!(visible.all(|&Rgba([red, green, blue, _])| red.min(green).min(blue) >= 250));
    }
}

#[test]
fn a_translucent_colour_stays_the_same_when_shrunk() {
    let shrunk = pixels(&encode_as(ImageFormat::Png, translucent(1_900, 900))).into_rgba8();
    let is_close = |&Rgba([red, green, blue, alpha]): &Rgba<u8>| {
        red.abs_diff(200) <= 1 && green.abs_diff(100) <= 1 && blue.abs_diff(50) <= 1 && alpha == 128
    };
    assert!(shrunk.pixels().all(is_close));
}

//! Files that are made to harm. Each is small, and would cost much memory or time if its headers were believed.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1A\n";

/// A PNG with hardly any data for its size.
fn png_bomb(width: u32, height: u32, depth: u8, color: u8) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, color, 0, 0, 0]].concat();
    let chunks = [png_chunk(*b"IHDR", &header), png_chunk(*b"IDAT", &[0x78, 0x9C, 3, 0]), png_chunk(*b"IEND", &[])];
    [SIGNATURE, &chunks.concat()].concat()
}

/// A JPEG with one component, and these segments after its frame header.
fn jpeg(marker: u8, [h1, h0]: [u8; 2], [w1, w0]: [u8; 2], segments: &[u8]) -> Vec<u8> {
    let frame = [8, h1, h0, w1, w0, 1, 1, 0x11, 0];
    [&[0xFF, 0xD8, 0xFF, marker, 0, 11][..], &frame, segments].concat()
}

const SCAN: &[u8] = &[0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0];

fn refusal(file: &[u8]) -> ImageError {
    normalize_file(file).unwrap_err()
}

#[test]
fn a_png_of_huge_size_is_refused_before_decoding() {
    // Decoding would fail with another error, as there are no pixels.
    let error = refusal(&png_bomb(50_000, 50_000, 8, 6));
    assert!(matches!(error, ImageError::TooManyPixels { width: 50_000, height: 50_000, .. }), "{error}");
    let error = refusal(&png_bomb(4_000, 4_000, 16, 6));
    assert!(matches!(error, ImageError::TooMuchMemory { needed: 128_000_000, .. }), "{error}");
    let error = refusal(&png_bomb(u32::from(u16::MAX) + 1, 1, 1, 0));
    assert!(matches!(error, ImageError::SideTooLong { width: 65_536, limit: 65_535, .. }), "{error}");
}

#[test]
fn a_jpeg_of_huge_size_is_refused_before_decoding() {
    let error = refusal(&jpeg(0xC0, [0xFF, 0xFF], [0xFF, 0xFF], SCAN));
    assert!(matches!(error, ImageError::TooManyPixels { width: 65_535, .. }), "{error}");
    // 4,096 x 3,840 pixels of one byte, with coefficients of two.
    let error = normalize(
        &STANDARD.encode(jpeg(0xC2, [15, 0], [16, 0], SCAN)),
        &Limits { max_memory: 40_000_000, ..Limits::default() },
    );
    assert!(matches!(error, Err(ImageError::TooMuchMemory { needed: 47_185_920, .. })), "{error:?}");
}

#[test]
fn a_jpeg_of_countless_scans_is_refused() {
    assert!(matches!(refusal(&jpeg(0xC2, [1, 0], [1, 0], &SCAN.repeat(100))), ImageError::Malformed { .. }));
}

#[test]
fn a_jpeg_of_odd_components_is_refused() {
    for (count, factors) in [(0, 0x11), (5, 0x11), (1, 0x51), (1, 0x10)] {
        let component = [1, factors, 0].repeat(usize::from(count));
        let length = u8::try_from(8 + component.len()).unwrap();
        let frame = [&[0xFF, 0xC0, 0, length, 8, 0, 16, 0, 16, count], &*component].concat();
        let error = refusal(&[&[0xFF, 0xD8], &*frame, SCAN].concat());
        assert!(matches!(error, ImageError::Malformed { .. }), "{error}");
    }
}

#[test]
fn a_frame_larger_than_the_screen_of_a_gif_is_refused() {
    let mut file = encode_as(ImageFormat::Gif, gradient(8, 8));
    // The image descriptor: its separator, the position of the frame, its size.
    let descriptor = file.windows(9).position(|part| part == [0x2C, 0, 0, 0, 0, 8, 0, 8, 0]).unwrap();
    file[descriptor + 5..descriptor + 9].fill(0xFF);
    assert!(matches!(refusal(&file), ImageError::Undecodable { .. }));
}

#[test]
fn a_webp_with_image_data_larger_than_its_canvas_is_refused() {
    // 16,383 x 16,383 pixels.
    let lossy = [&[0x10, 0, 0, 0x9D, 0x01, 0x2A, 0xFF, 0x3F, 0xFF, 0x3F], &[0; 64][..]].concat();
    let lossless = [&[0x2F, 0xFF, 0xFF, 0xFF, 0x0F], &[0; 64][..]].concat();
    for chunk in [riff_chunk(*b"VP8 ", &lossy), riff_chunk(*b"VP8L", &lossless)] {
        let error = refusal(&extended_webp(0, (1, 1), std::slice::from_ref(&chunk)));
        assert!(matches!(error, ImageError::Malformed { .. }), "{error}");
        // An animation, with a frame of 1 x 1 pixels.
        let frame = riff_chunk(*b"ANMF", &[&[0; 16], &*chunk].concat());
        let error = refusal(&extended_webp(2, (1, 1), &[riff_chunk(*b"ANIM", &[0; 6]), frame]));
        assert!(matches!(error, ImageError::Malformed { .. }), "{error}");
        let error = refusal(&webp(&chunk));
        assert!(matches!(error, ImageError::TooManyPixels { width: 16_383.., .. }), "{error}");
    }
}

#[test]
fn the_declared_length_of_exif_data_is_not_allocated() {
    let simple = encode_as(ImageFormat::WebP, gradient(9, 9));
    let mut exif = riff_chunk(*b"EXIF", b"II*\0");
    exif[4..8].fill(0xFF);
    assert_eq!(pixels(&extended_webp(8, (9, 9), &[simple[12..].to_vec(), exif])).to_rgb8(), gradient(9, 9));
}

static SMALL_FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let formats = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP];
    let mut files = formats.map(|format| encode_as(format, gradient(13, 11))).to_vec();
    files.extend([
        include_bytes!("../../../tests/cases/images/progressive.jpg").to_vec(),
        include_bytes!("../../../tests/cases/images/cmyk.jpg").to_vec(),
        include_bytes!("../../../tests/cases/images/palette.png").to_vec(),
        include_bytes!("../../../tests/cases/images/lossy-alpha.webp").to_vec(),
        include_bytes!("../../../tests/cases/images/animated.webp").to_vec(),
        include_bytes!("../../../tests/cases/images/lossless-regions.webp").to_vec(),
    ]);
    files
});

proptest! {
    #[test]
    fn random_texts_do_not_panic(text in ".{0,200}") {
        let _result = normalize(&text, &Limits::default());
    }

    #[test]
    fn random_bytes_do_not_panic(format in 0..5_usize, bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let signature: &[u8] = [&b""[..], b"\xFF\xD8\xFF", SIGNATURE, b"GIF89a", b"RIFF\xFF\0\0\0WEBP"][format];
        let _result = normalize_file(&[signature, &bytes].concat());
    }

    #[test]
    fn damaged_files_do_not_panic(
        file in 0..10_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
        end in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut file = SMALL_FILES[file].clone();
        for (index, byte) in changes {
            *index.get_mut(&mut file) = byte;
        }
        if is_cut {
            file.truncate(end.index(file.len()));
        }
        // A decoder may panic, in cases that are rarer than one in a hundred thousand; this module must not.
        let _result = std::panic::catch_unwind(|| normalize_file(&file));
    }
}

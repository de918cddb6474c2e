use super::*;

fn refusal(text: &str) -> ImageError {
    normalize(text, &Limits::default()).unwrap_err()
}

fn file_refusal(file: &[u8], limits: Limits) -> ImageError {
    normalize(&STANDARD.encode(file), &limits).unwrap_err()
}

#[test]
fn a_text_at_the_limit_is_accepted_and_a_longer_one_is_not() {
    let text = STANDARD.encode(encode_as(ImageFormat::Png, gradient(5, 5)));
    let limits = |max_raw_length| Limits { max_raw_length, ..Limits::default() };
    normalize(&text, &limits(text.len())).unwrap();
    let error = normalize(&text, &limits(text.len() - 1)).unwrap_err();
    assert!(matches!(error, ImageError::TextTooLong { length, limit } if length == text.len() && limit == length - 1));
}

#[test]
fn the_length_is_checked_before_the_content() {
    assert!(matches!(refusal(&"?".repeat(5_000_001)), ImageError::TextTooLong { limit: 5_000_000, .. }));
}

#[test]
fn a_data_url_is_refused_as_such() {
    let text = STANDARD.encode(encode_as(ImageFormat::Png, gradient(5, 5)));
    for scheme in ["data:image/png;base64,", "DATA:image/png;base64,", "\n data:,"] {
        assert!(matches!(refusal(&format!("{scheme}{text}")), ImageError::DataUrl));
    }
}

#[test]
fn a_text_that_is_not_base64_is_refused() {
    for text in ["häuser", "iVBORw0KGgo-", "iVBO=Rw0KGgo", "a"] {
        assert!(matches!(refusal(text), ImageError::NotBase64(_)), "{text}");
    }
}

#[test]
fn what_is_no_image_is_refused() {
    let svg = r#"<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#;
    let files: [&[u8]; 7] = [
        b"",
        b"hello",
        svg.as_bytes(),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"BM\x46\0\0\0\0\0\0\0",
        b"II*\0\x08\0\0\0",
        b"\0\0\0\x1CftypavifXXXXXXXX",
    ];
    for file in files {
        assert!(matches!(file_refusal(file, Limits::default()), ImageError::UnknownFormat));
    }
}

#[test]
fn an_image_at_the_limit_of_pixels_is_accepted_and_a_larger_one_is_not() {
    let limits = Limits { max_pixels: 600, ..Limits::default() };
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
        normalize(&STANDARD.encode(encode_as(format, gradient(30, 20))), &limits).unwrap();
        let error = file_refusal(&encode_as(format, gradient(601, 1)), limits);
        assert!(matches!(error, ImageError::TooManyPixels { width: 601, height: 1, limit: 600, .. }), "{error}");
    }
}

#[test]
fn an_image_within_the_memory_limit_is_accepted_and_a_larger_one_is_not() {
    for (format, bytes) in [
        (ImageFormat::Jpeg, 30 * 20 * 3),
        (ImageFormat::Png, 30 * 20 * 3),
        // A GIF may be transparent, and has indices of colours.
        (ImageFormat::Gif, 30 * 20 * 5),
    ] {
        let file = encode_as(format, gradient(30, 20));
        let limits = |max_memory| Limits { max_memory, ..Limits::default() };
        normalize(&STANDARD.encode(&file), &limits(bytes)).unwrap();
        let error = file_refusal(&file, limits(bytes - 1));
        assert!(matches!(error, ImageError::TooMuchMemory { needed, .. } if needed == bytes), "{error}");
    }
}

#[test]
fn a_progressive_jpeg_needs_memory_for_its_coefficients() {
    let file = include_bytes!("../../../tests/cases/images/progressive.jpg");
    // Three bytes for each of 48 x 16 pixels, and a coefficient of two bytes for each sample of luma, and for every
    // fourth of chroma.
    let bytes = 48 * 16 * 3 + 48 * 16 * 3 / 2 * 2;
    let limits = |max_memory| Limits { max_memory, ..Limits::default() };
    normalize(&STANDARD.encode(file), &limits(bytes)).unwrap();
    let error = file_refusal(file, limits(bytes - 1));
    assert!(matches!(error, ImageError::TooMuchMemory { needed, .. } if needed == bytes), "{error}");
}

#[test]
fn a_truncated_file_is_refused() {
    for format in [ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
        let file = encode_as(format, gradient(60, 40));
        for length in [30, file.len() / 2, file.len() - 20] {
            let error = file_refusal(&file[..length], Limits::default());
            assert!(
                matches!(error, ImageError::Undecodable { .. } | ImageError::Malformed { .. }),
                "{format:?}: {error}"
            );
        }
    }
    let jpeg = encode_as(ImageFormat::Jpeg, gradient(60, 40));
    assert!(matches!(file_refusal(&jpeg[..100], Limits::default()), ImageError::Malformed { .. }));
}

#[test]
fn a_jpeg_that_ends_in_its_pixels_is_shown_up_to_there() {
    let file = encode_as(ImageFormat::Jpeg, squares(64, &[[RED], [GREEN], [BLUE]]));
    assert_close(&pixels(&file[..file.len() - 30]), (8, 8), RED);
}

#[test]
fn errors_name_the_thing_and_the_limit() {
    let limits = Limits { max_pixels: 100, ..Limits::default() };
    let error = file_refusal(&encode_as(ImageFormat::Png, gradient(20, 10)), limits);
    assert_eq!(error.to_string(), "PNG image is 20 x 10 pixels; the limit is 100 pixels in all");
}

use super::*;

/// Part of a position: longitude 8° 32′.
const POSITION: &[u8] = b"LONGITUDE-8.5417";

/// An EXIF block with an orientation and a position.
fn exif(orientation: u8) -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: u32, value: u32| {
        [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value.to_le_bytes()].concat()
    };
    let length = u32::try_from(POSITION.len()).unwrap();
    [
        // The byte order, and where the list of entries begins.
        b"II*\0".to_vec(),
        8_u32.to_le_bytes().to_vec(),
        // Two entries: the orientation, and a list of positions that begins after this one.
        2_u16.to_le_bytes().to_vec(),
        entry(0x0112, 3, 1, orientation.into()),
        entry(0x8825, 4, 1, 38),
        0_u32.to_le_bytes().to_vec(),
        // One entry: a text, which begins after it.
        1_u16.to_le_bytes().to_vec(),
        entry(0x0004, 2, length, 56),
        0_u32.to_le_bytes().to_vec(),
        POSITION.to_vec(),
    ]
    .concat()
}

fn jpeg_with_exif(image: RgbImage, exif: &[u8]) -> Vec<u8> {
    with_jpeg_segment(&encode_as(ImageFormat::Jpeg, image), 0xE1, &[b"Exif\0\0", exif].concat())
}

fn webp_with_exif(image: RgbImage, exif: &[u8]) -> Vec<u8> {
    let size = image.dimensions();
    let simple = encode_as(ImageFormat::WebP, image);
    extended_webp(8, size, &[simple[12..].to_vec(), riff_chunk(*b"EXIF", exif)])
}

/// The rows of an image after an EXIF orientation was applied.
fn turned(rows: [[[u8; 3]; 3]; 2], orientation: u8) -> Vec<Vec<[u8; 3]>> {
    let columns = [0, 1, 2].map(|x| [rows[0][x], rows[1][x]]);
    let list = |rows: &[&[[u8; 3]]]| rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>();
    let reversed = |rows: &[&[[u8; 3]]]| rows.iter().map(|row| row.iter().rev().copied().collect()).collect::<Vec<_>>();
    let ([top, bottom], [left, middle, right]) = (&rows, &columns);
    match orientation {
        1 => list(&[top, bottom]),
        2 => reversed(&[top, bottom]),
        3 => reversed(&[bottom, top]),
        4 => list(&[bottom, top]),
        5 => list(&[left, middle, right]),
        6 => reversed(&[left, middle, right]),
        7 => reversed(&[right, middle, left]),
        _ => list(&[right, middle, left]),
    }
}

fn assert_orientation_is_applied(file: impl Fn(RgbImage, &[u8]) -> Vec<u8>) {
    let rows = [[RED, GREEN, BLUE], [[255; 3], [0; 3], [128; 3]]];
    for orientation in 1..=8 {
        let shown = pixels(&file(squares(16, &rows), &exif(orientation)));
        let expected = turned(rows, orientation);
        let size = (shown.width() / 16, shown.height() / 16);
        assert_eq!(size, (if orientation < 5 { 3 } else { 2 }, if orientation < 5 { 2 } else { 3 }));
        for (y, row) in (8..).step_by(16).zip(expected) {
            for (x, color) in (8..).step_by(16).zip(row) {
                assert_close(&shown, (x, y), color);
            }
        }
    }
}

#[test]
fn the_orientation_of_a_jpeg_is_applied() {
    assert_orientation_is_applied(jpeg_with_exif);
}

#[test]
fn the_orientation_of_a_png_is_applied() {
    assert_orientation_is_applied(|image, exif| with_png_chunk(&encode_as(ImageFormat::Png, image), *b"eXIf", exif));
}

#[test]
fn the_orientation_of_a_webp_is_applied() {
    assert_orientation_is_applied(webp_with_exif);
    assert_orientation_is_applied(|image, exif| webp_with_exif(image, &[b"Exif\0\0", exif].concat()));
}

#[test]
fn a_turned_image_is_shrunk_to_the_limit() {
    let image = normalize_file(&jpeg_with_exif(gradient(1_000, 500), &exif(6))).unwrap();
    assert_eq!((image.width, image.height), (400, 800));
}

#[test]
fn damaged_exif_data_is_ignored() {
    let png = with_png_chunk(&encode_as(ImageFormat::Png, gradient(8, 4)), *b"eXIf", b"MM\0*\xFF\xFF\xFF\xFF");
    assert_eq!(pixels(&png).to_rgb8(), gradient(8, 4));
    assert_eq!(pixels(&jpeg_with_exif(gradient(8, 4), &exif(77))).width(), 8);
}

#[test]
fn a_position_is_gone() {
    let contains = |bytes: &[u8]| bytes.windows(POSITION.len()).any(|part| part == POSITION);
    let png = encode_as(ImageFormat::Png, gradient(9, 9));
    let comment = [b"Comment\0", POSITION].concat();
    let files = [
        jpeg_with_exif(gradient(9, 9), &exif(1)),
        with_jpeg_segment(&encode_as(ImageFormat::Jpeg, gradient(9, 9)), 0xFE, POSITION),
        webp_with_exif(gradient(9, 9), &exif(1)),
        with_png_chunk(&png, *b"eXIf", &exif(1)),
        with_png_chunk(&png, *b"tEXt", &comment),
        with_png_chunk(&png, *b"prVt", POSITION),
        [&*png, POSITION].concat(),
    ];
    for file in files {
        assert!(contains(&file));
        assert!(!contains(&png_of(&normalize_file(&file).unwrap())));
    }
}

#[test]
fn the_result_consists_of_pixels_only() {
    let png = with_png_chunk(&encode_as(ImageFormat::Png, gradient(9, 9)), *b"gAMA", &45_455_u32.to_be_bytes());
    for file in [png, jpeg_with_exif(gradient(9, 9), &exif(1))] {
        assert_eq!(png_chunks(&png_of(&normalize_file(&file).unwrap())), [*b"IHDR", *b"IDAT", *b"IEND"]);
    }
}

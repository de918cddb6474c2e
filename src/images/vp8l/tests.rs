use super::*;

/// Writes bits, the lowest of each byte first.
#[derive(Default)]
struct BitWriter {
    bits: Vec<bool>,
}

impl BitWriter {
    fn write(&mut self, value: u32, count: u32) -> &mut Self {
        self.bits.extend((0..count).map(|bit| value >> bit & 1 == 1));
        self
    }

    /// A code with one symbol.
    fn single(&mut self, symbol: u32) -> &mut Self {
        self.write(0b101, 3).write(symbol, 8)
    }

    /// A code in which the first 11 symbols have 1, 2, … 9, 10 and 10 bits: the decoder's table has 1,024 entries.
    fn deep(&mut self) -> &mut Self {
        // Of the code lengths 1 to 10, the first six have codes of 3 bits, and the others of 4.
        self.write(0, 1).write(14 - 4, 4);
        for length in LENGTH_ORDER.iter().take(14) {
            self.write(
                match length {
                    1..=6 => 3,
                    7..=10 => 4,
                    _ => 0,
                },
                3,
            );
        }
        // Eleven lengths follow, in a number of 6 bits.
        self.write(1, 1).write(2, 3).write(11 - 2, 6);
        for length in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10_u32] {
            let (code, count) = if length <= 6 { (length - 1, 3) } else { (12 + length - 7, 4) };
            for bit in (0..count).rev() {
                self.write(code >> bit & 1, 1);
            }
        }
        self
    }

    fn into_bytes(self) -> Vec<u8> {
        self.bits.chunks(8).map(|bits| bits.iter().rev().fold(0, |byte, &bit| byte << 1 | u8::from(bit))).collect()
    }
}

/// An image of 4 x 4 pixels that defines `groups` groups of codes.
fn image_with_groups(groups: u32) -> Vec<u8> {
    let mut bits = BitWriter::default();
    // No transform, no cache, but groups for regions of 4 x 4 pixels.
    bits.write(0, 1).write(0, 1).write(1, 1).write(0, 3);
    // The one region has the last group; no cache.
    let last = groups - 1;
    bits.write(0, 1).single(last & 0xFF).single(last >> 8).single(0).single(0).single(0);
    for _ in 0..groups * 5 {
        bits.deep();
    }
    // The pixels: each has four symbols of one bit.
    bits.write(0, 32).write(0, 32);
    bits.into_bytes()
}

fn webp(data: &[u8]) -> Vec<u8> {
    // 4 x 4 pixels with alpha.
    let header = (3_u32 | 3 << 14 | 1 << 28).to_le_bytes();
    let length = u32::try_from(5 + data.len()).unwrap();
    let padding = if length % 2 == 1 { &[0][..] } else { &[] };
    let chunk = [b"VP8L", &length.to_le_bytes()[..], &[0x2F], &header, data, padding].concat();
    [b"RIFF", &u32::try_from(chunk.len() + 4).unwrap().to_le_bytes()[..], b"WEBP", &chunk].concat()
}

#[test]
fn the_tables_of_all_codes_are_counted() {
    let tables = 5 * 4_096;
    assert_eq!(side_bytes(&image_with_groups(1), 4, 4), Some(tables + GROUP_BYTES + 16));
    assert_eq!(side_bytes(&image_with_groups(300), 4, 4), Some(300 * (tables + GROUP_BYTES) + 16));
}

#[test]
fn the_decoder_reads_the_same_codes() {
    // If they disagreed about the codes, they would not agree about the end of the data.
    let file = webp(&image_with_groups(7));
    let image = image::load_from_memory_with_format(&file, image::ImageFormat::WebP).unwrap();
    assert_eq!((image.width(), image.height()), (4, 4));
    let mut data = image_with_groups(7);
    data.truncate(data.len() - 9);
    assert!(image::load_from_memory_with_format(&webp(&data), image::ImageFormat::WebP).is_err());
    assert_eq!(side_bytes(&data, 4, 4), None);
}

#[test]
fn countless_codes_are_refused_before_decoding() {
    use base64::Engine as _;

    use crate::images::{ImageError, Limits, normalize};

    let text = base64::engine::general_purpose::STANDARD.encode(webp(&image_with_groups(5_000)));
    let error = normalize(&text, &Limits::default()).unwrap_err();
    assert!(matches!(error, ImageError::TooMuchMemory { needed: 100_000_000.., .. }), "{error}");
}

#[test]
fn an_incomplete_code_is_refused() {
    // Two symbols of two bits.
    assert!(Code::from_lengths(&[2, 2]).is_none());
    assert!(Code::from_lengths(&[1, 1, 1]).is_none());
    assert!(Code::from_lengths(&[0, 0]).is_none());
    assert!(matches!(Code::from_lengths(&[0, 3]), Some(Code::Single(1))));
    assert!(Code::from_lengths(&[2, 1, 0, 2]).is_some());
}

#[test]
fn symbols_are_read_by_their_codes() {
    // Symbol 1 is 0, symbol 0 is 10 and symbol 3 is 11.
    let code = Code::from_lengths(&[2, 1, 0, 2]).unwrap();
    let mut bits = Bits { data: &[0b0001_1010], position: 0 };
    let symbols: Vec<_> = (0..5).map(|_| code.read(&mut bits).unwrap()).collect();
    assert_eq!(symbols, [1, 0, 3, 1, 1]);
    assert_eq!(bits.position, 7);
}

#[test]
fn reading_ends_with_the_data() {
    let mut bits = Bits { data: &[0xAB, 0xCD], position: 0 };
    assert_eq!(bits.read(12), Some(0xDAB));
    assert_eq!(bits.read(5), None);
    assert_eq!(bits.read(4), Some(0xC));
    assert_eq!(bits.read(1), None);
}

//! Memory that the decoder of lossless WebP takes besides the pixels.
//!
//! Each region of the image may have its own prefix codes. A code takes a dozen bytes in the file but over 4 KiB in the
//! decoder's memory. A file of 3 MB with 16 pixels can thus make the decoder allocate 1 GB. This module reads the bit
//! stream up to the first pixel and adds up the codes.
//!
//! The format: <https://www.rfc-editor.org/rfc/rfc9649.html>.

/// Symbols of the five codes of a group: green with lengths, red, blue, alpha, distance.
const ALPHABETS: [usize; 5] = [256 + 24, 256, 256, 256, 40];
/// The order in which the lengths of the code for code lengths are stored.
const LENGTH_ORDER: [usize; 19] = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
/// Longest code, in bits.
const MAX_BITS: usize = 15;
/// The decoder has a table for codes of up to this length, in bits, and a tree for longer ones.
const TABLE_BITS: usize = 10;
/// The decoder's memory for an entry of a table, in bytes.
const ENTRY_BYTES: u64 = 4;
/// The decoder's memory for a node of a tree, in bytes.
const NODE_BYTES: u64 = 16;
/// The decoder's memory for a group without tables and trees, in bytes, including spare capacity in the list of groups.
const GROUP_BYTES: u64 = 800;

/// Returns the decoder's memory for codes and transforms, in bytes. `None` if the bit stream is damaged.
///
/// `data` begins after the header.
pub(super) fn side_bytes(data: &[u8], width: u32, height: u32) -> Option<u64> {
    let mut bits = Bits { data, position: 0 };
    let pixels = u64::from(width) * u64::from(height);
    let coded_width = skip_transforms(&mut bits, width, height)?;
    let cache_size = read_cache_size(&mut bits)?;
    let mut groups = 1;
    if bits.read(1)? == 1 {
        let region_bits = bits.read(3)? + 2;
        let (width, height) = (subsampled(coded_width, region_bits), subsampled(height, region_bits));
        groups = u64::from(skip_image(&mut bits, width, height)?) + 1;
    }
    let mut bytes = groups * GROUP_BYTES;
    for _ in 0..groups {
        bytes += read_group(&mut bits, cache_size)?.iter().map(Code::decoder_bytes).sum::<u64>();
    }
    // Besides, there are up to three auxiliary images and a list of groups. A region has at least 4 x 4 pixels, so that
    // they need less than a byte for each pixel.
    Some(bytes + pixels)
}

/// Skips the transforms and returns the width of the image that follows.
fn skip_transforms(bits: &mut Bits<'_>, mut width: u32, height: u32) -> Option<u32> {
    let mut seen = [false; 4];
    while bits.read(1)? == 1 {
        let kind = bits.read(2)?;
        let seen = seen.get_mut(usize::try_from(kind).ok()?)?;
        if std::mem::replace(seen, true) {
            return None;
        }
        match kind {
            0 | 1 => {
                let region_bits = bits.read(3)? + 2;
                skip_image(bits, subsampled(width, region_bits), subsampled(height, region_bits))?;
            }
            3 => {
                let colors = bits.read(8)? + 1;
                skip_image(bits, colors, 1)?;
                // With few colours, a pixel of the coded image stands for several.
                let packing_bits = match colors {
                    0..=2 => 3,
                    3..=4 => 2,
                    5..=16 => 1,
                    _ => 0,
                };
                width = subsampled(width, packing_bits);
            }
            _ => {}
        }
    }
    Some(width)
}

/// Skips an auxiliary image, which has a pixel for each region. Returns the largest value of red and green together.
fn skip_image(bits: &mut Bits<'_>, width: u32, height: u32) -> Option<u16> {
    let cache_size = read_cache_size(bits)?;
    let [green, red, blue, alpha, distance] = read_group(bits, cache_size)?;
    let mut remaining = width * height;
    let mut largest = 0;
    while remaining > 0 {
        let symbol = green.read(bits)?;
        let pixels = match symbol {
            0..256 => {
                largest = largest.max(red.read(bits)? << 8 | symbol);
                blue.read(bits)?;
                alpha.read(bits)?;
                1
            }
            // A copy of earlier pixels.
            256..280 => {
                let length = read_number(bits, symbol - 256)?;
                let distance = distance.read(bits)?;
                read_number(bits, distance)?;
                length
            }
            // An earlier pixel, from the cache.
            _ => 1,
        };
        remaining = remaining.checked_sub(pixels)?;
    }
    Some(largest)
}

/// Reads a length or a distance that begins with `symbol`.
fn read_number(bits: &mut Bits<'_>, symbol: u16) -> Option<u32> {
    let symbol = u32::from(symbol);
    if symbol < 4 {
        return Some(symbol + 1);
    }
    let extra = (symbol - 2) >> 1;
    Some(((2 + (symbol & 1)) << extra) + bits.read(extra)? + 1)
}

fn read_cache_size(bits: &mut Bits<'_>) -> Option<usize> {
    if bits.read(1)? == 0 {
        return Some(0);
    }
    let cache_bits = bits.read(4)?;
    (1..=11).contains(&cache_bits).then_some(1 << cache_bits)
}

fn read_group(bits: &mut Bits<'_>, cache_size: usize) -> Option<[Code; 5]> {
    let [green, red, blue, alpha, distance] = ALPHABETS;
    let mut parse = |symbols| Code::parse(bits, symbols);
    Some([parse(green + cache_size)?, parse(red)?, parse(blue)?, parse(alpha)?, parse(distance)?])
}

fn subsampled(size: u32, bits: u32) -> u32 {
    size.div_ceil(1 << bits)
}

/// A prefix code.
#[derive(Debug)]
enum Code {
    /// The only symbol takes no bits.
    Single(u16),
    Prefix {
        /// Symbols per length in bits.
        counts: [u16; MAX_BITS + 1],
        /// Symbols in the order of their codes.
        symbols: Vec<u16>,
    },
}

impl Code {
    fn parse(bits: &mut Bits<'_>, symbols: usize) -> Option<Self> {
        if bits.read(1)? == 0 {
            return Self::from_lengths(&read_lengths(bits, symbols)?);
        }
        let has_two = bits.read(1)? == 1;
        let first_bits = if bits.read(1)? == 1 { 8 } else { 1 };
        let mut read = |count| u16::try_from(bits.read(count)?).ok().filter(|&symbol| usize::from(symbol) < symbols);
        let first = read(first_bits)?;
        if !has_two {
            return Some(Self::Single(first));
        }
        let second = read(8)?;
        let mut counts = [0; MAX_BITS + 1];
        *counts.get_mut(1)? = 2;
        Some(Self::Prefix { counts, symbols: vec![first, second] })
    }

    /// Builds the code in which each symbol has a length, in bits; 0 if the symbol is unused.
    fn from_lengths(lengths: &[u8]) -> Option<Self> {
        let mut counts = [0; MAX_BITS + 1];
        let mut used: Vec<(u8, u16)> = Vec::new();
        for (symbol, &length) in (0..).zip(lengths).filter(|&(_, &length)| length > 0) {
            *counts.get_mut(usize::from(length))? += 1;
            used.push((length, symbol));
        }
        if let &[(_, symbol)] = used.as_slice() {
            return Some(Self::Single(symbol));
        }
        // The code must be complete: every sequence of bits stands for a symbol.
        let taken: u32 = used.iter().map(|&(length, _)| 1 << (MAX_BITS - usize::from(length))).sum();
        if taken != 1 << MAX_BITS {
            return None;
        }
        used.sort_unstable();
        Some(Self::Prefix { counts, symbols: used.into_iter().map(|(_, symbol)| symbol).collect() })
    }

    fn read(&self, bits: &mut Bits<'_>) -> Option<u16> {
        let (counts, symbols) = match self {
            Self::Single(symbol) => return Some(*symbol),
            Self::Prefix { counts, symbols } => (counts, symbols),
        };
        // Codes of one length are consecutive numbers; `code` counts from the first of them.
        let (mut code, mut shorter) = (0, 0);
        for &count in counts.iter().skip(1) {
            let count = usize::from(count);
            code = code << 1 | usize::try_from(bits.read(1)?).ok()?;
            if code < count {
                return symbols.get(shorter + code).copied();
            }
            code -= count;
            shorter += count;
        }
        None
    }

    fn decoder_bytes(&self) -> u64 {
        let Self::Prefix { counts, .. } = self else { return 0 };
        let longest = counts.iter().rposition(|&count| count > 0).unwrap_or_default();
        let in_tree: u64 = counts.iter().skip(TABLE_BITS + 1).copied().map(u64::from).sum();
        (ENTRY_BYTES << longest.min(TABLE_BITS)) + in_tree * 2 * NODE_BYTES
    }
}

/// Reads the code lengths of `symbols` symbols. They are coded themselves.
fn read_lengths(bits: &mut Bits<'_>, symbols: usize) -> Option<Vec<u8>> {
    let mut code_lengths = [0; LENGTH_ORDER.len()];
    let stored = usize::try_from(bits.read(4)?).ok()? + 4;
    for &index in LENGTH_ORDER.iter().take(stored) {
        *code_lengths.get_mut(index)? = u8::try_from(bits.read(3)?).ok()?;
    }
    let code = Code::from_lengths(&code_lengths)?;
    let mut remaining = symbols;
    if bits.read(1)? == 1 {
        let number_bits = 2 + 2 * bits.read(3)?;
        remaining = usize::try_from(bits.read(number_bits)?).ok()? + 2;
    }
    let mut lengths = Vec::with_capacity(symbols);
    let mut previous = 8;
    while lengths.len() < symbols && remaining > 0 {
        remaining -= 1;
        let (length, repeats) = match code.read(bits)? {
            0 => (0, 1),
            16 => (previous, 3 + bits.read(2)?),
            17 => (0, 3 + bits.read(3)?),
            18 => (0, 11 + bits.read(7)?),
            length => {
                previous = u8::try_from(length).ok()?;
                (previous, 1)
            }
        };
        lengths.extend(std::iter::repeat_n(length, usize::try_from(repeats).ok()?));
    }
    (lengths.len() <= symbols).then_some(lengths)
}

/// Reads bits, the lowest of each byte first.
struct Bits<'a> {
    data: &'a [u8],
    /// In bits.
    position: usize,
}

impl Bits<'_> {
    /// Reads a number of up to 32 bits. `None` if there are not as many.
    fn read(&mut self, count: u32) -> Option<u32> {
        let (byte, shift) = (self.position / 8, self.position % 8);
        let end = self.position + usize::try_from(count).ok()?;
        let bytes = self.data.get(byte..end.div_ceil(8))?;
        self.position = end;
        let value = bytes.iter().rev().fold(0_u64, |value, &byte| value << 8 | u64::from(byte));
        u32::try_from(value >> shift & ((1 << count) - 1)).ok()
    }
}

#[cfg(test)]
mod tests;

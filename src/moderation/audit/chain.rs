//! The chain of hashes that runs through the lines of a day.
//!
//! The hash of a line is the SHA-256 of the hash before it and of the line's bytes up to `,"hash":`. The first line of a
//! day goes on from a seed that everybody can compute. So nothing here is secret: who can write the files can write a
//! whole new chain. What the chain shows is that a line was changed, taken out or put elsewhere while the lines behind
//! it were left as they are, or while somebody remembers a later hash.

use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

/// A hash of the chain.
pub(super) type Hash = [u8; 32];

/// What stands between a line and its hash.
const KEY: &[u8] = b",\"hash\":\"";
/// What stands behind the hash.
const END: &[u8] = b"\"}";
/// Digits of a hash.
const DIGITS: usize = 64;

/// What the first line of a day goes on from.
pub(super) fn seed(day: Date) -> Hash {
    Sha256::digest(format!("gischat-relay audit {day}")).into()
}

/// The hash of a line: of the one before, and of the bytes up to its own.
pub(super) fn hash(before: &Hash, body: &[u8]) -> Hash {
    Sha256::new().chain_update(before).chain_update(body).finalize().into()
}

/// Ends a line that holds a JSON object from `start` on: its hash becomes the object's last entry.
pub(super) fn seal(before: &Hash, lines: &mut Vec<u8>, start: usize) -> Hash {
    // The closing brace.
    lines.pop();
    let own = hash(before, lines.get(start..).unwrap_or_default());
    lines.extend_from_slice(KEY);
    lines.extend_from_slice(hex(&own).as_bytes());
    lines.extend_from_slice(END);
    lines.push(b'\n');
    own
}

/// The bytes that a line's hash is made of, and the hash; `None` where there is none.
pub(super) fn split(line: &[u8]) -> Option<(&[u8], Hash)> {
    let (rest, digits) = line.strip_suffix(END)?.split_last_chunk::<DIGITS>()?;
    Some((rest.strip_suffix(KEY)?, parse(digits)?))
}

/// A hash as lower case digits.
pub(super) fn hex(hash: &Hash) -> String {
    use std::fmt::Write as _;
    hash.iter().fold(String::with_capacity(DIGITS), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

/// The hash of these digits, all of them lower case.
pub(super) fn parse(digits: &[u8]) -> Option<Hash> {
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut hash = Hash::default();
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() || pairs.len() != hash.len() {
        return None;
    }
    for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_line_holds_its_hash_and_what_that_is_made_of() {
        let before = seed(Date::constant(2026, 11, 23));
        let mut lines = b"earlier\n{\"a\":1}".to_vec();
        let own = seal(&before, &mut lines, 8);
        let line = lines.strip_suffix(b"\n").and_then(|lines| lines.strip_prefix(b"earlier\n")).unwrap();
        assert_eq!(split(line), Some((&b"{\"a\":1"[..], own)));
        assert_eq!(own, hash(&before, b"{\"a\":1"));
        let json: serde_json::Value = serde_json::from_slice(line).unwrap();
        assert_eq!(json["hash"], hex(&own));
    }

    #[test]
    fn digits_are_lower_case_and_64() {
        let hash = seed(Date::constant(2026, 11, 23));
        assert_eq!(parse(hex(&hash).as_bytes()), Some(hash));
        assert_eq!(parse(hex(&hash).to_uppercase().as_bytes()), None);
        assert_eq!(parse(&hex(&hash).as_bytes()[1..]), None);
    }
}

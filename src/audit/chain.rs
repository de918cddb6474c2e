//! The hash chain of the lines of a day.
//!
//! The hash of a line is the SHA-256 of the previous hash and of the line's bytes up to `,"hash":`. The first line of a
//! day continues from a public seed. Nothing here is secret: anybody who can write the files can write a new chain. The
//! chain reveals a line that was changed, removed or moved if the lines after it were left unchanged, or if a later hash
//! is known from elsewhere.

use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

/// A hash of the chain.
pub(super) type Hash = [u8; 32];

/// Separates a line from its hash.
const KEY: &[u8] = b",\"hash\":\"";
/// Ends a line after the hash.
const END: &[u8] = b"\"}";
/// Hexadecimal digits of a hash.
const DIGITS: usize = 64;

/// Returns the hash from which the first line of a day continues.
pub(super) fn seed(day: Date) -> Hash {
    Sha256::digest(format!("gischat-relay audit {day}")).into()
}

/// Returns the hash of a line, from the previous hash and the bytes of the line before its own hash.
pub(super) fn hash(before: &Hash, body: &[u8]) -> Hash {
    Sha256::new().chain_update(before).chain_update(body).finalize().into()
}

/// Completes a line, which is a JSON object from `start` on. Its hash becomes the last entry of the object.
pub(super) fn seal(before: &Hash, lines: &mut Vec<u8>, start: usize) -> Hash {
    // Remove the closing brace.
    lines.pop();
    let own = hash(before, lines.get(start..).unwrap_or_default());
    lines.extend_from_slice(KEY);
    lines.extend_from_slice(hex(&own).as_bytes());
    lines.extend_from_slice(END);
    lines.push(b'\n');
    own
}

/// Splits a line into the hashed bytes and the hash; `None` if it has no hash.
pub(super) fn split(line: &[u8]) -> Option<(&[u8], Hash)> {
    let (rest, digits) = line.strip_suffix(END)?.split_last_chunk::<DIGITS>()?;
    Some((rest.strip_suffix(KEY)?, parse(digits)?))
}

/// Formats a hash as lower-case hexadecimal digits.
pub(super) fn hex(hash: &Hash) -> String {
    use std::fmt::Write as _;
    hash.iter().fold(String::with_capacity(DIGITS), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

/// Parses a hash from lower-case hexadecimal digits.
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

/// The form of a hash in a line, for `#[serde(with = "…")]`.
pub(super) mod hexadecimal {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Hash;

    pub(in crate::audit) fn serialize<S: Serializer>(hash: &Hash, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::hex(hash))
    }

    pub(in crate::audit) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
        let digits = String::deserialize(deserializer)?;
        super::parse(digits.as_bytes()).ok_or_else(|| D::Error::custom("not a hash of 64 hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_line_splits_into_hashed_bytes_and_hash() {
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

//! Tokens and their digests.

use std::fmt;
use std::hint::black_box;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// The prefix of a written hash, which names its algorithm.
const PREFIX: &str = "sha256:";

/// The SHA-256 digest of a token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Digest([u8; 32]);

impl Digest {
    /// Computes the digest of a token.
    pub(super) fn new(token: &[u8]) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// Compares two digests in constant time.
    pub(super) fn constant_time_eq(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).fold(0, |all, (one, other)| black_box(all | (one ^ other))) == 0
    }
}

/// A text is not the digest of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not `sha256:` and 64 hexadecimal digits; `gischat-relay token` generates a token and its hash")]
pub(super) struct InvalidDigest;

/// `sha256:` and 64 hexadecimal digits of either case.
impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let (pairs, rest) = text.strip_prefix(PREFIX).ok_or(InvalidDigest)?.as_bytes().as_chunks::<2>();
        let mut bytes = [0; 32];
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return Err(InvalidDigest);
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            let digit = |of: u8| char::from(of).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            *byte = digit(*high).zip(digit(*low)).map(|(high, low)| high << 4 | low).ok_or(InvalidDigest)?;
        }
        Ok(Self(bytes))
    }
}

/// The form used in the tokens file.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest")
    }
}

/// The system provides no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("no random numbers for a token: {0}")]
pub struct RandomnessError(getrandom::Error);

/// A token in clear: 256 random bits as 43 characters of `A-Z a-z 0-9 _ -`.
pub struct Token(String);

impl Token {
    /// Generates a token.
    ///
    /// # Errors
    /// [`RandomnessError`].
    pub fn random() -> Result<Self, RandomnessError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(RandomnessError)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Returns the token itself. Show it to the operator only.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Returns the hash for the tokens file: `sha256:` and 64 hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> String {
        self.digest().to_string()
    }

    pub(super) fn digest(&self) -> Digest {
        Digest::new(self.0.as_bytes())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_parsed_in_either_case() {
        let token = Token::random().unwrap();
        let written = token.hash();
        assert_eq!(written.len(), PREFIX.len() + 64);
        assert_eq!(written.parse(), Ok(token.digest()));
        let capitals = format!("{PREFIX}{}", written.strip_prefix(PREFIX).unwrap().to_uppercase());
        assert_eq!(capitals.parse(), Ok(token.digest()));
    }

    #[test]
    fn the_hash_of_a_token_matches_sha256sum() {
        // printf abc | sha256sum
        let known = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::new(b"abc").to_string(), known);
    }

    #[test]
    fn an_invalid_hash_is_not_parsed() {
        let good = "0".repeat(64);
        for bad in [
            "",
            "sha256:",
            &good,
            &format!("sha256:{}", "0".repeat(63)),
            &format!("sha256:{}", "0".repeat(65)),
            &format!("sha256:{}", "0".repeat(66)),
            &format!("sha256:{}g", "0".repeat(63)),
            &format!("sha256:{}é", "0".repeat(62)),
            &format!("sha256: {}", "0".repeat(63)),
            &format!("SHA256:{good}"),
            &format!("sha512:{good}"),
        ] {
            assert_eq!(bad.parse::<Digest>(), Err(InvalidDigest), "{bad}");
        }
    }

    #[test]
    fn digests_that_differ_in_one_bit_are_not_equal() {
        let one = Digest::new(b"abc");
        assert!(one.constant_time_eq(&Digest::new(b"abc")));
        for bit in 0..256 {
            let mut other = one;
            other.0[bit / 8] ^= 1 << (bit % 8);
            assert!(!one.constant_time_eq(&other), "{bit}");
        }
    }

    #[test]
    fn debug_output_shows_neither_a_token_nor_its_digest() {
        let token = Token::random().unwrap();
        assert_eq!(format!("{token:?} {:?}", token.digest()), "Token Digest");
    }
}

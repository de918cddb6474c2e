//! Tokens and what is kept of them.

use std::fmt;
use std::hint::black_box;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// What a hash begins with where it is written, so that another one can take its place some day.
const SCHEME: &str = "sha256:";

/// What is left of a token once it is read.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Digest([u8; 32]);

impl Digest {
    /// The digest of a token.
    pub(super) fn of(token: &[u8]) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// Reads `sha256:` and 64 hexadecimal digits, in either letter case.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(SCHEME)?.as_bytes();
        let (pairs, rest) = digits.as_chunks::<2>();
        let mut bytes = [0; 32];
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return None;
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            let digit = |of: u8| char::from(of).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Self(bytes))
    }

    /// Whether the two are the same. All of both is looked at, so that the time it takes tells nothing.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).fold(0, |all, (one, other)| black_box(all | (one ^ other))) == 0
    }
}

/// As it stands in a file.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SCHEME)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest")
    }
}

/// The system gives no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random numbers for a token: {0}")]
pub struct NoRandomness(getrandom::Error);

/// A token in clear: 256 random bits as 43 characters of `A-Z a-z 0-9 _ -`.
pub struct Token(String);

impl Token {
    /// A new one.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn random() -> Result<Self, NoRandomness> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(NoRandomness)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The token itself, to be shown to the operator and to nobody else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Its hash, as it stands in the file of tokens: `sha256:` and 64 hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> String {
        self.digest().to_string()
    }

    pub(super) fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
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
    fn a_hash_is_read_as_it_is_written_and_in_capitals() {
        let token = Token::random().unwrap();
        let written = token.hash();
        assert_eq!(written.len(), SCHEME.len() + 64);
        assert_eq!(Digest::parse(&written), Some(token.digest()));
        let capitals = format!("{SCHEME}{}", written.strip_prefix(SCHEME).unwrap().to_uppercase());
        assert_eq!(Digest::parse(&capitals), Some(token.digest()));
    }

    #[test]
    fn the_hash_of_a_token_is_that_of_other_tools() {
        // printf abc | sha256sum
        let known = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of(b"abc").to_string(), known);
    }

    #[test]
    fn what_is_no_hash_is_not_read() {
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
            assert_eq!(Digest::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn digests_that_differ_in_one_bit_anywhere_are_not_the_same() {
        let one = Digest::of(b"abc");
        assert!(one.same(&Digest::of(b"abc")));
        for bit in 0..256 {
            let mut other = one;
            other.0[bit / 8] ^= 1 << (bit % 8);
            assert!(!one.same(&other), "{bit}");
        }
    }

    #[test]
    fn neither_a_token_nor_its_digest_is_shown_for_debugging() {
        let token = Token::random().unwrap();
        assert_eq!(format!("{token:?} {:?}", token.digest()), "Token Digest");
    }
}

//! The signature of alerts.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// An HMAC-SHA256 key.
#[derive(Clone)]
pub(super) struct SigningKey(Hmac<Sha256>);

impl SigningKey {
    /// Creates a key. HMAC accepts every length, so this never returns `None`.
    pub(super) fn new(secret: &[u8]) -> Option<Self> {
        Hmac::new_from_slice(secret).ok().map(Self)
    }

    /// Returns `sha256=` and the hexadecimal HMAC-SHA256 of `timestamp.body`.
    ///
    /// The signature covers the time, so that a captured alert cannot be replayed later.
    pub(super) fn sign(&self, timestamp: &str, body: &[u8]) -> String {
        let mac = self.0.clone().chain_update(timestamp).chain_update(b".").chain_update(body);
        mac.finalize().into_bytes().iter().fold("sha256=".to_owned(), |text, byte| format!("{text}{byte:02x}"))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_matches_openssl() {
        // printf '1700000000.{"kind":"raid"}' | openssl dgst -sha256 -hmac 0123456789abcdef
        let key = SigningKey::new(b"0123456789abcdef").unwrap();
        assert_eq!(
            key.sign("1700000000", br#"{"kind":"raid"}"#),
            "sha256=ef67288442b09cfc69778419466baaebd01175a824fbea6086d55178b954667c"
        );
    }

    #[test]
    fn the_signature_depends_on_time_body_and_secret() {
        let key = |secret: &[u8]| SigningKey::new(secret).unwrap();
        let one = key(b"0123456789abcdef").sign("1", b"x");
        for other in [
            key(b"0123456789abcdef").sign("2", b"x"),
            key(b"0123456789abcdef").sign("1", b"y"),
            key(b"0123456789abcdeF").sign("1", b"x"),
        ] {
            assert_ne!(one, other);
        }
    }
}

//! What proves to the one who is told that an alert comes from this relay, and when.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A secret as it is used.
#[derive(Clone)]
pub(super) struct Key(Hmac<Sha256>);

impl Key {
    /// Every length is taken, so that `None` never comes.
    pub(super) fn of(secret: &[u8]) -> Option<Self> {
        Hmac::new_from_slice(secret).ok().map(Self)
    }

    /// `sha256=` and the hexadecimal HMAC-SHA256 of `timestamp.body`.
    ///
    /// The time stands under the signature, so that whoever overhears an alert cannot pass it off as a new one.
    pub(super) fn sign(&self, timestamp: &str, body: &[u8]) -> String {
        let mac = self.0.clone().chain_update(timestamp).chain_update(b".").chain_update(body);
        mac.finalize().into_bytes().iter().fold("sha256=".to_owned(), |text, byte| format!("{text}{byte:02x}"))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_other_tools() {
        // printf '1700000000.{"kind":"raid"}' | openssl dgst -sha256 -hmac 0123456789abcdef
        let key = Key::of(b"0123456789abcdef").unwrap();
        assert_eq!(
            key.sign("1700000000", br#"{"kind":"raid"}"#),
            "sha256=ef67288442b09cfc69778419466baaebd01175a824fbea6086d55178b954667c"
        );
    }

    #[test]
    fn another_time_another_body_and_another_secret_make_another_signature() {
        let key = |secret: &[u8]| Key::of(secret).unwrap();
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

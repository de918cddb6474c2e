//! Names of rules and labels.

const MAX_NAME_BYTES: usize = 64;

pub(super) const NAME_HELP: &str = "must be 1 to 64 of a-z, 0-9, _ and -, beginning with a letter or digit";

pub(super) fn is_name(text: &str) -> bool {
    let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.len() <= MAX_NAME_BYTES
        && text.as_bytes().first().is_some_and(plain)
        && text.bytes().all(|b| plain(&b) || b == b'_' || b == b'-')
}

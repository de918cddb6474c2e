//! Base64 as chat clients write it.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::ImageError;

/// Some clients omit the padding, and some encoders leave bits set after the last byte.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Decodes base64 of at most `limit` bytes. Ignores ASCII white space anywhere: Qt clients may wrap lines.
pub(super) fn decode(text: &str, limit: usize) -> Result<Vec<u8>, ImageError> {
    if text.len() > limit {
        return Err(ImageError::TextTooLong { length: text.len(), limit });
    }
    if is_data_url(text) {
        return Err(ImageError::DataUrl);
    }
    Ok(LENIENT.decode(&*without_white_space(text.as_bytes()))?)
}

fn is_data_url(text: &str) -> bool {
    text.trim_start().get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
}

fn without_white_space(text: &[u8]) -> Cow<'_, [u8]> {
    if text.iter().any(u8::is_ascii_whitespace) {
        text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
    } else {
        text.into()
    }
}

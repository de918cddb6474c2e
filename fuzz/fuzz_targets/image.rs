//! Decodes any file as an image. Nothing panics, and the result is a PNG within its limits.

#![no_main]

use base64::prelude::{BASE64_STANDARD, Engine as _};
use gischat_relay::images::{ImageError, Limits, normalize};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits =
    Limits { max_side: 64, max_raw_length: 1_000_000, max_pixels: 250_000, max_memory: 8 * 1024 * 1024 };

fuzz_target!(|file: &[u8]| {
    match normalize(&BASE64_STANDARD.encode(file), &LIMITS) {
        Ok(image) => {
            assert!((1..=64).contains(&image.width) && (1..=64).contains(&image.height), "{image:?}");
            let png = BASE64_STANDARD.decode(&image.data).expect("base64");
            assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"), "no PNG");
        }
        Err(error) => {
            assert!(!matches!(error, ImageError::DecoderPanicked), "{error}");
            assert!(!error.to_string().is_empty());
        }
    }
});

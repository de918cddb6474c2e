//! Decodes any file as an image. Our code never panics, and the result is a PNG within its limits.
//!
//! The JPEG decoder panics on some files. The relay catches that, and so does this target.

#![no_main]

use std::panic::catch_unwind;
use std::sync::Once;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use gischat_relay::images::{ImageError, Limits, normalize};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits =
    Limits { max_side: 64, max_raw_length: 1_000_000, max_pixels: 250_000, max_memory: 8 * 1024 * 1024 };

/// A crate that panics on some files.
const PANICS: &str = "zune-jpeg";

/// Ends the process on a panic of any other crate, as libFuzzer's own hook does on all.
fn set_panic_hook() {
    let abort = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic.location().is_some_and(|location| location.file().contains(PANICS)) {
            abort(panic);
        }
    }));
}

static PANIC_HOOK: Once = Once::new();

fuzz_target!(|file: &[u8]| {
    PANIC_HOOK.call_once(set_panic_hook);
    let text = BASE64_STANDARD.encode(file);
    let Ok(result) = catch_unwind(|| normalize(&text, &LIMITS)) else { return };
    match result {
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

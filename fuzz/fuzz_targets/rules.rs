//! Any text as a rules file: loading never panics and takes its time only within limits; what was loaded examines any
//! text.
//!
//! How long it may take is for libFuzzer to say: `-timeout=10`.

#![no_main]

use std::path::Path;

use gischat_relay::filter::rules::Rules;
use libfuzzer_sys::fuzz_target;

/// What good rules are tried on: words, look-alikes, marks and an emoji of several code points.
const TEXTS: [&str; 4] = ["best casino in Köln", "ＣＡＳＩＮＯ ﬁne e\u{301}", "👩\u{200d}👩\u{200d}👧 a\u{0}b", ""];

fuzz_target!(|text: &str| {
    // No file of words is found in a folder that does not exist.
    let nowhere = Path::new("/nonexistent");
    match Rules::load(Path::new("rules.toml"), text, nowhere, "Be kind\nNo advertising") {
        Ok(rules) => {
            for sample in TEXTS.into_iter().chain(text.get(..200)) {
                let _finding = rules.examine(sample);
            }
        }
        Err(faults) => {
            assert!(!faults.is_empty(), "refused without a fault");
            for fault in faults {
                let shown = fault.to_string();
                assert!(shown.starts_with("rules.toml"), "no place: {shown}");
                assert!(!shown.contains('\n') && shown.len() < 2_000, "no sentence: {shown}");
            }
        }
    }
});

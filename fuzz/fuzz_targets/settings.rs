//! Any text as `relay.toml`: reading the settings never panics, and each fault or warning is one line that begins with its place.

#![no_main]

use gischat_relay::config::Config;
use gischat_relay::settings::Source;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut source = Source::new().file("relay.toml", text);
    let _config = Config::declare(&mut source);
    let findings = source.finish();
    let warnings = findings.warnings.iter().map(ToString::to_string);
    for shown in findings.faults.iter().map(ToString::to_string).chain(warnings) {
        assert!(shown.starts_with("relay.toml") || shown.starts_with("default: "), "no place: {shown}");
        assert!(!shown.contains('\n') && shown.len() < 4_000, "no sentence: {shown}");
    }
});

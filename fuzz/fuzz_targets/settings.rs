//! Any text as `relay.toml`: reading the settings never panics, and each fault is one line that begins with its place.

#![no_main]

use gischat_relay::config::Config;
use gischat_relay::settings::Source;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut source = Source::new().file("relay.toml", text);
    let _config = Config::declare(&mut source);
    for fault in source.finish() {
        let shown = fault.to_string();
        assert!(shown.starts_with("relay.toml") || shown.starts_with("default: "), "no place: {shown}");
        assert!(!shown.contains('\n') && shown.len() < 4_000, "no sentence: {shown}");
    }
});

//! Reads any text as `relay.toml`. Reading never panics, and each error or warning is one line that starts with its
//! location.

#![no_main]

use gischat_relay::config::Config;
use gischat_relay::settings::SettingsSource;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut source = SettingsSource::new().file("relay.toml", text);
    let _config = Config::declare(&mut source);
    let diagnostics = source.finish();
    let warnings = diagnostics.warnings.iter().map(ToString::to_string);
    for shown in diagnostics.errors.iter().map(ToString::to_string).chain(warnings) {
        assert!(shown.starts_with("relay.toml") || shown.starts_with("default: "), "no location: {shown}");
        assert!(!shown.contains('\n') && shown.len() < 4_000, "not one line: {shown}");
    }
});

//! Tests of unknown keys and variables, and of reporting all errors together.

use super::*;
use crate::settings::Setting;

fn errors(mut source: SettingsSource) -> Vec<String> {
    let mut root = source.root();
    let mut filter = root.section("filter", "The chain.");
    filter.read(Setting::new("rules_file", "rules.toml".to_owned()).env(&["RULES_FILE"]));
    let mut rate = filter.section("rate", "How fast.");
    rate.read(Setting::new("messages", 2_u32).within(1..=100));
    rate.read(Setting::new("burst", 10_u32).within(1..=100));
    source.finish().errors.iter().map(ToString::to_string).collect()
}

#[test]
fn unknown_keys_and_sections_are_errors_with_a_suggestion_when_one_is_close() {
    let file = "rules_file = 'x'\nqqq = 1\n[filter]\nrule_file = 'x'\n[filter.rte]\nx = 1\n[filter.rate]\nx.y = 1\n";
    assert_eq!(
        errors(SettingsSource::new().file("relay.toml", file)),
        [
            "relay.toml:1: rules_file: unknown key; did you mean `filter.rules_file`?",
            "relay.toml:2: qqq: unknown key",
            "relay.toml:4: filter.rule_file: unknown key; did you mean `rules_file`?",
            "relay.toml:5: filter.rte: unknown section; did you mean `rate`?",
            "relay.toml:8: filter.rate.x: unknown section",
        ]
    );
}

#[test]
fn unknown_variables_with_the_prefix_are_errors() {
    let variables = [
        ("RELAY__FILTER__RATE__BURTS", "1"),
        ("RELAY__FILTER__RULES_FILE", "x"),
        ("RELAY__FILTER__RATE__BURST", "5"),
        ("RELAY__EMPTY", ""),
        ("RELAY_PORT", "1"),
        ("PATH", "x"),
    ];
    let source = SettingsSource::new().dotenv(".env", "\nRELAY__NO=1\nOTHER=1\n");
    assert_eq!(
        errors(source.environment(variables.map(|(name, value)| (name.into(), value.into())))),
        [
            ".env:2: RELAY__NO: unknown setting",
            "RELAY__FILTER__RATE__BURTS: unknown setting; did you mean RELAY__FILTER__RATE__BURST?",
            "RELAY__FILTER__RULES_FILE: unknown setting; did you mean RULES_FILE?",
        ]
    );
}

#[test]
fn errors_of_all_kinds_are_reported_together_in_order_of_location() {
    let file = "x = 1\n[filter.rate]\nmessages = 0\nburst = 'many'\n";
    let source = SettingsSource::new().file("relay.toml", file).dotenv(".env", "A b\n");
    let found = errors(source.environment([("RULES_FILE".into(), "".into()), ("RELAY__X".into(), "1".into())]));
    let places: Vec<&str> = found.iter().filter_map(|error| error.split(": ").next()).collect();
    assert_eq!(places, [".env:1", "relay.toml:1", "relay.toml:3", "relay.toml:4", "RELAY__X"]);
    assert_eq!(
        found.get(3).map(String::as_str),
        Some("relay.toml:4: filter.rate.burst: \"many\" is not a whole number from 1 to 100")
    );
}

#[test]
fn a_syntax_error_does_not_hide_invalid_values_nor_cause_further_errors() {
    let file = "[filter\nrules_file = 'x'\n[filter.rate]\nmessages = 0\nburst =\n";
    let found = errors(SettingsSource::new().file("relay.toml", file));
    let places: Vec<&str> = found.iter().filter_map(|error| error.split(": ").next()).collect();
    assert_eq!(places, ["relay.toml:1", "relay.toml:4", "relay.toml:5"], "{found:?}");
}

#[test]
fn a_duplicate_key_is_an_error() {
    let found = errors(SettingsSource::new().file("relay.toml", "[filter]\nrules_file = 'a'\nrules_file = 'b'\n"));
    assert_eq!(found, ["relay.toml:3: duplicate key"]);
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_utf8_is_an_error_only_where_it_is_used() {
    use std::os::unix::ffi::OsStringExt;
    let bad = || OsString::from_vec(vec![0xff]);
    let source = SettingsSource::new().environment([("RULES_FILE".into(), bad()), ("PATH".into(), bad())]);
    assert_eq!(errors(source), ["RULES_FILE: is not UTF-8 text"]);
}

#[test]
fn a_deeply_nested_file_does_not_overflow_the_stack() {
    for file in [
        "a.".repeat(200_000) + "a = 1",
        "[".to_owned() + &"a.".repeat(200_000) + "a]",
        "a = ".to_owned() + &"[".repeat(200_000),
    ] {
        assert!(!errors(SettingsSource::new().file("relay.toml", &file)).is_empty());
    }
}

//! Claims about what is known, and about finding all faults together.

use super::*;
use crate::settings::Setting;

fn faults(mut source: Source) -> Vec<String> {
    let mut root = source.root();
    let mut filter = root.section("filter", "The chain.");
    filter.read(Setting::new("rules_file", "rules.toml".to_owned()).env(&["RULES_FILE"]));
    let mut rate = filter.section("rate", "How fast.");
    rate.read(Setting::new("messages", 2_u32).within(1..=100));
    rate.read(Setting::new("burst", 10_u32).within(1..=100));
    source.finish().faults.iter().map(ToString::to_string).collect()
}

#[test]
fn unknown_keys_and_sections_are_faults_with_a_suggestion_when_one_is_near() {
    let file = "rules_file = 'x'\nqqq = 1\n[filter]\nrule_file = 'x'\n[filter.rte]\nx = 1\n[filter.rate]\nx.y = 1\n";
    assert_eq!(
        faults(Source::new().file("relay.toml", file)),
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
fn unknown_variables_with_the_prefix_are_faults() {
    let variables = [
        ("RELAY__FILTER__RATE__BURTS", "1"),
        ("RELAY__FILTER__RULES_FILE", "x"),
        ("RELAY__FILTER__RATE__BURST", "5"),
        ("RELAY__EMPTY", ""),
        ("RELAY_PORT", "1"),
        ("PATH", "x"),
    ];
    let source = Source::new().dotenv(".env", "\nRELAY__NO=1\nOTHER=1\n");
    assert_eq!(
        faults(source.environment(variables.map(|(name, value)| (name.into(), value.into())))),
        [
            ".env:2: RELAY__NO: unknown setting",
            "RELAY__FILTER__RATE__BURTS: unknown setting; did you mean RELAY__FILTER__RATE__BURST?",
            "RELAY__FILTER__RULES_FILE: unknown setting; did you mean RULES_FILE?",
        ]
    );
}

#[test]
fn faults_of_all_kinds_are_told_together_in_the_order_of_their_places() {
    let file = "x = 1\n[filter.rate]\nmessages = 0\nburst = 'many'\n";
    let source = Source::new().file("relay.toml", file).dotenv(".env", "A b\n");
    let found = faults(source.environment([("RULES_FILE".into(), "".into()), ("RELAY__X".into(), "1".into())]));
    let places: Vec<&str> = found.iter().filter_map(|fault| fault.split(": ").next()).collect();
    assert_eq!(places, [".env:1", "relay.toml:1", "relay.toml:3", "relay.toml:4", "RELAY__X"]);
    assert_eq!(
        found.get(3).map(String::as_str),
        Some("relay.toml:4: filter.rate.burst: \"many\" is not a whole number from 1 to 100")
    );
}

#[test]
fn a_fault_of_syntax_does_not_hide_wrong_values_nor_cause_faults_of_its_own() {
    let file = "[filter\nrules_file = 'x'\n[filter.rate]\nmessages = 0\nburst =\n";
    let found = faults(Source::new().file("relay.toml", file));
    let places: Vec<&str> = found.iter().filter_map(|fault| fault.split(": ").next()).collect();
    assert_eq!(places, ["relay.toml:1", "relay.toml:4", "relay.toml:5"], "{found:?}");
}

#[test]
fn a_key_given_twice_is_a_fault() {
    let found = faults(Source::new().file("relay.toml", "[filter]\nrules_file = 'a'\nrules_file = 'b'\n"));
    assert_eq!(found, ["relay.toml:3: duplicate key"]);
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_utf8_is_a_fault_only_where_it_is_used() {
    use std::os::unix::ffi::OsStringExt;
    let bad = || OsString::from_vec(vec![0xff]);
    let source = Source::new().environment([("RULES_FILE".into(), bad()), ("PATH".into(), bad())]);
    assert_eq!(faults(source), ["RULES_FILE: is not UTF-8 text"]);
}

#[test]
fn a_deep_file_is_no_danger() {
    for file in [
        "a.".repeat(200_000) + "a = 1",
        "[".to_owned() + &"a.".repeat(200_000) + "a]",
        "a = ".to_owned() + &"[".repeat(200_000),
    ] {
        assert!(!faults(Source::new().file("relay.toml", &file)).is_empty());
    }
}

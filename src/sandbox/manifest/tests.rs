//! Tests of the meaning of manifests and of their errors.

use super::*;

fn parse(text: &str) -> Result<Manifest, String> {
    Manifest::parse("link-guard", Path::new("plugins/link-guard/plugin.toml"), text)
}

#[test]
fn an_empty_manifest_has_defaults() {
    let manifest = parse("").unwrap();
    assert_eq!((manifest.mode, manifest.on_failure), (Mode::Enforce, OnFailure::Pass));
    assert_eq!(manifest.settings, "{}");
}

#[test]
fn settings_become_json() {
    let manifest = parse("[settings]\nallow = [\"osgeo.org\"]\nshare = 0.5").unwrap();
    assert_eq!(manifest.settings, r#"{"allow":["osgeo.org"],"share":0.5}"#);
    let manifest = parse("[settings]\nsince = 2026-11-23\nat.hour = 7").unwrap();
    assert_eq!(manifest.settings, r#"{"at":{"hour":7},"since":"2026-11-23"}"#);
}

#[test]
fn other_settings_replace_whole_keys() {
    let manifest = parse("[settings]\nallow = [\"osgeo.org\"]\nat = { hour = 7, minute = 5 }").unwrap();
    let manifest = manifest.with_settings(toml::from_str("at = { hour = 8 }\nx = 1").unwrap()).unwrap();
    assert_eq!(manifest.settings, r#"{"allow":["osgeo.org"],"at":{"hour":8},"x":1}"#);
    assert!(manifest.with_settings(toml::from_str("x = inf").unwrap()).is_err());
}

#[test]
fn missing_settings_are_those_of_the_embedded_manifest() {
    let defaults = parse("[settings]\nallow = ['osgeo.org', 'qgis.org']\nonly_allowed = true").unwrap();
    let manifest = parse("[settings]\nallow = ['osgeo.org']").unwrap().with_defaults_from(&defaults);
    assert_eq!(manifest.settings, r#"{"allow":["osgeo.org"],"only_allowed":true}"#);
}

#[test]
fn errors_name_the_file_and_the_line() {
    for (text, error) in [
        ("\n\nmoed = 'observe'", "plugin.toml:3: unknown field `moed`"),
        ("[limits]\ndeadline = 3", "plugin.toml:2: unknown field `deadline`"),
        ("mode = 'observed'", "plugin.toml:1: unknown variant `observed`"),
        ("name = 'other'", "they must be the same"),
        ("api = '2.0'", "this relay supports version 1"),
        ("sha256 = 'abc'", "64 hexadecimal digits"),
        ("[limits]\nmemory_mib = 0", "`limits.memory_mib` is 0"),
        ("[settings]\nx = nan", "`settings`"),
        ("\"mo\\nde\" = 'observe'", "plugin.toml:1: unknown field `mo de`"),
        ("name = \"link\\nguard\"", "`name` is `link guard`"),
    ] {
        let found = parse(text).unwrap_err();
        assert!(found.contains(error), "{error} is not in {found}");
    }
}

#[test]
fn limits_are_those_of_the_manifest_up_to_those_of_the_operator() {
    let max = PluginLimits { deadline: Duration::from_millis(50), ..PluginLimits::for_component_size(0) };
    let operator = OperatorLimits { max, default_deadline: Duration::from_millis(20) };
    assert_eq!(parse("").unwrap().limits(1_000, &operator).deadline, Duration::from_millis(20));
    let manifest = parse("[limits]\ndeadline_ms = 100\nmemory_mib = 8\nhost_calls = 7").unwrap();
    let limits = manifest.limits(1_000, &operator);
    assert_eq!(limits.deadline, Duration::from_millis(50));
    assert_eq!((limits.memory, limits.host_calls), (8 * 1024 * 1024, 7));
}

#[test]
fn a_manifest_without_a_mode_has_that_of_the_embedded_one() {
    let defaults = parse("mode = 'observe'").unwrap();
    for (text, mode) in [("[settings]\nx = 1", Mode::Observe), ("mode = 'enforce'", Mode::Enforce)] {
        assert_eq!(parse(text).unwrap().with_defaults_from(&defaults).mode, mode, "{text}");
    }
}

#[test]
fn a_manifest_without_a_failure_policy_or_limits_has_those_of_the_embedded_one() {
    let max = PluginLimits { deadline: Duration::from_secs(1), ..PluginLimits::for_component_size(0) };
    let operator = OperatorLimits { max, default_deadline: Duration::from_millis(20) };
    let defaults = parse("on_failure = 'hold'\n[limits]\ndeadline_ms = 200\nhost_calls = 7").unwrap();
    let inherited = |text: &str| {
        let manifest = parse(text).unwrap().with_defaults_from(&defaults);
        let limits = manifest.limits(1_000, &operator);
        (manifest.on_failure, limits.deadline.as_millis(), limits.host_calls)
    };
    assert_eq!(inherited("mode = 'enforce'"), (OnFailure::Hold, 200, 7));
    assert_eq!(inherited("on_failure = 'pass'\n[limits]\ndeadline_ms = 50"), (OnFailure::Pass, 50, 7));
}

#[test]
fn of_many_errors_the_first_ones_are_shown() {
    let lines: Vec<String> = (0..100).map(|n| format!("limits.unknown{n} = 1\nkey{n}")).collect();
    let text = lines.join("\n");
    let error = parse(&text).unwrap_err();
    assert!(error.ends_with("; and more errors"), "{error}");
    assert_eq!(error.matches("plugins/link-guard/plugin.toml").count(), MAX_SHOWN_ERRORS);
}

//! `gischat-relay try`: trial runs without a running relay.

use serde_json::Value;

use crate::plugins::{LONG_DEADLINES, guest};
use crate::support::program::{NO_EMBEDDED_PLUGINS, Output, relay};

const RULES: &str = "[[rule]]\nid = 'no-casino'\nwords = ['casino']\nverdict = 'reject'\nreason = 'No games.'\n\
                     [[rule]]\nid = 'mask'\nwords = ['darn']\nverdict = 'replace'\n";

/// A working directory with rules and the scriptable test plugin.
fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let plugin = directory.path().join("plugins/hostile");
    std::fs::create_dir_all(&plugin).unwrap();
    std::fs::write(plugin.join("filter.wasm"), guest("hostile")).unwrap();
    std::fs::write(directory.path().join("rules.toml"), RULES).unwrap();
    directory
}

fn judged(arguments: &[&str]) -> Output {
    relay(directory().path(), &[&["try", "--room", "QGIS", "--author", "anna"], arguments].concat(), &LONG_DEADLINES)
}

fn decision(text: &str) -> Value {
    let output = judged(&["--json", text]);
    assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    assert_eq!(output.stdout.lines().count(), 1, "{output:?}");
    serde_json::from_str(&output.stdout).unwrap()
}

#[test]
fn warnings_about_the_configuration_are_printed_on_standard_error() {
    let arguments = ["try", "--room", "QGIS", "--author", "anna", "--json", "hello"];
    let output = relay(directory().path(), &arguments, &[("REDIS_HOST", "redis")]);
    assert_eq!(output.status, Some(0), "{output:?}");
    assert!(output.stderr.starts_with("warning: ") && output.stderr.contains("REDIS_HOST"), "{output:?}");
    assert_eq!(output.stdout.lines().count(), 1, "{output:?}");
}

#[test]
fn the_decision_is_printed_with_reason_and_trace() {
    let output = judged(&["the casino"]);
    assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert_eq!(lines[..3], ["outcome  reject, by rules", "reason   rule: No games.", ""]);
    let words: Vec<Vec<&str>> = lines[3..].iter().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(words[0], ["filter", "by", "verdict", "mode", "at", "µs"]);
    assert_eq!((words[1][..2].to_vec(), words[2][..2].to_vec()), (vec!["sanction", "pass"], vec!["shape", "pass"]));
    assert_eq!(words[4][..5], ["rules", "no-casino", "reject", "enforce", "4..10"]);
    assert_eq!(words[5], ["rules.toml:1"]);
}

#[test]
fn a_plugin_is_called_as_in_a_relay() {
    for (text, outcome) in [("hello", "pass"), ("darn", "replace"), ("shadow x", "shadow"), ("reject x", "reject")] {
        assert_eq!(decision(text)["outcome"], outcome, "{text}");
    }
    assert_eq!(decision("tell room")["reason"]["text"], "QGIS 0 []");
    let output = judged(&["panic"]);
    assert_eq!(output.status, Some(0));
    assert!(output.stdout.starts_with("outcome  pass\n") && output.stdout.contains("\n    failed: "), "{output:?}");
}

#[test]
fn a_plugin_that_takes_long_to_compile_is_waited_for() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/polite-words/filter.wasm");
    let python = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; `make plugins`", path.display()));
    let directory = directory();
    let plugin = directory.path().join("plugins/polite");
    std::fs::create_dir_all(&plugin).unwrap();
    std::fs::write(plugin.join("filter.wasm"), python).unwrap();
    let manifest = "[settings]\nwords = ['poker']\naction = 'reject'\nreason = 'No games.'";
    std::fs::write(plugin.join("plugin.toml"), manifest).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_gischat-relay"));
    command.args(["try", "--room", "QGIS", "--author", "anna", "--json", "poker"]).current_dir(directory.path());
    command.envs([NO_EMBEDDED_PLUGINS]);
    let output =
        crate::support::program::output_within(command.envs(LONG_DEADLINES), std::time::Duration::from_mins(5));
    let decision: Value = serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    assert_eq!(decision["reason"]["text"], "No games.", "{output:?}");
}

#[test]
fn a_plugin_that_cannot_be_loaded_is_named() {
    let directory = directory();
    std::fs::write(directory.path().join("plugins/hostile/filter.wasm"), "no wasm").unwrap();
    let output = relay(directory.path(), &["try", "--room", "QGIS", "--author", "anna", "hello"], &LONG_DEADLINES);
    assert_eq!(output.status, Some(0), "{output:?}");
    assert!(output.stderr.starts_with("hostile cannot be loaded: "), "{output:?}");
}

#[test]
fn texts_of_others_are_escaped_for_the_terminal() {
    for arguments in
        [&["reject \u{1b}[2J\u{9b}31m\u{202e}"] as &[&str], &["--json", "reject \u{1b}[2J\u{9b}31m\u{202e}"]]
    {
        let output = judged(arguments);
        assert_eq!(output.status, Some(0));
        // The plain report does not quote a text that is refused for its controls.
        assert_eq!(output.stdout.contains("[2J"), arguments.contains(&"--json"), "{output:?}");
        assert!(!output.stdout.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')), "{output:?}");
    }
    let text = "reject \u{1b}[2J\u{9b}31m\u{202e}";
    assert_eq!(decision(text)["text"], text);
}

#[test]
fn an_unknown_room_ends_with_2_and_the_names_of_the_rooms() {
    let output = relay(directory().path(), &["try", "--room", "nowhere", "--author", "anna", "hello"], &LONG_DEADLINES);
    assert_eq!((output.status, output.stdout.as_str()), (Some(2), ""), "{output:?}");
    assert_eq!(output.stderr, "error: unknown room nowhere; the rooms are: QGIS, QField\n");
    assert_eq!(judged(&[]).status, Some(2));
}

#[test]
fn a_bad_configuration_ends_with_78() {
    let directory = directory();
    std::fs::write(directory.path().join("rules.toml"), "no rules").unwrap();
    let output = relay(directory.path(), &["try", "--room", "QGIS", "--author", "anna", "hello"], &LONG_DEADLINES);
    assert_eq!((output.status, output.stdout.as_str()), (Some(78), ""), "{output:?}");
    assert!(output.stderr.starts_with("rules.toml:1: "), "{output:?}");
}

//! `gischat-relay check`: costs of patterns, and matches of rules in given texts.

use crate::support::program::{Output, relay};

const RULES: &str = "[[rule]]\nid = 'no-casino'\nwords = ['casino']\nverdict = 'reject'\n\
                     [[rule]]\nid = 'chips'\nany = ['\\bfree\\s+chips']\nmode = 'observe'\nverdict = 'shadow'\n";

fn check(arguments: &[&str], texts: &str) -> Output {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("rules.toml"), RULES).unwrap();
    std::fs::write(directory.path().join("texts.txt"), texts).unwrap();
    relay(directory.path(), &[&["check"], arguments].concat(), &[])
}

#[test]
fn each_pattern_is_shown_with_its_cost_and_literals() {
    let output = check(&[], "");
    assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    let lines: Vec<&str> = output.stdout.lines().collect();
    let chips = lines.iter().position(|line| line.starts_with("chips ")).unwrap();
    let words: Vec<&str> = lines[chips].split_whitespace().collect();
    assert_eq!(words, ["chips", "rules.toml:5", "observe", "shadow", "1"]);
    let cost = lines[chips + 1];
    assert!(cost.starts_with("    \\bfree\\s+chips: ") && cost.contains(" µs, at worst "), "{cost}");
    assert!(cost.ends_with(r#", only where there is "chips""#), "{cost}");
}

#[test]
fn texts_that_match_no_rule_are_fine() {
    let output = check(&["--against", "texts.txt"], "where is roads.gpkg?\n\nthe casinos layer\n");
    assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    assert_eq!(output.stdout, "2 texts, no rule matches\n");
}

#[test]
fn a_match_of_an_enforced_rule_is_shown_with_its_line_and_exits_with_1() {
    let output = check(&["--against", "texts.txt"], "maps\nthe casino of Monaco\nfree chips\n");
    assert_eq!((output.status, output.stderr.as_str()), (Some(1), ""), "{output:?}");
    assert!(output.stdout.contains("\n    line 2: the [casino] of Monaco\n"), "{output:?}");
    assert!(output.stdout.contains("\n    line 3: [free chips]\n"), "{output:?}");
}

#[test]
fn a_match_of_an_observing_rule_is_not_a_failure() {
    let output = check(&["--against", "texts.txt"], "free chips\n");
    assert_eq!(output.status, Some(0), "{output:?}");
    assert!(output.stdout.contains("[free chips]"), "{output:?}");
}

#[test]
fn newcomer_rules_apply_with_the_newcomer_option() {
    let texts = "see https://lucky.example.com/x\n";
    assert!(check(&["--against", "texts.txt"], texts).stdout.contains("no rule matches"));
    let output = check(&["--against", "texts.txt", "--newcomer"], texts);
    assert!(output.stdout.contains("newcomer-links"), "{output:?}");
}

#[test]
fn a_missing_text_file_is_an_invalid_argument() {
    let output = check(&["--against", "no.txt"], "");
    assert_eq!((output.status, output.stdout.as_str()), (Some(2), ""), "{output:?}");
    assert!(output.stderr.starts_with("error: no.txt: "), "{output:?}");
}

#[test]
fn invalid_utf8_and_very_long_lines_are_handled() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("rules.toml"), RULES).unwrap();
    let mut texts = vec![b'x'; 1 << 20];
    texts.extend(b"\n\xff\xfe \x1b[2J casino\nend");
    std::fs::write(directory.path().join("texts.txt"), texts).unwrap();
    let output = relay(directory.path(), &["check", "--against", "texts.txt"], &[("RELAY__FILTER__PRESET", "off")]);
    assert_eq!(output.status, Some(1), "{output:?}");
    assert!(output.stdout.starts_with("3 texts\n"), "{output:?}");
    assert!(output.stdout.contains("line 2: ") && !output.stdout.contains('\u{1b}'), "{output:?}");
}

#[test]
fn the_starter_rules_are_printed_as_a_rules_file() {
    let directory = tempfile::tempdir().unwrap();
    let output = relay(directory.path(), &["check", "--starter"], &[]);
    assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    assert!(output.stdout.contains("\n[[rule]]\nid = \"flooding\"\n"), "{output:?}");
}

//! `gischat-relay check`: what rules cost, and what they would hit.

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
fn each_pattern_is_shown_with_what_it_costs_and_needs() {
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
fn texts_that_no_rule_hits_are_fine() {
    let output = check(&["--against", "texts.txt"], "where is roads.gpkg?\n\nthe casinos layer\n");
    assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    assert_eq!(output.stdout, "2 texts, and no rule hits one\n");
}

#[test]
fn a_text_that_a_rule_in_force_hits_is_shown_with_its_line_and_the_exit_code_is_1() {
    let output = check(&["--against", "texts.txt"], "maps\nthe casino of Monaco\nfree chips\n");
    assert_eq!((output.status, output.stderr.as_str()), (Some(1), ""), "{output:?}");
    assert!(output.stdout.contains("\n    line 2: the [casino] of Monaco\n"), "{output:?}");
    assert!(output.stdout.contains("\n    line 3: [free chips]\n"), "{output:?}");
}

#[test]
fn a_hit_of_a_rule_that_only_observes_is_no_failure() {
    let output = check(&["--against", "texts.txt"], "free chips\n");
    assert_eq!(output.status, Some(0), "{output:?}");
    assert!(output.stdout.contains("[free chips]"), "{output:?}");
}

#[test]
fn a_newcomer_is_held_against_rules_for_newcomers() {
    let texts = "see https://lucky.example.com/x\n";
    assert!(check(&["--against", "texts.txt"], texts).stdout.contains("no rule hits one"));
    let output = check(&["--against", "texts.txt", "--newcomer"], texts);
    assert!(output.stdout.contains("newcomer-links"), "{output:?}");
}

#[test]
fn texts_that_are_not_there_are_bad_arguments() {
    let output = check(&["--against", "no.txt"], "");
    assert_eq!((output.status, output.stdout.as_str()), (Some(2), ""), "{output:?}");
    assert!(output.stderr.starts_with("error: no.txt: "), "{output:?}");
}

#[test]
fn bytes_that_are_no_text_and_lines_without_end_change_nothing() {
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
fn the_starter_rules_are_printed_as_a_file_that_is_good_itself() {
    let directory = tempfile::tempdir().unwrap();
    let output = relay(directory.path(), &["check", "--starter"], &[]);
    assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    assert!(output.stdout.contains("\n[[rule]]\nid = \"flooding\"\n"), "{output:?}");
}

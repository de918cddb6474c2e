//! `gischat-relay replay`: an audit log through changed rules or plugins.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::plugins::{LONG_DEADLINES, guest};
use crate::support::program::{Output, relay};

const CASINO: &str = "[[rule]]\nid = 'no-casino'\nwords = ['casino']\nverdict = 'reject'\nreason = 'No games.'\n";

/// The time of each line for people, which a replay does not use.
const AT: &str = "2026-11-18T11:06:40.000Z";

/// The head of the first file of a run.
fn head(texts: &str) -> Value {
    json!({
        "type": "start", "n": 1, "at": AT, "at_ns": 1_795_000_000_000_000_000_i64, "clock": 0, "version": "0.1.0",
        "run": "6f03675a-1600-435a-8999-50d836f675cc", "day": "2026-11-18", "file": 1, "before": "0".repeat(64),
        "key_since": "2026-11-18T00:00:00Z", "record": "all", "texts": texts, "sanctions": [], "levels": [],
    })
}

/// A decision `second` seconds later, by the rule above, by a plugin or by no filter.
fn decision(second: i64, author: &str, text: &str, by: &str) -> Value {
    let mut trace = vec![json!({"filter": "sanction", "verdict": "pass", "micros": 0.1})];
    trace.extend(["shape", "rate"].map(|filter| json!({"filter": filter, "verdict": "pass", "micros": 0.3})));
    let mut line = json!({
        "type": "decision", "n": 2, "at": AT, "at_ns": 1_795_000_000_000_000_000 + second * 1_000_000_000,
        "clock": second * 1_000_000_000, "id": format!("6f03675a-1600-435a-8999-{second:012}"), "room": "QGIS",
        "author": author, "kind": "text", "text": text, "outcome": "pass",
        "sender": {
            "connection": 7, "address": "0123456789abcdef", "registered": true, "connected_ns": 3_600_000_000_000_i64,
            "accepted": 100, "refused": 0, "trusted": false, "members": 3,
        },
    });
    match by {
        "rules" => {
            trace.push(json!({
                "filter": "rules", "verdict": "reject", "mode": "enforce", "rule": "no-casino",
                "source": "rules.toml:1", "span": [4, 10], "micros": 2.0,
            }));
        }
        _ => trace.push(json!({"filter": "rules", "verdict": "pass", "micros": 2.0})),
    }
    if by == "plugin" {
        trace.push(json!({
            "filter": "plugin", "plugin": "hostile", "verdict": "reject", "mode": "enforce", "micros": 90.0,
        }));
    }
    if by.is_empty() {
        trace.push(json!({"filter": "plugin", "verdict": "pass", "micros": 0.2}));
        trace.push(json!({"filter": "level", "verdict": "pass", "micros": 0.2}));
    } else {
        line["outcome"] = json!("reject");
        line["by"] = json!(by);
        line["reason"] = match by {
            "rules" => json!({"code": "rule", "text": "No games."}),
            _ => json!({"code": "plugin", "text": "x"}),
        };
    }
    line["trace"] = json!(trace);
    line
}

/// The log of a relay with that rule.
fn log() -> Vec<Value> {
    vec![
        head("full"),
        decision(1, "jane", "where is roads.gpkg?", ""),
        decision(2, "hans", "the casino", "rules"),
        // Logged late.
        decision(9, "jane", "thanks", ""),
        decision(5, "kim", "reject x", "plugin"),
        json!({"type": "end", "n": 6, "at": AT, "at_ns": 1_795_000_000_000_000_000_i64, "clock": 0}),
    ]
}

fn directory(lines: &[Value]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    std::fs::write(directory.path().join("audit-2026-11-18.jsonl"), lines.join("\n") + "\n").unwrap();
    std::fs::write(directory.path().join("rules.toml"), CASINO).unwrap();
    directory
}

fn replayed(directory: &Path, arguments: &[&str]) -> Output {
    relay(directory, &[&["replay", "audit-2026-11-18.jsonl"], arguments].concat(), &LONG_DEADLINES)
}

fn report(directory: &Path, arguments: &[&str]) -> Value {
    let output = replayed(directory, &[arguments, &["--json"]].concat());
    assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    serde_json::from_str(&output.stdout).unwrap()
}

#[test]
fn the_same_rules_reach_the_same_decisions() {
    let directory = directory(&log());
    let report = report(directory.path(), &[]);
    let figures = ["messages", "replayed", "runs", "flipped", "other_grounds", "traces_differ"];
    assert_eq!(figures.map(|figure| report[figure].clone()), [4, 4, 1, 0, 0, 0].map(Value::from), "{report}");
    assert_eq!((&report["not_replayed"], &report["notes"]), (&json!([]), &json!([])));
}

#[test]
fn removing_a_rule_flips_only_its_own_rejections() {
    let directory = directory(&log());
    std::fs::write(directory.path().join("new.toml"), "").unwrap();
    let report = report(directory.path(), &["--rules", "new.toml"]);
    assert_eq!(report["flipped"], 1, "{report}");
    let flip = &report["flips"][0];
    assert_eq!(
        (&flip["author"], &flip["text"], &flip["at"]),
        (&json!("hans"), &json!("the casino"), &json!("2026-11-18T11:06:42.000Z"),)
    );
    let before = json!({"outcome": "reject", "by": {"filter": "rules", "rule": "no-casino"}});
    assert_eq!((&flip["before"], &flip["after"]), (&before, &json!({"outcome": "pass"})));
    assert_eq!(flip["origin"], "audit-2026-11-18.jsonl:3");
    assert_eq!(report["rules"][0], json!({"name": "rule no-casino", "before": 1, "after": 0, "lost": 1, "gained": 0}));
    assert_eq!(report["authors"], json!([{"name": "hans", "before": 1, "after": 0, "lost": 1, "gained": 0}]));
}

#[test]
fn the_report_for_people_has_both_sides() {
    let directory = directory(&log());
    let thanks = "[[rule]]\nid = 'thanks'\nwords = ['thanks']\nverdict = 'shadow'\n";
    std::fs::write(directory.path().join("new.toml"), thanks).unwrap();
    let output = replayed(directory.path(), &["--rules", "new.toml"]);
    assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert_eq!(lines[..2], ["messages  4 in 1 run, 4 judged again", "flips     2"]);
    for wanted in [
        "2026-11-18T11:06:42.000Z  QGIS  hans    reject (rule no-casino)  pass",
        "    the casino",
        "    audit-2026-11-18.jsonl:3",
        "2026-11-18T11:06:49.000Z  QGIS  jane    pass                     shadow (rule thanks)",
        "rule no-casino       1      0     1       0",
        "jane         0      1     0       1",
    ] {
        assert!(lines.contains(&wanted), "{wanted}: {}", output.stdout);
    }
}

#[test]
fn plugins_of_a_folder_are_called_again_and_otherwise_logged_answers_are_used() {
    let directory = directory(&log());
    assert_eq!(report(directory.path(), &[])["plugins_as_logged"], 1);
    for (name, plugin, flipped) in [("same", true, 0), ("none", false, 1)] {
        let folder = directory.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        if plugin {
            std::fs::create_dir(folder.join("hostile")).unwrap();
            std::fs::write(folder.join("hostile/filter.wasm"), guest("hostile")).unwrap();
        }
        let report = report(directory.path(), &["--plugins", name]);
        assert_eq!((&report["flipped"], &report["plugins_as_logged"]), (&json!(flipped), &json!(0)), "{report}");
    }
}

#[test]
fn a_sanction_applies_until_it_is_lifted() {
    let act = |second: i64, act: &str| {
        json!({
            "type": "act", "n": 2, "at": AT, "at_ns": 1_795_000_000_000_000_000 + second * 1_000_000_000,
            "clock": second * 1_000_000_000, "act": act, "by": {"moderator": "mo"},
            "sanction": {
                "id": 41, "kind": "mute", "nickname": "jane", "room": "QGIS", "at": "2026-11-18T11:06:42.000Z",
                "until": null, "reason": "Enough.", "by": {"moderator": "mo"},
            },
        })
    };
    let said = |second| decision(second, "jane", "hello", "");
    let lines = [head("full"), said(1), act(2, "sanction"), said(3), said(4), act(5, "lift"), said(6)];
    let directory = directory(&lines);
    let report = report(directory.path(), &[]);
    let flips: Vec<&Value> = report["flips"].as_array().unwrap().iter().map(|flip| &flip["origin"]).collect();
    assert_eq!(flips, ["audit-2026-11-18.jsonl:4", "audit-2026-11-18.jsonl:5"]);
    assert_eq!(report["flips"][0]["after"], json!({"outcome": "reject", "by": {"filter": "sanction"}}));
}

#[test]
fn lines_that_cannot_be_replayed_are_counted_with_their_position() {
    let mut cut = decision(3, "jane", "a long te", "");
    cut["cut"] = json!(true);
    let mut silent = decision(4, "jane", "", "");
    silent.as_object_mut().unwrap().remove("text");
    let mut identity = decision(5, "jane", "I am hans", "identity");
    identity["trace"] = json!([]);
    let at = 1_795_000_005_000_000_000_i64;
    let lost = json!({"type": "lost", "n": 5, "at": AT, "at_ns": at, "clock": 5_000_000_000_i64, "count": 12});
    let directory = directory(&[head("refusals"), cut, silent, identity, lost, decision(7, "jane", "hello", "")]);
    let path = directory.path().join("audit-2026-11-18.jsonl");
    let written = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{written}no line\n{{\"type\":\"dec")).unwrap();
    let report = report(directory.path(), &[]);
    assert_eq!((&report["messages"], &report["replayed"]), (&json!(4), &json!(1)));
    let skipped = |reason: &str, count: u64, line: u64| json!({"reason": reason, "count": count, "first": [format!("audit-2026-11-18.jsonl:{line}")]});
    assert_eq!(
        report["not_replayed"],
        json!([
            skipped("the text was not logged", 1, 3),
            skipped("only part of the text was logged", 1, 2),
            skipped("refused because of its nickname, not by the chain", 1, 4),
            skipped("not logged: the disk was full or slow", 12, 5),
            skipped("the line is cut", 1, 8),
            skipped("not a line of an audit log", 1, 7),
        ])
    );
}

#[test]
fn a_log_without_replayable_lines_is_a_failure() {
    let directory = directory(&[head("off")]);
    let output = replayed(directory.path(), &[]);
    assert_eq!(output.status, Some(1), "{output:?}");
    assert_eq!(output.stderr, "gischat-relay: nothing could be replayed\n");
    let output = relay(directory.path(), &["replay", "no.jsonl"], &[]);
    assert_eq!((output.status, output.stdout.as_str()), (Some(1), ""), "{output:?}");
    assert!(output.stderr.starts_with("gischat-relay: no.jsonl: "), "{output:?}");
}

#[test]
fn the_logs_of_a_folder_are_replayed_in_the_order_of_writing() {
    let directory = directory(&log());
    let mut next = head("full");
    (next["type"], next["file"], next["at_ns"]) = (json!("state"), json!(2), json!(1_795_000_010_000_000_000_i64));
    let lines = [next, decision(11, "kim", "the casino", "rules")];
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    // Its name sorts first.
    std::fs::write(directory.path().join("audit-2026-11-18.2.jsonl"), lines.join("\n") + "\n").unwrap();
    std::fs::write(directory.path().join("key"), "no log").unwrap();
    let output = relay(directory.path(), &["replay", ".", "--json"], &LONG_DEADLINES);
    let report: Value = serde_json::from_str(&output.stdout).unwrap();
    let figures = ["replayed", "runs", "flipped", "traces_differ"].map(|figure| report[figure].clone());
    assert_eq!(figures, [5, 1, 0, 0].map(Value::from), "{report}");
    assert_eq!((&report["notes"], &report["not_replayed"]), (&json!([]), &json!([])));
}

#[test]
fn invalid_rules_are_a_bad_configuration_and_an_empty_trial_is_bad_arguments() {
    let directory = directory(&log());
    std::fs::write(directory.path().join("new.toml"), "[[rule]]\nid = 'x'\nwrods = []\n").unwrap();
    let output = replayed(directory.path(), &["--rules", "new.toml"]);
    assert_eq!((output.status, output.stdout.as_str()), (Some(78), ""), "{output:?}");
    assert!(output.stderr.contains("new.toml:3: "), "{output:?}");
    let arguments = ["replay", "audit-2026-11-18.jsonl", "--plugins", "."];
    let output = relay(directory.path(), &arguments, &[("RELAY__FILTER__ORDER", "shape,rate,rules")]);
    assert_eq!(output.status, Some(2), "{output:?}");
    assert!(output.stderr.contains("does not include `plugin`"), "{output:?}");
    assert_eq!(relay(directory.path(), &["replay"], &[]).status, Some(2));
}

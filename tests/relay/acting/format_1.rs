//! A store and an audit log of version 0.1.0, in format 1, are read by `check`, `replay` and a start.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{call_json, moderated_relay};
use crate::support::RelayBuilder;
use crate::support::program::relay;

const FILES: [&str; 5] =
    ["moderation.redb", "rules.toml", "audit/key", "audit/audit-2026-11-30.jsonl", "audit/audit-2026-11-30.2.jsonl"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/format-1")
}

/// A relay with a copy of these files. The log is kept for ten years.
fn upgraded() -> RelayBuilder {
    let with_files = FILES
        .into_iter()
        .fold(moderated_relay(), |relay, file| relay.file_bytes(file, &std::fs::read(folder().join(file)).unwrap()));
    with_files
        .env("RELAY__MODERATION__STORE", "moderation.redb")
        .env("RELAY__MODERATION__AUDIT__DIR", "audit")
        .env("RELAY__MODERATION__AUDIT__RECORD", "all")
        .env("RELAY__MODERATION__AUDIT__RETENTION_DAYS", "3650")
}

#[test]
fn check_finds_nothing_wrong_with_files_of_format_1() {
    let checked = upgraded().check();
    assert_eq!(checked.status, Some(0), "{checked:?}");
    let checked = relay(&folder(), &["check", "--audit", "audit"], &[]);
    assert_eq!(checked.status, Some(0), "{checked:?}");
    let day = checked.stdout.lines().find(|line| line.contains("2026-11-30")).unwrap();
    let cells: Vec<&str> = day.split_whitespace().collect();
    assert_eq!(cells[..5], ["2026-11-30", "2", "77", "0", "intact"], "{checked:?}");
}

#[test]
fn a_log_of_format_1_is_replayed_whole() {
    let environment = [("RATE_LIMITS", "off"), ("RULES", "be kind"), ("ROOMS", "QGIS,QField")];
    let output = relay(&folder(), &["replay", "audit", "--json"], &environment);
    let report: Value = serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let figures = ["messages", "replayed", "runs", "flipped", "other_grounds", "traces_differ", "plugins_as_logged"];
    // One message flips, because the preset changed while the log was written. In 0.1.0, each nickname had a ladder of its
    // own; now the address has one, so two messages that a rule rejected are rejected because of a mute.
    assert_eq!(figures.map(|figure| report[figure].clone()), [34, 33, 2, 1, 2, 2, 10].map(Value::from), "{report}");
    let skipped = json!([{
        "reason": "the text was not logged", "count": 1, "first": ["audit/audit-2026-11-30.2.jsonl:35"],
    }]);
    assert_eq!(report["not_replayed"], skipped);
    assert_eq!(
        report["flips"][0]["before"],
        json!({"outcome": "reject", "by": {"filter": "rules", "rule": "shouting"}})
    );
}

#[tokio::test]
async fn a_relay_starts_with_files_of_format_1_and_continues_them() {
    let relay = upgraded().start().await;
    let get = async |path: &str| call_json(&relay, "GET", path, &Value::Null, 200).await;
    let sanctions = get("/moderation/sanctions").await;
    let bans: Vec<&Value> =
        sanctions["sanctions"].as_array().unwrap().iter().filter(|sanction| sanction["kind"] == "ban").collect();
    let ban = |id: u64, at: &str| {
        json!({
            "id": id, "kind": "ban", "address": "203.0.113.x", "room": null, "at": at, "until": null,
            "reason": "spam", "by": {"moderator": "jane"},
        })
    };
    assert_eq!(bans, [&ban(8, "2026-11-30T09:00:44.470Z"), &ban(18, "2026-11-30T09:00:49.446Z")]);
    let levels = json!({"levels": [{"level": "newcomers"}, {"room": "QField", "level": "slow", "seconds": 5}]});
    assert_eq!(get("/moderation/level").await, levels);
    assert_eq!(get("/moderation/preset").await, json!({"preset": "strict"}));
    assert_eq!(get("/status").await["degraded"], Value::Null);

    let audit = relay.directory().join("audit");
    let heads: Vec<String> = std::fs::read_dir(&audit)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .filter(|path| !FILES.iter().any(|old| path.ends_with(old)))
        .map(|path| std::fs::read_to_string(path).unwrap().lines().next().unwrap().to_owned())
        .collect();
    let [head] = heads.as_slice() else { panic!("one file is new: {heads:?}") };
    let head: Value = serde_json::from_str(head).unwrap();
    let hashes: Vec<&Value> = head["sanctions"].as_array().unwrap().iter().map(|ban| &ban["address"]).collect();
    assert!(hashes.contains(&&json!("c6f04c746641c129")), "the key is that of format 1: {head}");
}

//! Unavailable parts: the relay logs each once and shows it, and `check` reports it.

mod check_while_running;
mod disks;
mod plugins;
mod store_and_audit;

use serde_json::{Value, json};

use crate::moderation::{call, moderated, notes};
use crate::support::program::Output;
use crate::support::{Relay, RelayBuilder, line};

const STORE: &str = "RELAY__MODERATION__STORE";
const AUDIT: &str = "RELAY__MODERATION__AUDIT__DIR";

/// A relay with the moderator jane.
fn plain() -> RelayBuilder {
    moderated(Relay::builder())
}

/// Enables an audit log of everything in this folder.
fn audited(relay: RelayBuilder, dir: &str) -> RelayBuilder {
    relay.env("RELAY__MODERATION__AUDIT__RECORD", "all").env(AUDIT, dir)
}

/// Adds a plugin that answers messages that begin with a `t`, and passes all others.
fn with_plugin(relay: RelayBuilder, folder: &str, manifest: &str) -> RelayBuilder {
    relay.file(&format!("{folder}/plugin.toml"), manifest).file(&format!("{folder}/filter.wat"), RAW)
}

/// A component that needs no build tool.
const RAW: &str = include_str!("../../guests/raw.wat");

/// The lines of the log with this message.
fn logged(relay: &Relay, message: &str) -> Vec<Value> {
    let lines = relay.log().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    lines.filter(|line| line["message"] == message).collect()
}

/// Mutes a nickname as jane.
async fn mute(relay: &Relay, nickname: &str) {
    let body = json!({"kind": "mute", "nickname": nickname, "seconds": 600}).to_string();
    let answer = call(relay, "POST", "/moderation/sanctions", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
}

/// `check` must fail with these lines, and then report.
fn expect_problems(output: &Output, problems: &[&str]) {
    let lines: Vec<&str> = output.stderr.lines().collect();
    assert_eq!((output.status, lines.as_slice()), (Some(1), problems), "{output:?}");
    let last = output.stdout.lines().last().unwrap_or_default();
    assert!(last.starts_with("the configuration is valid, but the relay would run degraded: "), "{output:?}");
}

/// The relay must serve without these parts alone.
async fn expect_degraded(relay: &Relay, parts: &[&str]) {
    let status = relay.get("/status").await.json();
    assert_eq!((&status["status"], &status["healthy"]), (&json!("ok"), &json!(true)), "{status}");
    assert_eq!(status["degraded"], json!(parts), "{status}");
    let mut anna = relay.join_as("QGIS", "anna").await;
    anna.send(line("anna", "hello")).await;
    anna.skip_until(line("anna", "hello")).await;
}

/// `check` must name the problem in this line, and the relay must serve without the part, say the same once, and tell
/// moderators.
async fn expect_agreement(relay: RelayBuilder, part: &str, problem: &str) -> Relay {
    expect_problems(&relay.check(), &[problem]);
    let relay = relay.start().await;
    expect_degraded(&relay, &[part]).await;
    let told = logged(&relay, "subsystem unavailable; the relay runs degraded");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["level"], &told[0]["part"]), (&json!("ERROR"), &json!(part)));
    assert_eq!(told[0]["reason"], json!(problem));
    assert!(told[0]["consequence"].as_str().is_some_and(|text| !text.is_empty()), "{told:?}");
    let filters = call(&relay, "GET", "/moderation/filters", "").await.json();
    let shown = &filters["degraded"];
    assert_eq!((&shown[0]["part"], &shown[0]["reason"]), (&json!(part), &json!(problem)), "{filters}");
    relay.wait_until(1, async || notes(&relay, "degraded").await.len()).await;
    let note = notes(&relay, "degraded").await.remove(0);
    assert!(note["text"].as_str().unwrap().contains(problem), "{note}");
    relay
}

#[tokio::test]
async fn a_complete_relay_is_not_degraded_and_check_succeeds() {
    let relay = with_plugin(audited(plain(), "log/audit"), "plugins/raw", "").env(STORE, "moderation.db");
    let output = relay.check();
    assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    assert!(output.stdout.ends_with("\nthe configuration is valid\n"), "{output:?}");
    let mut names: Vec<_> =
        std::fs::read_dir(relay.directory()).unwrap().map(|name| name.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["plugins"], "`check` leaves nothing behind");
    let relay = relay.start().await;
    let status = relay.get("/status").await.json();
    assert_eq!(status.get("degraded"), None, "{status}");
    let filters = call(&relay, "GET", "/moderation/filters", "").await.json();
    assert_eq!(filters.get("degraded"), None, "{filters}");
    assert!(logged(&relay, "subsystem unavailable; the relay runs degraded").is_empty());
}

#[tokio::test]
async fn problems_of_all_subsystems_are_reported_together() {
    let relay = audited(plain(), "blocked/audit").file("blocked", "");
    let relay = relay.env(STORE, "blocked/moderation.db").env("PLUGINS_DIR", "filters");
    let problems = [
        "filters: the folder cannot be read: No such file or directory (os error 2)",
        "blocked/moderation.db: the moderation store cannot be opened (moderation.store): Not a directory (os error 20)",
        "blocked/audit: the audit log cannot be opened: no file can be written there: Not a directory (os error 20)",
    ];
    expect_problems(&relay.check(), &problems);
    expect_degraded(&relay.start().await, &["plugins", "store", "audit"]).await;
}

#[test]
fn problems_are_reported_with_an_invalid_configuration_which_decides_the_exit_code() {
    let relay = plain().env("PLUGINS_DIR", "filters").file("rules.toml", "rule = 1\n");
    let output = relay.check();
    assert_eq!((output.status, output.stdout.as_str()), (Some(78), ""), "{output:?}");
    assert!(output.stderr.starts_with("filters: the folder cannot be read: "), "{output:?}");
    assert!(output.stderr.contains("\nrules.toml:1: "), "{output:?}");
}

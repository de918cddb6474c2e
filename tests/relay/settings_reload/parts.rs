//! Parts are applied separately, and settings that need a restart are named.

use serde_json::json;

use super::{Way, change, command, errors, place, reload, signal, with};
use crate::moderation::notes;
use crate::support::Relay;

const BOUND: &str = "filter.shape.max_message_length = 5\n";

fn refusing(word: &str) -> String {
    format!("[[rule]]\nid = 'no'\nwords = ['{word}']\nverdict = 'reject'\n")
}

async fn status(relay: &Relay, text: &str) -> u16 {
    relay.put_line("QGIS", "anna", text, &[]).await.status
}

/// How many lines of the log hold all of this.
fn logged(relay: &Relay, parts: &[&str]) -> usize {
    relay.log().iter().filter(|line| parts.iter().all(|part| line.contains(part))).count()
}

#[tokio::test]
async fn valid_rules_are_applied_despite_settings_with_an_error() {
    let relay = with(BOUND).file("rules.toml", &refusing("poker")).start().await;
    place(&relay, "relay.toml", "filter.shape.max_message_length = 0\ninstance.romos = ['x']\n");
    place(&relay, "rules.toml", &refusing("bingo"));
    let answer = reload(&relay).await;
    assert_eq!(answer.status, 422);
    let answer_json = answer.json();
    assert_eq!(answer_json["detail"], "some parts were not reloaded: 2 errors");
    assert_eq!(
        errors(&answer),
        [
            "relay.toml:1: filter.shape.max_message_length: 0 is too small; it must be from 1 to 65536",
            "relay.toml:2: instance.romos: unknown key; did you mean `rooms`?",
        ]
    );
    assert_eq!(answer_json["settings"], json!({"changed": [], "needs_restart": []}));
    assert_eq!((answer_json["rules"].clone(), answer_json["in_force"][0]["rule"].clone()), (json!(1), json!("no")));
    assert_eq!((status(&relay, "poker").await, status(&relay, "bingo").await), (200, 403));
    assert_eq!(status(&relay, "123456").await, 422, "the bound is as it was");
}

#[tokio::test]
async fn valid_settings_are_applied_despite_rules_with_an_error() {
    let relay = with(BOUND).file("rules.toml", &refusing("poker")).start().await;
    place(&relay, "relay.toml", "filter.shape.max_message_length = 9\n");
    place(&relay, "rules.toml", &refusing("bingo").replace("words", "wrods"));
    let answer = reload(&relay).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.json()["settings"], json!({"changed": ["filter.shape.max_message_length"], "needs_restart": []}));
    assert!(errors(&answer).iter().any(|error| error.starts_with("rules.toml:3: ")), "{}", answer.body);
    assert_eq!((status(&relay, "poker").await, status(&relay, "123456789").await), (403, 200));
}

#[tokio::test]
async fn settings_with_an_error_are_logged_once_for_each_signal_and_change_nothing() {
    let relay = with(BOUND).start().await;
    place(&relay, "relay.toml", "filter.shape.max_message_length = 'many'\n");
    signal(&relay).await;
    assert_eq!(status(&relay, "123456").await, 422);
    let parts = ["reload failed; settings and tokens are unchanged", "relay.toml:1: filter.shape.max_message_length"];
    relay.wait_until(1, async || logged(&relay, &parts)).await;
    let told = notes(&relay, "reloaded").await.pop().unwrap();
    let text = told["text"].as_str().unwrap();
    assert!(text.starts_with("reloaded by a signal; ") && text.contains("; errors: 1"), "{text}");
}

#[tokio::test]
async fn a_setting_that_needs_a_restart_is_reported_until_then_and_the_rest_takes_effect() {
    let relay = with(BOUND).start().await;
    let settings = "filter.shape.max_message_length = 9\n[live]\noutbox_bytes = 2048\n[wire]\n";
    place(&relay, "relay.toml", settings);
    let answer = reload(&relay).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let named = json!({"changed": ["filter.shape.max_message_length"], "needs_restart": ["live.outbox_bytes"]});
    assert_eq!(answer.json()["settings"], named);
    assert_eq!(status(&relay, "123456789").await, 200);
    let told = notes(&relay, "reloaded").await.pop().unwrap();
    let text = "reloaded by jane; rules in force: 0, plugins: 0; settings changed: filter.shape.max_message_length; \
                changed, restart needed: live.outbox_bytes";
    assert_eq!(told["text"], text);
    relay
        .wait_until(1, async || logged(&relay, &["reloaded by jane", "\"needs_restart\":\"live.outbox_bytes\""]))
        .await;

    let output = command(&relay).await;
    let lines: Vec<&str> = output.stdout.lines().take(2).collect();
    assert_eq!(lines, ["settings changed, restart needed: live.outbox_bytes", "rules in force: 0; plugins: none"]);
    change(&relay, "filter.shape.max_message_length = 9\n", Way::Call).await;
    assert_eq!(reload(&relay).await.json()["settings"], json!({"changed": [], "needs_restart": []}));
}

#[tokio::test]
async fn a_key_that_a_variable_overrides_has_not_changed() {
    let relay = with(BOUND).env("MAX_MESSAGE_LENGTH", "7").start().await;
    place(&relay, "relay.toml", "filter.shape.max_message_length = 3\n");
    let answer = reload(&relay).await;
    assert_eq!(answer.json()["settings"], json!({"changed": [], "needs_restart": []}));
    assert_eq!((status(&relay, "1234567").await, status(&relay, "12345678").await), (200, 422));
}

#[tokio::test]
async fn variables_of_the_dotenv_file_are_read_again() {
    let relay = with("").file(".env", "MAX_MESSAGE_LENGTH=5\nROOMS=QGIS\n").start().await;
    place(&relay, ".env", "MAX_MESSAGE_LENGTH=6\nROOMS=QGIS,Maps\n");
    let answer = reload(&relay).await;
    assert_eq!(
        answer.json()["settings"]["changed"],
        json!(["filter.shape.max_message_length", "instance.rooms"]),
        "{}",
        answer.body
    );
    assert_eq!((status(&relay, "123456").await, status(&relay, "1234567").await), (200, 422));
}

#[tokio::test]
async fn the_command_prints_the_errors_and_what_is_in_force() {
    let relay = with(BOUND).file("rules.toml", &refusing("poker")).start().await;
    place(&relay, "rules.toml", &refusing("bingo").replace("words", "wrods"));
    let output = command(&relay).await;
    assert_eq!(output.status, Some(1), "{output:?}");
    assert!(output.stderr.contains("rules.toml:3: rule `no`: unknown key `wrods`"), "{output:?}");
    assert!(output.stdout.starts_with("rules in force: 1; plugins: none\n"), "{output:?}");
}

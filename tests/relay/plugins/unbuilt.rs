//! Plugins whose source is there and whose code is not: a hint, unless messages are held or refused for it.

use serde_json::{Value, json};

use super::{expect_pass, patient, say};
use crate::moderation::{call, moderated, notes};
use crate::support::{Relay, RelayBuilder};

/// A relay with a plugin that nobody has built.
fn relay(manifest: &str) -> RelayBuilder {
    let relay = moderated(patient(Relay::with())).env("RATE_LIMITS", "off");
    relay.file("plugins/mine/plugin.toml", manifest).file("plugins/mine/filter.py", "")
}

/// The lines of the log about the plugin.
fn lines(relay: &Relay) -> Vec<Value> {
    let lines = relay.log().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    lines.filter(|line| line["plugin"] == "mine").collect()
}

#[tokio::test]
async fn a_plugin_that_is_not_built_is_a_hint_with_the_command_that_builds_it() {
    let relay = relay("").start().await;
    let lines = lines(&relay);
    let [line] = lines.as_slice() else { panic!("one line was expected: {lines:#?}") };
    assert_eq!((&line["level"], &line["build"]), (&json!("INFO"), &json!("gischat-relay plugin build plugins/mine")));
    assert_eq!(line["message"], "a plugin is not built yet and is left out");
}

#[tokio::test]
async fn messages_pass_a_plugin_that_is_not_built_without_a_trace() {
    let relay = relay("").start().await;
    expect_pass(&relay, "hello", "hello").await;
    let body = json!({"room": "QGIS", "author": "anna", "text": "hello"}).to_string();
    let decision = call(&relay, "POST", "/moderation/try", &body).await.json();
    assert!(!decision["trace"].as_array().unwrap().iter().any(|step| step["plugin"] == "mine"), "{decision}");
}

#[tokio::test]
async fn the_policy_of_a_plugin_that_is_not_built_holds_and_the_log_warns() {
    let relay = relay("on_failure = 'reject'").start().await;
    assert_eq!(say(&relay, "hello").await.status, 403);
    let lines = lines(&relay);
    let warning = json!("a plugin is not built yet; its on_failure holds");
    assert!(lines.iter().any(|line| line["level"] == "WARN" && line["message"] == warning), "{lines:#?}");
}

#[tokio::test]
async fn moderators_see_a_plugin_that_is_not_built_and_get_no_note_of_it() {
    let relay = relay("").start().await;
    let filters = call(&relay, "GET", "/moderation/filters", "").await.json();
    let plugins = filters["filters"].as_array().unwrap().iter().find(|filter| filter["filter"] == "plugin").unwrap();
    let plugin = &plugins["plugins"][0];
    assert_eq!((&plugin["state"], &plugin["source"]), (&json!("not_built"), &json!("folder")), "{plugin}");
    assert!(plugin["error"].as_str().unwrap().contains("gischat-relay plugin build plugins/mine"), "{plugin}");
    assert_eq!(notes(&relay, "plugin_not_loaded").await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_moderators_reload_does_not_fail_for_a_plugin_that_is_not_built() {
    let relay = relay("").start().await;
    let answer = call(&relay, "POST", "/moderation/reload", "").await;
    assert_eq!((answer.status, &answer.json()["plugins"]), (200, &json!([])), "{}", answer.body);
}

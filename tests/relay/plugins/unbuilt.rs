//! Plugins with source but without compiled code: a hint is logged, unless messages are held or refused because of it.

use serde_json::{Value, json};

use super::{expect_pass, say, with_long_deadlines};
use crate::moderation::{call, moderated, notes};
use crate::support::{Relay, RelayBuilder};

/// A relay with a plugin that is not built.
fn relay(manifest: &str) -> RelayBuilder {
    let relay = moderated(with_long_deadlines(Relay::builder())).env("RATE_LIMITS", "off");
    relay.file("plugins/mine/plugin.toml", manifest).file("plugins/mine/filter.py", "")
}

/// The lines of the log about the plugin.
fn lines(relay: &Relay) -> Vec<Value> {
    let lines = relay.log().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    lines.filter(|line| line["plugin"] == "mine").collect()
}

#[tokio::test]
async fn an_unbuilt_plugin_is_logged_with_its_build_command() {
    let relay = relay("").start().await;
    let lines = lines(&relay);
    let [line] = lines.as_slice() else { panic!("one line was expected: {lines:#?}") };
    assert_eq!((&line["level"], &line["build"]), (&json!("INFO"), &json!("gischat-relay plugin build plugins/mine")));
    assert_eq!(line["message"], "plugin not built; skipped");
}

#[tokio::test]
async fn an_unbuilt_plugin_does_not_appear_in_traces() {
    let relay = relay("").start().await;
    expect_pass(&relay, "hello", "hello").await;
    let body = json!({"room": "QGIS", "author": "anna", "text": "hello"}).to_string();
    let decision = call(&relay, "POST", "/moderation/try", &body).await.json();
    assert!(!decision["trace"].as_array().unwrap().iter().any(|step| step["plugin"] == "mine"), "{decision}");
}

#[tokio::test]
async fn the_failure_policy_of_an_unbuilt_plugin_applies_with_a_warning() {
    let relay = relay("on_failure = 'reject'").start().await;
    assert_eq!(say(&relay, "hello").await.status, 403);
    let lines = lines(&relay);
    let warning = json!("plugin not built; on_failure applies");
    assert!(lines.iter().any(|line| line["level"] == "WARN" && line["message"] == warning), "{lines:#?}");
}

#[tokio::test]
async fn moderators_see_an_unbuilt_plugin_but_get_no_note() {
    let relay = relay("").start().await;
    let filters = call(&relay, "GET", "/moderation/filters", "").await.json();
    let plugins = filters["filters"].as_array().unwrap().iter().find(|filter| filter["filter"] == "plugin").unwrap();
    let plugin = &plugins["plugins"][0];
    assert_eq!((&plugin["state"], &plugin["source"]), (&json!("not_built"), &json!("folder")), "{plugin}");
    assert!(plugin["error"].as_str().unwrap().contains("gischat-relay plugin build plugins/mine"), "{plugin}");
    assert_eq!(notes(&relay, "plugin_not_loaded").await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_reload_does_not_fail_because_of_an_unbuilt_plugin() {
    let relay = relay("").start().await;
    let answer = call(&relay, "POST", "/moderation/reload", "").await;
    assert_eq!((answer.status, &answer.json()["plugins"]), (200, &json!([])), "{}", answer.body);
}

//! A new rule or plugin that refuses too much only observes, until it is changed.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::{call, moderated, place, refusing, status, told, until, with_rules};
use crate::plugins::{PATIENT, guest};
use crate::support::{Relay, RelayBuilder};

/// With brakes that are pulled by the sixth refusal.
fn braking(relay: RelayBuilder) -> RelayBuilder {
    relay.env("RELAY__FILTER__BRAKES__MESSAGES", "100")
}

/// Says this so many times, and gives the statuses.
async fn statuses(relay: &Relay, text: &str, times: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..times {
        statuses.push(status(relay, text).await);
    }
    statuses
}

/// The rule or plugin of that name, as moderators see it.
async fn part(relay: &Relay, filter: &str, name: &str) -> Value {
    let filters = call(relay, "GET", "/moderation/filters", "").await.json();
    let filters = filters["filters"].as_array().unwrap();
    let filter = filters.iter().find(|one| one["filter"] == filter).unwrap().clone();
    let parts = ["rules", "plugins"].into_iter().find_map(|list| filter[list].as_array().cloned()).unwrap();
    parts.into_iter().find(|part| part["rule"] == name || part["plugin"] == name).unwrap()
}

/// A relay whose new rule `no` has refused too much.
async fn braked() -> Relay {
    let relay = braking(with_rules(&refusing("casino"))).start().await;
    assert_eq!(statuses(&relay, "casino", 8).await, [403, 403, 403, 403, 403, 403, 200, 200]);
    relay
}

#[tokio::test]
async fn a_new_rule_that_refuses_too_much_observes_and_moderators_are_told_once() {
    let relay = braked().await;
    assert_eq!(
        told(&relay, "brake_pulled").await,
        ["rule `no` only observes from now on, until it is changed: it refused 6 of the last 6 messages, and was \
          changed less than 24 h ago"]
    );
    let rule = part(&relay, "rules", "no").await;
    assert_eq!((&rule["mode"], &rule["braked"], &rule["hits"]), (&json!("observe"), &json!(true), &json!(8)));
    assert!(rule["braked_at"].as_str().unwrap().ends_with('Z'), "{rule}");
    let body = json!({"room": "QGIS", "author": "anna", "text": "casino"}).to_string();
    let trace = call(&relay, "POST", "/moderation/try", &body).await.json();
    let step = trace["trace"].as_array().unwrap().iter().find(|step| step["rule"] == "no").unwrap().clone();
    assert_eq!((&trace["outcome"], &step["mode"]), (&json!("pass"), &json!("observe")));
    relay.wait_until(true, async || relay.log().iter().any(|line| line.contains("a brake is pulled"))).await;
}

#[tokio::test]
async fn a_reload_that_leaves_the_rule_as_it_is_keeps_it_observing() {
    let relay = braked().await;
    place(
        &relay,
        "rules.toml",
        &format!("# mine\n\n{}{}", refusing("casino"), refusing("poker").replace("'no'", "'b'")),
    );
    until(&relay, "poker", 403).await;
    assert_eq!(status(&relay, "casino").await, 200);
    assert_eq!(call(&relay, "POST", "/moderation/reload", "").await.status, 200);
    assert_eq!(status(&relay, "casino").await, 200);
    let rule = part(&relay, "rules", "no").await;
    assert_eq!((&rule["braked"], &rule["hits"]), (&json!(true), &json!(10)));
    assert_eq!(told(&relay, "brake_pulled").await.len(), 1);
}

#[tokio::test]
async fn a_rule_that_is_edited_is_in_force_again() {
    let relay = braked().await;
    place(&relay, "rules.toml", &format!("{}rooms = ['QGIS']\n", refusing("casino")));
    until(&relay, "casino", 403).await;
    let rule = part(&relay, "rules", "no").await;
    assert_eq!((&rule["mode"], &rule.get("braked")), (&json!("enforce"), &None));
}

#[tokio::test]
async fn an_old_rule_refuses_whatever_it_hits() {
    let relay = braking(with_rules(&refusing("casino")));
    let relay = relay.aged("rules.toml", SystemTime::now() - Duration::from_hours(25)).start().await;
    assert_eq!(statuses(&relay, "casino", 20).await, [403; 20]);
    assert!(told(&relay, "brake_pulled").await.is_empty());
    // What comes later is new, whatever its date.
    place(&relay, "rules.toml", &format!("{}{}", refusing("casino"), refusing("poker").replace("'no'", "'b'")));
    until(&relay, "poker", 403).await;
    until(&relay, "poker", 200).await;
    assert_eq!(status(&relay, "casino").await, 403);
}

#[tokio::test]
async fn trials_pull_no_brake() {
    let relay = braking(with_rules(&refusing("casino"))).start().await;
    let body = json!({"room": "QGIS", "author": "anna", "text": "casino"}).to_string();
    for _ in 0..20 {
        assert_eq!(call(&relay, "POST", "/moderation/try", &body).await.json()["outcome"], "reject");
    }
    assert_eq!(status(&relay, "casino").await, 403);
    assert!(told(&relay, "brake_pulled").await.is_empty());
}

#[tokio::test]
async fn a_new_plugin_that_refuses_too_much_observes_until_its_files_change() {
    let relay = braking(moderated(Relay::with())).plugin("hostile", "", &guest("hostile")).env("RATE_LIMITS", "off");
    let relay = PATIENT.into_iter().fold(relay, |relay, (name, value)| relay.env(name, value)).start().await;
    assert_eq!(statuses(&relay, "reject x", 7).await, [403, 403, 403, 403, 403, 403, 200]);
    let plugin = part(&relay, "plugin", "hostile").await;
    assert_eq!((&plugin["mode"], &plugin["braked"]), (&json!("observe"), &json!(true)));
    let told_of = told(&relay, "brake_pulled").await;
    assert!(told_of.len() == 1 && told_of[0].starts_with("plugin `hostile` only observes"), "{told_of:?}");
    assert_eq!(call(&relay, "POST", "/moderation/reload", "").await.status, 200);
    assert_eq!(status(&relay, "reject x").await, 200);
    place(&relay, "plugins/hostile/plugin.toml", "version = '2'");
    until(&relay, "reject x", 403).await;
}

#[tokio::test]
async fn a_plugin_that_fails_keeps_its_failure_policy() {
    let relay = braking(moderated(Relay::with())).plugin("mine", "on_failure = 'reject'", b"no wasm");
    let relay = relay.env("RATE_LIMITS", "off").start().await;
    assert_eq!(statuses(&relay, "hello", 20).await, [403; 20]);
}

//! A new rule or plugin that refuses too much only observes, until it is changed.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::{call, moderated, note_texts, place, refusing, status, until, with_rules};
use crate::plugins::{LONG_DEADLINES, guest};
use crate::support::{Relay, RelayBuilder};

/// Configures breakers that trip at the sixth address with a refusal.
fn with_small_window(relay: RelayBuilder) -> RelayBuilder {
    relay.env("RELAY__FILTER__BREAKERS__MESSAGES", "100").env("TRUSTED_PROXIES", "127.0.0.1")
}

/// Sends this text from so many addresses, and returns the statuses.
async fn statuses(relay: &Relay, text: &str, addresses: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for host in 1..=addresses {
        let ip = format!("192.0.2.{host}");
        statuses.push(relay.put_line("QGIS", "anna", text, &[("X-Forwarded-For", &ip)]).await.status);
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

/// A relay whose new rule `no` has rejected too much.
async fn tripped() -> Relay {
    let relay = with_small_window(with_rules(&refusing("casino"))).start().await;
    assert_eq!(statuses(&relay, "casino", 8).await, [403, 403, 403, 403, 403, 403, 200, 200]);
    relay
}

#[tokio::test]
async fn a_new_rule_that_rejects_too_much_observes_and_moderators_are_told_once() {
    let relay = tripped().await;
    assert_eq!(
        note_texts(&relay, "breaker_tripped").await,
        [
            "rule `no` only observes until it is changed: it refused messages from 6 addresses among the last 6 messages, \
          and was changed less than 24 h ago; POST {\"rule\": \"no\"} to /moderation/breakers/reset puts it in force again"
        ]
    );
    let rule = part(&relay, "rules", "no").await;
    assert_eq!((&rule["mode"], &rule["tripped"], &rule["hits"]), (&json!("observe"), &json!(true), &json!(8)));
    assert!(rule["tripped_at"].as_str().unwrap().ends_with('Z'), "{rule}");
    let body = json!({"room": "QGIS", "author": "anna", "text": "casino"}).to_string();
    let trace = call(&relay, "POST", "/moderation/try", &body).await.json();
    let step = trace["trace"].as_array().unwrap().iter().find(|step| step["rule"] == "no").unwrap().clone();
    assert_eq!((&trace["outcome"], &step["mode"]), (&json!("pass"), &json!("observe")));
    relay.wait_until(true, async || relay.log().iter().any(|line| line.contains("breaker tripped"))).await;
}

#[tokio::test]
async fn a_reload_that_does_not_change_a_rule_keeps_its_breaker_tripped() {
    let relay = tripped().await;
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
    assert_eq!((&rule["tripped"], &rule["hits"]), (&json!(true), &json!(10)));
    assert_eq!(note_texts(&relay, "breaker_tripped").await.len(), 1);
}

#[tokio::test]
async fn editing_a_rule_resets_its_breaker() {
    let relay = tripped().await;
    place(&relay, "rules.toml", &format!("{}rooms = ['QGIS']\n", refusing("casino")));
    until(&relay, "casino", 403).await;
    let rule = part(&relay, "rules", "no").await;
    assert_eq!((&rule["mode"], &rule.get("tripped")), (&json!("enforce"), &None));
}

#[tokio::test]
async fn one_address_trips_no_breaker() {
    let relay = with_small_window(with_rules(&refusing("casino"))).start().await;
    for _ in 0..60 {
        assert_eq!(status(&relay, "casino").await, 403);
    }
    assert!(note_texts(&relay, "breaker_tripped").await.is_empty());
}

#[tokio::test]
async fn moderators_reset_a_breaker() {
    let relay = tripped().await;
    let path = "/moderation/breakers/reset";
    let reset = call(&relay, "POST", path, r#"{"rule":"no"}"#).await;
    assert_eq!((reset.status, reset.json()), (200, json!({"reset": {"rule": "no"}})));
    assert_eq!(status(&relay, "casino").await, 403);
    assert_eq!(part(&relay, "rules", "no").await.get("tripped"), None);
    for (body, status) in [(r#"{"rule":"no"}"#, 404), (r#"{"plugin":"no"}"#, 404), ("{}", 422)] {
        assert_eq!(call(&relay, "POST", path, body).await.status, status, "{body}");
    }
}

#[tokio::test]
async fn an_old_rule_refuses_whatever_it_hits() {
    let relay = with_small_window(with_rules(&refusing("casino")));
    let relay = relay.file_modified("rules.toml", SystemTime::now() - Duration::from_hours(25)).start().await;
    assert_eq!(statuses(&relay, "casino", 20).await, [403; 20]);
    assert!(note_texts(&relay, "breaker_tripped").await.is_empty());
    // A file added later counts as new, whatever its date.
    place(&relay, "rules.toml", &format!("{}{}", refusing("casino"), refusing("poker").replace("'no'", "'b'")));
    until(&relay, "poker", 403).await;
    assert_eq!(statuses(&relay, "poker", 7).await.last(), Some(&200));
    assert_eq!(status(&relay, "casino").await, 403);
}

#[tokio::test]
async fn trials_trip_no_breaker() {
    let relay = with_small_window(with_rules(&refusing("casino"))).start().await;
    let body = json!({"room": "QGIS", "author": "anna", "text": "casino"}).to_string();
    for _ in 0..20 {
        assert_eq!(call(&relay, "POST", "/moderation/try", &body).await.json()["outcome"], "reject");
    }
    assert_eq!(status(&relay, "casino").await, 403);
    assert!(note_texts(&relay, "breaker_tripped").await.is_empty());
}

#[tokio::test]
async fn a_new_plugin_that_rejects_too_much_observes_until_its_files_change() {
    let relay = with_small_window(moderated(Relay::builder()))
        .plugin("hostile", "", &guest("hostile"))
        .env("RATE_LIMITS", "off");
    let relay = LONG_DEADLINES.into_iter().fold(relay, |relay, (name, value)| relay.env(name, value)).start().await;
    assert_eq!(statuses(&relay, "reject x", 7).await, [403, 403, 403, 403, 403, 403, 200]);
    let plugin = part(&relay, "plugin", "hostile").await;
    assert_eq!((&plugin["mode"], &plugin["tripped"]), (&json!("observe"), &json!(true)));
    let told_of = note_texts(&relay, "breaker_tripped").await;
    assert!(told_of.len() == 1 && told_of[0].starts_with("plugin `hostile` only observes"), "{told_of:?}");
    assert_eq!(call(&relay, "POST", "/moderation/reload", "").await.status, 200);
    assert_eq!(status(&relay, "reject x").await, 200);
    place(&relay, "plugins/hostile/plugin.toml", "version = '2'");
    until(&relay, "reject x", 403).await;
}

#[tokio::test]
async fn a_plugin_that_fails_keeps_its_failure_policy() {
    let relay = with_small_window(moderated(Relay::builder())).plugin("mine", "on_failure = 'reject'", b"no wasm");
    let relay = relay.env("RATE_LIMITS", "off").start().await;
    assert_eq!(statuses(&relay, "hello", 20).await, [403; 20]);
}

//! `POST /moderation/try`: trial runs without any effect.

use serde_json::{Value, json};

use super::{call, moderated, tried};
use crate::plugins::{LONG_DEADLINES, guest};
use crate::support::{Relay, RelayBuilder, line};

const RULES: &str = "[[rule]]\nid = 'no-casino'\nwords = ['casino']\nverdict = 'reject'\nreason = 'No games.'\n\
                     [[rule]]\nid = 'mask'\nwords = ['darn']\nverdict = 'replace'\n";

/// A relay with rules and the scriptable test plugin.
fn relay() -> RelayBuilder {
    let relay = moderated(Relay::builder()).file("rules.toml", RULES).plugin("hostile", "", &guest("hostile"));
    LONG_DEADLINES.into_iter().fold(relay, |relay, (name, value)| relay.env(name, value))
}

/// The texts that are refused, with the reason.
fn reason(decision: &Value) -> Value {
    json!([decision["outcome"], decision["reason"]["code"], decision["reason"]["text"]])
}

#[tokio::test]
async fn the_decision_shows_what_each_filter_found() {
    let relay = relay().start().await;
    let decision = tried(&relay, "the casino").await;
    assert_eq!(reason(&decision), json!(["reject", "rule", "No games."]));
    for (key, value) in [("room", "QGIS"), ("author", "anna"), ("kind", "text"), ("text", "the casino")] {
        assert_eq!(decision[key], value, "{key}");
    }
    let trace: Vec<_> = decision["trace"].as_array().unwrap().iter().map(|step| &step["filter"]).collect();
    assert_eq!(trace, ["sanction", "shape", "rate", "rules"]);
    let step = &decision["trace"][3];
    assert_eq!(
        (&step["rule"], &step["source"], &step["span"]),
        (&json!("no-casino"), &json!("rules.toml:1"), &json!([4, 10]))
    );
    assert_eq!(reason(&tried(&relay, "reject so").await), json!(["reject", "plugin", "so"]));
    assert_eq!(tried(&relay, "darn").await["outcome"], "replace");
    assert_eq!(tried(&relay, "hello").await["outcome"], "pass");
    assert_eq!(tried(&relay, "").await["reason"]["code"], "empty");
}

#[tokio::test]
async fn a_trial_is_not_delivered() {
    let relay = relay().start().await;
    let mut witness = relay.join("QGIS").await;
    witness.drain().await;
    for text in ["hello", "darn", "shadow x", "replace x", "reject x"] {
        tried(&relay, text).await;
    }
    assert!(witness.drain().await.is_empty());
}

#[tokio::test]
async fn a_trial_neither_uses_nor_meets_rate_limits() {
    let limited = |relay: RelayBuilder, of: &str| {
        relay
            .env(&format!("RELAY__FILTER__RATE__{of}__BURST"), "1")
            .env(&format!("RELAY__FILTER__RATE__{of}__PER_SECOND"), "1")
    };
    let relay = ["NICKNAME", "ADDRESS", "ROOM"].into_iter().fold(relay(), limited).start().await;
    for _ in 0..5 {
        assert_eq!(tried(&relay, "hello").await["outcome"], "pass");
    }
    assert_eq!(relay.put_line("QGIS", "anna", "hello", &[]).await.status, 200);
    for _ in 0..5 {
        assert_eq!(tried(&relay, "hello").await["outcome"], "pass");
    }
}

#[tokio::test]
async fn a_plugin_does_not_remember_trials() {
    let relay = relay().env("RATE_LIMITS", "off").start().await;
    for _ in 0..3 {
        assert_eq!(reason(&tried(&relay, "count visits").await), json!(["reject", "plugin", "1"]));
    }
    let said = relay.put_line("QGIS", "anna", "count visits", &[]).await;
    assert_eq!(said.json(), json!({"detail": "1"}));
    assert_eq!(reason(&tried(&relay, "count visits").await), json!(["reject", "plugin", "2"]));
    let said = relay.put_line("QGIS", "anna", "count visits", &[]).await;
    assert_eq!(said.json(), json!({"detail": "2"}));
}

#[tokio::test]
async fn a_trial_shows_the_replacement_beside_the_original() {
    let relay = relay().start().await;
    let decision = tried(&relay, "replace calm words").await;
    assert_eq!(decision["outcome"], "replace");
    assert_eq!((&decision["text"], &decision["sent"]), (&json!("replace calm words"), &json!("calm words")));
    assert_eq!(tried(&relay, "hello").await.get("sent"), None);
}

#[tokio::test]
async fn a_trial_is_counted_nowhere() {
    let relay = relay().start().await;
    let filters = async || call(&relay, "GET", "/moderation/filters", "").await.json();
    let figures = async || {
        let text = relay.get("/metrics").await.body;
        let of_messages = ["gischat_messages", "gischat_filter", "gischat_deliveries"];
        text.lines().filter(|line| of_messages.iter().any(|name| line.starts_with(name))).collect::<Vec<_>>().join("\n")
    };
    let before = (filters().await, figures().await);
    for text in ["hello", "casino", "darn", "reject x", "panic", "panic", "panic", "panic", "panic", "panic"] {
        tried(&relay, text).await;
    }
    assert_eq!((counted(&filters().await), figures().await), (counted(&before.0), before.1));
}

/// All that is counted of the filters; memory is not.
fn counted(filters: &Value) -> Value {
    let mut filters = filters.clone();
    for plugin in filters["filters"][4]["plugins"].as_array_mut().unwrap() {
        plugin.as_object_mut().unwrap().remove("memory_bytes");
    }
    filters
}

#[tokio::test]
async fn filters_see_the_room_as_it_is() {
    let relay = relay().env("RATE_LIMITS", "off").start().await;
    assert_eq!(reason(&tried(&relay, "tell room").await)[2], "QGIS 0 []");
    let _jane = relay.join_as("QGIS", "jane").await;
    assert_eq!(reason(&tried(&relay, "tell room").await)[2], r#"QGIS 1 ["jane"]"#);
}

#[tokio::test]
async fn a_trial_does_not_check_nickname_ownership() {
    let relay = moderated(Relay::builder()).start().await;
    let _anna = relay.join_as("QGIS", "anna").await;
    assert_eq!(relay.put_line("QGIS", "anna", "hello", &[]).await.status, 403);
    assert_eq!(tried(&relay, "hello").await["outcome"], "pass");
}

#[tokio::test]
async fn an_invalid_trial_is_refused_with_its_field() {
    let relay = moderated(Relay::builder()).env("RELAY__LIVE__MAX_FRAME_BYTES", "1024").start().await;
    let good = json!({"room": "QGIS", "author": "anna", "text": "hello"});
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body.to_string()
    };
    for (body, status, detail) in [
        (with("room", json!("nowhere")), 404, "Room 'nowhere' not registered"),
        (String::new(), 422, "EOF while parsing"),
        ("[]".to_owned(), 422, "invalid length 0"),
        (r#"{"room":"QGIS","author":"anna"}"#.to_owned(), 422, "missing field `text`"),
        (with("author", json!(7)), 422, "`author`: invalid type: integer `7`"),
        (with("avatar", json!("x.svg")), 422, "`avatar`: unknown field"),
        (format!("{good} {good}"), 422, "trailing characters"),
        (with("text", json!("x".repeat(1_024))), 413, "the body is longer than 1024 bytes"),
    ] {
        let answer = call(&relay, "POST", "/moderation/try", &body).await;
        let told = answer.json()["detail"].as_str().unwrap().to_owned();
        assert_eq!(answer.status, status, "{body}: {told}");
        assert!(told.starts_with(detail), "{body}: {told}");
    }
    assert_eq!(call(&relay, "POST", "/moderation/try", &good.to_string()).await.status, 200);
    assert_eq!(relay.put("/room/QGIS/message", &line("anna", "hello").to_string()).await.status, 200);
}

//! Decisions as they happen.

use serde_json::{Value, json};

use super::console::Console;
use super::{call_json, impose, moderated_relay};
use crate::support::Relay;

async fn said(relay: &Relay, text: &str) {
    assert_eq!(relay.put_line("QGIS", "anna", text, &[]).await.status, 200);
}

#[tokio::test]
async fn decisions_and_acts_come_as_they_happen() {
    let relay = moderated_relay().start().await;
    let mut console = Console::open(&relay, None).await;
    said(&relay, "hello").await;
    let decision = console.next().await.unwrap();
    assert_eq!((decision.name.as_str(), &decision.json()["text"]), ("decision", &json!("hello")));
    impose(&relay, json!({"kind": "mute", "nickname": "anna", "seconds": 60})).await;
    let act = console.next().await.unwrap();
    assert_eq!(act.name, "act");
    let act = act.json();
    assert_eq!((&act["act"], &act["by"]), (&json!("sanction"), &json!({"moderator": "jane"})));
    call_json(&relay, "POST", "/moderation/reload", &Value::Null, 200).await;
    let [act, note] = [console.next().await.unwrap(), console.next().await.unwrap()];
    assert_eq!([act.name.as_str(), &note.name], ["act", "note"]);
    let feed = call_json(&relay, "GET", "/moderation/feed", &Value::Null, 200).await;
    assert_eq!((&feed["notes"][0]["id"], &feed["has_gap"]), (&json!(note.id), &json!(false)), "the feed is a view");
}

#[tokio::test]
async fn a_reconnecting_client_gets_what_it_missed() {
    let relay = moderated_relay().start().await;
    let mut console = Console::open(&relay, None).await;
    said(&relay, "one").await;
    let known = console.next().await.unwrap().id;
    drop(console);
    said(&relay, "two").await;
    said(&relay, "three").await;
    let mut console = Console::open(&relay, known).await;
    for text in ["two", "three"] {
        assert_eq!(console.next().await.unwrap().json()["text"], text);
    }
}

#[tokio::test]
async fn a_client_that_reconnects_after_a_restart_gets_a_lost_event() {
    let relay = moderated_relay().start().await;
    let mut console = Console::open(&relay, Some(7)).await;
    said(&relay, "hello").await;
    assert_eq!(console.next().await.unwrap().name, "lost");
    assert_eq!(console.next().await.unwrap().name, "decision");
}

#[tokio::test]
async fn a_stream_ends_with_the_relay() {
    let relay = moderated_relay().start().await;
    let mut console = Console::open(&relay, None).await;
    relay.signal("TERM");
    assert!(console.next().await.is_none());
    assert!(relay.wait().0.success());
}

#[tokio::test]
async fn a_console_that_never_reads_does_not_affect_the_chat() {
    let relay = moderated_relay().env("RATE_LIMITS", "off").start().await;
    let mut console = Console::open(&relay, None).await;
    let mut anna = relay.join_as("QGIS", "anna").await;
    anna.drain().await;
    let lines: Vec<Value> = (0..24_000).map(|n| crate::support::line("anna", &format!("line {n}"))).collect();
    for some in lines.chunks(500) {
        anna.send_together(some).await;
        assert_eq!(anna.drain().await, some);
    }
    // It is behind by more than is kept: it learns that, and is cut.
    let mut last = None;
    while let Some(event) = console.next().await {
        last = Some(event.name);
    }
    assert_eq!(last.as_deref(), Some("lost"));
}

#[tokio::test]
async fn decisions_are_found_by_room_author_outcome_and_rule() {
    let rules = "[[rule]]\nid = 'no-spam'\nwords = ['spam']\nverdict = 'reject'\nreason = 'no'\n";
    let relay = moderated_relay().file("rules.toml", rules).start().await;
    said(&relay, "hello").await;
    assert_eq!(relay.put_line("QField", "hans", "spam", &[]).await.status, 403);
    for (query, texts) in [
        ("", &["spam", "hello"] as &[&str]),
        ("?room=QGIS", &["hello"]),
        ("?author=hans", &["spam"]),
        ("?outcome=reject", &["spam"]),
        ("?rule=no-spam", &["spam"]),
        ("?room=QGIS&author=hans", &[]),
        ("?limit=1", &["spam"]),
    ] {
        let found = call_json(&relay, "GET", &format!("/moderation/decisions{query}"), &Value::Null, 200).await;
        let found: Vec<&str> =
            found["decisions"].as_array().unwrap().iter().map(|decision| decision["text"].as_str().unwrap()).collect();
        assert_eq!(found, texts, "{query}");
    }
    for (query, status) in [("?room=none", 404), ("?limit=0", 422), ("?outcome=loud", 422), ("?who=hans", 422)] {
        call_json(&relay, "GET", &format!("/moderation/decisions{query}"), &Value::Null, status).await;
    }
    let stats = call_json(&relay, "GET", "/moderation/stats?minutes=5", &Value::Null, 200).await;
    let minutes = stats["minutes"].as_array().unwrap();
    let sum = |outcome: &str| minutes.iter().map(|minute| minute["outcomes"][outcome].as_u64().unwrap()).sum::<u64>();
    assert_eq!((minutes.len(), sum("pass"), sum("reject")), (5, 1, 1));
}

//! Moderation levels.

use serde_json::{Value, json};

use super::{call_json, held_messages, moderated_relay};
use crate::support::{Relay, line};

async fn set(relay: &Relay, body: Value) -> Value {
    call_json(relay, "PUT", "/moderation/level", &body, 200).await
}

async fn put(relay: &Relay, room: &str, author: &str) -> u16 {
    relay.put_line(room, author, "hello", &[]).await.status
}

#[tokio::test]
async fn at_all_everything_is_held_in_that_room() {
    let relay = moderated_relay().start().await;
    set(&relay, json!({"room": "QGIS", "level": "all"})).await;
    assert_eq!((put(&relay, "QGIS", "anna").await, put(&relay, "QField", "anna").await), (202, 200));
    assert_eq!(held_messages(&relay).await[0]["held_by"], Value::Null);
    set(&relay, json!({"room": "QGIS", "level": "normal"})).await;
    assert_eq!(put(&relay, "QGIS", "anna").await, 200);
}

#[tokio::test]
async fn at_newcomers_the_first_messages_are_held_and_released_ones_count() {
    let relay = moderated_relay()
        .env("RELAY__FILTER__NEWCOMER__ACCEPTED_MESSAGES", "1")
        .env("RELAY__FILTER__NEWCOMER__CONNECTED_SECONDS", "0")
        .start()
        .await;
    set(&relay, json!({"level": "newcomers"})).await;
    let mut anna = relay.join_as("QGIS", "anna").await;
    anna.drain().await;
    anna.send(line("anna", "first")).await;
    anna.drain().await;
    let held = held_messages(&relay).await;
    let path = format!("/moderation/held/{}/release", held[0]["id"].as_str().unwrap());
    call_json(&relay, "POST", &path, &Value::Null, 200).await;
    anna.expect(line("anna", "first")).await;
    anna.send(line("anna", "second")).await;
    assert_eq!(anna.drain().await, [line("anna", "second")]);
}

#[tokio::test]
async fn at_newcomers_a_sender_that_has_just_connected_is_held_whatever_was_accepted() {
    let relay = moderated_relay().env("RELAY__FILTER__NEWCOMER__ACCEPTED_MESSAGES", "0").start().await;
    set(&relay, json!({"level": "newcomers"})).await;
    let mut anna = relay.join_as("QGIS", "anna").await;
    anna.send(line("anna", "first")).await;
    anna.drain().await;
    assert_eq!(held_messages(&relay).await.len(), 1);
}

#[tokio::test]
async fn at_newcomers_trusted_senders_may_speak() {
    let relay = moderated_relay().start().await;
    set(&relay, json!({"level": "newcomers"})).await;
    let mut anna = relay.join_as("QGIS", "anna").await;
    call_json(&relay, "POST", "/moderation/trusted", &json!({"room": "QGIS", "nickname": "anna"}), 200).await;
    anna.drain().await;
    anna.send(line("anna", "hello")).await;
    assert_eq!(anna.drain().await, [line("anna", "hello")]);
}

#[tokio::test]
async fn at_slow_a_sender_must_wait_and_others_need_not() {
    let relay = moderated_relay().env("TRUSTED_PROXIES", "127.0.0.1").start().await;
    set(&relay, json!({"room": "QGIS", "level": "slow", "seconds": 600})).await;
    let put =
        async |author: &str, from: &str| relay.put_line("QGIS", author, "hello", &[("X-Forwarded-For", from)]).await;
    assert_eq!(put("anna", "192.0.2.1").await.status, 200);
    let again = put("anna", "192.0.2.2").await;
    assert_eq!(again.status, 429, "the same name");
    assert_eq!(put("otto", "192.0.2.1").await.status, 429, "the same address");
    assert_eq!(put("hans", "192.0.2.3").await.status, 200);
    assert!(again.header("Retry-After").unwrap().parse::<u64>().unwrap() > 500);
}

#[tokio::test]
async fn levels_are_listed_with_their_end() {
    let relay = moderated_relay().start().await;
    let slow = set(&relay, json!({"level": "slow", "until": "2999-01-01T00:00:00Z"})).await;
    assert_eq!(slow, json!({"level": "slow", "seconds": 30, "until": "2999-01-01T00:00:00.000Z"}));
    set(&relay, json!({"room": "QGIS", "level": "all"})).await;
    let list = call_json(&relay, "GET", "/moderation/level", &Value::Null, 200).await;
    assert_eq!(list, json!({"levels": [slow, {"room": "QGIS", "level": "all"}]}));
}

#[tokio::test]
async fn an_invalid_level_is_refused_with_its_field() {
    let relay = moderated_relay().start().await;
    for (body, status, detail) in [
        (json!({"level": "loud"}), 422, "`level` is `loud`"),
        (json!({"level": "all", "seconds": 5}), 422, "`seconds` is only valid with the level `slow`"),
        (json!({"level": "slow", "seconds": 0}), 422, "`seconds` is 0"),
        (json!({"level": "all", "until": "soon"}), 422, "`until` is not a time"),
        (json!({"level": "all", "until": "2020-01-01T00:00:00Z"}), 422, "`until` is in the past"),
        (json!({"level": "all", "room": "none"}), 404, "Room 'none' not registered"),
    ] {
        let answer = call_json(&relay, "PUT", "/moderation/level", &body, status).await;
        assert!(answer["detail"].as_str().unwrap().contains(detail), "{body}: {answer}");
    }
}

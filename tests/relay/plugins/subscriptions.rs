//! Events that plugins subscribe to: kinds of message, nicknames, and the raw payload.

use serde_json::{Value, json};

use super::{FAILED, expect_pass, guest, hostile, with_long_deadlines};
use crate::support::{Client, Relay, RelayBuilder, line, nb_users, newcomer};

/// A relay with the plugin of this name.
fn with(name: &str, manifest: &str) -> RelayBuilder {
    with_long_deadlines(Relay::builder()).env("RATE_LIMITS", "off").plugin(name, manifest, &guest(name))
}

fn like(author: &str, text: &str, liked: &str) -> Value {
    json!({"author": "internal", "message": text, "liker_author": author, "liked_author": liked})
}

/// Two registered clients that have seen each other join.
async fn jane_and_hans(relay: &Relay) -> (Client, Client) {
    let (mut jane, hans) = (relay.join_as("QGIS", "jane").await, relay.join_as("QGIS", "hans").await);
    jane.skip_until(newcomer("hans")).await;
    (jane, hans)
}

#[tokio::test]
async fn a_plugin_that_subscribes_only_to_nicknames_sees_nothing_else() {
    let relay = with("nicknames", "").start().await;
    expect_pass(&relay, "hello", "hello").await;
    let mut jane = relay.join("QGIS").await;
    jane.expect(nb_users(1)).await;
    jane.send(newcomer("boss")).await;
    jane.expect_refusal("nobody is boss of QGIS").await;
    jane.send(newcomer("jane")).await;
    jane.skip_until(newcomer("jane")).await;
}

#[tokio::test]
async fn a_nickname_cannot_be_replaced() {
    let relay = with("nicknames", "on_failure = 'reject'").start().await;
    let mut jane = relay.join("QGIS").await;
    jane.expect(nb_users(1)).await;
    jane.send(newcomer("replace")).await;
    jane.expect_refusal(FAILED).await;
    let failed =
        async || relay.log().iter().any(|line| line.contains("it replaces the text of something without text"));
    relay.wait_until(true, failed).await;
}

#[tokio::test]
async fn a_plugin_that_does_not_subscribe_to_nicknames_sees_none() {
    let relay = hostile("").start().await;
    relay.join_as("QGIS", "panic").await;
    assert!(!relay.log().iter().any(|line| line.contains("plugin failed")));
}

#[tokio::test]
async fn a_plugin_does_not_see_kinds_that_it_did_not_ask_for() {
    let relay = hostile("").start().await;
    let (mut jane, mut hans) = jane_and_hans(&relay).await;
    jane.send(like("jane", "reject x", "hans")).await;
    hans.skip_until(like("jane", "reject x", "hans")).await;
    let relay = with("likes", "").start().await;
    expect_pass(&relay, "tell", "tell").await;
}

#[tokio::test]
async fn the_payload_is_the_whole_message() {
    let relay = with("likes", "").start().await;
    let (mut jane, mut hans) = jane_and_hans(&relay).await;
    jane.send(like("jane", "hello", "hans")).await;
    hans.skip_until(like("jane", "hello", "hans")).await;
    jane.send(like("jane", "tell", "hans")).await;
    let refused = jane.next().await;
    let payload = refused["message"].as_str().and_then(|text| text.strip_prefix("Refused: ")).unwrap();
    let mut payload: Value = serde_json::from_str(payload).unwrap();
    let (id, at) = (payload["id"].take(), payload["at"].take());
    assert_eq!((id.as_str().map(str::len), at.is_u64()), (Some(36), true));
    let expected = json!({"id": null, "kind": "like", "author": "jane", "at": null, "liked": "hans", "text": "tell"});
    assert_eq!(payload, expected);
    jane.send(line("jane", "tell")).await;
    jane.expect(line("jane", "tell")).await;
}

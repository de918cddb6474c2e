//! What a plugin is asked about: kinds of message, nicknames, and the payload that it may ask for.

use serde_json::{Value, json};

use super::{FAILED, expect_pass, guest, hostile, patient};
use crate::support::{Client, Relay, RelayBuilder, line, nb_users, newcomer};

/// A relay with the plugin of this name.
fn with(name: &str, manifest: &str) -> RelayBuilder {
    patient(Relay::with()).env("RATE_LIMITS", "off").plugin(name, manifest, &guest(name))
}

fn like(author: &str, text: &str, liked: &str) -> Value {
    json!({"author": "internal", "message": text, "liker_author": author, "liked_author": liked})
}

/// Two of the room, who have heard of each other.
async fn jane_and_hans(relay: &Relay) -> (Client, Client) {
    let (mut jane, hans) = (relay.join_as("QGIS", "jane").await, relay.join_as("QGIS", "hans").await);
    jane.skip_until(newcomer("hans")).await;
    (jane, hans)
}

#[tokio::test]
async fn who_asks_for_nicknames_alone_sees_nothing_else() {
    let relay = with("nicknames", "").start().await;
    expect_pass(&relay, "hello", "hello").await;
    let mut jane = relay.join("QGIS").await;
    jane.expect(nb_users(1)).await;
    jane.send(newcomer("admin")).await;
    jane.expect_refusal("nobody is admin of QGIS").await;
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
    let failed = async || relay.log().iter().any(|line| line.contains("it replaces what has no text"));
    relay.wait_until(true, failed).await;
}

#[tokio::test]
async fn who_does_not_ask_for_nicknames_sees_none() {
    let relay = hostile("").start().await;
    relay.join_as("QGIS", "panic").await;
    assert!(!relay.log().iter().any(|line| line.contains("a plugin has failed")));
}

#[tokio::test]
async fn a_kind_that_a_plugin_did_not_ask_for_is_not_shown_to_it() {
    let relay = hostile("").start().await;
    let (mut jane, mut hans) = jane_and_hans(&relay).await;
    jane.send(like("jane", "reject x", "hans")).await;
    hans.skip_until(like("jane", "reject x", "hans")).await;
    let relay = with("likes", "").start().await;
    expect_pass(&relay, "tell", "tell").await;
}

#[tokio::test]
async fn the_payload_is_all_of_the_message() {
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

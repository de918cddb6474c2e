//! A connection that has sent something which the relay has not read yet is alive, and has not been silent.

use serde_json::json;

use crate::support::raw::{PING, RawClient, Received, TEXT, handshake, masked};
use crate::support::{NICKNAME_TAKEN, Relay, RelayBuilder, nb_users, newcomer};

/// A relay that reads this many KiB per second of a connection, after the first read.
fn slow_to_read(kib_per_second: u32) -> RelayBuilder {
    Relay::builder()
        .env("RELAY__LIVE__INPUT__KIB_PER_SECOND", &kib_per_second.to_string())
        .env("RELAY__LIVE__INPUT__KIB_BURST", "1")
        .env("RELAY__LIVE__PING_INTERVAL_SECONDS", "1")
        .env("RELAY__LIVE__PONG_TIMEOUT_SECONDS", "1")
        .env("RELAY__LIVE__RECLAIM_TIMEOUT_SECONDS", "1")
}

/// More than the relay reads at once.
const LONG: usize = 100_000;

#[tokio::test]
async fn a_connection_whose_pongs_are_not_read_yet_is_not_dropped() {
    let relay = slow_to_read(1).start().await;
    let mut jane = RawClient::join(relay.address(), "QField").await;
    assert_eq!(jane.next_json().await, nb_users(1));
    jane.send(&masked(TEXT, &vec![b' '; LONG])).await;
    for _ in 0..4 {
        assert_eq!(jane.next().await, Received::Frame(PING, Vec::new()));
    }
}

#[tokio::test]
async fn an_owner_whose_answer_is_not_read_yet_keeps_its_nickname() {
    let relay = slow_to_read(1).start().await;
    let mut owner = RawClient::join(relay.address(), "QField").await;
    owner.send_json(&newcomer("jane")).await;
    relay.wait_until(json!(["jane"]), async || relay.users("QField").await).await;
    owner.send(&masked(TEXT, &vec![b' '; LONG])).await;
    let mut other = relay.join("QField").await;
    other.expect(nb_users(2)).await;
    other.send(newcomer("jane")).await;
    other.expect_refusal(NICKNAME_TAKEN).await;
    assert_eq!(relay.users("QField").await, json!(["jane"]));
}

#[tokio::test]
async fn a_long_first_frame_decides_the_generation_although_it_is_read_after_the_grace_period() {
    let relay = slow_to_read(64).env("ROOM_GENERATION", "auto").start().await;
    let mut client = RawClient::connect(relay.address()).await;
    client.send(handshake("QField").as_bytes()).await;
    client.head().await;
    let frame = json!({"type": "newcomer", "newcomer": "jane", "padding": " ".repeat(LONG)});
    client.send_json(&frame).await;
    assert_eq!(client.next_json().await, json!({"type": "nb_users", "nb_users": 1}));
}

//! Pings and pongs, and connections that end without a close frame.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::raw::{PING, PONG, RawClient, Received, masked};
use crate::support::{Client, Relay, exiter, line, nb_users, newcomer};

/// A relay that pings every second and waits one second for the pong.
async fn hasty() -> Relay {
    let relay = Relay::builder().env("RELAY__LIVE__PING_INTERVAL_SECONDS", "1");
    relay.env("RELAY__LIVE__PONG_TIMEOUT_SECONDS", "1").start().await
}

/// A relay that does not ping during a test.
async fn patient() -> Relay {
    let relay = Relay::builder().env("RELAY__LIVE__PING_INTERVAL_SECONDS", "3600");
    relay.env("RELAY__LIVE__PONG_TIMEOUT_SECONDS", "3600").start().await
}

/// A bystander and a client registered as jane.
async fn two(relay: &Relay) -> (Client, RawClient) {
    let mut bystander = relay.join("QGIS").await;
    bystander.expect(nb_users(1)).await;
    let mut jane = RawClient::join(relay.address(), "QGIS").await;
    jane.send_json(&newcomer("jane")).await;
    bystander.expect(nb_users(2)).await;
    bystander.expect(newcomer("jane")).await;
    assert_eq!(jane.next_json().await, nb_users(2));
    assert_eq!(jane.next_json().await, newcomer("jane"));
    (bystander, jane)
}

async fn expect_gone(relay: &Relay, bystander: &mut Client) {
    bystander.expect(exiter("jane")).await;
    bystander.expect(nb_users(1)).await;
    assert_eq!(relay.connected().await, 1);
    assert_eq!(relay.get("/room/QGIS/users").await.json(), json!([]));
}

#[tokio::test]
async fn a_connection_that_answers_no_ping_is_dropped_and_announced() {
    let relay = hasty().await;
    let (mut bystander, mut jane) = two(&relay).await;
    expect_gone(&relay, &mut bystander).await;
    assert_eq!(jane.next().await, Received::Frame(PING, Vec::new()));
    assert_eq!(jane.next().await, Received::End);
}

#[tokio::test]
async fn a_connection_that_answers_pings_gets_one_per_interval_and_stays() {
    let relay = hasty().await;
    let began = Instant::now();
    let (mut bystander, mut jane) = two(&relay).await;
    // The bystander must answer too, or its exit would be announced.
    let bystander_stays = tokio::spawn(async move { bystander.next().await });
    for _ in 0..3 {
        let Received::Frame(PING, payload) = jane.next().await else { panic!("expected a ping") };
        jane.send(&masked(PONG, &payload)).await;
    }
    assert!(began.elapsed() >= Duration::from_secs(3), "three pings in {:?}", began.elapsed());
    jane.send_json(&line("jane", "still here")).await;
    assert_eq!(jane.next_json().await, line("jane", "still here"));
    assert_eq!(bystander_stays.await.unwrap(), line("jane", "still here"));
}

#[tokio::test]
async fn any_received_data_counts_as_activity() {
    let relay = hasty().await;
    let mut talker = RawClient::join(relay.address(), "QGIS").await;
    assert_eq!(talker.next_json().await, nb_users(1));
    for _ in 0..3 {
        assert_eq!(talker.next().await, Received::Frame(PING, Vec::new()));
        talker.send(&masked(0x81, b"{}")).await;
    }
    talker.send_json(&line("jane", "still here")).await;
    assert_eq!(talker.next_json().await, line("jane", "still here"));
}

#[tokio::test]
async fn a_connection_that_closes_only_its_own_side_is_dropped() {
    let relay = patient().await;
    let (mut bystander, mut jane) = two(&relay).await;
    jane.send_json(&line("jane", "last words")).await;
    jane.shutdown_write();
    bystander.expect(line("jane", "last words")).await;
    expect_gone(&relay, &mut bystander).await;
    assert_eq!(jane.read_frames().await.last(), Some(&Received::End));
}

#[tokio::test]
async fn a_reset_connection_is_dropped() {
    let relay = patient().await;
    let (mut bystander, jane) = two(&relay).await;
    jane.reset();
    expect_gone(&relay, &mut bystander).await;
}

#[tokio::test]
async fn a_connection_reset_during_a_message_is_dropped() {
    let relay = patient().await;
    let (mut bystander, mut jane) = two(&relay).await;
    jane.send(&masked(0x81, &[b'x'; 1000])[..500]).await;
    jane.reset();
    expect_gone(&relay, &mut bystander).await;
}

#[tokio::test]
async fn a_frame_sent_with_the_handshake_is_processed() {
    let relay = patient().await;
    let mut jane = RawClient::connect(relay.address()).await;
    let hello = masked(0x81, line("jane", "hello").to_string().as_bytes());
    jane.send(&[crate::support::raw::handshake("QGIS").as_bytes(), &hello].concat()).await;
    assert!(jane.head().await.starts_with("HTTP/1.1 101 "));
    assert_eq!(jane.next_json().await, nb_users(1));
    assert_eq!(jane.next_json().await, line("jane", "hello"));
}

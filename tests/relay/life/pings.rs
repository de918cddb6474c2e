//! Who is there: pings and their answers, connections that end without a word.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::raw::{PING, PONG, Raw, Seen, masked};
use crate::support::{Client, Relay, exiter, line, nb_users, newcomer};

/// A relay that asks every second and waits one second for the answer.
async fn hasty() -> Relay {
    let relay = Relay::with().env("RELAY__LIVE__PING_INTERVAL_SECONDS", "1");
    relay.env("RELAY__LIVE__PONG_TIMEOUT_SECONDS", "1").start().await
}

/// A relay that does not ask while a test runs.
async fn patient() -> Relay {
    let relay = Relay::with().env("RELAY__LIVE__PING_INTERVAL_SECONDS", "3600");
    relay.env("RELAY__LIVE__PONG_TIMEOUT_SECONDS", "3600").start().await
}

/// A bystander and somebody who has registered as jane.
async fn two(relay: &Relay) -> (Client, Raw) {
    let mut bystander = relay.join("QGIS").await;
    bystander.expect(nb_users(1)).await;
    let mut jane = Raw::join(relay.address(), "QGIS").await;
    jane.say(&newcomer("jane")).await;
    bystander.expect(nb_users(2)).await;
    bystander.expect(newcomer("jane")).await;
    assert_eq!(jane.hear().await, nb_users(2));
    assert_eq!(jane.hear().await, newcomer("jane"));
    (bystander, jane)
}

async fn expect_gone(relay: &Relay, bystander: &mut Client) {
    bystander.expect(exiter("jane")).await;
    bystander.expect(nb_users(1)).await;
    assert_eq!(relay.connected().await, 1);
    assert_eq!(relay.get("/room/QGIS/users").await.json(), json!([]));
}

#[tokio::test]
async fn who_answers_no_ping_is_gone_and_the_room_is_told() {
    let relay = hasty().await;
    let (mut bystander, mut jane) = two(&relay).await;
    expect_gone(&relay, &mut bystander).await;
    assert_eq!(jane.next().await, Seen::Frame(PING, Vec::new()));
    assert_eq!(jane.next().await, Seen::End);
}

#[tokio::test]
async fn who_answers_is_asked_once_an_interval_and_stays() {
    let relay = hasty().await;
    let began = Instant::now();
    let (mut bystander, mut jane) = two(&relay).await;
    // Others must answer too, or the one who stays would hear of them.
    let bystander_stays = tokio::spawn(async move { bystander.next().await });
    for _ in 0..3 {
        let Seen::Frame(PING, payload) = jane.next().await else { panic!("a ping was expected") };
        jane.send(&masked(PONG, &payload)).await;
    }
    assert!(began.elapsed() >= Duration::from_secs(3), "three pings in {:?}", began.elapsed());
    jane.say(&line("jane", "still here")).await;
    assert_eq!(jane.hear().await, line("jane", "still here"));
    assert_eq!(bystander_stays.await.unwrap(), line("jane", "still here"));
}

#[tokio::test]
async fn whoever_sends_anything_at_all_is_there() {
    let relay = hasty().await;
    let mut talker = Raw::join(relay.address(), "QGIS").await;
    assert_eq!(talker.hear().await, nb_users(1));
    for _ in 0..3 {
        assert_eq!(talker.next().await, Seen::Frame(PING, Vec::new()));
        talker.send(&masked(0x81, b"{}")).await;
    }
    talker.say(&line("jane", "still here")).await;
    assert_eq!(talker.hear().await, line("jane", "still here"));
}

#[tokio::test]
async fn who_closes_only_its_own_side_is_gone() {
    let relay = patient().await;
    let (mut bystander, mut jane) = two(&relay).await;
    jane.say(&line("jane", "last words")).await;
    jane.finish();
    bystander.expect(line("jane", "last words")).await;
    expect_gone(&relay, &mut bystander).await;
    assert_eq!(jane.all().await.last(), Some(&Seen::End));
}

#[tokio::test]
async fn who_resets_its_connection_is_gone() {
    let relay = patient().await;
    let (mut bystander, jane) = two(&relay).await;
    jane.reset();
    expect_gone(&relay, &mut bystander).await;
}

#[tokio::test]
async fn who_resets_its_connection_amid_a_message_is_gone() {
    let relay = patient().await;
    let (mut bystander, mut jane) = two(&relay).await;
    jane.send(&masked(0x81, &[b'x'; 1000])[..500]).await;
    jane.reset();
    expect_gone(&relay, &mut bystander).await;
}

#[tokio::test]
async fn a_frame_that_comes_with_the_handshake_is_heard() {
    let relay = patient().await;
    let mut jane = Raw::connect(relay.address()).await;
    let hello = masked(0x81, line("jane", "hello").to_string().as_bytes());
    jane.send(&[crate::support::raw::handshake("QGIS").as_bytes(), &hello].concat()).await;
    assert!(jane.head().await.starts_with("HTTP/1.1 101 "));
    assert_eq!(jane.hear().await, nb_users(1));
    assert_eq!(jane.hear().await, line("jane", "hello"));
}

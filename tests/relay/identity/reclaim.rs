//! An address may reclaim its nickname from a dead connection, and only from a dead one.
//!
//! A client that is not polled answers no pings, like one with a broken network.

use serde_json::json;

use crate::support::raw::{PING, RawClient, Received};
use crate::support::{Client, NICKNAME_TAKEN, OTHER_ADDRESS, Relay, RelayBuilder, exiter, line, nb_users, newcomer};

fn impatient() -> RelayBuilder {
    Relay::builder().env("RELAY__LIVE__RECLAIM_TIMEOUT_SECONDS", "1")
}

/// For live owners. Long enough for a slow machine; no test waits for it.
fn patient() -> RelayBuilder {
    Relay::builder().env("RELAY__LIVE__RECLAIM_TIMEOUT_SECONDS", "10")
}

#[tokio::test]
async fn the_same_address_takes_its_nickname_back_from_a_dead_connection() {
    let relay = impatient().start().await;
    let mut watcher = relay.join("QGIS").await;
    let mut dead = relay.join_as("QGIS", "jane").await;
    let mut jane = relay.join("QGIS").await;
    watcher.skip_until(nb_users(3)).await;
    jane.expect(nb_users(3)).await;

    jane.send(newcomer("jane")).await;
    for client in [&mut watcher, &mut jane] {
        client.expect(exiter("jane")).await;
        client.expect(nb_users(2)).await;
        client.expect(newcomer("jane")).await;
    }
    jane.send(line("jane", "back again")).await;
    watcher.expect(line("jane", "back again")).await;
    assert_eq!(relay.users("QGIS").await, json!(["jane"]));
    let (code, _) = dead.wait_for_close().await.unwrap();
    assert_eq!(code, 1008);
    // The nickname has moved; closing the dead connection is not announced.
    assert!(watcher.drain().await.is_empty());
}

#[tokio::test]
async fn a_live_connection_of_the_same_address_keeps_its_nickname() {
    let relay = patient().start().await;
    let mut owner = relay.join_as("QGIS", "jane").await;
    let mut other = relay.join("QGIS").await;
    other.expect(nb_users(2)).await;
    owner.expect(nb_users(2)).await;
    for attempt in ["jane", "Jane"] {
        other.send(newcomer(attempt)).await;
        tokio::select! {
            // Reading answers the ping.
            heard = owner.next() => panic!("the owner hears {heard}"),
            () = other.expect_refusal(NICKNAME_TAKEN) => {}
        }
    }
    owner.send(line("jane", "still me")).await;
    other.expect(line("jane", "still me")).await;
    assert_eq!(relay.users("QGIS").await, json!(["jane"]));
}

#[tokio::test]
async fn another_address_cannot_reclaim_a_nickname_even_from_a_dead_connection() {
    let relay = impatient().start().await;
    let mut silent = relay.join_as("QGIS", "jane").await;
    let mut other = Client::connect_from(OTHER_ADDRESS, relay.address(), "/room/QGIS/ws").await.unwrap();
    other.expect(nb_users(2)).await;
    // Twice: the first attempt must not affect the second one.
    for _ in 0..2 {
        other.send(newcomer("jane")).await;
        other.expect_refusal(NICKNAME_TAKEN).await;
    }
    silent.send(line("jane", "here after all")).await;
    other.expect(line("jane", "here after all")).await;
    assert_eq!(relay.users("QGIS").await, json!(["jane"]));
}

#[tokio::test]
async fn the_address_is_the_one_reported_by_a_trusted_proxy() {
    let relay = impatient().env("TRUSTED_PROXIES", "127.0.0.1").start().await;
    let join = async |ip: &str| {
        let headers = [("x-forwarded-for", ip)];
        let mut client = Client::try_connect(relay.address(), "/room/QGIS/ws", &headers).await.unwrap();
        client.drain().await;
        client
    };
    let mut dead = join("192.0.2.1").await;
    dead.send(newcomer("jane")).await;
    dead.skip_until(newcomer("jane")).await;
    let mut other = join("192.0.2.2").await;
    other.send(newcomer("jane")).await;
    other.expect_refusal(NICKNAME_TAKEN).await;
    let mut own = join("192.0.2.1").await;
    own.send(newcomer("jane")).await;
    own.expect(exiter("jane")).await;
    own.expect(nb_users(2)).await;
    own.expect(newcomer("jane")).await;
}

#[tokio::test]
async fn a_connection_that_waits_to_reclaim_a_nickname_is_not_dead() {
    let relay = patient().start().await;
    let mut dead = RawClient::join(relay.address(), "QGIS").await;
    dead.send_json(&newcomer("dora")).await;
    dead.until_pong(b"registered").await;
    let mut owner = relay.join_as("QGIS", "jane").await;
    let mut other = relay.join("QGIS").await;
    other.expect(nb_users(3)).await;
    owner.expect(nb_users(3)).await;
    owner.send(newcomer("dora")).await;
    // From here on the owner waits, and so does the relay for the dead one.
    while !matches!(dead.next().await, Received::Frame(PING, _)) {}
    other.send(newcomer("jane")).await;
    tokio::select! {
        // Reading answers the ping.
        heard = owner.next() => panic!("the owner hears {heard}"),
        () = other.expect_refusal(NICKNAME_TAKEN) => {}
    }
}

#[tokio::test]
async fn of_two_connections_that_claim_a_nickname_the_first_one_gets_it() {
    let relay = impatient().start().await;
    let mut dead = RawClient::join(relay.address(), "QGIS").await;
    dead.send_json(&newcomer("jane")).await;
    dead.until_pong(b"registered").await;
    let mut first = relay.join("QGIS").await;
    let mut second = relay.join("QGIS").await;
    for claimant in [&mut first, &mut second] {
        claimant.send(newcomer("jane")).await;
        // The claim waits for the dead connection.
        while !matches!(dead.next().await, Received::Frame(PING, _)) {}
    }
    first.skip_until(newcomer("jane")).await;
    first.send(line("jane", "back again")).await;
    second.skip_until(line("jane", "back again")).await;
}

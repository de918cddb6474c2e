//! Messages that never end, and the memory limit for incomplete ones.

use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::support::raw::{RawClient, Received, masked};
use crate::support::{Relay, line, nb_users};

/// A relay with a message timeout of one second.
async fn hasty() -> Relay {
    Relay::builder().env("RELAY__LIVE__FRAME_TIMEOUT_SECONDS", "1").start().await
}

/// Expects a close frame with this code.
async fn expect_close(client: &mut RawClient, code: u16) {
    let all = client.read_frames().await;
    assert!(matches!(&all[..], [.., close, Received::End] if close.is_close(code)), "{code} was expected: {all:?}");
}

#[tokio::test]
async fn a_message_that_stops_midway_is_closed_with_1008() {
    let relay = hasty().await;
    for part in [&[0x81][..], &masked(0x81, b"hello")[..8], &masked(0x01, b"{"), &masked(0x89, b"hello")[..4]] {
        let mut client = RawClient::join(relay.address(), "QGIS").await;
        client.send(part).await;
        expect_close(&mut client, 1008).await;
    }
    relay.wait_until(0, async || relay.connected().await).await;
}

#[tokio::test]
async fn a_message_that_trickles_in_for_too_long_is_closed_with_1008() {
    let relay = hasty().await;
    let mut client = RawClient::join(relay.address(), "QGIS").await;
    assert_eq!(client.next_json().await, nb_users(1));
    let frame = masked(0x81, &[b' '; 1000]);
    for byte in frame {
        client.send(&[byte]).await;
        if let Ok(seen) = timeout(Duration::from_millis(50), client.next()).await {
            assert!(seen.is_close(1008), "{seen:?}");
            return;
        }
    }
    panic!("a message took 50 s");
}

#[tokio::test]
async fn a_message_of_endless_empty_fragments_is_closed_with_1008() {
    let relay = hasty().await;
    let mut client = RawClient::join(relay.address(), "QGIS").await;
    assert_eq!(client.next_json().await, nb_users(1));
    client.send(&masked(0x01, b"{")).await;
    let (reading, mut writing) = client.stream.into_split();
    let fragments = masked(0x00, b"").repeat(10_000);
    let sending = tokio::spawn(async move { while writing.write_all(&fragments).await.is_ok() {} });
    let close = timeout(crate::support::TIMEOUT, first_bytes(reading, 4)).await.expect("the message never ends");
    sending.abort();
    assert_eq!(close[0], 0x88, "{close:?}");
    assert_eq!(close[2..], 1008_u16.to_be_bytes(), "{close:?}");
}

async fn first_bytes(mut reading: tokio::net::tcp::OwnedReadHalf, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    tokio::io::AsyncReadExt::read_exact(&mut reading, &mut bytes).await.unwrap();
    bytes
}

#[tokio::test]
async fn pings_during_a_message_do_not_extend_its_timeout() {
    let relay = hasty().await;
    let mut client = RawClient::join(relay.address(), "QGIS").await;
    assert_eq!(client.next_json().await, nb_users(1));
    client.send(&masked(0x01, b"{")).await;
    for _ in 0..400 {
        client.send(&masked(0x89, b"more time")).await;
        while let Ok(seen) = timeout(Duration::from_millis(50), client.next()).await {
            if seen.is_close(1008) {
                return;
            }
            assert_eq!(seen, Received::Frame(0x8a, b"more time".to_vec()));
        }
    }
    panic!("a message took 20 s");
}

#[tokio::test]
async fn frames_that_span_packets_are_timed_separately() {
    let relay = Relay::builder()
        .env("RATE_LIMITS", "off")
        .env("RELAY__LIVE__FRAME_TIMEOUT_SECONDS", "1")
        .env("RELAY__LIVE__PING_INTERVAL_SECONDS", "2")
        .start()
        .await;
    let mut client = RawClient::join(relay.address(), "QGIS").await;
    assert_eq!(client.next_json().await, nb_users(1));
    let ping = masked(0x89, b"hello");
    let (begin, end) = ping.split_at(4);
    client.send(begin).await;
    // The relay's ping shows that twice the message timeout has passed.
    loop {
        client.send(&[end, begin].concat()).await;
        match client.next().await {
            Received::Frame(0x8a, payload) => assert_eq!(payload, b"hello"),
            Received::Frame(0x89, _) => return,
            seen => panic!("{seen:?}"),
        }
    }
}

#[tokio::test]
async fn a_client_that_is_slow_between_messages_stays_connected() {
    let relay = Relay::builder()
        .env("RELAY__LIVE__FRAME_TIMEOUT_SECONDS", "1")
        .env("RELAY__LIVE__PING_INTERVAL_SECONDS", "3")
        .start()
        .await;
    let mut client = RawClient::join(relay.address(), "QGIS").await;
    assert_eq!(client.next_json().await, nb_users(1));
    client.send_json(&line("jane", "hello")).await;
    assert_eq!(client.next_json().await, line("jane", "hello"));
    // The relay's ping shows that three times the message timeout has passed.
    assert_eq!(client.next().await, Received::Frame(0x89, Vec::new()));
    client.send_json(&line("jane", "again")).await;
    assert_eq!(client.next_json().await, line("jane", "again"));
}

#[tokio::test]
async fn unfinished_messages_of_all_clients_share_a_memory_limit_beyond_which_clients_are_closed_with_1013() {
    let relay = Relay::builder().env("RELAY__LIVE__MAX_PARTIAL_BYTES", "262_144").start().await;
    let text = json!({"message": "hello", "author": "jane", "x": "y".repeat(100_000)}).to_string();
    let (first, second) = text.as_bytes().split_at(90_000);
    let mut jane = RawClient::join(relay.address(), "QGIS").await;
    assert_eq!(jane.next_json().await, nb_users(1));
    jane.send(&masked(0x01, first)).await;
    assert_eq!(jane.until_pong(b"it is there").await, []);

    let mut hoarder = RawClient::join(relay.address(), "QField").await;
    hoarder.send(&masked(0x01, &vec![b' '; 250_000])).await;
    expect_close(&mut hoarder, 1013).await;

    jane.send(&masked(0x80, second)).await;
    assert_eq!(jane.next_json().await, line("jane", "hello"));
    // The memory of both is released.
    let mut hans = RawClient::join(relay.address(), "QGIS").await;
    assert_eq!(hans.next_json().await, nb_users(2));
    for part in [masked(0x01, first), masked(0x80, second)] {
        hans.send(&part).await;
    }
    assert_eq!(hans.next_json().await, line("jane", "hello"));
}

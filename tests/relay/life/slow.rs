//! A slow reader loses its connection, and nobody else loses anything.

use serde_json::Value;

use crate::support::raw::{RawClient, Received};
use crate::support::{Client, Relay, RelayBuilder, line, nb_users};

/// Far more lines than all buffers of the system hold.
const MOST_LINES: usize = 50_000;

fn small_outbox() -> RelayBuilder {
    Relay::builder()
        .env("RATE_LIMITS", "off")
        .env("RELAY__FILTER__PRESET", "off")
        .env("RELAY__LIVE__OUTBOX_BYTES", "65_536")
}

fn numbered(number: usize) -> Value {
    line("talker", &format!("{number} {}", "🗺".repeat(240)))
}

/// Joins a talker, a listener and a client that does not read. Talks until the last one is closed, and returns the
/// number of lines, each of which the first two received in order.
async fn talk_until_closed(relay: &Relay) -> (Client, Client, RawClient, usize) {
    let mut talker = relay.join("QGIS").await;
    let mut listener = relay.join("QGIS").await;
    talker.skip_until(nb_users(2)).await;
    let slow = RawClient::connect_narrow(relay.address()).await.join_room("QGIS").await;
    talker.skip_until(nb_users(3)).await;
    listener.skip_until(nb_users(3)).await;
    for number in 0..MOST_LINES {
        talker.send(numbered(number)).await;
        let mut gone = false;
        for client in [&mut talker, &mut listener] {
            let mut heard = client.next().await;
            // The slow client leaves the room immediately, before or after the line that exceeded its outbox.
            if heard == nb_users(2) {
                gone = true;
                heard = client.next().await;
            }
            assert_eq!(heard, numbered(number));
        }
        if gone {
            return (talker, listener, slow, number + 1);
        }
    }
    panic!("{MOST_LINES} lines are kept for a client that does not read");
}

#[tokio::test]
async fn a_slow_reader_is_closed_with_1013_and_the_others_get_everything_in_order() {
    let relay = small_outbox().env("RELAY__LIVE__CLOSE_TIMEOUT_SECONDS", "30").start().await;
    let (_talker, _listener, mut slow, number) = talk_until_closed(&relay).await;
    assert_eq!(relay.connected().await, 2);
    assert_eq!(slow.next_json().await, nb_users(3));
    let all = slow.read_frames().await;
    let [lines @ .., close, Received::End] = &all[..] else { panic!("no proper end: {all:?}") };
    assert!(close.is_close(1013), "{close:?}");
    // The frames that it did receive were complete and in order.
    assert!(lines.len() < number, "{} of {number} lines", lines.len());
    for (number, line) in lines.iter().enumerate() {
        assert_eq!(line.json(), Some(numbered(number)));
    }
    relay.wait_until(1.0, async || relay.metric("gischat_websockets_closed_total{code=\"1013\"}").await).await;
}

#[tokio::test]
async fn a_closed_connection_that_reads_nothing_is_reset() {
    let relay = small_outbox().env("RELAY__LIVE__CLOSE_TIMEOUT_SECONDS", "1").start().await;
    let (mut talker, mut listener, mut slow, _) = talk_until_closed(&relay).await;
    // The talker, the listener and the metrics request.
    relay.wait_until(3.0, async || relay.metric("gischat_connections").await).await;
    let all = slow.read_frames().await;
    assert_eq!(all.last(), Some(&Received::Reset));
    assert!(!all.iter().any(|seen| seen.is_close(1013)), "the close frame cannot have fitted");
    talker.send(line("talker", "sentinel")).await;
    for client in [&mut talker, &mut listener] {
        client.expect(line("talker", "sentinel")).await;
    }
}

#[tokio::test]
async fn a_slow_reader_in_one_room_does_not_delay_another_room() {
    let relay = small_outbox().start().await;
    let mut elsewhere = relay.join("QField").await;
    elsewhere.expect(nb_users(1)).await;
    let _stage = talk_until_closed(&relay).await;
    elsewhere.send(line("jane", "sentinel")).await;
    elsewhere.expect(line("jane", "sentinel")).await;
}

#[tokio::test]
async fn a_late_reader_within_the_limits_gets_everything() {
    // 2 000 lines of a kilobyte fit into this outbox, whatever the buffers of the system hold.
    let relay = Relay::builder()
        .env("RATE_LIMITS", "off")
        .env("RELAY__FILTER__PRESET", "off")
        .env("RELAY__LIVE__OUTBOX_BYTES", "4_000_000")
        .start()
        .await;
    let mut late = RawClient::connect_narrow(relay.address()).await.join_room("QGIS").await;
    let mut talker = relay.join("QGIS").await;
    talker.expect(nb_users(2)).await;
    for number in 0..2_000 {
        talker.send(numbered(number)).await;
        talker.expect(numbered(number)).await;
    }
    assert_eq!([late.next_json().await, late.next_json().await], [nb_users(1), nb_users(2)]);
    for number in 0..2_000 {
        assert_eq!(late.next_json().await, numbered(number));
    }
}

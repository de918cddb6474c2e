//! Who reads too slowly: it loses its own connection, and nobody else loses anything.

use serde_json::Value;

use crate::support::raw::{Raw, Seen};
use crate::support::{Client, Relay, RelayBuilder, line, nb_users};

/// Far more lines than all buffers of the system hold.
const MOST_LINES: usize = 50_000;

fn small_outbox() -> RelayBuilder {
    Relay::with()
        .env("RATE_LIMITS", "off")
        .env("RELAY__FILTER__PRESET", "off")
        .env("RELAY__LIVE__OUTBOX_BYTES", "65_536")
}

fn numbered(number: usize) -> Value {
    line("talker", &format!("{number} {}", "🗺".repeat(240)))
}

/// Somebody who talks, somebody who listens, somebody who does not read. Talks until the last one is closed, and gives
/// the number of lines; each of them was heard by the first two, in order.
async fn talk_until_closed(relay: &Relay) -> (Client, Client, Raw, usize) {
    let mut talker = relay.join("QGIS").await;
    let mut listener = relay.join("QGIS").await;
    talker.skip_until(nb_users(2)).await;
    let slow = Raw::connect_narrow(relay.address()).await.joined("QGIS").await;
    talker.skip_until(nb_users(3)).await;
    listener.skip_until(nb_users(3)).await;
    for number in 0..MOST_LINES {
        talker.send(numbered(number)).await;
        let mut gone = false;
        for client in [&mut talker, &mut listener] {
            let mut heard = client.next().await;
            // Whoever is closed is gone at once for the others, before or after the line that was too much for it.
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
    panic!("{MOST_LINES} lines are kept for somebody who does not read");
}

#[tokio::test]
async fn who_reads_too_slowly_is_closed_with_1013_and_the_others_hear_everything_in_order() {
    let relay = small_outbox().env("RELAY__LIVE__CLOSE_TIMEOUT_SECONDS", "30").start().await;
    let (_talker, _listener, mut slow, number) = talk_until_closed(&relay).await;
    assert_eq!(relay.connected().await, 2);
    assert_eq!(slow.hear().await, nb_users(3));
    let all = slow.all().await;
    let [lines @ .., close, Seen::End] = &all[..] else { panic!("no proper end: {all:?}") };
    assert!(close.is_close(1013), "{close:?}");
    // What it did get was whole and in order too.
    assert!(lines.len() < number, "{} of {number} lines", lines.len());
    for (number, line) in lines.iter().enumerate() {
        assert_eq!(line.json(), Some(numbered(number)));
    }
    relay.wait_until(1.0, async || relay.metric("gischat_websockets_closed_total{code=\"1013\"}").await).await;
}

#[tokio::test]
async fn who_reads_nothing_even_then_is_reset() {
    let relay = small_outbox().env("RELAY__LIVE__CLOSE_TIMEOUT_SECONDS", "1").start().await;
    let (mut talker, mut listener, mut slow, _) = talk_until_closed(&relay).await;
    // The talker, the listener and the one who asks.
    relay.wait_until(3.0, async || relay.metric("gischat_connections").await).await;
    let all = slow.all().await;
    assert_eq!(all.last(), Some(&Seen::Reset));
    assert!(!all.iter().any(|seen| seen.is_close(1013)), "the close frame cannot have fitted");
    talker.send(line("talker", "sentinel")).await;
    for client in [&mut talker, &mut listener] {
        client.expect(line("talker", "sentinel")).await;
    }
}

#[tokio::test]
async fn who_is_slow_in_one_room_does_not_delay_another() {
    let relay = small_outbox().start().await;
    let mut elsewhere = relay.join("QField").await;
    elsewhere.expect(nb_users(1)).await;
    let _stage = talk_until_closed(&relay).await;
    elsewhere.send(line("jane", "sentinel")).await;
    elsewhere.expect(line("jane", "sentinel")).await;
}

#[tokio::test]
async fn who_reads_late_but_within_the_bounds_gets_everything() {
    // 2 000 lines of a kilobyte fit into this outbox, whatever the buffers of the system hold.
    let relay = Relay::with()
        .env("RATE_LIMITS", "off")
        .env("RELAY__FILTER__PRESET", "off")
        .env("RELAY__LIVE__OUTBOX_BYTES", "4_000_000")
        .start()
        .await;
    let mut late = Raw::connect_narrow(relay.address()).await.joined("QGIS").await;
    let mut talker = relay.join("QGIS").await;
    talker.expect(nb_users(2)).await;
    for number in 0..2_000 {
        talker.send(numbered(number)).await;
        talker.expect(numbered(number)).await;
    }
    assert_eq!([late.hear().await, late.hear().await], [nb_users(1), nb_users(2)]);
    for number in 0..2_000 {
        assert_eq!(late.hear().await, numbered(number));
    }
}

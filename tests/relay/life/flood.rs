//! A client that sends without end, and may never read, costs the relay no more than its outbox, and affects nobody
//! else.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::plugins::{guest, with_long_deadlines};
use crate::support::raw::{CLOSE, PING, RawClient, Received, TEXT, masked};
use crate::support::{Relay, TIMEOUT, line, nb_users, newcomer};

/// How much the relay may grow over a client that fills its outbox of 1 MiB and its place in the journal: the last 10
/// 000 decisions are kept, of some 2 KiB each.
const GROWTH: usize = (8 + 24) * 1024 * 1024;
/// Far more than the relay reads from a client that fills its outbox, plus the longest message that it accepts while
/// closing, plus all system buffers.
const MOST_BYTES: usize = 512 * 1024 * 1024;

/// An upper bound for the system buffers of a connection.
const BUFFERED: usize = 64 * 1024 * 1024;

/// A frame of a kind that the protocol does not know.
const UNKNOWN: u8 = 0x83;

/// Sends this frame again and again without reading, until the relay ends the connection.
async fn flood(relay: &Relay, frame: &[u8]) {
    let before = relay.peak_memory();
    let mut client = RawClient::connect_narrow(relay.address()).await.join_room("QGIS").await;
    let many = frame.repeat(65_536 / frame.len());
    let sending = async {
        for _ in 0..MOST_BYTES / many.len() {
            if client.stream.write_all(&many).await.is_err() {
                return;
            }
        }
        panic!("the relay reads forever");
    };
    timeout(TIMEOUT, sending).await.expect("the relay neither reads nor ends");
    let growth = relay.peak_memory() - before;
    assert!(growth < GROWTH, "the relay grew by {growth} bytes");
    relay.wait_until(0, async || relay.connected().await).await;
}

#[tokio::test]
async fn a_flood_of_pings_without_reading_is_closed_and_bounded() {
    let relay = Relay::start().await;
    flood(&relay, &masked(PING, b"")).await;
}

#[tokio::test]
async fn a_flood_of_long_pings_without_reading_is_closed_and_bounded() {
    let relay = Relay::start().await;
    flood(&relay, &masked(PING, &[b'x'; 125])).await;
}

#[tokio::test]
async fn a_flood_of_messages_without_reading_is_closed_and_bounded() {
    let relay = Relay::builder().env("RATE_LIMITS", "off").start().await;
    flood(&relay, &masked(TEXT, line("jane", "x").to_string().as_bytes())).await;
}

#[tokio::test]
async fn a_flood_of_refused_messages_is_closed_and_bounded() {
    let relay = Relay::start().await;
    flood(&relay, &masked(TEXT, line("jane", "x").to_string().as_bytes())).await;
}

#[tokio::test]
async fn renaming_in_a_crowded_room_costs_no_more_than_the_journal() {
    const MEMBERS: usize = 100;
    const RENAMES: usize = 10_000;
    // A plugin may ask for the nicknames of a room. This one is for another room.
    let relay = with_long_deadlines(Relay::builder())
        .env("RATE_LIMITS", "off")
        .plugin("hostile", "rooms = ['QField']", &guest("hostile"))
        .start()
        .await;
    for number in 0..MEMBERS {
        let mut member = RawClient::join(relay.address(), "QGIS").await;
        member.send_json(&newcomer(&format!("a-member-with-a-long-name-{number:06}"))).await;
        // It hears the others, so that its outbox stays empty.
        tokio::spawn(async move { tokio::io::copy(&mut member.stream, &mut tokio::io::sink()).await });
    }
    let names = async || relay.users("QGIS").await.as_array().map_or(0, Vec::len);
    relay.wait_until(MEMBERS, names).await;
    let before = relay.memory();
    let mut mallory = RawClient::join(relay.address(), "QGIS").await;
    for first in (0..RENAMES).step_by(100) {
        let frame = |number| masked(TEXT, newcomer(&format!("mallory-{number:06}")).to_string().as_bytes());
        mallory.send(&(first..first + 100).flat_map(frame).collect::<Vec<u8>>()).await;
        mallory.until_pong(b"all").await;
    }
    let growth = relay.memory().saturating_sub(before);
    assert!(growth < GROWTH, "the relay grew by {growth} bytes");
}

#[tokio::test]
async fn a_closed_connection_that_keeps_sending_is_not_read_forever() {
    let relay = Relay::builder()
        .env("RELAY__LIVE__MAX_FRAME_BYTES", "65536")
        .env("RELAY__LIVE__CLOSE_TIMEOUT_SECONDS", "5")
        .start()
        .await;
    let mut client = RawClient::join(relay.address(), "QGIS").await;
    client.send(&masked(UNKNOWN, b"")).await;
    let more = vec![0; 65_536];
    let mut sent = 0;
    let sending = async {
        while client.stream.write_all(&more).await.is_ok() {
            sent += more.len();
            assert!(sent < BUFFERED, "the relay has read on for {sent} bytes");
        }
    };
    timeout(TIMEOUT, sending).await.expect("the relay does not end the connection");
    relay.wait_until(0, async || relay.connected().await).await;
}

#[tokio::test]
async fn a_connection_closed_during_its_longest_message_may_finish_it_and_ends_without_a_reset() {
    let relay = Relay::start().await;
    let mut client = RawClient::join(relay.address(), "QGIS").await;
    client.send(&masked(UNKNOWN, b"")).await;
    client.send(&masked(TEXT, &vec![b' '; 16 * 1024 * 1024])).await;
    client.send(&masked(CLOSE, &1002_u16.to_be_bytes())).await;
    let all = client.read_frames().await;
    assert!(matches!(&all[..], [.., close, Received::End] if close.is_close(1002)), "{all:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_never_stop_sending_do_not_delay_others() {
    let relay = Relay::builder().env("RATE_LIMITS", "off").start().await;
    // More than the relay has threads.
    let flooders = 2 * std::thread::available_parallelism().unwrap().get();
    let mut floods = Vec::new();
    for _ in 0..flooders {
        let mut client = RawClient::join(relay.address(), "QGIS").await;
        // Not a frame of the protocol: it is ignored each time.
        let many = masked(TEXT, b"[]").repeat(10_000);
        floods.push(tokio::spawn(async move { while client.stream.write_all(&many).await.is_ok() {} }));
    }
    let mut jane = relay.join("QField").await;
    jane.expect(nb_users(1)).await;
    let began = Instant::now();
    for number in 0..10 {
        jane.send(line("jane", &number.to_string())).await;
        jane.expect(line("jane", &number.to_string())).await;
    }
    assert!(began.elapsed() < Duration::from_secs(10), "ten lines took {:?}", began.elapsed());
    assert_eq!(relay.connected().await, u64::try_from(flooders).unwrap() + 1);
    assert!(floods.iter().all(|flood| !flood.is_finished()), "a flood has ended");
    for flood in floods {
        flood.abort();
    }
}

//! The end: every client is told, nothing that was accepted is lost, and it never takes longer than it may.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::support::raw::{Raw, Seen, handshake, masked};
use crate::support::{Client, PATIENCE, Relay, line, nb_users, newcomer};

/// What the relay has to end in, and a little for the machine.
const DRAIN: Duration = Duration::from_secs(11);

/// Waits for the relay to end well and in time.
fn expect_end(relay: Relay, signalled: Instant) {
    let (status, log) = relay.wait();
    let took = signalled.elapsed();
    assert!(status.success(), "{status}: {log:#?}");
    assert!(took < DRAIN, "it took {took:?}: {log:#?}");
}

/// The last things that a client sees must be a close frame with 1001 and the end.
async fn expect_farewell(client: &mut Raw) {
    let all = client.all().await;
    assert!(matches!(&all[..], [.., close, Seen::End] if close.is_close(1001)), "{all:?}");
}

async fn everybody_is_told(signal: &str) {
    let relay = Relay::start().await;
    let mut proper: Client = relay.join_as("QGIS", "jane").await;
    let mut idle = Raw::join(relay.address(), "QField").await;
    let mut midway = Vec::new();
    for part in [masked(0x81, b"hello")[..3].to_vec(), masked(0x81, b"hello")[..8].to_vec(), masked(0x01, b"{")] {
        let mut client = Raw::join(relay.address(), "QGIS").await;
        client.send(&part).await;
        midway.push(client);
    }
    proper.skip_until(nb_users(4)).await;

    let signalled = Instant::now();
    relay.signal(signal);
    assert_eq!(proper.closed().await, Some((1001, "the relay is shutting down".to_owned())));
    expect_farewell(&mut idle).await;
    for client in &mut midway {
        expect_farewell(client).await;
    }
    drop((proper, idle, midway));
    expect_end(relay, signalled);
}

#[tokio::test]
async fn sigterm_closes_every_websocket_with_1001() {
    everybody_is_told("TERM").await;
}

#[tokio::test]
async fn sigint_closes_every_websocket_with_1001() {
    everybody_is_told("INT").await;
}

#[tokio::test]
async fn nobody_hears_of_the_others_leaving_at_the_end() {
    let relay = Relay::start().await;
    let mut jane = relay.join_as("QGIS", "jane").await;
    let hans = relay.join_as("QGIS", "hans").await;
    jane.skip_until(newcomer("hans")).await;
    relay.signal("TERM");
    assert!(matches!(jane.next_message().await, Some(message) if message.is_close()));
    drop(hans);
}

#[tokio::test]
async fn what_was_accepted_before_the_signal_is_heard_before_the_close_frame() {
    const LINES: usize = 2_000;
    let relay = Relay::with().env("RATE_LIMITS", "off").env("RELAY__FILTER__PRESET", "off").start().await;
    // It reads nothing until the relay says farewell, and then everything is still to come.
    let mut listener = Raw::connect_narrow(relay.address()).await.joined("QGIS").await;
    let mut talker = relay.join("QGIS").await;
    talker.expect(nb_users(2)).await;
    for number in 0..LINES {
        talker.send(line("talker", &number.to_string())).await;
        talker.expect(line("talker", &number.to_string())).await;
    }
    relay.signal("TERM");
    assert_eq!(talker.closed().await.map(|(code, _)| code), Some(1001));
    assert_eq!([listener.hear().await, listener.hear().await], [nb_users(1), nb_users(2)]);
    for number in 0..LINES {
        assert_eq!(listener.hear().await, line("talker", &number.to_string()));
    }
    let farewell = listener.next().await;
    assert!(farewell.is_close(1001), "{farewell:?}");
    assert_eq!(listener.next().await, Seen::End);
}

#[tokio::test]
async fn who_does_not_read_does_not_hold_the_end_up() {
    let relay = Relay::with()
        .env("RATE_LIMITS", "off")
        .env("RELAY__FILTER__PRESET", "off")
        .env("RELAY__LIVE__OUTBOX_BYTES", "64_000_000")
        .start()
        .await;
    let slow = Raw::connect_narrow(relay.address()).await.joined("QGIS").await;
    let mut talker = relay.join("QGIS").await;
    talker.expect(nb_users(2)).await;
    // Ten megabytes, more than all buffers of the system hold.
    let text = line("talker", &"🗺".repeat(255));
    for _ in 0..10_000 {
        talker.send(text.clone()).await;
        talker.expect(text.clone()).await;
    }
    let signalled = Instant::now();
    relay.signal("TERM");
    assert_eq!(talker.closed().await.map(|(code, _)| code), Some(1001));
    expect_end(relay, signalled);
    drop(slow);
}

#[tokio::test]
async fn who_is_told_and_does_not_close_its_side_does_not_hold_the_end_up() {
    let relay = Relay::start().await;
    let mut client = Raw::join(relay.address(), "QGIS").await;
    let signalled = Instant::now();
    relay.signal("TERM");
    expect_farewell(&mut client).await;
    expect_end(relay, signalled);
    drop(client);
}

#[tokio::test]
async fn twenty_who_talk_see_whole_frames_and_then_the_farewell() {
    const TALKERS: usize = 20;
    let relay = Relay::with().env("RATE_LIMITS", "off").env("RELAY__FILTER__PRESET", "off").start().await;
    let warm = Arc::new(Semaphore::new(0));
    let mut talkers = Vec::new();
    for talker in 0..TALKERS {
        let mut client = Raw::join(relay.address(), "QGIS").await;
        let warm = Arc::clone(&warm);
        talkers.push(tokio::spawn(async move {
            let name = format!("talker-{talker}");
            for number in 0.. {
                let own = line(&name, &number.to_string());
                client.say(&own).await;
                loop {
                    let seen = client.next().await;
                    if seen.is_close(1001) {
                        return client.next().await;
                    }
                    // Whole frames of whole JSON, or this panics.
                    let frame = seen.json().unwrap_or_else(|| panic!("{name} got {seen:?}"));
                    assert!(frame["author"].is_string(), "{frame}");
                    if frame == own {
                        break;
                    }
                }
                if number == 10 {
                    warm.add_permits(1);
                }
            }
            unreachable!("a talker goes on until it is told");
        }));
    }
    let all_talk = warm.acquire_many(u32::try_from(TALKERS).unwrap());
    let _all = tokio::time::timeout(PATIENCE, all_talk).await.expect("some do not get to talk").unwrap();
    let signalled = Instant::now();
    relay.signal("TERM");
    for talker in talkers {
        assert_eq!(talker.await.unwrap(), Seen::End);
    }
    expect_end(relay, signalled);
}

#[tokio::test]
async fn a_request_under_way_is_finished_while_new_connections_are_refused() {
    let relay = Relay::start().await;
    let mut listener = relay.join("QGIS").await;
    let body = json!({"message": "hello", "author": "jane"}).to_string();
    let (first, second) = body.split_at(10);
    let head = format!("PUT /room/QGIS/message HTTP/1.1\r\nHost: relay\r\nContent-Length: {}\r\n\r\n", body.len());
    let mut request = Raw::connect(relay.address()).await;
    request.send(format!("{head}{first}").as_bytes()).await;
    // Another connection's answer tells nothing about this one; its own permit does: listener, this one, who asks.
    relay.wait_until(3.0, async || relay.metric("gischat_connections").await).await;

    let signalled = Instant::now();
    relay.signal("TERM");
    assert_eq!(listener.closed().await.map(|(code, _)| code), Some(1001));
    relay.wait_until(true, async || TcpStream::connect(relay.address()).await.is_err()).await;
    request.send(second.as_bytes()).await;
    let answer = request.head().await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    drop((listener, request));
    expect_end(relay, signalled);
}

#[tokio::test]
async fn requests_that_do_not_end_do_not_hold_the_end_up() {
    let hour = "3600";
    let relay = Relay::with()
        .env("RELAY__SERVER__REQUEST_TIMEOUT_SECONDS", hour)
        .env("RELAY__SERVER__HANDSHAKE_TIMEOUT_SECONDS", hour)
        .start()
        .await;
    let mut held = Vec::new();
    let slow_body = "PUT /room/QGIS/message HTTP/1.1\r\nHost: relay\r\nContent-Length: 1000\r\n\r\n{";
    for part in ["", &handshake("QGIS")[..40], "GET /rooms HTTP/1.1\r\nHost: relay\r\n\r\n", slow_body] {
        let mut client = Raw::connect(relay.address()).await;
        client.send(part.as_bytes()).await;
        held.push(client);
    }
    relay.wait_until(5.0, async || relay.metric("gischat_connections").await).await;
    let signalled = Instant::now();
    relay.signal("TERM");
    expect_end(relay, signalled);
    drop(held);
}

#[tokio::test]
async fn connections_that_ask_for_nothing_are_ended_at_once() {
    let relay = Relay::start().await;
    let mut fresh = Raw::connect(relay.address()).await;
    let mut kept_alive = Raw::connect(relay.address()).await;
    kept_alive.send(b"GET /rooms HTTP/1.1\r\nHost: relay\r\n\r\n").await;
    assert!(kept_alive.head().await.starts_with("HTTP/1.1 200 "));
    relay.wait_until(3.0, async || relay.metric("gischat_connections").await).await;
    let signalled = Instant::now();
    relay.signal("TERM");
    assert_eq!(fresh.rest().await.1, Seen::End);
    assert_eq!(kept_alive.rest().await.1, Seen::End);
    // Long before they would be ended anyway for asking nothing.
    assert!(signalled.elapsed() < Duration::from_secs(8), "it took {:?}", signalled.elapsed());
    expect_end(relay, signalled);
}

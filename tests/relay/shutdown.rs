//! Shutdown: every client is notified, no accepted message is lost, and the time limit holds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::support::raw::{RawClient, Received, handshake, masked};
use crate::support::{Client, Relay, TIMEOUT, line, nb_users, newcomer};

/// The time limit for the shutdown, with some slack.
const DRAIN: Duration = Duration::from_secs(11);

/// The time for a shutdown that waits for nobody, on a slow machine. The time limits of requests are longer.
const AT_ONCE: Duration = Duration::from_secs(6);

/// Waits for the relay to exit successfully and in time.
fn expect_end(relay: Relay, signalled: Instant) {
    expect_end_within(relay, signalled, DRAIN);
}

fn expect_end_within(relay: Relay, signalled: Instant, limit: Duration) {
    let (status, log) = relay.wait();
    let took = signalled.elapsed();
    assert!(status.success(), "{status}: {log:#?}");
    assert!(took < limit, "it took {took:?}: {log:#?}");
}

/// Expects a close frame with 1001 and the end of the connection.
async fn expect_farewell(client: &mut RawClient) {
    let all = client.read_frames().await;
    assert!(matches!(&all[..], [.., close, Received::End] if close.is_close(1001)), "{all:?}");
}

async fn every_client_is_notified(signal: &str) {
    let relay = Relay::start().await;
    let mut proper: Client = relay.join_as("QGIS", "jane").await;
    let mut idle = RawClient::join(relay.address(), "QField").await;
    let mut midway = Vec::new();
    for part in [masked(0x81, b"hello")[..3].to_vec(), masked(0x81, b"hello")[..8].to_vec(), masked(0x01, b"{")] {
        let mut client = RawClient::join(relay.address(), "QGIS").await;
        client.send(&part).await;
        midway.push(client);
    }
    proper.skip_until(nb_users(4)).await;

    let signalled = Instant::now();
    relay.signal(signal);
    assert_eq!(proper.wait_for_close().await, Some((1001, "the relay is shutting down".to_owned())));
    expect_farewell(&mut idle).await;
    for client in &mut midway {
        expect_farewell(client).await;
    }
    drop((proper, idle, midway));
    expect_end(relay, signalled);
}

#[tokio::test]
async fn sigterm_closes_every_websocket_with_1001() {
    every_client_is_notified("TERM").await;
}

#[tokio::test]
async fn sigint_closes_every_websocket_with_1001() {
    every_client_is_notified("INT").await;
}

#[tokio::test]
async fn shutdown_sends_no_exiter_events() {
    let relay = Relay::start().await;
    let mut jane = relay.join_as("QGIS", "jane").await;
    let hans = relay.join_as("QGIS", "hans").await;
    jane.skip_until(newcomer("hans")).await;
    relay.signal("TERM");
    assert!(matches!(jane.next_message().await, Some(message) if message.is_close()));
    drop(hans);
}

#[tokio::test]
async fn messages_accepted_before_the_signal_are_delivered_before_the_close_frame() {
    const LINES: usize = 2_000;
    let relay = Relay::builder().env("RATE_LIMITS", "off").env("RELAY__FILTER__PRESET", "off").start().await;
    // It reads nothing until the relay closes the connection, so everything is still queued then.
    let mut listener = RawClient::connect_narrow(relay.address()).await.join_room("QGIS").await;
    let mut talker = relay.join("QGIS").await;
    talker.expect(nb_users(2)).await;
    for number in 0..LINES {
        talker.send(line("talker", &number.to_string())).await;
        talker.expect(line("talker", &number.to_string())).await;
    }
    relay.signal("TERM");
    assert_eq!(talker.wait_for_close().await.map(|(code, _)| code), Some(1001));
    assert_eq!([listener.next_json().await, listener.next_json().await], [nb_users(1), nb_users(2)]);
    for number in 0..LINES {
        assert_eq!(listener.next_json().await, line("talker", &number.to_string()));
    }
    let farewell = listener.next().await;
    assert!(farewell.is_close(1001), "{farewell:?}");
    assert_eq!(listener.next().await, Received::End);
}

#[tokio::test]
async fn a_client_that_does_not_read_does_not_delay_shutdown() {
    let relay = Relay::builder()
        .env("RATE_LIMITS", "off")
        .env("RELAY__FILTER__PRESET", "off")
        .env("RELAY__LIVE__OUTBOX_BYTES", "64_000_000")
        .start()
        .await;
    let slow = RawClient::connect_narrow(relay.address()).await.join_room("QGIS").await;
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
    assert_eq!(talker.wait_for_close().await.map(|(code, _)| code), Some(1001));
    expect_end(relay, signalled);
    drop(slow);
}

#[tokio::test]
async fn a_client_that_does_not_close_its_side_does_not_delay_shutdown() {
    let relay = Relay::start().await;
    let mut client = RawClient::join(relay.address(), "QGIS").await;
    let signalled = Instant::now();
    relay.signal("TERM");
    expect_farewell(&mut client).await;
    expect_end(relay, signalled);
    drop(client);
}

#[tokio::test]
async fn twenty_active_clients_get_whole_frames_and_then_the_close_frame() {
    const TALKERS: usize = 20;
    let relay = Relay::builder().env("RATE_LIMITS", "off").env("RELAY__FILTER__PRESET", "off").start().await;
    let warm = Arc::new(Semaphore::new(0));
    let mut talkers = Vec::new();
    for talker in 0..TALKERS {
        let mut client = RawClient::join(relay.address(), "QGIS").await;
        let warm = Arc::clone(&warm);
        talkers.push(tokio::spawn(async move {
            let name = format!("talker-{talker}");
            for number in 0.. {
                let own = line(&name, &number.to_string());
                client.send_json(&own).await;
                loop {
                    let seen = client.next().await;
                    if seen.is_close(1001) {
                        return client.next().await;
                    }
                    // Panics unless all frames hold complete JSON.
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
            unreachable!("a talker continues until it is notified");
        }));
    }
    let all_talk = warm.acquire_many(u32::try_from(TALKERS).unwrap());
    let _all = tokio::time::timeout(TIMEOUT, all_talk).await.expect("some never talk").unwrap();
    let signalled = Instant::now();
    relay.signal("TERM");
    for talker in talkers {
        assert_eq!(talker.await.unwrap(), Received::End);
    }
    expect_end(relay, signalled);
}

#[tokio::test]
async fn half_a_request_is_cut_at_once_and_new_connections_are_refused() {
    let relay = Relay::start().await;
    let mut listener = relay.join("QGIS").await;
    let head = "PUT /room/QGIS/message HTTP/1.1\r\nHost: relay\r\nContent-Length: 1000\r\n\r\n";
    let mut request = RawClient::connect(relay.address()).await;
    request.send(format!("{head}{{").as_bytes()).await;
    // Wait for the permit of this connection: the listener, this one, and the metrics request.
    relay.wait_until(3.0, async || relay.metric("gischat_connections").await).await;

    let signalled = Instant::now();
    relay.signal("TERM");
    assert_eq!(listener.wait_for_close().await.map(|(code, _)| code), Some(1001));
    assert_eq!(request.read_to_end().await.0, b"");
    relay.wait_until(true, async || TcpStream::connect(relay.address()).await.is_err()).await;
    drop(listener);
    expect_end_within(relay, signalled, AT_ONCE);
}

#[tokio::test]
async fn unfinished_requests_do_not_delay_shutdown() {
    let hour = "3600";
    let relay = Relay::builder()
        .env("RELAY__SERVER__REQUEST_TIMEOUT_SECONDS", hour)
        .env("RELAY__SERVER__HANDSHAKE_TIMEOUT_SECONDS", hour)
        .start()
        .await;
    let mut held = Vec::new();
    let slow_body = "PUT /room/QGIS/message HTTP/1.1\r\nHost: relay\r\nContent-Length: 1000\r\n\r\n{";
    for part in ["", &handshake("QGIS")[..40], "GET /rooms HTTP/1.1\r\nHost: relay\r\n\r\n", slow_body] {
        let mut client = RawClient::connect(relay.address()).await;
        client.send(part.as_bytes()).await;
        held.push(client);
    }
    relay.wait_until(5.0, async || relay.metric("gischat_connections").await).await;
    let signalled = Instant::now();
    relay.signal("TERM");
    expect_end_within(relay, signalled, AT_ONCE);
    drop(held);
}

#[tokio::test]
async fn idle_connections_are_closed_immediately() {
    let relay = Relay::start().await;
    let mut fresh = RawClient::connect(relay.address()).await;
    let mut kept_alive = RawClient::connect(relay.address()).await;
    kept_alive.send(b"GET /rooms HTTP/1.1\r\nHost: relay\r\n\r\n").await;
    assert!(kept_alive.head().await.starts_with("HTTP/1.1 200 "));
    relay.wait_until(3.0, async || relay.metric("gischat_connections").await).await;
    let signalled = Instant::now();
    relay.signal("TERM");
    assert_eq!(fresh.read_to_end().await.1, Received::End);
    assert_eq!(kept_alive.read_to_end().await.1, Received::End);
    // Long before the timeout for idle connections.
    assert!(signalled.elapsed() < Duration::from_secs(8), "it took {:?}", signalled.elapsed());
    expect_end(relay, signalled);
}

//! Limits, each tested slightly below and slightly above.

use std::time::Duration;

use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::raw::{RawClient, Received, TEXT, handshake, masked};
use crate::support::{Client, OTHER_ADDRESS, Relay, RelayBuilder, line, nb_users};

/// A relay with these further settings of the section `server` or `live`.
fn with(settings: &[(&str, &str)]) -> RelayBuilder {
    settings.iter().fold(Relay::builder(), |relay, (name, value)| relay.env(&format!("RELAY__{name}"), value))
}

/// The response to this request on a new connection, up to its end.
async fn answer(relay: &Relay, request: &str) -> String {
    let mut client = RawClient::connect(relay.address()).await;
    client.send(request.as_bytes()).await;
    let (answer, end) = client.read_to_end().await;
    assert_eq!(end, Received::End, "after {answer:?}");
    String::from_utf8(answer).unwrap()
}

fn get(headers: &str) -> String {
    format!("GET /rooms HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n{headers}\r\n")
}

fn assert_status(answer: &str, status: u16) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status} was expected, not {answer:?}");
}

#[tokio::test]
async fn a_connection_over_the_limit_gets_503_and_the_others_are_unaffected() {
    let relay = with(&[("SERVER__MAX_CONNECTIONS", "2")]).start().await;
    let mut jane = RawClient::join(relay.address(), "QGIS").await;
    assert_eq!(jane.next_json().await, nb_users(1));
    let mut hans = RawClient::join(relay.address(), "QGIS").await;
    assert_eq!(jane.next_json().await, nb_users(2));
    for request in [String::new(), get(""), handshake("QGIS")] {
        let mut client = RawClient::connect(relay.address()).await;
        client.send(request.as_bytes()).await;
        // A connection that sent its request before it was refused may be reset after the response.
        let answer = String::from_utf8(client.read_to_end().await.0).unwrap();
        assert_status(&answer, 503);
        assert!(answer.contains("\r\nRetry-After: "), "{answer}");
    }
    hans.send_json(&line("hans", "sentinel")).await;
    assert_eq!(jane.next_json().await, line("hans", "sentinel"));
}

#[tokio::test]
async fn a_closed_connection_frees_its_slot() {
    let relay = with(&[("SERVER__MAX_CONNECTIONS", "2")]).start().await;
    let _jane = RawClient::join(relay.address(), "QGIS").await;
    drop(RawClient::join(relay.address(), "QGIS").await);
    let is_answered = async || {
        let mut client = RawClient::connect(relay.address()).await;
        client.send(get("").as_bytes()).await;
        client.read_to_end().await.0.starts_with(b"HTTP/1.1 200 ")
    };
    relay.wait_until(true, is_answered).await;
}

#[tokio::test]
async fn websockets_per_address_are_limited() {
    let relay = with(&[("LIVE__MAX_PER_ADDRESS", "2")]).start().await;
    let mut jane = RawClient::join(relay.address(), "QGIS").await;
    assert_eq!(jane.next_json().await, nb_users(1));
    let hans = RawClient::join(relay.address(), "QField").await;
    let mut third = RawClient::connect(relay.address()).await;
    third.send(handshake("QGIS").as_bytes()).await;
    assert_status(&third.head().await, 429);
    assert_eq!(relay.connected().await, 2);
    drop(hans);
    let is_answered = async || {
        let mut client = RawClient::connect(relay.address()).await;
        client.send(handshake("QGIS").as_bytes()).await;
        client.head().await.starts_with("HTTP/1.1 101 ")
    };
    relay.wait_until(true, is_answered).await;
}

#[tokio::test]
async fn an_address_that_joins_too_fast_gets_a_retry_after_header() {
    let relay = with(&[("LIVE__JOINS__PER_SECOND", "1"), ("LIVE__JOINS__BURST", "3")]).start().await;
    let mut heads = Vec::new();
    // Even a slow machine does this in less than the seconds that would let all of them in.
    for _ in 0..20 {
        let mut client = RawClient::connect(relay.address()).await;
        client.send(handshake("QGIS").as_bytes()).await;
        heads.push(client.head().await);
    }
    for head in &heads[..3] {
        assert_status(head, 101);
    }
    let refused = heads.iter().find(|head| head.starts_with("HTTP/1.1 429 ")).unwrap();
    assert!(refused.contains("\r\nRetry-After: 1\r\n"), "{refused}");
}

#[tokio::test]
async fn a_connection_that_does_not_complete_its_head_in_time_is_closed() {
    let relay = with(&[("SERVER__HANDSHAKE_TIMEOUT_SECONDS", "1")]).start().await;
    for part in ["", "GET /room/QGIS/ws HTTP/1.1\r\nHost: relay\r\n"] {
        let answer = answer(&relay, part).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
    // Only the metrics request is left.
    relay.wait_until(1.0, async || relay.metric("gischat_connections").await).await;
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off_in_time_despite_constant_data() {
    let relay = with(&[("SERVER__HANDSHAKE_TIMEOUT_SECONDS", "1")]).start().await;
    let mut client = RawClient::connect(relay.address()).await;
    client.send(b"GET /room/QGIS/ws HTTP/1.1\r\nHost: relay\r\nX-Drip: ").await;
    let ended = drip(&mut client, b"x").await;
    assert!(!ended.starts_with(b"HTTP/1.1 101 "), "{:?}", String::from_utf8_lossy(&ended));
    assert_eq!(relay.connected().await, 0);
}

/// Sends this repeatedly until the relay closes the connection; returns what the relay sent.
async fn drip(client: &mut RawClient, bytes: &[u8]) -> Vec<u8> {
    for _ in 0..400 {
        client.send(bytes).await;
        if let Ok((rest, _)) = timeout(Duration::from_millis(50), client.read_to_end()).await {
            return rest;
        }
    }
    panic!("the relay accepts all of it");
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let relay = Relay::start().await;
    assert_status(&answer(&relay, &get(&format!("X-Long: {}\r\n", "x".repeat(8_000)))).await, 200);
    assert_status(&answer(&relay, &get(&format!("X-Long: {}\r\n", "x".repeat(20_000)))).await, 431);
    let path = format!("GET /{} HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n", "x".repeat(100_000));
    let refused = answer(&relay, &path).await;
    assert!(["HTTP/1.1 414 ", "HTTP/1.1 431 "].iter().any(|status| refused.starts_with(status)), "{refused}");
}

#[tokio::test]
async fn a_head_of_too_many_headers_is_refused() {
    let relay = Relay::start().await;
    let headers = |number: usize| "X-Header: y\r\n".repeat(number);
    assert_status(&answer(&relay, &get(&headers(90))).await, 200);
    assert_status(&answer(&relay, &get(&headers(200))).await, 431);
}

#[tokio::test]
async fn a_body_that_arrives_too_slowly_gets_408() {
    let relay = with(&[("SERVER__REQUEST_TIMEOUT_SECONDS", "1")]).start().await;
    let mut client = RawClient::connect(relay.address()).await;
    client.send(b"PUT /room/QGIS/message HTTP/1.1\r\nHost: relay\r\nContent-Length: 100\r\n\r\n{\"mess").await;
    assert_status(&client.head().await, 408);
}

#[tokio::test]
async fn a_body_at_the_limit_is_accepted() {
    let relay = with(&[("SERVER__MAX_BODY_BYTES", "1024")]).start().await;
    let message = json!({"message": "hello", "author": "jane"}).to_string();
    let fits = format!("{message:<1024}");
    let too_long = format!("{message:<1025}");
    assert_eq!(relay.put("/room/QGIS/message", &fits).await.status, 200);
    assert_eq!(relay.put("/room/QGIS/message", &too_long).await.status, 413);
    let chunked = |body: &str| {
        let length = body.len();
        format!(
            "PUT /room/QGIS/message HTTP/1.1\r\nHost: relay\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
             {length:x}\r\n{body}\r\n0\r\n\r\n"
        )
    };
    assert_status(&answer(&relay, &chunked(&fits)).await, 200);
    assert_status(&answer(&relay, &chunked(&too_long)).await, 413);
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_response() {
    let relay = with(&[("SERVER__HANDSHAKE_TIMEOUT_SECONDS", "1")]).start().await;
    let answer = answer(&relay, "GET /rooms HTTP/1.1\r\nHost: relay\r\n\r\n").await;
    assert_status(&answer, 200);
    assert!(answer.ends_with("[\"QGIS\",\"QField\"]"), "{answer}");
}

#[tokio::test]
async fn a_client_that_does_not_read_responses_is_dropped() {
    let patience = [("LIVE__PING_INTERVAL_SECONDS", "1"), ("LIVE__PONG_TIMEOUT_SECONDS", "1")];
    let relay = with(&patience).start().await;
    let mut client = RawClient::connect_narrow(relay.address()).await;
    let request = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: relay\r\n\r\n";
    client.send(request.repeat(20).as_bytes()).await;
    assert_status(&client.head().await, 200);
    relay.wait_until(1.0, async || relay.metric("gischat_connections").await).await;
}

#[tokio::test]
async fn a_message_at_the_limit_is_accepted_in_one_frame_or_many() {
    let relay = with(&[("LIVE__MAX_FRAME_BYTES", "1024")]).start().await;
    let message = json!({"message": "hello", "author": "jane"}).to_string();
    let fits = format!("{message:<1024}").into_bytes();
    let too_long = format!("{message:<1025}").into_bytes();
    let in_parts = |text: &[u8]| {
        let (first, second) = text.split_at(1000);
        [masked(0x01, first), masked(0x89, b"amid"), masked(0x80, second)].concat()
    };

    let mut client = RawClient::join(relay.address(), "QGIS").await;
    assert_eq!(client.next_json().await, nb_users(1));
    for frames in [masked(TEXT, &fits), in_parts(&fits)] {
        client.send(&frames).await;
        let heard = client.until_pong(b"sentinel").await;
        assert_eq!(heard.last().and_then(Received::json), Some(line("jane", "hello")), "{heard:?}");
    }
    for frames in [masked(TEXT, &too_long), in_parts(&too_long)] {
        let mut client = RawClient::join(relay.address(), "QField").await;
        client.send(&frames).await;
        let all = client.read_frames().await;
        assert!(matches!(&all[..], [.., close, Received::End] if close.is_close(1009)), "{all:?}");
    }
}

#[tokio::test]
async fn a_text_that_is_not_utf8_is_closed_with_1007_whatever_its_length() {
    let relay = Relay::start().await;
    for length in [3, 64 * 1024, 64 * 1024 + 1, 3_000_000] {
        let mut client = RawClient::join(relay.address(), "QField").await;
        let mut text = vec![b'a'; length];
        text.extend(b"\xe2\x82");
        client.send(&masked(TEXT, &text)).await;
        let all = client.read_frames().await;
        assert!(matches!(&all[..], [.., close, Received::End] if close.is_close(1007)), "{length}: {all:?}");
    }
}

#[tokio::test]
async fn an_address_with_idle_connections_cannot_fill_the_port() {
    let relay = with(&[("LIVE__MAX_PER_ADDRESS", "2")]).start().await;
    let _silent =
        [TcpStream::connect(relay.address()).await.unwrap(), TcpStream::connect(relay.address()).await.unwrap()];
    let mut third = RawClient::connect(relay.address()).await;
    assert_status(&third.head().await, 503);
    let elsewhere = Client::connect_from(OTHER_ADDRESS, relay.address(), "/room/QGIS/ws").await;
    assert!(elsewhere.is_ok(), "{elsewhere:?}");
}

/// Runs the relay after this command of a shell.
fn after(command: &str) -> RelayBuilder {
    Relay::builder().runner(&["sh", "-c", &format!("{command} && exec \"$0\" \"$@\"")])
}

fn lines(relay: &Relay, text: &str) -> usize {
    relay.log().iter().filter(|line| line.contains(text)).count()
}

#[tokio::test]
async fn the_soft_limit_of_file_descriptors_is_raised_to_the_hard_one() {
    let relay = after("ulimit -Sn 64").env("RELAY__SERVER__MAX_CONNECTIONS", "100").start().await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", relay.pid())).unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let columns: Vec<&str> = files.split_whitespace().collect();
    assert_eq!(columns[3], columns[4], "{files}");
    assert_eq!(lines(&relay, "limit of file descriptors"), 1, "{:#?}", relay.log());
}

#[tokio::test]
async fn running_out_of_file_descriptors_is_logged_once_a_minute_and_passes() {
    let relay = after("ulimit -n 100").start().await;
    assert_eq!(lines(&relay, "the limit of file descriptors is below server.max_connections"), 1);
    let mut held = Vec::new();
    for _ in 0..120 {
        held.push(tokio::net::TcpStream::connect(relay.address()).await.unwrap());
    }
    relay.wait_until(1, async || lines(&relay, "no file descriptors are left")).await;
    held.clear();
    assert_eq!(relay.get("/healthz").await.status, 200);
    assert_eq!(lines(&relay, "no file descriptors are left"), 1);
}

//! The budget of a connection: whatever it sends is charged before it is parsed.

use serde_json::json;

use crate::moderation::{call, moderated};
use crate::support::raw::{PING, RawClient, Received, TEXT, masked};
use crate::support::{Client, Relay, TIMEOUT, line};

/// A text frame that is no message of the protocol.
fn malformed() -> Vec<u8> {
    masked(TEXT, b"{}")
}

fn is_close(seen: &Received, code: u16) -> bool {
    seen.is_close(code)
}

#[tokio::test]
async fn a_flood_of_malformed_frames_is_closed_with_1008() {
    let relay = Relay::start().await;
    let mut client = RawClient::join(relay.address(), "QGIS").await;
    client.send(&malformed().repeat(1_000)).await;
    let seen = client.read_frames().await;
    assert!(seen.iter().any(|seen| is_close(seen, 1008)), "{seen:?}");
}

#[tokio::test]
async fn frames_without_budget_are_dropped_with_one_notice() {
    let relay = Relay::builder().env("RELAY__LIVE__INPUT__FRAMES_BURST", "5").start().await;
    let mut anna = Client::connect(relay.address(), "/channel/QGIS/ws").await;
    anna.next().await;
    let frames: Vec<_> =
        (0..20).map(|n| json!({"type": "text", "author": "anna", "text": format!("text {n}")})).collect();
    anna.send_together(&frames).await;
    let notice = "too many messages at once; they are dropped until you pause";
    let mut texts = Vec::new();
    loop {
        let frame = anna.next().await;
        if frame["reason"] == notice {
            break;
        }
        texts.push(frame["text"].as_str().unwrap().to_owned());
    }
    assert_eq!(texts, ["text 0", "text 1", "text 2", "text 3", "text 4"]);
}

#[tokio::test]
async fn a_flood_leaves_a_few_decisions_and_the_rest_as_a_count() {
    let relay = moderated(Relay::builder()).env("RELAY__FILTER__PRESET", "off").start().await;
    let mut client = RawClient::join(relay.address(), "QGIS").await;
    client.send(&masked(TEXT, line("jane", "").to_string().as_bytes()).repeat(150)).await;
    client.until_pong(b"all").await;
    let decisions = call(&relay, "GET", "/moderation/decisions?limit=1000", "").await.json();
    assert_eq!(decisions["decisions"].as_array().unwrap().len(), 5);
    let stats = call(&relay, "GET", "/moderation/stats", "").await;
    assert!(stats.body.contains("150"), "the statistics count all of them: {}", stats.body);
}

#[tokio::test]
async fn a_neighbour_at_the_address_of_a_flood_is_neither_closed_nor_dropped() {
    let relay = Relay::builder().env("RELAY__FILTER__PRESET", "off").start().await;
    let mut neighbour = relay.join_as("QGIS", "anna").await;
    neighbour.drain().await;
    for _ in 0..20 {
        let mut client = RawClient::join(relay.address(), "QGIS").await;
        client.send(&malformed().repeat(500)).await;
        client.read_frames().await;
    }
    neighbour.send(line("anna", "still here")).await;
    neighbour.skip_until(line("anna", "still here")).await;
}

#[tokio::test]
async fn without_rate_limits_there_is_no_budget() {
    let relay = Relay::builder().env("RATE_LIMITS", "off").env("V1_NOTICES", "off").start().await;
    let mut client = RawClient::join(relay.address(), "QGIS").await;
    client.send(&malformed().repeat(5_000)).await;
    client.until_pong(b"still here").await;
}

#[tokio::test]
async fn a_layer_in_fragments_with_pongs_in_between_is_within_the_budget() {
    let relay = Relay::builder().env("RELAY__FILTER__PRESET", "off").start().await;
    let note = "x".repeat(7_000_000);
    let features = json!([{"type": "Feature", "properties": {"note": note}, "geometry": null}]);
    let frame = json!({
        "type": "geojson", "author": "anna", "avatar": null, "crs_wkt": "", "crs_authid": "EPSG:4326", "layer_name": "x",
        "geojson": {"type": "FeatureCollection", "features": features}, "style": null,
    });
    let bytes = frame.to_string().into_bytes();
    let mut client = Client::connect(relay.address(), "/channel/QGIS/ws").await;
    client.next().await;
    let mut sent = Vec::new();
    let fragments: Vec<&[u8]> = bytes.chunks(512 * 1024).collect();
    for (at, fragment) in fragments.iter().enumerate() {
        let (first, last) = (at == 0, at + 1 == fragments.len());
        sent.extend(masked(u8::from(first) | if last { 0x80 } else { 0 }, fragment));
        sent.extend(masked(0x8a, b""));
    }
    let writing = tokio::io::AsyncWriteExt::write_all(client.stream(), &sent);
    tokio::time::timeout(TIMEOUT, writing).await.unwrap().unwrap();
    assert_eq!(client.next().await["layer_name"], "x");
}

#[tokio::test]
async fn a_connection_that_sends_too_many_bytes_is_read_later_and_loses_nothing() {
    let relay = Relay::builder()
        .env("RELAY__LIVE__INPUT__KIB_BURST", "64")
        .env("RELAY__LIVE__INPUT__KIB_PER_SECOND", "1024")
        .env("RELAY__LIVE__INPUT__FRAMES_BURST", "1000")
        .start()
        .await;
    let mut client = RawClient::join(relay.address(), "QGIS").await;
    for _ in 0..8 {
        client.send(&masked(TEXT, format!("{{\"x\":\"{}\"}}", "y".repeat(60_000)).as_bytes())).await;
    }
    client.until_pong(b"all").await;
}

#[tokio::test]
async fn of_many_pings_of_a_client_that_does_not_read_only_the_last_is_answered() {
    let relay = Relay::builder().env("RATE_LIMITS", "off").start().await;
    let mut reader = RawClient::connect_narrow(relay.address()).await.join_room("QGIS").await;
    let before = relay.peak_memory();
    for _ in 0..40 {
        reader.send(&masked(PING, &[b'x'; 125]).repeat(20_000)).await;
    }
    let unanswered = reader.until_pong(b"last").await;
    let growth = relay.peak_memory() - before;
    assert!(unanswered.len() < 800_000 / 4, "{} pongs", unanswered.len());
    assert!(growth < 12 << 20, "the relay grew by {growth} bytes");
}

#[tokio::test]
async fn when_all_outboxes_are_too_large_the_slowest_client_of_the_greediest_address_is_closed() {
    let relay = Relay::builder()
        .env("RATE_LIMITS", "off")
        .env("ROOM_GENERATION", "auto")
        .env("RELAY__LIVE__OUTBOX_BYTES", "1073741824")
        .env("RELAY__LIVE__MAX_OUTBOX_BYTES", "2097152")
        .start()
        .await;
    let mut slow = RawClient::connect_narrow(relay.address()).await;
    slow.send(
        b"GET /channel/QGIS/ws HTTP/1.1\r\nHost: relay\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    )
    .await;
    slow.head().await;
    let mut anna = Client::connect(relay.address(), "/channel/QGIS/ws").await;
    anna.next().await;
    let code = "x = 1\n".repeat(100_000);
    for n in 0..30 {
        anna.send(json!({"type": "text", "author": "anna", "text": format!("{n}")})).await;
        let layer = json!({
            "type": "geojson", "author": "anna", "crs_wkt": "", "crs_authid": "EPSG:4326", "layer_name": "x",
            "geojson": {"type": "FeatureCollection", "features": [], "note": code}, "style": null,
        });
        anna.send(layer).await;
        loop {
            if anna.next().await["layer_name"] == "x" {
                break;
            }
        }
    }
    let seen = slow.read_frames().await;
    assert!(seen.iter().any(|seen| is_close(seen, 1013)), "{:?}", seen.last());
    anna.send(json!({"type": "text", "author": "anna", "text": "still here"})).await;
    while anna.next().await["text"] != "still here" {}
}

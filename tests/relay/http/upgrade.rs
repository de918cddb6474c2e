//! Invalid handshakes.

use serde_json::json;

use crate::support::{Client, Relay, Response, nb_users, request};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// Sends a handshake with changed headers; an empty value omits the header.
async fn handshake(relay: &Relay, changes: &[(&str, &str)]) -> Response {
    let mut headers = vec![
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", KEY),
        ("Connection", "Upgrade"),
    ];
    for (name, value) in changes {
        headers.retain(|(other, _)| other != name);
        if !value.is_empty() {
            headers.push((name, value));
        }
    }
    request(relay.address(), "GET", "/room/QGIS/ws", &headers, "").await
}

#[tokio::test]
async fn an_invalid_handshake_is_told_what_to_upgrade_to() {
    let relay = Relay::start().await;
    for changes in [
        &[("Upgrade", "")] as &[_],
        &[("Upgrade", "h2c")],
        &[("Connection", "keep-alive")],
        &[("Sec-WebSocket-Version", "")],
        &[("Sec-WebSocket-Version", "8")],
    ] {
        let answer = handshake(&relay, changes).await;
        assert_eq!(answer.status, 426, "{changes:?}: {answer:?}");
        assert_eq!(answer.header("Upgrade"), Some("websocket"), "{changes:?}: {answer:?}");
        assert_eq!(answer.header("Sec-Websocket-Version"), Some("13"), "{changes:?}: {answer:?}");
        assert!(answer.json()["detail"].is_string(), "{changes:?}: {answer:?}");
    }
}

#[tokio::test]
async fn an_invalid_key_is_400() {
    let relay = Relay::start().await;
    for key in ["", "c2hvcnQ=", "dGhlIHNhbXBsZSBub25jZQ", "not base64 at all!!!!!!!"] {
        let answer = handshake(&relay, &[("Sec-WebSocket-Key", key)]).await;
        assert_eq!(answer.status, 400, "{key}: {answer:?}");
        assert_eq!(answer.json(), json!({"detail": "`Sec-WebSocket-Key` must be 16 bytes in base64"}), "{key}");
    }
}

#[tokio::test]
async fn two_keys_or_versions_are_400() {
    let relay = Relay::start().await;
    let handshake = [("Upgrade", "websocket"), ("Connection", "Upgrade")];
    let (key, version) = (("Sec-WebSocket-Key", KEY), ("Sec-WebSocket-Version", "13"));
    for twice in [[key, key, version], [key, version, version]] {
        let headers = [&handshake[..], &twice].concat();
        let answer = request(relay.address(), "GET", "/room/QGIS/ws", &headers, "").await;
        assert_eq!(answer.status, 400, "{twice:?}: {answer:?}");
    }
}

#[tokio::test]
async fn a_refused_handshake_makes_nobody_a_member() {
    let relay = Relay::start().await;
    let mut witness = relay.join("QGIS").await;
    witness.expect(nb_users(1)).await;
    for changes in [("Upgrade", ""), ("Sec-WebSocket-Key", "")] {
        handshake(&relay, &[changes]).await;
    }
    assert!(witness.drain().await.is_empty());
}

#[tokio::test]
async fn a_handshake_as_sent_by_browsers_is_accepted() {
    let relay = Relay::start().await;
    let headers = [
        ("origin", "https://maps.example"),
        ("sec-websocket-extensions", "permessage-deflate; client_max_window_bits"),
        ("cookie", "a=b"),
        ("user-agent", "Mozilla/5.0"),
    ];
    let mut jane = Client::try_connect(relay.address(), "/room/QGIS/ws", &headers).await.unwrap();
    jane.expect(nb_users(1)).await;
}

//! The v1 calls: bodies, statuses, headers.

use serde_json::json;

use crate::support::{Relay, Response, line, request};

/// Asserts that all header names are in title case, such as `Content-Type`.
fn assert_title_case(answer: &Response) {
    for (name, _) in &answer.headers {
        let in_title_case = name.split('-').all(|part| {
            let (first, rest) = part.split_at(1);
            first == first.to_ascii_uppercase() && rest == rest.to_ascii_lowercase()
        });
        assert!(in_title_case, "{name}: {answer:?}");
    }
}

/// Asserts that this is JSON with the only content type that QGIS accepts.
fn assert_json(answer: &Response) {
    assert_eq!(answer.header("Content-Type"), Some("application/json"), "{answer:?}");
    answer.json();
    assert_title_case(answer);
}

#[tokio::test]
async fn the_v1_calls_answer_as_the_protocol_specifies() {
    let relay = Relay::builder()
        .env("ROOMS", "QGIS,Field and mobile")
        .env("RULES", "Be kind\\nStay on the subject")
        .env("MAIN_LANG", "fr")
        .env("MIN_AUTHOR_LENGTH", "4")
        .env("MAX_AUTHOR_LENGTH", "20")
        .env("MAX_MESSAGE_LENGTH", "100")
        .start()
        .await;
    let _members = [relay.join_as("QGIS", "zelda").await, relay.join_as("QGIS", "Anna").await];
    let mut silent = relay.join("QGIS").await;
    silent.drain().await;
    for (path, body) in [
        ("/rooms", json!(["QGIS", "Field and mobile"])),
        (
            "/rules",
            json!({
                "rules": "Be kind\nStay on the subject",
                "main_lang": "fr",
                "min_author_length": 4,
                "max_author_length": 20,
                "max_message_length": 100,
                "max_image_size": 800,
                "max_geojson_features": 500,
                "enforced": [],
            }),
        ),
        (
            "/status",
            json!({
                "status": "ok",
                "healthy": true,
                "rooms": [
                    {"name": "QGIS", "nb_connected_users": 3},
                    {"name": "Field and mobile", "nb_connected_users": 0},
                ],
                "channels": [
                    {"name": "QGIS", "nb_connected_users": 3},
                    {"name": "Field and mobile", "nb_connected_users": 0},
                ],
            }),
        ),
        ("/version", json!({"version": env!("CARGO_PKG_VERSION")})),
        ("/room/QGIS/users", json!(["Anna", "zelda"])),
        ("/room/Field%20and%20mobile/users", json!([])),
        ("/healthz", json!({"status": "ok"})),
    ] {
        let answer = relay.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert_json(&answer);
        assert_eq!(answer.json(), body, "{path}");
    }
    let put = relay.put_line("QGIS", "curl", "hello", &[]).await;
    assert_eq!((put.status, put.json()), (200, line("curl", "hello")));
    assert_json(&put);
}

#[tokio::test]
async fn an_unknown_room_is_404_for_every_call() {
    let relay = Relay::start().await;
    let handshake = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let good = line("jane", "hi").to_string();
    for (method, path, headers, body) in [
        ("GET", "/room/nowhere%20at%20all/users", &[] as &[_], ""),
        ("GET", "/room/nowhere%20at%20all/ws", &handshake, ""),
        ("GET", "/room/nowhere%20at%20all/ws", &[], ""),
        ("PUT", "/room/nowhere%20at%20all/message", &[], &good),
        ("PUT", "/room/nowhere%20at%20all/message", &[], "junk"),
    ] {
        let answer = request(relay.address(), method, path, headers, body).await;
        assert_eq!(answer.status, 404, "{method} {path}: {answer:?}");
        assert_json(&answer);
        assert_eq!(answer.json(), json!({"detail": "Room 'nowhere at all' not registered"}), "{method} {path}");
    }
}

#[tokio::test]
async fn an_unknown_path_and_a_wrong_method_get_a_json_error() {
    let relay = Relay::start().await;
    for path in ["/nothing", "/room", "/room/QGIS", "/channel/QGIS", "/rooms/", "/channels/", "//rooms", "/moderation"]
    {
        let answer = relay.get(path).await;
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
        assert_json(&answer);
        assert!(answer.json()["detail"].is_string(), "{path}: {answer:?}");
    }
    for (method, path, allowed) in [
        ("POST", "/rooms", "GET,HEAD"),
        ("DELETE", "/status", "GET,HEAD"),
        ("PUT", "/room/QGIS/users", "GET,HEAD"),
        ("GET", "/room/QGIS/message", "PUT"),
        ("POST", "/room/QGIS/message", "PUT"),
        ("POST", "/room/QGIS/ws", "GET,HEAD"),
        ("POST", "/", "GET,HEAD"),
        ("TRACE", "/version", "GET,HEAD"),
    ] {
        let answer = request(relay.address(), method, path, &[], "").await;
        assert_eq!(answer.status, 405, "{method} {path}: {answer:?}");
        assert_json(&answer);
        assert!(answer.json()["detail"].is_string(), "{method} {path}: {answer:?}");
        assert_eq!(answer.header("Allow"), Some(allowed), "{method} {path}: {answer:?}");
    }
}

#[tokio::test]
async fn head_answers_as_get_does_without_the_body() {
    let relay = Relay::start().await;
    for path in ["/", "/rooms", "/rules", "/version", "/room/QGIS/users", "/healthz", "/openapi.json", "/nothing"] {
        let get = relay.get(path).await;
        let head = request(relay.address(), "HEAD", path, &[], "").await;
        assert_eq!(head.status, get.status, "{path}");
        assert_eq!(head.body, "", "{path}");
        assert_eq!(head.header("Content-Type"), get.header("Content-Type"), "{path}");
        assert_eq!(head.header("Content-Length"), get.header("Content-Length"), "{path}");
    }
}

#[tokio::test]
async fn a_refused_message_gets_the_status_of_its_reason() {
    let rules =
        "[[rule]]\nid = \"no-casino\"\nwords = [\"casino\"]\nverdict = \"reject\"\nreason = \"No advertising here.\"\n";
    let relay = Relay::builder()
        .file("rules.toml", rules)
        .env("RELAY__FILTER__RATE__NICKNAME__BURST", "1")
        .env("RELAY__FILTER__RATE__NICKNAME__PER_SECOND", "1")
        .start()
        .await;
    let _jane = relay.join_as("QGIS", "jane").await;
    for (author, text, status, detail) in [
        ("x", "hi", 422, "`author` has 1 character; 3 to 32 are allowed"),
        ("greta", "", 422, "the message text is empty; at least 1 visible character is needed"),
        ("jane", "hi", 403, crate::support::NICKNAME_TAKEN),
        ("Internal", "hi", 403, "this nickname is reserved"),
        ("hans", "to the casino", 403, "No advertising here."),
    ] {
        let put = relay.put_line("QGIS", author, text, &[]).await;
        assert_eq!((put.status, put.json()), (status, json!({"detail": detail})), "{author}: {text}");
        assert_json(&put);
        assert_eq!(put.header("Retry-After"), None, "{author}: {text}");
    }
    let refused = loop {
        let put = relay.put_line("QGIS", "eager", "hi", &[]).await;
        if put.status != 200 {
            break put;
        }
    };
    assert_eq!(refused.status, 429, "{refused:?}");
    assert_json(&refused);
    assert_eq!(refused.header("Retry-After"), Some("1"));
    assert_eq!(refused.json(), json!({"detail": "too many messages under this nickname; try again in 1 s"}));
}

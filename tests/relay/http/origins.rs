//! CORS and the origins of handshakes.

use tokio_tungstenite::tungstenite::Error;

use crate::support::{Client, Relay, Response, line, nb_users, request, send};

const LISTED: &str = "https://maps.example";
const OTHER: &str = "https://evil.example";

async fn preflight(relay: &Relay, path: &str, origin: &str, method: &str) -> Response {
    let headers = [
        ("Origin", origin),
        ("Access-Control-Request-Method", method),
        ("Access-Control-Request-Headers", "content-type"),
    ];
    request(relay.address(), "OPTIONS", path, &headers, "").await
}

fn allowed_origin(answer: &Response) -> Option<&str> {
    answer.header("Access-Control-Allow-Origin")
}

/// The status of a handshake from a page of this origin.
async fn handshake(relay: &Relay, origin: Option<&str>) -> u16 {
    let headers: Vec<_> = origin.map(|origin| ("origin", origin)).into_iter().collect();
    match Client::try_connect(relay.address(), "/room/QGIS/ws", &headers).await {
        Ok(mut client) => {
            client.expect(nb_users(1)).await;
            client.leave().await;
            101
        }
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(error) => panic!("{origin:?}: {error}"),
    }
}

#[tokio::test]
async fn by_default_pages_of_any_origin_may_call_and_connect() {
    let relay = Relay::start().await;
    for origin in [LISTED, OTHER, "null"] {
        let headers = [("Origin", origin)];
        for path in ["/rooms", "/rules", "/status", "/version", "/room/QGIS/users", "/room/nowhere/users"] {
            let answer = request(relay.address(), "GET", path, &headers, "").await;
            assert_eq!(allowed_origin(&answer), Some("*"), "{path}: {answer:?}");
        }
        let put = relay.put_line("QGIS", "jane", "hi", &headers).await;
        assert_eq!((put.status, allowed_origin(&put)), (200, Some("*")));
        let refused = relay.put_line("QGIS", "x", "hi", &headers).await;
        assert_eq!((refused.status, allowed_origin(&refused)), (422, Some("*")));
        assert_eq!(handshake(&relay, Some(origin)).await, 101);
    }
    assert_eq!(handshake(&relay, None).await, 101);
}

#[tokio::test]
async fn a_preflight_request_allows_put_with_json() {
    let relay = Relay::start().await;
    let answer = preflight(&relay, "/room/QGIS/message", OTHER, "PUT").await;
    assert!(matches!(answer.status, 200 | 204), "{answer:?}");
    assert_eq!(allowed_origin(&answer), Some("*"));
    let methods = answer.header("Access-Control-Allow-Methods").unwrap();
    assert!(methods.split(',').any(|method| method.trim() == "PUT"), "{methods}");
    assert!(!methods.contains("DELETE") && !methods.contains("POST"), "{methods}");
    let headers = answer.header("Access-Control-Allow-Headers").unwrap();
    assert!(headers == "*" || headers.contains("content-type"), "{headers}");
    assert_eq!(answer.header("Access-Control-Allow-Credentials"), None);
}

#[tokio::test]
async fn with_origins_only_the_listed_pages_and_the_relays_own_may_connect() {
    let relay = Relay::builder().env("ORIGINS", "https://maps.example, https://chat.example:8443").start().await;
    let own = format!("http://{}", relay.address());
    for (origin, status) in [
        (Some(LISTED), 101),
        (Some("https://chat.example:8443"), 101),
        (Some("HTTPS://Maps.Example"), 101),
        (Some(own.as_str()), 101),
        // QGIS and scripts send no origin.
        (None, 101),
        (Some(OTHER), 403),
        (Some("http://maps.example"), 403),
        (Some("https://maps.example:8443"), 403),
        (Some("https://maps.example.evil.example"), 403),
        (Some("https://chat.example"), 403),
        (Some("null"), 403),
    ] {
        assert_eq!(handshake(&relay, origin).await, status, "{origin:?}");
    }
}

#[tokio::test]
async fn with_origins_only_the_listed_pages_may_call() {
    let relay = Relay::builder().env("ORIGINS", LISTED).start().await;
    let mut witness = relay.join("QGIS").await;
    witness.expect(nb_users(1)).await;
    for (origin, allowed) in [(LISTED, Some(LISTED)), (OTHER, None)] {
        let headers = [("Origin", origin)];
        let get = request(relay.address(), "GET", "/rooms", &headers, "").await;
        assert_eq!(allowed_origin(&get), allowed, "{get:?}");
        // A response that depends on the origin must not be cached for another.
        let vary = get.header("Vary").unwrap_or_default().to_ascii_lowercase();
        assert!(vary.contains("origin"), "{get:?}");
        let asked = preflight(&relay, "/room/QGIS/message", origin, "PUT").await;
        assert_eq!(allowed_origin(&asked), allowed, "{asked:?}");
        let put = relay.put_line("QGIS", "jane", "hi", &headers).await;
        assert_eq!(put.status, if allowed.is_some() { 200 } else { 403 }, "{put:?}");
    }
    assert_eq!(witness.drain().await, [line("jane", "hi")]);
    assert_eq!(relay.put_line("QGIS", "curl", "hi", &[]).await.status, 200);
}

#[tokio::test]
async fn metrics_are_not_served_to_pages_of_other_origins() {
    // The operator's browser runs on the machine that may read metrics, but its pages come from anywhere.
    let relay = Relay::start().await;
    let answer = request(relay.address(), "GET", "/metrics", &[("Origin", OTHER)], "").await;
    assert_eq!(allowed_origin(&answer), None, "{:?}", answer.headers);
}

/// The status of a request with these lines after the request line.
async fn status(relay: &Relay, version: &str, path: &str, lines: &[&str]) -> u16 {
    let lines: String = lines.iter().flat_map(|line| [*line, "\r\n"]).collect();
    let request = format!("GET {path} HTTP/{version}\r\n{lines}Connection: close\r\n\r\n");
    send(relay.address(), request.as_bytes()).await.status
}

#[tokio::test]
async fn a_request_needs_exactly_one_valid_host() {
    let relay = Relay::start().await;
    for lines in [
        &[] as &[_],
        &["Host: a", "Host: a"],
        &["Host: a", "Host: b"],
        &["Host: a b/@"],
        &["Host: me@a"],
        &["Host:"],
        &["Host: a:b"],
        &["Host: \u{e9}"],
    ] {
        for path in ["/rooms", "/nowhere", "/healthz", "/", "/moderation/feed", "/openapi.json"] {
            assert_eq!(status(&relay, "1.1", path, lines).await, 400, "{lines:?} {path}");
        }
    }
    assert_eq!(status(&relay, "1.0", "/rooms", &[]).await, 200);
    assert_eq!(status(&relay, "1.0", "/rooms", &["Host: a", "Host: a"]).await, 400);
    assert_eq!(status(&relay, "1.1", "/rooms", &["Host: relay"]).await, 200);
}

#[tokio::test]
async fn a_page_that_rebinds_its_name_reads_nothing_on_this_machine() {
    let relay = Relay::start().await;
    let page = ["Host: evil.example:8000", "Origin: http://evil.example:8000"];
    assert_eq!(status(&relay, "1.1", "/rooms", &page).await, 400);
    assert_eq!(status(&relay, "1.1", "http://evil.example:8000/rooms", &["Host: localhost", page[1]]).await, 400);
    let upgrade = ["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="];
    assert_eq!(status(&relay, "1.1", "/room/QGIS/ws", &[&page[..], &upgrade].concat()).await, 400);
    // Browsers send no origin with a GET of the own origin, so local metrics depend on the host alone.
    assert_eq!(status(&relay, "1.1", "/metrics", &page[..1]).await, 403);
    assert_eq!(status(&relay, "1.1", "/metrics", &["Host: localhost:8000"]).await, 200);
}

#[tokio::test]
async fn the_metrics_port_checks_hosts_too() {
    let relay = Relay::builder().env("METRICS_LISTEN", "127.0.0.1:0").start().await;
    let log = relay.log();
    let line = log.iter().find(|line| line.contains("\"serving metrics\"")).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    let metrics = line["address"].as_str().unwrap().parse().unwrap();
    let get = |lines: &str| format!("GET /metrics HTTP/1.1\r\n{lines}Connection: close\r\n\r\n").into_bytes();
    assert_eq!(send(metrics, &get("")).await.status, 400);
    assert_eq!(send(metrics, &get("Host: evil.example\r\nOrigin: http://evil.example\r\n")).await.status, 400);
    assert_eq!(send(metrics, &get("Host: localhost\r\n")).await.status, 200);
}

#[tokio::test]
async fn with_hosts_only_requests_to_them_are_answered() {
    let relay =
        Relay::builder().env("RELAY__SERVER__HOSTS", "chat.example").env("TRUSTED_PROXIES", "127.0.0.1").start().await;
    for (host, expected) in
        [("chat.example", 200), ("CHAT.example:443", 200), ("evil.example", 400), ("localhost", 200)]
    {
        assert_eq!(status(&relay, "1.1", "/rooms", &[&format!("Host: {host}")]).await, expected, "{host}");
    }
}

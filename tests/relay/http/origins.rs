//! CORS and the origins of handshakes.

use tokio_tungstenite::tungstenite::Error;

use crate::support::{Client, Relay, Response, line, nb_users, request};

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

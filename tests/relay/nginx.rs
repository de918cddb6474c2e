//! The relay behind the nginx of `examples/deploy/nginx.conf`, as operators run it.

use futures_util::future::join_all;
use serde_json::json;
use tokio_tungstenite::tungstenite::Error;

use crate::moderation::{TOKEN, moderated};
use crate::support::nginx::{Nginx, Reporting, Tunnel};
use crate::support::program;
use crate::support::script::Script;
use crate::support::{Client, Relay, RelayBuilder, Response, line, nb_users, newcomer, request};

/// Rooms whose names must be percent-encoded in a path, each with the encoded form.
const ROOMS: [(&str, &str); 4] = [
    ("QGIS", "QGIS"),
    ("Field and mobile", "Field%20and%20mobile"),
    ("Café/Bar", "Caf%C3%A9%2FBar"),
    ("100% open?", "100%25%20open%3F"),
];

fn behind_proxy() -> RelayBuilder {
    Relay::builder().env("ROOMS", &ROOMS.map(|(name, _)| name).join(",")).env("TRUSTED_PROXIES", "127.0.0.1")
}

async fn put(tunnel: &Tunnel, author: &str, headers: &[(&str, &str)]) -> Response {
    request(tunnel.address, "PUT", "/room/QGIS/message", headers, &line(author, "hello").to_string()).await
}

#[tokio::test]
async fn clients_chat_through_tls_and_the_upgrade() {
    let relay = behind_proxy().start().await;
    let nginx = Nginx::start(relay.address());
    let url = format!("https://localhost:{}", nginx.tls.port());
    let certificate = nginx.certificate();
    let environment = [("SSL_CERT_FILE", certificate.as_path())];
    let mut jane = Script::start(&url, &["--nickname", "jane"], &environment);
    jane.wait_for("* jane came in");
    let mut hans = Script::start(&url, &["--nickname", "hans"], &environment);
    jane.wait_for("* hans came in");
    hans.wait_for("* hans came in");
    hans.type_line("grüß dich, Jane 👋");
    jane.wait_for("hans: grüß dich, Jane 👋");
    jane.type_line("hello");
    hans.wait_for("jane: hello");
    hans.end_input();
    jane.wait_for("* hans left");
    assert_eq!(hans.wait(), (Some(0), vec![]));
    jane.end_input();
    assert_eq!(jane.wait().0, Some(0));
}

#[tokio::test]
async fn the_close_code_of_the_relay_reaches_the_client() {
    let relay = behind_proxy().start().await;
    let nginx = Nginx::start(relay.address());
    let tunnel = Tunnel::from_host(1, &nginx);
    let mut jane = Client::connect(tunnel.address, "/room/QGIS/ws").await;
    jane.expect(nb_users(1)).await;
    relay.signal("TERM");
    assert_eq!(jane.wait_for_close().await.map(|(code, _)| code), Some(1001));
}

#[tokio::test]
async fn names_of_rooms_stay_percent_encoded() {
    let relay = behind_proxy().start().await;
    let nginx = Nginx::start(relay.address());
    let tunnel = Tunnel::from_host(1, &nginx);
    for (name, encoded) in ROOMS {
        let mut jane = Client::connect(tunnel.address, &format!("/room/{encoded}/ws?utm_medium=QChat")).await;
        jane.expect(nb_users(1)).await;
        jane.send(newcomer("jane")).await;
        jane.expect(newcomer("jane")).await;
        let users = request(tunnel.address, "GET", &format!("/room/{encoded}/users?utm_medium=QChat"), &[], "").await;
        assert_eq!((users.status, users.json()), (200, json!(["jane"])), "{name}");
        let body = line("hans", name).to_string();
        let put = request(tunnel.address, "PUT", &format!("/room/{encoded}/message"), &[], &body).await;
        assert_eq!(put.status, 200, "{name}: {put:?}");
        jane.expect(line("hans", name)).await;
    }
    let unknown = request(tunnel.address, "GET", "/room/Nowhere%20at%20all/users", &[], "").await;
    assert_eq!(
        (unknown.status, unknown.json()["detail"].as_str()),
        (404, Some("Room 'Nowhere at all' not registered"))
    );
}

#[tokio::test]
async fn the_clients_own_address_counts_and_not_the_one_it_claims() {
    let limited = behind_proxy().env("RELAY__FILTER__RATE__PUT__BURST", "2");
    let relay = limited.env("RELAY__FILTER__RATE__PUT__PER_SECOND", "1").start().await;
    let nginx = Nginx::start(relay.address());
    let (jane, hans) = (Tunnel::from_host(11, &nginx), Tunnel::from_host(12, &nginx));
    let lies = [("X-Forwarded-For", "203.0.113.5"), ("Forwarded", "for=203.0.113.6"), ("X-Real-IP", "203.0.113.7")];
    // Sent together, since the bucket refills: a few more than the burst may pass, but never all.
    let other_lie = [("X-Forwarded-For", "203.0.113.8, 127.0.0.1")];
    let answers = join_all((0..20).map(|n| put(&jane, "jane", if n % 2 == 0 { &lies } else { &other_lie }))).await;
    assert!(answers.iter().all(|answer| [200, 429].contains(&answer.status)), "{answers:?}");
    let refused = answers.iter().filter(|answer| answer.status == 429).count();
    assert!(refused >= 5, "{refused} of 20 are refused");
    // Somebody else is not concerned.
    assert_eq!(put(&hans, "hans", &[]).await.status, 200);
}

#[tokio::test]
async fn websockets_are_counted_by_client_address() {
    let relay = behind_proxy().env("RELAY__LIVE__MAX_PER_ADDRESS", "1").start().await;
    let nginx = Nginx::start(relay.address());
    let (jane, hans) = (Tunnel::from_host(11, &nginx), Tunnel::from_host(12, &nginx));
    let mut first = Client::connect(jane.address, "/room/QGIS/ws").await;
    first.expect(nb_users(1)).await;
    for headers in [&[] as &[_], &[("x-forwarded-for", "203.0.113.5"), ("forwarded", "for=203.0.113.6")]] {
        match Client::try_connect(jane.address, "/room/QGIS/ws", headers).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), 429),
            other => panic!("{headers:?}: {other:?}"),
        }
    }
    let mut other = Client::connect(hans.address, "/room/QGIS/ws").await;
    other.expect(nb_users(2)).await;
}

/// A handshake with further headers, whose response is not a WebSocket.
async fn refused_handshake(tunnel: &Tunnel, headers: &[(&str, &str)]) -> Response {
    let handshake =
        [("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")];
    request(tunnel.address, "GET", "/room/QGIS/ws", &[&handshake, headers].concat(), "").await
}

#[tokio::test]
async fn no_header_of_a_client_hides_its_address_whether_nginx_replaces_or_appends() {
    let relay = behind_proxy().env("RELAY__LIVE__MAX_PER_ADDRESS", "1").start().await;
    for reporting in [Reporting::Replaces, Reporting::Appends] {
        let nginx = Nginx::start_reporting(relay.address(), reporting);
        let (jane, hans) = (Tunnel::from_host(11, &nginx), Tunnel::from_host(12, &nginx));
        let mut first = Client::connect(jane.address, "/room/QGIS/ws").await;
        first.drain().await;
        let long = "127.0.0.1, ".repeat(20);
        for lie in ["\u{e9}", "203.0.113.5", "127.0.0.1", "unknown", "\"", &long] {
            let answer = refused_handshake(&jane, &[("X-Forwarded-For", lie)]).await;
            assert_eq!(answer.status, 429, "{reporting:?} {lie}: {answer:?}");
        }
        let mut other = Client::connect(hans.address, "/room/QGIS/ws").await;
        other.drain().await;
        other.leave().await;
        first.leave().await;
    }
}

#[tokio::test]
async fn without_a_header_of_nginx_a_join_is_refused_with_the_line_that_is_missing() {
    let relay = behind_proxy().start().await;
    let nginx = Nginx::start_reporting(relay.address(), Reporting::Nothing);
    let tunnel = Tunnel::from_host(1, &nginx);
    let answer = refused_handshake(&tunnel, &[]).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("`proxy_set_header X-Forwarded-For $remote_addr;`"), "{detail}");
    relay.wait_until(1, async || relay.log().iter().filter(|line| line.contains("proxy_set_header")).count()).await;
    assert_eq!(refused_handshake(&tunnel, &[]).await.status, 400);
    assert_eq!(request(tunnel.address, "GET", "/healthz", &[], "").await.status, 200);
    assert_eq!(put(&tunnel, "jane", &[]).await.status, 200);
}

#[tokio::test]
async fn wrong_tokens_through_such_an_nginx_lock_out_no_moderator() {
    let relay = moderated(behind_proxy()).start().await;
    let nginx = Nginx::start_reporting(relay.address(), Reporting::Nothing);
    let tunnel = Tunnel::from_host(1, &nginx);
    let call = async |address, token: &str| {
        let authorization = format!("Bearer {token}");
        request(address, "GET", "/moderation/filters", &[("Authorization", &authorization)], "").await.status
    };
    for _ in 0..10 {
        assert_eq!(call(tunnel.address, "wrong").await, 401);
    }
    assert_eq!(call(tunnel.address, "wrong").await, 429);
    assert_eq!(call(tunnel.address, TOKEN).await, 200);
    assert_eq!(call(relay.address(), TOKEN).await, 200);
    let (address, directory) = (relay.address().to_string(), relay.directory().to_owned());
    let asked = move || {
        let variables = [("LISTEN", address.as_str()), ("MODERATOR_TOKEN", TOKEN), ("TRUSTED_PROXIES", "127.0.0.1")];
        ["filters", "health"].map(|command| program::relay(&directory, &[command], &variables).status)
    };
    assert_eq!(tokio::task::spawn_blocking(asked).await.unwrap(), [Some(0), Some(0)]);
}

#[tokio::test]
async fn without_trust_all_clients_are_the_proxy() {
    let limited = Relay::builder().env("RELAY__LIVE__MAX_PER_ADDRESS", "1");
    let relay = limited.start().await;
    let nginx = Nginx::start(relay.address());
    let (jane, hans) = (Tunnel::from_host(11, &nginx), Tunnel::from_host(12, &nginx));
    let _jane = Client::connect(jane.address, "/room/QGIS/ws").await;
    match Client::try_connect(hans.address, "/room/QGIS/ws", &[]).await {
        Err(Error::Http(response)) => assert_eq!(response.status(), 429),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn without_tls_requests_are_redirected_to_tls() {
    let relay = behind_proxy().start().await;
    let nginx = Nginx::start(relay.address());
    for path in ["/", "/room/Field%20and%20mobile/users?x=%20y", "/metrics", "/room/QGIS/ws"] {
        let answer = request(nginx.plain, "GET", path, &[], "").await;
        assert_eq!(answer.status, 308, "{path}: {answer:?}");
        assert_eq!(answer.header("Location"), Some(format!("https://127.0.0.1{path}").as_str()));
        assert!(!answer.headers.iter().any(|(name, value)| name == "Server" && value.contains('/')), "{answer:?}");
    }
}

#[tokio::test]
async fn metrics_are_not_public() {
    let relay = behind_proxy().start().await;
    let nginx = Nginx::start(relay.address());
    let tunnel = Tunnel::from_host(1, &nginx);
    for path in ["/metrics", "/metrics?x=1", "//metrics", "/%6Detrics", "/x/../metrics"] {
        let answer = request(tunnel.address, "GET", path, &[], "").await;
        assert_eq!(answer.status, 403, "{path}: {answer:?}");
        assert!(!answer.body.contains("gischat"), "{path}: {answer:?}");
    }
    assert_ne!(request(tunnel.address, "GET", "/metrics/", &[], "").await.status, 200);
    // The rest is for the world, and QGIS finds its headers.
    let rooms = request(tunnel.address, "GET", "/rooms", &[], "").await;
    assert_eq!((rooms.status, rooms.header("Content-Type")), (200, Some("application/json")));
}

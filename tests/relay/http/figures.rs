//! `/metrics`: counters, access, and data that it must not contain.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Client, OTHER_ADDRESS, Relay, Response, line, nb_users, newcomer, request};

async fn metrics(address: SocketAddr, headers: &[(&str, &str)]) -> Response {
    request(address, "GET", "/metrics", headers, "").await
}

/// Runs `promtool check metrics` on a text and returns what it printed.
fn promtool(text: &str) -> String {
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/promtool");
    let program = if fetched.exists() { fetched } else { "promtool".into() };
    let mut child = Command::new(program)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool; tests/promtool.sh fetches it");
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

#[tokio::test]
async fn promtool_has_nothing_to_object_to() {
    let relay = Relay::start().await;
    let mut jane = relay.join_as("QGIS", "jane").await;
    jane.send(line("jane", "hello")).await;
    jane.skip_until(line("jane", "hello")).await;
    let text = relay.get("/metrics").await.body;
    for kind in ["counter", "gauge", "histogram"] {
        assert!(text.lines().any(|line| line.starts_with("# TYPE ") && line.ends_with(kind)), "{text}");
    }
    assert_eq!(promtool(&text), "");
    assert_ne!(promtool("# TYPE messages unknown\n"), "", "promtool does not check");
}

/// The value of a message counter.
async fn messages(relay: &Relay, outcome: &str, filter: &str) -> u64 {
    relay.count(&format!("gischat_messages_total{{filter=\"{filter}\",outcome=\"{outcome}\"}}")).await
}

#[tokio::test]
async fn metrics_are_prometheus_text() {
    let relay = Relay::start().await;
    let answer = relay.get("/metrics").await;
    assert_eq!(answer.status, 200);
    let content_type = answer.header("Content-Type").unwrap();
    assert!(content_type.starts_with("text/plain; version=0.0.4"), "{content_type}");
    for line in answer.body.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("gischat_"), "{line}");
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
}

#[tokio::test]
async fn connections_and_members_of_each_room_are_counted() {
    let relay = Relay::builder().env("ROOMS", "QGIS,Living room").start().await;
    let count = async |what: &str, room: &str| relay.count(&format!("gischat_room_{what}{{room=\"{room}\"}}")).await;
    let mut watcher = relay.join("Living%20room").await;
    watcher.expect(nb_users(1)).await;
    let jane = relay.join_as("Living%20room", "jane").await;
    let mut hans = relay.join_as("Living%20room", "hans").await;
    assert_eq!((count("connections", "Living room").await, count("nicknames", "Living room").await), (3, 2));
    assert_eq!((count("connections", "QGIS").await, count("nicknames", "QGIS").await), (0, 0));
    hans.send(newcomer("greta")).await;
    hans.skip_until(newcomer("greta")).await;
    assert_eq!(count("nicknames", "Living room").await, 2);

    jane.leave().await;
    hans.reset();
    watcher.skip_until(nb_users(1)).await;
    assert_eq!((count("connections", "Living room").await, count("nicknames", "Living room").await), (1, 0));
    // The metrics request is a connection too. The others end shortly after leaving their rooms.
    relay.wait_until(2, async || relay.count("gischat_connections").await).await;
}

#[tokio::test]
async fn messages_are_counted_by_outcome_and_by_the_filter_that_decided() {
    let rules = r#"
[[rule]]
id = "no"
words = ["casino"]
verdict = "reject"
[[rule]]
id = "mask"
words = ["darn"]
verdict = "replace"
[[rule]]
id = "dark"
words = ["easy money"]
verdict = "shadow"
"#;
    let relay = Relay::builder().env("RELAY__FILTER__RATE__ROOM__BURST", "20").file("rules.toml", rules).start().await;
    let mut jane = relay.join_as("QGIS", "jane").await;
    for text in ["hello", "darn", "casino", "easy money", ""] {
        jane.send(line("jane", text)).await;
    }
    jane.send(line("hans", "hello")).await;
    assert_eq!(relay.put_line("QGIS", "x", "hello", &[]).await.status, 422);
    // A message is counted before its sender is told of the refusal, and so are all earlier ones.
    jane.skip_until(crate::support::refusal("you are registered as jane and can speak only under that name")).await;
    for (outcome, filter, number) in [
        // The newcomer frame and the first line.
        ("pass", "none", 2),
        ("replace", "rules", 1),
        ("reject", "rules", 1),
        ("shadow", "rules", 1),
        ("reject", "shape", 2),
        ("reject", "identity", 1),
        ("reject", "rate", 0),
    ] {
        assert_eq!(messages(&relay, outcome, filter).await, number, "{outcome} by {filter}");
    }
    // Each filter that ran was timed: a message does not get beyond the filter that rejects it.
    assert_eq!(relay.count("gischat_filter_duration_seconds_count{filter=\"shape\"}").await, 7);
    assert_eq!(relay.count("gischat_filter_duration_seconds_count{filter=\"rate\"}").await, 5);
    assert_eq!(relay.count("gischat_filter_duration_seconds_count{filter=\"rules\"}").await, 5);

    while relay.put_line("QGIS", "eager", "hi", &[]).await.status == 200 {}
    assert_eq!(messages(&relay, "reject", "rate").await, 1);
}

#[tokio::test]
async fn deliveries_are_counted_per_member_and_rounds_once_per_room() {
    let relay = Relay::start().await;
    let mut members = Vec::new();
    for number in 1..=5 {
        members.push(relay.join("QGIS").await);
        members[number - 1].expect(nb_users(number)).await;
    }
    let figures = async || {
        let deliveries = relay.count("gischat_deliveries_total").await;
        (deliveries, relay.count("gischat_round_duration_seconds_count").await)
    };
    // Five joined, one after the other. Rooms on other shards update their counters independently.
    assert_eq!(relay.put_line("QField", "jane", "into the void", &[]).await.status, 200);
    relay.wait_until((15, 6), figures).await;
    for said in 1..=3 {
        assert_eq!(relay.put_line("QGIS", "jane", "hello", &[]).await.status, 200);
        // The response may arrive before the end of the round, and two messages may share a round.
        relay.wait_until((15 + 5 * said, 6 + said), figures).await;
    }
    assert_eq!(relay.put_line("QGIS", "x", "hello", &[]).await.status, 422);
    assert_eq!(figures().await, (30, 9));
}

#[tokio::test]
async fn metrics_contain_nothing_that_a_user_wrote() {
    let relay = Relay::start().await;
    let mut jane = relay.join_as("QGIS", "zanzibar").await;
    jane.send(line("zanzibar", "xylophone")).await;
    jane.send(line("quetzal", "xylophone")).await;
    jane.send(newcomer("x")).await;
    jane.send_text("{\"author\":\"quetzal\"}").await;
    jane.send_text("xylophone").await;
    jane.drain().await;
    relay.put_line("QGIS", "quetzal", "xylophone", &[("X-Forwarded-For", "203.0.113.77")]).await;
    relay.get("/room/xylophone/users").await;
    relay.get("/quetzal").await;
    let text = relay.get("/metrics").await.body.to_lowercase();
    for word in ["zanzibar", "quetzal", "xylophone", "203.0.113", "127.0.0.1"] {
        assert!(!text.contains(word), "{word} is in\n{text}");
    }
}

#[tokio::test]
async fn metrics_are_served_to_clients_on_this_machine() {
    let relay = Relay::start().await;
    assert_eq!(metrics(relay.address(), &[]).await.status, 200);
    // Behind an undeclared proxy, every client would seem to be local.
    for header in [
        ("X-Forwarded-For", "203.0.113.7"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("Forwarded", "for=203.0.113.7"),
        ("X-Real-Ip", "203.0.113.7"),
    ] {
        let answer = metrics(relay.address(), &[header]).await;
        assert_eq!(answer.status, 403, "{header:?}: {answer:?}");
        assert!(answer.json()["detail"].as_str().unwrap().contains("METRICS_LISTEN"), "{answer:?}");
        assert!(!answer.body.contains("gischat_"));
    }
}

#[tokio::test]
async fn no_client_of_a_trusted_proxy_is_local() {
    let relay = Relay::builder().env("TRUSTED_PROXIES", "127.0.0.1").start().await;
    // The proxy hides its client, which may be anywhere; or it passes on what the client wrote.
    for forwarded in
        ["203.0.113.7", "127.0.0.1, 203.0.113.7", "127.0.0.1", "unknown", "_hidden", "", "\u{e9}, 127.0.0.1"]
    {
        let answer = metrics(relay.address(), &[("X-Forwarded-For", forwarded)]).await;
        assert_eq!(answer.status, 403, "{forwarded}: {answer:?}");
    }
    assert_eq!(metrics(relay.address(), &[]).await.status, 403);
}

#[tokio::test]
async fn with_metrics_listen_metrics_are_served_only_on_that_port() {
    let relay = Relay::builder().env("METRICS_LISTEN", "127.0.0.1:0").start().await;
    let line = relay.log().into_iter().find(|line| line.contains("\"serving metrics\"")).unwrap();
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    let figures: SocketAddr = line["address"].as_str().unwrap().parse().unwrap();
    assert_ne!(figures, relay.address());

    let answer = metrics(relay.address(), &[]).await;
    assert_eq!(answer.status, 404, "{answer:?}");
    assert!(answer.json()["detail"].is_string(), "{answer:?}");

    let mut jane = Client::connect_from(OTHER_ADDRESS, relay.address(), "/room/QGIS/ws").await.unwrap();
    jane.expect(nb_users(1)).await;
    // Access to that port is up to the operator.
    let answer = metrics(figures, &[("X-Forwarded-For", "203.0.113.7")]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body.contains("gischat_room_connections{room=\"QGIS\"} 1\n"), "{}", answer.body);
    for path in ["/rooms", "/", "/room/QGIS/users", "/room/QGIS/ws"] {
        assert_eq!(request(figures, "GET", path, &[], "").await.status, 404, "{path}");
    }
}

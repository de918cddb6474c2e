//! Room names in URLs.

use serde_json::json;

use crate::support::{Relay, line, nb_users};

const ROOMS: &str = "  Living room ,Caf\u{e9},北京 GIS,🗺️ maps,a/b,100% maps,C++ & Qt?,{room},QGIS";

#[tokio::test]
async fn rooms_are_listed_trimmed_and_in_order() {
    let relay = Relay::builder().env("ROOMS", ROOMS).start().await;
    let names = ["Living room", "Caf\u{e9}", "北京 GIS", "🗺️ maps", "a/b", "100% maps", "C++ & Qt?", "{room}", "QGIS"];
    assert_eq!(relay.get("/rooms").await.json(), json!(names));
    let status = relay.get("/status").await.json();
    let listed: Vec<_> = status["rooms"].as_array().unwrap().iter().map(|room| &room["name"]).collect();
    assert_eq!(json!(listed), json!(names));
}

#[tokio::test]
async fn a_room_is_found_by_every_spelling_of_its_name() {
    let relay = Relay::builder().env("ROOMS", ROOMS).env("RATE_LIMITS", "off").start().await;
    for (plain, other) in [
        ("Living%20room", "%20Living%20room"),
        ("Living%20room", "%20%20Living%20room%20%09"),
        ("Living%20room", "%4civing%20%72oom"),
        // NFC and NFD: one code point, or a letter and a combining accent.
        ("Caf%C3%A9", "Cafe%CC%81"),
        ("Caf%C3%A9", "%43af%c3%a9"),
        // Not encoded at all, as some clients send it.
        ("Caf%C3%A9", "Caf\u{e9}"),
        ("%E5%8C%97%E4%BA%AC%20GIS", "%e5%8c%97%e4%ba%ac%20GIS"),
        ("%F0%9F%97%BA%EF%B8%8F%20maps", "%f0%9f%97%ba%ef%b8%8f%20maps"),
        ("a%2Fb", "a%2fb"),
        ("100%25%20maps", "1%300%25%20maps"),
        ("C++%20&%20Qt%3F", "C%2B%2B%20%26%20Qt%3f"),
        ("%7Broom%7D", "{room}"),
    ] {
        let mut here = relay.join(plain).await;
        here.expect(nb_users(1)).await;
        let mut there = relay.join_as(other, "jane").await;
        here.skip_until(json!({"author": "internal", "newcomer": "jane"})).await;
        there.send(line("jane", other)).await;
        here.expect(line("jane", other)).await;
        let put = relay.put_line(other, "hans", "put", &[]).await;
        assert_eq!(put.status, 200, "{other}: {put:?}");
        here.expect(line("hans", "put")).await;
        assert_eq!(relay.users(plain).await, json!(["jane"]), "{plain}");
        assert_eq!(relay.users(other).await, json!(["jane"]), "{other}");
        // The next pair may use the same room.
        there.leave().await;
        here.skip_until(nb_users(1)).await;
        here.leave().await;
    }
}

#[tokio::test]
async fn different_names_are_not_found() {
    let relay = Relay::builder().env("ROOMS", ROOMS).start().await;
    for (path, name) in [
        ("qgis", "qgis"),
        ("QGIS%00", "QGIS\u{0}"),
        ("Living+room", "Living+room"),
        ("Living%2520room", "Living%20room"),
        ("Cafe", "Cafe"),
        ("a", "a"),
        ("%22%3Cb%3E", "\"<b>"),
        ("..", ".."),
        ("%20", " "),
    ] {
        let answer = relay.get(&format!("/room/{path}/users")).await;
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
        assert_eq!(answer.json(), json!({"detail": format!("Room '{name}' not registered")}), "{path}");
    }
    // Invalid UTF-8, half of an escape, a name with an unescaped slash.
    for path in ["%FF%FE", "%C3", "%", "%G0", "a/b"] {
        let answer = relay.get(&format!("/room/{path}/users")).await;
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
        assert!(answer.json()["detail"].is_string(), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn every_path_takes_a_query_string() {
    let relay = Relay::start().await;
    let query = "utm_medium=QChat&utm_campaign=plugin_1.0.0";
    let mut jane = crate::support::Client::connect(relay.address(), &format!("/room/QGIS/ws?{query}")).await;
    jane.expect(nb_users(1)).await;
    let put = relay.put(&format!("/room/QGIS/message?{query}"), r#"{"message":"hi","author":"curl"}"#).await;
    assert_eq!(put.status, 200, "{put:?}");
    jane.expect(line("curl", "hi")).await;
    for path in
        ["/", "/rooms", "/rules", "/status", "/version", "/room/QGIS/users", "/healthz", "/metrics", "/openapi.json"]
    {
        for query in [query, "", "a=%FF&&=?/"] {
            let answer = relay.get(&format!("{path}?{query}")).await;
            assert_eq!(answer.status, 200, "{path}?{query}: {answer:?}");
        }
    }
}

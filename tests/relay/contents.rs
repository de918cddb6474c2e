//! Rules and moderators see the contents of messages.

use serde_json::{Value, json};

use crate::moderation::{call, moderated};
use crate::support::program::relay;
use crate::support::{Client, Relay, RelayBuilder};

const RULES: &str = r#"
[[rule]]
id = "rough"
round_to = "10km"
verdict = "replace"

[[rule]]
id = "no-casino"
field = "any"
words = ["casino"]
verdict = "reject"
reason = "No advertising here."
"#;

fn ruled() -> RelayBuilder {
    moderated(Relay::builder()).env("ROOM_GENERATION", "auto").env("RATE_LIMITS", "off").file("rules.toml", RULES)
}

async fn channel(relay: &Relay) -> Client {
    let mut client = Client::connect(relay.address(), "/channel/QGIS/ws").await;
    client.drain().await;
    client
}

fn position() -> Value {
    json!({
        "type": "position", "author": "anna", "avatar": null, "crs_wkt": "", "crs_authid": "EPSG:4326",
        "x": 4.831_234, "y": 45.761_234,
    })
}

fn layer(name: &str, note: &str) -> Value {
    let features = json!([{"type": "Feature", "properties": {"note": note}, "geometry": null}]);
    json!({
        "type": "geojson", "author": "anna", "avatar": null, "crs_wkt": "", "crs_authid": "EPSG:4326", "layer_name": name,
        "geojson": {"type": "FeatureCollection", "features": features}, "style": null,
    })
}

#[tokio::test]
async fn a_rounded_position_is_all_that_clients_of_any_generation_receive() {
    let relay = ruled().start().await;
    let mut v1 = Client::connect_with_frames(
        relay.address(),
        "/room/QGIS/ws",
        &[json!({"author": "internal", "newcomer": "otto"})],
    )
    .await;
    v1.drain().await;
    let mut anna = channel(&relay).await;
    v1.drain().await;
    anna.send(position()).await;
    let frames = anna.drain().await;
    let (x, y) = (frames[0]["x"].as_f64().unwrap(), frames[0]["y"].as_f64().unwrap());
    assert!((x - 4.831_234).abs() < 0.1 && (y - 45.761_234).abs() < 0.1, "{frames:?}");
    let heard = format!("{frames:?} {:?}", v1.drain().await);
    for coordinate in ["4.83123", "4.8312", "45.76123", "45.7612"] {
        assert!(!heard.contains(coordinate), "{heard}");
    }
    assert!(heard.contains("otto") || heard.contains("anna"), "{heard}");
}

#[tokio::test]
async fn words_in_any_text_of_a_content_are_refused() {
    let relay = ruled().env("RELAY__FILTER__CODE_FROM_STRANGERS", "pass").start().await;
    let mut anna = channel(&relay).await;
    for frame in [
        json!({"type": "text", "author": "anna", "avatar": null, "text": "best casino"}),
        layer("casino", ""),
        layer("stops", "c\u{430}sino"),
        json!({"type": "script", "author": "anna", "avatar": null, "name": "x", "raw_pycode": "print('casino')"}),
        json!({"type": "model", "author": "anna", "avatar": null, "model_name": "x", "model_group": "casino", "raw_xml": "<m/>"}),
        json!({"type": "crs", "author": "anna", "avatar": null, "crs_wkt": "casino", "crs_authid": "EPSG:4326"}),
    ] {
        anna.send(frame.clone()).await;
        let answer = anna.drain().await;
        assert_eq!(answer[0]["reason"], "No advertising here.", "{frame}: {answer:?}");
    }
    anna.send(layer("stops", "harmless")).await;
    assert_eq!(anna.drain().await[0]["layer_name"], "stops");
}

#[tokio::test]
async fn a_long_script_waits_elsewhere_and_the_next_message_waits_for_it() {
    let relay = ruled().env("RELAY__FILTER__CODE_FROM_STRANGERS", "pass").start().await;
    let mut anna = channel(&relay).await;
    let code = "x = 1\n".repeat(100_000);
    anna.send(json!({"type": "script", "author": "anna", "name": "x", "raw_pycode": format!("{code}casino")})).await;
    anna.send(json!({"type": "script", "author": "anna", "name": "x", "raw_pycode": code})).await;
    anna.send(json!({"type": "text", "author": "anna", "text": "after"})).await;
    let kinds: Vec<Value> = anna.drain().await.into_iter().map(|frame| frame["type"].clone()).collect();
    assert_eq!(kinds, ["uncompliant", "script", "text"]);
}

#[tokio::test]
async fn code_from_strangers_can_be_refused_or_let_through() {
    for (policy, expected) in [("reject", "uncompliant"), ("pass", "script")] {
        let relay = Relay::builder().env("RELAY__FILTER__CODE_FROM_STRANGERS", policy).start().await;
        let mut anna = channel(&relay).await;
        anna.send(json!({"type": "script", "author": "anna", "name": "x", "raw_pycode": "x = 1"})).await;
        assert_eq!(anna.drain().await[0]["type"], expected, "{policy}");
    }
}

/// The `content` of the newest decision.
async fn newest_content(relay: &Relay) -> Value {
    let decisions = call(relay, "GET", "/moderation/decisions?limit=1", "").await.json();
    decisions["decisions"][0]["content"].clone()
}

#[tokio::test]
async fn moderators_see_places_only_where_the_operator_allows_it() {
    for (allowed, expected) in
        [("false", Value::Null), ("true", json!({"position": [4.831_234, 45.761_234], "crs": "EPSG:4326"}))]
    {
        let relay = moderated(Relay::builder())
            .env("RELAY__MODERATION__SHOW_POSITIONS", allowed)
            .env("RELAY__FILTER__PRESET", "off")
            .start()
            .await;
        let mut anna = channel(&relay).await;
        anna.send(position()).await;
        assert_eq!(anna.drain().await[0]["type"], "position");
        assert_eq!(newest_content(&relay).await, expected);
    }
}

#[tokio::test]
async fn moderators_see_the_extent_of_a_layer_only_where_the_operator_allows_it() {
    let geometries = [
        json!({"type": "Point", "coordinates": [2, 49, 120]}),
        json!({"type": "LineString", "coordinates": [[-3.5, 47], [1, 50.25]]}),
    ];
    let features = geometries.map(|geometry| json!({"type": "Feature", "properties": null, "geometry": geometry}));
    let seen = json!({"name": "stops", "features": 2, "extent": [-3.5, 47.0, 2.0, 50.25], "crs": "EPSG:4326"});
    for (allowed, expected) in [("false", json!({"name": "stops", "features": 2})), ("true", seen)] {
        let relay = moderated(Relay::builder())
            .env("RELAY__MODERATION__SHOW_POSITIONS", allowed)
            .env("RELAY__FILTER__PRESET", "off")
            .start()
            .await;
        let mut anna = channel(&relay).await;
        let mut frame = layer("stops", "");
        frame["geojson"]["features"] = json!(features);
        anna.send(frame).await;
        assert_eq!(anna.drain().await[0]["type"], "geojson");
        assert_eq!(newest_content(&relay).await, expected);
    }
}

#[tokio::test]
async fn a_held_position_is_shown_only_where_places_are() {
    let rules = "[[rule]]\nid = 'a'\nkinds = ['position']\nverdict = 'hold'\n";
    for (allowed, status) in [("false", 403), ("true", 200)] {
        let relay = moderated(Relay::builder())
            .env("RELAY__MODERATION__SHOW_POSITIONS", allowed)
            .file("rules.toml", rules)
            .start()
            .await;
        let mut anna = channel(&relay).await;
        anna.send(position()).await;
        anna.drain().await;
        let held = call(&relay, "GET", "/moderation/held", "").await.json();
        let path = format!("/moderation/held/{}", held["held"][0]["id"].as_str().unwrap());
        assert_eq!(call(&relay, "GET", &path, "").await.status, status, "{allowed}");
    }
}

#[tokio::test]
async fn a_decision_names_the_size_and_the_features_of_a_layer() {
    let relay = ruled().start().await;
    let mut anna = channel(&relay).await;
    anna.send(layer("stops", &"x".repeat(1_000))).await;
    anna.drain().await;
    let decisions = call(&relay, "GET", "/moderation/decisions?limit=1", "").await.json();
    let decision = &decisions["decisions"][0];
    assert_eq!(decision["content"], json!({"name": "stops", "features": 1}));
    assert!((1_000..2_000).contains(&decision["size"].as_u64().unwrap()), "{decision}");
}

async fn tried(relay: &Relay, frame: &Value) -> Value {
    let body = json!({"room": "QGIS", "frame": frame}).to_string();
    let answer = call(relay, "POST", "/moderation/try", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

/// A PNG of one pixel.
const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==";

fn image(data: &str) -> Value {
    json!({"type": "image", "author": "anna", "avatar": null, "image_data": data})
}

#[tokio::test]
async fn a_message_of_any_kind_can_be_tried() {
    let relay = ruled().start().await;
    let rounded = tried(&relay, &position()).await;
    assert_eq!((&rounded["outcome"], &rounded["kind"]), (&json!("replace"), &json!("position")));
    assert_eq!(tried(&relay, &layer("casino", "")).await["outcome"], "reject");
    let script = json!({"type": "script", "author": "anna", "name": "x", "raw_pycode": "x"});
    assert_eq!(tried(&relay, &script).await["reason"]["code"], "held");
    assert_eq!(tried(&relay, &json!({"type": "newcomer", "newcomer": "anna"})).await["outcome"], "pass");
    assert_eq!(tried(&relay, &image(PIXEL)).await["content"]["width"], 1);
    let body = json!({"room": "QGIS", "frame": image("bm8gaW1hZ2U=")}).to_string();
    let answer = call(&relay, "POST", "/moderation/try", &body).await;
    assert_eq!(answer.json()["detail"], "`image_data`: image is not a JPEG, PNG, GIF or WebP file");
    assert_eq!(answer.status, 422, "{}", answer.body);
}

#[test]
fn the_command_tries_a_message_of_any_kind() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("rules.toml"), RULES).unwrap();
    let try_frame = |frame: &str| {
        std::fs::write(directory.path().join("frame.json"), frame).unwrap();
        relay(directory.path(), &["try", "--room", "QGIS", "--json", "--frame", "frame.json"], &[])
    };
    for (frame, outcome) in [(position(), "replace"), (layer("casino", ""), "reject"), (image(PIXEL), "pass")] {
        let output = try_frame(&frame.to_string());
        let decision: Value = serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        assert_eq!(decision["outcome"], outcome, "{decision}");
    }
    for (frame, error) in [
        ("{}", "error: frame.json: `type` is missing\n"),
        ("[]", "error: frame.json: a frame must be a JSON object\n"),
        (r#"{"type":"nb_users"}"#, "error: frame.json: a kind of frame that only the relay sends\n"),
    ] {
        let output = try_frame(frame);
        assert_eq!((output.status, output.stderr.as_str()), (Some(2), error), "{frame}");
    }
}

#[tokio::test]
async fn the_image_of_a_muted_sender_is_not_decoded() {
    let relay = moderated(Relay::builder()).start().await;
    let mut anna = channel(&relay).await;
    let mute = json!({"kind": "mute", "room": "QGIS", "nickname": "anna", "seconds": 600}).to_string();
    assert_eq!(call(&relay, "POST", "/moderation/sanctions", &mute).await.status, 201);
    anna.drain().await;
    anna.send(image("bm8gaW1hZ2U=")).await;
    let answer = anna.drain().await;
    let reason = answer[0]["reason"].as_str().unwrap();
    assert!(reason.contains("muted"), "refused for the mute and not for the image: {reason}");
}

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::Generation;
use super::layer::check_features;
use super::*;
use crate::fixtures::{message, nickname};
use crate::model::{
    Bounds, Content, Crs, Extent, Image, Layer, Message, MessageKind, Notice, Position, ProcessingModel, RoomEvent,
    Script,
};

const TYPED: [Generation; 3] = [Generation::V2, Generation::V3, Generation::Relay];

fn decoded(generation: Generation, frame: &Value) -> Result<Option<Message>, String> {
    decode(generation, &frame.to_string()).map_err(|notice| match notice {
        Notice::Refused(reason) | Notice::Uncompliant(reason) => reason.text.into_owned(),
        other => panic!("{other:?}"),
    })
}

fn encoded(generation: Generation, event: RoomEvent<'_>) -> Option<Value> {
    encode(generation, event).map(|json| serde_json::from_slice(&json).unwrap())
}

fn keys(frame: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = frame.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

fn crs() -> Crs {
    Crs { wkt: "GEOGCRS[\"WGS 84\"]".to_owned(), authid: "EPSG:4326".to_owned() }
}

fn shared(content: Content) -> Message {
    Message::new("jane", MessageKind::Content { avatar: None, content: content.into() })
}

/// One message of each kind, with the keys that v2 clients need.
fn messages() -> Vec<(Message, &'static str)> {
    let geojson = r#"{"type":"FeatureCollection","features":[{"properties":{"b":12345678901234567890,"a":1.0}}]}"#;
    let layer = Layer {
        name: "parcels".to_owned(),
        crs: crs(),
        geojson: geojson.to_owned(),
        features: 1,
        bounds: None,
        style: Some("<qgis/>".to_owned()),
    };
    let like = MessageKind::Like { liked: "hans".to_owned(), text: "hi".to_owned() };
    let extent = Extent { crs: crs(), xmin: 1.0, xmax: 2.5, ymin: 9.0, ymax: -3.0 };
    let model = ProcessingModel { name: "Buffer".to_owned(), group: None, xml: "<x/>".to_owned() };
    vec![
        (message("jane", "hello"), "author avatar text type"),
        (Message::new("jane", like), "liked_author liker_author message type"),
        (Message::new("jane", MessageKind::Newcomer), "newcomer type"),
        (shared(Content::Image(Image { data: "aGk=".to_owned(), png: None })), "author avatar image_data type"),
        (shared(Content::GeoJson(layer)), "author avatar crs_authid crs_wkt geojson layer_name style type"),
        (shared(Content::Crs(crs())), "author avatar crs_authid crs_wkt type"),
        (shared(Content::Bbox(extent)), "author avatar crs_authid crs_wkt type xmax xmin ymax ymin"),
        (
            shared(Content::Position(Position { crs: crs(), x: 2.0, y: 48.85 })),
            "author avatar crs_authid crs_wkt type x y",
        ),
        (shared(Content::Model(model)), "author avatar model_group model_name raw_xml type"),
    ]
}

fn script() -> Message {
    shared(Content::Script(Script { name: "hello".to_owned(), code: "print()".to_owned() }))
}

#[test]
fn frames_have_exactly_the_keys_of_their_kind() {
    for (message, wanted) in messages() {
        let mut wanted: Vec<&str> = wanted.split(' ').collect();
        let event = RoomEvent::Message(&message);
        assert_eq!(keys(&encoded(Generation::V2, event).unwrap()), wanted);
        wanted.extend(["id", "timestamp"]);
        wanted.sort_unstable();
        for generation in [Generation::V3, Generation::Relay] {
            assert_eq!(keys(&encoded(generation, event).unwrap()), wanted);
        }
    }
}

#[test]
fn presence_frames_have_exactly_their_keys() {
    let jane = nickname("jane");
    for (event, key, value) in [
        (RoomEvent::UserCount(3), "nb_users", json!(3)),
        (RoomEvent::Newcomer(&jane), "newcomer", json!("jane")),
        (RoomEvent::Exiter(&jane), "exiter", json!("jane")),
    ] {
        assert_eq!(encoded(Generation::V2, event), Some(json!({"type": key, key: value})));
        let frame = encoded(Generation::V3, event).unwrap();
        let mut wanted = ["id", "timestamp", "type", key];
        wanted.sort_unstable();
        assert_eq!((keys(&frame), &frame[key]), (wanted.to_vec(), &value));
    }
}

#[test]
fn every_kind_round_trips_in_every_generation() {
    for (message, _) in messages().into_iter().chain([(script(), "")]) {
        for generation in TYPED {
            let is_script = message.kind.as_str() == "script";
            if is_script && generation == Generation::V2 {
                continue;
            }
            let json = String::from_utf8(encode_message(generation, &message)).unwrap();
            let read = decode(generation, &json).unwrap().unwrap();
            assert_eq!((&read.author, &read.kind), (&message.author, &message.kind), "{json}");
            assert_eq!(read.id == message.id, generation != Generation::V2);
        }
    }
}

#[test]
fn v2_gets_a_script_as_a_text() {
    let frame = encoded(Generation::V2, RoomEvent::Message(&script())).unwrap();
    let text = r#"shared the script "hello""#;
    assert_eq!(frame, json!({"type": "text", "author": "jane", "avatar": null, "text": text}));
}

#[test]
fn a_layer_passes_unchanged() {
    let geojson =
        r#"{ "features" : [ {"properties":{"z":1.50,"a":123456789012345678901234567890,"é":"\u00e9"}} ],"crs":{} }"#;
    let frame = format!(
        r#"{{"type":"geojson","author":"jane","layer_name":"x","crs_wkt":"","crs_authid":"","geojson":{geojson}}}"#
    );
    let message = decode(Generation::V3, &frame).unwrap().unwrap();
    for generation in TYPED {
        let json = String::from_utf8(encode_message(generation, &message)).unwrap();
        assert!(json.contains(&format!("\"geojson\":{geojson}")), "{json}");
        let frame: Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&frame["style"], &frame["avatar"]), (&json!(""), &Value::Null));
    }
}

/// The bounds of a layer with a feature of each of these geometries.
fn bounds_of(geometries: &[&str]) -> Option<[f64; 4]> {
    let features: Vec<String> = geometries
        .iter()
        .map(|geometry| format!(r#"{{"properties":{{"coordinates":[99,99]}},"geometry":{geometry}}}"#))
        .collect();
    let geojson = format!(r#"{{"coordinates":[98,98],"features":[{}],"bbox":[97,97,98,98]}}"#, features.join(","));
    let bounds = check_features(&geojson).unwrap().bounds;
    bounds.map(|Bounds { xmin, ymin, xmax, ymax }| [xmin, ymin, xmax, ymax])
}

#[test]
fn the_bounds_of_a_layer_are_those_of_all_its_geometries() {
    let point = r#"{"type":"Point","coordinates":[2,49,120]}"#;
    let line = r#"{"coordinates":[[-3.5,47],[1,50.25]],"type":"LineString"}"#;
    let polygon = r#"{"type":"MultiPolygon","coordinates":[[[[0,0],[7,-1e1]]],[[[3,4]]]]}"#;
    let collection = r#"{"geometries":[{"coordinates":[1,1]},{"geometries":[{"coordinates":[[8,60]]}]}]}"#;
    for (geometries, bounds) in [
        (&[point] as &[&str], [2.0, 49.0, 2.0, 49.0]),
        (&[line], [-3.5, 47.0, 1.0, 50.25]),
        (&[point, line], [-3.5, 47.0, 2.0, 50.25]),
        (&[polygon], [0.0, -10.0, 7.0, 4.0]),
        (&[collection, "null"], [1.0, 1.0, 8.0, 60.0]),
    ] {
        assert_eq!(bounds_of(geometries), Some(bounds), "{geometries:?}");
    }
}

#[test]
fn a_layer_without_coordinates_has_no_bounds() {
    for geometry in ["null", "{}", "7", "[[1,2]]", r#"{"coordinates":[]}"#, r#"{"coordinates":[1]}"#] {
        assert_eq!(bounds_of(&[geometry]), None, "{geometry}");
    }
    assert_eq!(bounds_of(&[]), None);
}

#[test]
fn malformed_coordinates_count_as_far_as_they_are_positions() {
    for (coordinates, bounds) in [
        ("[[1,2],7,[3,\"4\"],[5,6]]", Some([1.0, 2.0, 5.0, 6.0])),
        ("[1,[2,3],4]", Some([2.0, 3.0, 2.0, 3.0])),
        ("7", None),
        ("[{\"a\":[1,2]}]", None),
    ] {
        let geometry = format!(r#"{{"coordinates":{coordinates}}}"#);
        assert_eq!(bounds_of(&[&geometry]), bounds, "{coordinates}");
    }
}

#[test]
fn a_layer_is_refused_if_clients_could_not_load_it() {
    let refusal = |geojson: &str| {
        let frame = format!(
            r#"{{"type":"geojson","author":"jane","layer_name":"x","crs_wkt":"","crs_authid":"","geojson":{geojson}}}"#
        );
        match decode(Generation::V3, &frame) {
            Ok(_) => None,
            Err(Notice::Refused(reason) | Notice::Uncompliant(reason)) => Some(reason.text.into_owned()),
            Err(other) => panic!("{other:?}"),
        }
    };
    let feature = |inner: &str| format!(r#"{{"features":[{{{inner}}}]}}"#);
    let nested = |depth: usize| feature(&format!(r#""x":{}{}"#, "[".repeat(depth), "]".repeat(depth)));
    let wide = |count: usize| {
        let properties: Vec<String> = (0..count).map(|n| format!("\"p{n}\":0")).collect();
        feature(&format!(r#""properties":{{{}}}"#, properties.join(",")))
    };
    for good in [r#"{"features":[]}"#, &nested(29), &wide(1_000), &feature(r#""properties":null"#)] {
        assert_eq!(refusal(good), None, "{good}");
    }
    for (bad, reason) in [
        ("null", "`geojson` is missing"),
        ("[]", "`geojson` must be an object"),
        ("\"x\"", "`geojson` must be an object"),
        ("{}", "`geojson` has no `features`"),
        (r#"{"features":{}}"#, "`features` of `geojson` must be an array"),
        (r#"{"features":1}"#, "`features` of `geojson` must be an array"),
        (r#"{"features":[1]}"#, "each of the `features` must be an object"),
        (r#"{"features":[[]]}"#, "each of the `features` must be an object"),
        (r#"{"features":[],"features":[]}"#, "`geojson` has `features` twice"),
        (&feature(r#""properties":[]"#), "the `properties` of a feature must be an object"),
        (&feature(r#""x":1e400"#), "`geojson` has a number that is not finite, or a text that is not Unicode"),
        (&feature(r#""x":NaN"#), "the frame is not valid JSON"),
        (&nested(60), "`geojson` is nested deeper than 32 levels"),
        (&nested(20_000), "`geojson` is nested deeper than 32 levels"),
        (&wide(1_001), "a feature has more than 1000 properties"),
    ] {
        assert_eq!(refusal(bad).as_deref(), Some(reason), "{}", bad.get(..80).unwrap_or(bad));
    }
}

#[test]
fn numbers_may_be_strings_and_must_be_finite() {
    let position = |x: Value| {
        let frame = json!({"type": "position", "author": "jane", "crs_wkt": "TODO", "crs_authid": "", "x": x, "y": 1});
        decoded(Generation::V2, &frame)
    };
    for x in [json!(2), json!("2"), json!(2.0)] {
        let message = position(x).unwrap().unwrap();
        assert!(matches!(message.content(), Some(Content::Position(Position { x, .. })) if x.to_string() == "2"));
    }
    for x in [json!("nan"), json!("inf"), json!(null), json!([2]), json!("")] {
        assert_eq!(position(x.clone()), Err("`x` must be a finite number".to_owned()), "{x}");
    }
    // Floating-point numbers to clients, as the former backend sends them.
    let (position, _) = messages().remove(7);
    let json = String::from_utf8(encode_message(Generation::V2, &position)).unwrap();
    assert!(json.contains(r#""x":2.0"#), "{json}");
}

#[test]
fn kinds_of_the_relay_are_ignored_and_unknown_ones_are_not() {
    for kind in ["exiter", "nb_users", "uncompliant"] {
        assert_eq!(decoded(Generation::V3, &json!({"type": kind, "exiter": 7, "id": null})), Ok(None));
    }
    assert_eq!(decoded(Generation::V3, &json!({"type": "x"})), Err("`type` is not a kind of message".to_owned()));
    assert_eq!(decoded(Generation::V3, &json!({"text": "x"})), Err("`type` is missing".to_owned()));
    assert_eq!(decoded(Generation::V3, &json!([])), Err("a frame must be a JSON object".to_owned()));
}

#[test]
fn a_v3_client_chooses_the_id_and_the_relay_the_time() {
    let text = |more: Value| {
        let mut frame = json!({"type": "text", "author": "jane", "text": "hi"});
        frame.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        decoded(Generation::V3, &frame)
    };
    let id = "3f2b8e8e-7c36-4ad6-8d8a-0d2d9c7d0d5b";
    for spelling in [id.to_owned(), id.replace('-', ""), id.to_uppercase()] {
        let message = text(json!({"id": spelling, "timestamp": "1"})).unwrap().unwrap();
        assert_eq!(message.id.to_string(), id);
        assert!(message.at.as_second() > 1_700_000_000);
    }
    for bad in [json!({"id": null}), json!({"id": 1}), json!({"id": "x"})] {
        assert_eq!(text(bad.clone()), Err("`id` must be a UUID".to_owned()), "{bad}");
    }
    for bad in [json!({"timestamp": null}), json!({"timestamp": 1.5}), json!({"timestamp": "x"})] {
        assert_eq!(text(bad.clone()), Err("`timestamp` must be a whole number of seconds".to_owned()), "{bad}");
    }
    // v2 has neither.
    let frame = json!({"type": "text", "author": "jane", "text": "hi", "id": null, "timestamp": null});
    assert!(decoded(Generation::V2, &frame).unwrap().is_some());
}

#[test]
fn a_reply_reaches_only_clients_that_ask_for_it() {
    let id = "3f2b8e8e-7c36-4ad6-8d8a-0d2d9c7d0d5b";
    let frame = json!({"type": "text", "author": "jane", "text": "hi", "in_reply_to_id": id});
    let message = decoded(Generation::V3, &frame).unwrap().unwrap();
    let answers = TYPED.map(|generation| encoded(generation, RoomEvent::Message(&message)).unwrap());
    assert_eq!(answers.map(|frame| frame.get("in_reply_to_id").cloned()), [None, None, Some(json!(id))]);
    let frame = json!({"type": "text", "author": "jane", "text": "hi", "in_reply_to_id": null});
    assert_eq!(decoded(Generation::V3, &frame).unwrap().unwrap().in_reply_to, None);
}

#[test]
fn a_refusal_is_explained_to_clients_that_ask_for_it() {
    let notice = decode(Generation::V3, "{}").unwrap_err();
    let frame = |generation| -> Value { serde_json::from_slice(&encode_notice(generation, &notice, None)).unwrap() };
    assert_eq!(frame(Generation::V2), json!({"type": "uncompliant", "reason": "`type` is missing"}));
    assert_eq!(keys(&frame(Generation::V3)), ["id", "reason", "timestamp", "type"]);
    let explained = frame(Generation::Relay);
    assert_eq!(keys(&explained), ["code", "held", "id", "message_id", "reason", "timestamp", "type"]);
    assert_eq!((&explained["code"], &explained["held"]), (&json!("malformed"), &json!(false)));
}

#[test]
fn a_retraction_reaches_only_clients_that_ask_for_it() {
    let event = RoomEvent::Retracted(uuid::Uuid::nil());
    let frames = TYPED.map(|generation| encoded(generation, event).map(|frame| frame["type"].clone()));
    assert_eq!(frames, [None, None, Some(json!("retract"))]);
}

proptest! {
    #[test]
    fn texts_round_trip(author in ".{0,40}", avatar in proptest::option::of(".{0,40}"), text in ".{0,300}") {
        let message = Message::new(author, MessageKind::Text { avatar, text });
        for generation in TYPED {
            let json = String::from_utf8(encode_message(generation, &message)).unwrap();
            let read = decode(generation, &json).unwrap().unwrap();
            prop_assert_eq!((&read.author, &read.kind), (&message.author, &message.kind));
        }
    }

    #[test]
    fn positions_round_trip(x in proptest::num::f64::NORMAL, y in proptest::num::f64::NORMAL, wkt in ".{0,40}") {
        let position = Position { crs: Crs { wkt, authid: String::new() }, x, y };
        let message = shared(Content::Position(position));
        for generation in TYPED {
            let json = String::from_utf8(encode_message(generation, &message)).unwrap();
            prop_assert_eq!(&decode(generation, &json).unwrap().unwrap().kind, &message.kind);
        }
    }

    #[test]
    fn random_json_like_text_never_panics(
        text in r#"[{}\[\]",:\\a-z0-9eE+.\-]{0,60}"#,
        kind in "(text|image|geojson|crs|bbox|position|model|script|like|newcomer)",
        key in "(type|id|timestamp|author|geojson|x|xmin|text|style)",
    ) {
        for generation in TYPED {
            drop(decode(generation, &format!("{{\"type\":\"{kind}\",\"{key}\":{text}}}")));
            drop(decode(generation, &text));
        }
    }
}

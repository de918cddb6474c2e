//! Settings.

use gischat_filter::testing::json;

use super::*;

/// The error of settings with one area.
#[track_caller]
fn error_of_area(area: &str) -> String {
    let area = format!(r#"{{"areas":[{{"name":"a","box":[0,0,1,1]}},{area}]}}"#);
    error(&area)
}

#[track_caller]
fn error(settings: &str) -> String {
    let settings = serde_json::from_str(settings).unwrap();
    Harness::<Geofence>::try_new(settings).map(|_| ()).unwrap_err()
}

#[test]
fn without_areas_every_place_passes() {
    for settings in [json!({}), json!({ "areas": [], "side": "outside" })] {
        let mut filter = Harness::<Geofence>::new(settings);
        assert_eq!(check(&mut filter, "position", "EPSG:2154", r#""x":5,"y":5"#), Verdict::pass());
        assert_eq!(layer(&mut filter, "", "{}"), Verdict::pass());
    }
}

#[test]
fn the_action_and_the_reason_are_settings() {
    let areas = json!([{ "name": "heron colony", "box": [0, 0, 10, 10] }]);
    let labelled = |verdict: Verdict| verdict.label("geofence").label("heron colony");
    for (settings, verdict) in [
        (json!({ "areas": areas, "reason": "Not here." }), Verdict::reject("Not here.")),
        (json!({ "areas": areas, "action": "hold", "reason": "Wait." }), Verdict::hold().reason("Wait.")),
        (json!({ "areas": areas, "action": "label" }), Verdict::pass()),
    ] {
        let mut filter = Harness::<Geofence>::new(settings);
        assert_eq!(check(&mut filter, "position", "EPSG:4326", r#""x":5,"y":5"#), labelled(verdict));
    }
}

#[test]
fn the_label_names_the_area() {
    let mut filter = Harness::<Geofence>::new(json!({ "areas": [
        { "name": "north", "box": [0, 5, 10, 10] },
        { "name": "south", "polygon": [[0, 0], [10, 0], [10, 4], [0, 4], [0, 0]] },
    ] }));
    let labels = check(&mut filter, "position", "EPSG:4326", r#""x":5,"y":3"#).labels;
    assert_eq!(labels, ["geofence", "south"]);
}

#[test]
fn an_unknown_value_is_an_error_that_names_the_key() {
    for (settings, expected) in [
        (r#"{"side":"inside"}"#, "`side`: unknown variant `inside`, expected `within` or `outside`"),
        (r#"{"action":"shadow"}"#, "`action`: unknown variant `shadow`, expected one of `reject`, `hold`, `label`"),
        (r#"{"unknown_crs":1}"#, "`unknown_crs`: invalid type: integer `1`, expected string or map"),
        (r#"{"reason":" "}"#, "`reason` has 1 bytes; it must have 1 to 1024 and not be blank"),
        (r#"{"reason":[]}"#, "`reason`: invalid type: sequence, expected a string"),
    ] {
        assert_eq!(error(settings), expected);
    }
    assert!(error(r#"{"sides":"within"}"#).contains("unknown field `sides`"));
    assert!(error(r#"{"areas":{}}"#).contains("expected a sequence"));
}

#[test]
fn an_area_that_is_none_is_an_error_that_names_the_key() {
    for (area, expected) in [
        (r#"{"box":[0,0,1,1]}"#, "`areas[1]`: missing field `name`"),
        (r#"{"name":"","box":[0,0,1,1]}"#, "`areas[1].name` has 0 bytes; it must have 1 to 64 and not be blank"),
        (r#"{"name":"b"}"#, "`areas[1]` must have either `box` or `polygon`"),
        (r#"{"name":"b","box":[0,0,1,1],"polygon":[]}"#, "`areas[1]` must have either `box` or `polygon`"),
        (r#"{"name":"b","bbox":[]}"#, "`areas[1]`: unknown field `bbox`, expected one of `name`, `box`, `polygon`"),
        (r#"{"name":"b","box":[0,0,1]}"#, "`areas[1].box` has 3 numbers; write [west, south, east, north]"),
        (r#"{"name":"b","box":[0,1,1,0]}"#, "`areas[1].box` has no area; write [west, south, east, north]"),
        (r#"{"name":"b","box":[5,0,5,1]}"#, "`areas[1].box` has no area; write [west, south, east, north]"),
        (
            r#"{"name":"b","box":[0,0,1,91]}"#,
            "`areas[1].box` has 0, 91, which is not a longitude of -180 to 180 and a latitude of -90 to 90",
        ),
        (r#"{"name":"b","polygon":[[0,0],[1,1],[0,0]]}"#, "`areas[1].polygon` has 2 corners; it must have at least 3"),
        (
            r#"{"name":"b","polygon":[[0,0],[1,1],[0]]}"#,
            "`areas[1].polygon` has a position of 1 numbers; write [longitude, latitude]",
        ),
        (
            r#"{"name":"b","polygon":[[0,0],[1,1],[652469,6862035]]}"#,
            "`areas[1].polygon` has 652469, 6862035, which is not a longitude of -360 to 360 and a latitude of -90 to 90",
        ),
        (
            r#"{"name":"b","polygon":[[-200,0],[200,1],[0,9]]}"#,
            "`areas[1].polygon` goes more than once around the Earth",
        ),
    ] {
        assert_eq!(error_of_area(area), expected, "{area}");
    }
}

#[test]
fn the_number_of_corners_is_bounded() {
    let box_of = |at: i32| json!({ "name": "a", "box": [f64::from(at) * 0.01, 0, f64::from(at) * 0.01 + 0.005, 1] });
    let areas = |count| json!({ "side": "outside", "areas": (0..count).map(box_of).collect::<Vec<_>>() });
    assert!(Harness::<Geofence>::try_new(areas(1_250)).is_ok());
    let error = Harness::<Geofence>::try_new(areas(1_251)).map(|_| ()).unwrap_err();
    assert_eq!(error, "`areas` have 5004 corners together; the limit is 5000");
}

//! Tests of the filter as the relay calls it.

mod layers;
mod positions;
mod settings;
mod systems;

use gischat_filter::testing::{Harness, json};
use gischat_filter::{Action, Verdict};

use super::Geofence;

/// A filter that refuses what lies on this side of a box from 0 to 10 degrees.
fn square(side: &str) -> Harness<Geofence> {
    Harness::new(json!({ "side": side, "areas": [{ "name": "square", "box": [0, 0, 10, 10] }] }))
}

/// The verdict on a message whose payload has these keys besides those of every message.
fn check(filter: &mut Harness<Geofence>, kind: &str, crs: &str, keys: &str) -> Verdict {
    let message = filter.message("");
    let payload = format!(
        r#"{{"id":"{}","kind":"{kind}","author":"jane","at":0,"avatar":null,"crs_wkt":"","crs_authid":"{crs}",{keys}}}"#,
        message.id
    );
    let message = gischat_filter::Message { kind: kind.to_owned(), payload: Some(payload), ..message };
    filter.check_message(&message)
}

fn position(filter: &mut Harness<Geofence>, crs: &str, x: f64, y: f64) -> Action {
    check(filter, "position", crs, &format!(r#""x":{x},"y":{y}"#)).action
}

/// The action on an extent: west, south, east, north.
fn extent(filter: &mut Harness<Geofence>, crs: &str, [xmin, ymin, xmax, ymax]: [f64; 4]) -> Action {
    let keys = format!(r#""xmin":{xmin},"xmax":{xmax},"ymin":{ymin},"ymax":{ymax}"#);
    check(filter, "bbox", crs, &keys).action
}

fn layer(filter: &mut Harness<Geofence>, crs: &str, geojson: &str) -> Verdict {
    check(filter, "geojson", crs, &format!(r#""layer_name":"a","features":1,"geojson":{geojson},"style":null"#))
}

/// The action on a layer with one feature.
fn geometry(filter: &mut Harness<Geofence>, crs: &str, name: &str, coordinates: &str) -> Action {
    let geometry = format!(r#"{{"coordinates":{coordinates},"type":"{name}"}}"#);
    let geojson = format!(
        r#"{{"type":"FeatureCollection","features":[{{"geometry":{geometry},"properties":{{"a":[1]}},"type":"Feature"}}]}}"#
    );
    layer(filter, crs, &geojson).action
}

/// Asserts the actions on a geometry in degrees, where the square is refused and where everything else is.
#[track_caller]
fn lies(name: &str, coordinates: &str, within: bool, outside: bool) {
    for (side, refused) in [("within", within), ("outside", outside)] {
        let expected = if refused { Action::Reject } else { Action::Pass };
        assert_eq!(
            geometry(&mut square(side), "EPSG:4326", name, coordinates),
            expected,
            "{side}: {name} {coordinates}"
        );
    }
}

//! Layers.

use super::*;

const WGS84: &str = "EPSG:4326";

/// Polygons around a place from 4 to 6 degrees that belongs to none of them.
fn ring_of_areas(side: &str) -> Harness<Geofence> {
    let area = |name: &str, bounds: [u8; 4]| json!({ "name": name, "box": bounds });
    Harness::new(json!({ "side": side, "areas": [
        area("south", [0, 0, 10, 4]), area("west", [0, 4, 4, 6]), area("east", [6, 4, 10, 6]), area("north", [0, 6, 10, 10]),
    ] }))
}

#[test]
fn a_point_is_enough() {
    lies("Point", "[5,5,120]", true, false);
    lies("Point", "[15,5]", false, true);
    lies("MultiPoint", "[[1,1],[9,9]]", true, false);
    lies("MultiPoint", "[[15,5],[9,9]]", true, true);
    // Nothing is between two points.
    lies("MultiPoint", "[[-5,5],[15,5]]", false, true);
}

#[test]
fn a_line_across_the_area_counts_without_a_corner_in_it() {
    lies("LineString", "[[-5,5],[15,6]]", true, true);
    lies("LineString", "[[1,1],[9,9]]", true, false);
    lies("LineString", "[[1,1],[1,15]]", true, true);
    lies("LineString", "[[-5,5],[5,15.1]]", false, true);
    lies("MultiLineString", "[[[11,0],[12,0]],[[-5,5],[15,6]]]", true, true);
    // Nothing is between the end of a line and the start of another.
    lies("MultiLineString", "[[[-5,5],[-1,5]],[[11,5],[12,5]]]", false, true);
}

#[test]
fn a_line_along_the_border_is_within() {
    lies("LineString", "[[0,0],[10,0],[10,10]]", true, false);
    lies("LineString", "[[10,2],[10,12]]", true, true);
    let triangle = |side: &str| {
        let polygon = [[0.1, 0.2], [10.3, 3.7], [4.4, 9.9]];
        Harness::<Geofence>::new(json!({ "side": side, "areas": [{ "name": "a", "polygon": polygon }] }))
    };
    let ring = "[[[0.1,0.2],[10.3,3.7],[4.4,9.9],[0.1,0.2]]]";
    for part in ["[[0.1,0.2],[10.3,3.7]]", "[[2.65,1.075],[5.2,1.95],[7.75,2.825]]", "[[4.4,9.9],[10.3,3.7]]"] {
        assert_eq!(geometry(&mut triangle("outside"), WGS84, "LineString", part), Action::Pass, "{part}");
    }
    assert_eq!(geometry(&mut triangle("outside"), WGS84, "Polygon", ring), Action::Pass);
    assert_eq!(geometry(&mut triangle("within"), WGS84, "Polygon", ring), Action::Reject);
}

#[test]
fn a_polygon_around_the_area_counts() {
    lies("Polygon", "[[[-5,-5],[15,-5],[15,15],[-5,15],[-5,-5]]]", true, true);
    lies("Polygon", "[[[2,2],[8,2],[8,8],[2,2]]]", true, false);
    lies("Polygon", "[[[11,2],[18,2],[18,8],[11,2]]]", false, true);
    lies("MultiPolygon", "[[[[11,2],[18,2],[18,8],[11,2]]],[[[-5,-5],[15,-5],[15,15],[-5,15],[-5,-5]]]]", true, true);
}

#[test]
fn an_area_in_a_hole_of_a_polygon_is_not_in_the_polygon() {
    let hole = "[[-1,-1],[11,-1],[11,11],[-1,11],[-1,-1]]";
    lies("Polygon", &format!("[[[-5,-5],[15,-5],[15,15],[-5,15],[-5,-5]],{hole}]"), false, true);
    lies("Polygon", "[[[-5,-5],[15,-5],[15,15],[-5,15],[-5,-5]],[[1,1],[9,1],[9,9],[1,9],[1,1]]]", true, true);
    // Each polygon has its own holes.
    let outer = "[[-5,-5],[15,-5],[15,15],[-5,15],[-5,-5]]";
    lies("MultiPolygon", &format!("[[{outer},{hole}],[{outer}]]"), true, true);
}

#[test]
fn a_ring_that_is_not_closed_is_closed() {
    lies("Polygon", "[[[-5,-5],[-5,15],[15,15]]]", true, true);
    lies("Polygon", "[[[-5,5],[-5,15],[15,16],[15,6]]]", true, true);
}

#[test]
fn areas_that_touch_are_one() {
    let areas = || ring_of_areas("outside");
    assert_eq!(geometry(&mut areas(), WGS84, "LineString", "[[1,1],[1,9],[9,9],[9,1]]"), Action::Pass);
    assert_eq!(geometry(&mut areas(), WGS84, "Polygon", "[[[1,1],[3,1],[3,9],[1,9],[1,1]]]"), Action::Pass);
    assert_eq!(geometry(&mut areas(), WGS84, "LineString", "[[1,5],[9,5]]"), Action::Reject);
}

#[test]
fn a_gap_between_areas_is_outside() {
    let around = "[[1,1],[9,1],[9,9],[1,9],[1,1]]";
    let gap = "[[4,4],[6,4],[6,6],[4,6],[4,4]]";
    let half = "[[4,4],[6,4],[6,9],[4,4]]";
    for (rings, expected) in [
        (around.to_owned(), Action::Reject),
        (gap.to_owned(), Action::Reject),
        (half.to_owned(), Action::Reject),
        (format!("{around},{gap}"), Action::Pass),
        (format!("{around},{half}"), Action::Reject),
    ] {
        let action = geometry(&mut ring_of_areas("outside"), WGS84, "Polygon", &format!("[{rings}]"));
        assert_eq!(action, expected, "{rings}");
    }
    assert_eq!(geometry(&mut ring_of_areas("within"), WGS84, "Point", "[5,5]"), Action::Pass);
}

#[test]
fn a_line_beyond_180_degrees_goes_across_the_antimeridian() {
    let mut fiji = Harness::<Geofence>::new(
        json!({ "areas": [{ "name": "Fiji", "polygon": [[177, -19], [182, -19], [182, -16], [177, -16]] }] }),
    );
    for (coordinates, expected) in [
        ("[[179.5,-10],[179.5,-30]]", Action::Reject),
        ("[[-179,-10],[-179,-30]]", Action::Reject),
        ("[[175,-17],[190,-17]]", Action::Reject),
        ("[[-190,-17],[-175,-17]]", Action::Reject),
        ("[[-170,-17],[170,-17]]", Action::Pass),
    ] {
        assert_eq!(geometry(&mut fiji, WGS84, "LineString", coordinates), expected, "{coordinates}");
    }
}

#[test]
fn all_features_and_collections_are_checked() {
    let point = |x: u8| format!(r#"{{"type":"Point","coordinates":[{x},5]}}"#);
    let collection = |parts: &str| format!(r#"{{"type":"GeometryCollection","geometries":[{parts}]}}"#);
    let feature = |geometry: &str| format!(r#"{{"type":"Feature","properties":null,"geometry":{geometry}}}"#);
    let nested = collection(&format!("{},{}", point(20), collection(&point(5))));
    for (features, expected) in [
        (feature(&point(20)), Action::Pass),
        (format!("{},{}", feature(&point(20)), feature(&point(5))), Action::Reject),
        (feature(&nested), Action::Reject),
        (feature("null"), Action::Pass),
        (String::new(), Action::Pass),
    ] {
        let geojson = format!(r#"{{"features":[{features}],"bbox":[5,5,6,6],"type":"FeatureCollection"}}"#);
        assert_eq!(layer(&mut square("within"), WGS84, &geojson).action, expected, "{geojson}");
    }
}

#[test]
fn an_object_that_can_be_read_in_several_ways_is_held() {
    for geometry in [
        r#"{"type":"Point","coordinates":[20,5],"coordinates":[5,5]}"#,
        r#"{"type":"Point","coordinates":[20,5],"geometries":[]}"#,
        r#"{"type":"MultiPoint","coordinates":[[20,5],[20,6]],"type":"LineString"}"#,
        r#"{"type":"Polygon","coordinates":[[20,5],[20,6],[21,6],[20,5]]}"#,
        r#"{"type":"Point","coordinates":["20","5"]}"#,
        r#"{"type":"MultiPoint","coordinates":[[20,5],[[20,6]]]}"#,
        r#"{"type":"Curve","coordinates":[[20,5],[20,6]]}"#,
        r#"{"type":"Point","coordinates":[20]}"#,
        r#"{"coordinates":[20,5]}"#,
        "[]",
    ] {
        let geojson = format!(r#"{{"type":"FeatureCollection","features":[{{"geometry":{geometry}}}]}}"#);
        let verdict = layer(&mut square("within"), WGS84, &geojson);
        let reason = "This is not valid GeoJSON, so the place cannot be checked.";
        assert_eq!(verdict, Verdict::hold().reason(reason).label("geofence-unchecked"), "{geometry}");
    }
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(geometry(&mut square("within"), WGS84, "Point", &deep), Action::Hold);
}

#[test]
fn positions_that_are_not_on_earth_hide_nothing() {
    for coordinates in ["[[20,95],[5,5]]", "[[5,5],[20,95]]", "[[-5,5],[5,1e300],[15,5]]"] {
        assert_eq!(geometry(&mut square("within"), WGS84, "LineString", coordinates), Action::Reject, "{coordinates}");
    }
    assert_eq!(geometry(&mut square("within"), WGS84, "LineString", "[[20,95],[20,5]]"), Action::Hold);
}

#[test]
fn a_layer_with_too_many_positions_is_held() {
    let points = |count: usize| format!("[{}]", vec!["[20,5]"; count].join(","));
    let action = |count| geometry(&mut square("within"), WGS84, "MultiPoint", &points(count));
    // Arrays and objects around positions count as well.
    assert_eq!((action(399_996), action(399_997)), (Action::Pass, Action::Hold));
}

#[test]
fn a_layer_that_takes_too_long_is_held() {
    let tooth = |at: u32| [f64::from(at) / 1_000.0, f64::from(at % 2)];
    let corners: Vec<_> = (0..4_000).map(tooth).chain([[4.0, -1.0], [0.0, -1.0]]).collect();
    let mut comb = Harness::<Geofence>::new(json!({ "areas": [{ "name": "comb", "polygon": corners }] }));
    // Between two teeth.
    let mut points =
        |count| geometry(&mut comb, WGS84, "MultiPoint", &format!("[{}]", vec!["[5e-4,0.9]"; count].join(",")));
    assert_eq!((points(1_000), points(10_000)), (Action::Pass, Action::Hold));
}

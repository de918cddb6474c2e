use proptest::prelude::*;

use super::*;

/// A square with a hole, and a triangle.
const AREA: &str = r#"{"type":"FeatureCollection","features":[
    {"type":"Feature","properties":{"name":"square"},"geometry":{"type":"Polygon","coordinates":[
        [[0,0],[10,0],[10,10],[0,10],[0,0]],
        [[4,4],[4,6],[6,6],[6,4],[4,4]]]}},
    {"type":"Feature","properties":null,"geometry":{"type":"GeometryCollection","geometries":[
        {"type":"MultiPolygon","coordinates":[[[[20,0],[30,0],[20,10],[20,0]]]]}]}}]}"#;

fn area(geojson: &str) -> Area {
    Area::from_geojson(geojson).unwrap_or_else(|error| panic!("{error}: {geojson}"))
}

/// A regular polygon around a place, with a star's spikes.
fn star(vertices: u32, lon: f64, lat: f64) -> String {
    let vertex = |at: u32| {
        let angle = f64::from(at % vertices) / f64::from(vertices) * std::f64::consts::TAU;
        let radius = if at.is_multiple_of(2) { 10.0 } else { 7.0 };
        format!("[{},{}]", lon + radius * angle.cos(), lat + radius * angle.sin())
    };
    let ring: Vec<_> = (0..vertices).map(vertex).chain([vertex(0)]).collect();
    format!(r#"{{"type":"Polygon","coordinates":[[{}]]}}"#, ring.join(","))
}

#[test]
fn positions_in_any_polygon_are_inside() {
    let area = area(AREA);
    for (lon, lat) in [(1.0, 1.0), (9.9, 5.0), (21.0, 2.0), (29.9, 0.05)] {
        assert!(area.contains(lon, lat), "{lon} {lat}");
    }
    for (lon, lat) in [(-0.1, 5.0), (15.0, 5.0), (29.0, 2.0), (5.0, 10.1), (180.0, 0.0)] {
        assert!(!area.contains(lon, lat), "{lon} {lat}");
    }
}

#[test]
fn a_hole_is_outside_and_its_border_inside() {
    let area = area(AREA);
    assert!(!area.contains(5.0, 5.0) && !area.contains(4.1, 5.9));
    assert!(area.contains(4.0, 5.0) && area.contains(6.0, 6.0));
}

#[test]
fn the_border_is_inside() {
    let area = area(AREA);
    for (lon, lat) in [(0.0, 0.0), (10.0, 10.0), (5.0, 0.0), (10.0, 3.3), (25.0, 5.0), (20.0, 10.0)] {
        assert!(area.contains(lon, lat), "{lon} {lat}");
    }
}

#[test]
fn overlapping_polygons_do_not_cancel_each_other() {
    let twice = area(
        r#"{"type":"MultiPolygon","coordinates":[
        [[[0,0],[4,0],[4,4],[0,4],[0,0]]],[[[2,2],[6,2],[6,6],[2,6],[2,2]]]]}"#,
    );
    assert!(twice.contains(3.0, 3.0) && twice.contains(1.0, 1.0) && twice.contains(5.0, 5.0));
}

#[test]
fn a_polygon_that_is_cut_at_the_antimeridian_includes_it() {
    let fiji = area(
        r#"{"type":"MultiPolygon","coordinates":[
        [[[177,-19],[180,-19],[180,-16],[177,-16],[177,-19]]],[[[-180,-19],[-178,-19],[-178,-16],[-180,-16],[-180,-19]]]]}"#,
    );
    for lon in [178.0, 180.0, -180.0, -179.0] {
        assert!(fiji.contains(lon, -17.0), "{lon}");
    }
    assert!(!fiji.contains(0.0, -17.0) && !fiji.contains(-177.0, -17.0));
    let west = area(r#"{"type":"Polygon","coordinates":[[[-180,0],[-170,0],[-170,9],[-180,9],[-180,0]]]}"#);
    assert!(west.contains(180.0, 5.0));
}

#[test]
fn the_bounds_are_those_of_all_polygons() {
    assert_eq!(area(AREA).bounds(), Bounds { xmin: 0.0, ymin: 0.0, xmax: 30.0, ymax: 10.0 });
}

#[test]
fn a_union_has_what_any_area_has() {
    let both = Area::union([area(AREA), area(&star(10, 100.0, 40.0))]);
    assert!(both.contains(1.0, 1.0) && both.contains(100.0, 40.0) && !both.contains(50.0, 20.0));
    assert!(!Area::union([]).contains(0.0, 0.0));
}

#[test]
fn an_indexed_area_says_the_same_as_a_plain_one() {
    let many: Vec<_> =
        (0..50).map(|at| star(40, f64::from(at % 10) * 30.0 - 140.0, f64::from(at / 10) * 30.0 - 60.0)).collect();
    let collection = format!(r#"{{"type":"GeometryCollection","geometries":[{}]}}"#, many.join(","));
    let indexed = area(&collection);
    let mut plain = area(&collection);
    plain.index = None;
    for polygon in &mut plain.polygons {
        polygon.forget_index();
    }
    for step in 0..10_000 {
        let (lon, lat) = (f64::from(step % 100) * 3.6 - 178.3, f64::from(step / 100) * 1.8 - 89.7);
        assert_eq!(indexed.contains(lon, lat), plain.contains(lon, lat), "{lon} {lat}");
    }
}

/// The error and its line and column.
fn error_of(geojson: &str) -> (AreaErrorKind, usize, usize) {
    match Area::from_geojson(geojson) {
        Err(AreaError::Invalid { line, column, kind }) => (kind, line, column),
        other => panic!("{other:?}: {geojson}"),
    }
}

#[test]
fn coordinates_that_are_not_degrees_are_an_error_that_says_so() {
    let (found, line, column) = error_of("{\"type\":\"Polygon\",\n\"coordinates\":[[[0,0],[652469.02,6862035.26]]]}");
    assert_eq!((line, column), (2, 44));
    assert_eq!(
        found.to_string(),
        "652469.02, 6862035.26 is not a longitude of -180 to 180 and a latitude of -90 to 90; areas are in WGS84 degrees"
    );
    for (lon, lat) in [("180.001", "0"), ("-181", "0"), ("0", "90.5"), ("0", "-91")] {
        let text = format!(r#"{{"type":"Polygon","coordinates":[[[{lon},{lat}]]]}}"#);
        assert!(matches!(error_of(&text).0, AreaErrorKind::NotOnEarth { .. }), "{text}");
    }
}

#[test]
fn rings_that_are_short_or_open_are_an_error() {
    let ring = |ring: &str| error_of(&format!(r#"{{"type":"Polygon","coordinates":[{ring}]}}"#)).0;
    assert_eq!(ring("[[0,0],[1,0],[0,0]]"), AreaErrorKind::ShortRing { positions: 3 });
    assert_eq!(ring("[]"), AreaErrorKind::ShortRing { positions: 0 });
    assert_eq!(ring("[[0,0],[1,0],[1,1],[0,1]]"), AreaErrorKind::OpenRing { start: (0.0, 0.0), end: (0.0, 1.0) });
}

#[test]
fn other_kinds_of_geometry_are_an_error() {
    let point = r#"{"type":"Feature","properties":null,"geometry":{"type":"Point","coordinates":[1,2]}}"#;
    assert_eq!(error_of(point).0, AreaErrorKind::NotAnArea { found: "Point".to_owned() });
    let topology = error_of(r#"{"type":"Topology","arcs":[]}"#).0;
    assert_eq!(
        topology.to_string(),
        "has the type `Topology`; an area is of polygons, multipolygons, and collections of them"
    );
}

#[test]
fn coordinates_must_be_nested_as_their_type_asks() {
    let ring = "[[0,0],[1,0],[1,1],[0,0]]";
    for (kind, coordinates) in [
        ("Polygon", ring.to_owned()),
        ("Polygon", "[]".to_owned()),
        ("Polygon", "[0,0]".to_owned()),
        ("Polygon", format!("[[{ring}]]")),
        ("MultiPolygon", format!("[{ring}]")),
        ("MultiPolygon", "[0,0]".to_owned()),
    ] {
        let text = format!(r#"{{"coordinates":{coordinates},"type":"{kind}"}}"#);
        assert!(matches!(error_of(&text).0, AreaErrorKind::Nesting { geometry } if geometry == kind), "{text}");
    }
}

#[test]
fn members_that_are_missing_are_named() {
    for (text, member) in [
        ("{}", "type"),
        (r#"{"type":"Polygon"}"#, "coordinates"),
        (r#"{"type":"Feature"}"#, "geometry"),
        (r#"{"type":"FeatureCollection"}"#, "features"),
        (r#"{"type":"GeometryCollection"}"#, "geometries"),
    ] {
        assert_eq!(error_of(text).0, AreaErrorKind::Missing { member }, "{text}");
    }
}

#[test]
fn an_area_has_a_polygon() {
    for text in [
        r#"{"type":"FeatureCollection","features":[]}"#,
        r#"{"type":"Feature","properties":{},"geometry":null}"#,
        r#"{"type":"MultiPolygon","coordinates":[]}"#,
    ] {
        assert_eq!(error_of(text).0, AreaErrorKind::Empty, "{text}");
    }
}

#[test]
fn an_area_has_at_most_a_hundred_thousand_positions() {
    let polygon = |positions: usize| {
        let ring = vec!["[0,0]"; positions].join(",");
        format!(r#"{{"type":"Polygon","coordinates":[[{ring}]]}}"#)
    };
    assert!(Area::from_geojson(&polygon(MAX_AREA_VERTICES)).is_ok());
    let error = error_of(&polygon(MAX_AREA_VERTICES + 1)).0;
    assert_eq!(error.to_string(), "has more than 100000 positions, the limit of an area");
}

#[test]
fn texts_that_are_not_geojson_are_a_syntax_error() {
    for text in ["", "null", "[]", "{", r#"{"type":"Polygon","coordinates":[[["0","0"]]]}"#, r#"{"type":7}"#] {
        assert!(matches!(Area::from_geojson(text), Err(AreaError::Syntax(_))), "{text}");
    }
    let deep = format!("{}{}", r#"{"type":"GeometryCollection","geometries":["#.repeat(1_000), "]}".repeat(1_000));
    assert!(matches!(Area::from_geojson(&deep), Err(AreaError::Syntax(_))));
}

proptest! {
    #[test]
    fn no_text_panics(parts in prop::collection::vec(prop::sample::select(vec![
        "{", "}", "[", "]", ",", ":", "1", "-200.5", "1e400", "null", "\"type\"", "\"coordinates\"", "\"features\"",
        "\"geometry\"", "\"geometries\"", "\"Polygon\"", "\"Feature\"", "[[0,0],[1,0],[1,1],[0,0]]",
    ]), 0..40)) {
        prop_assert!(Area::from_geojson(&parts.concat()).map_or(true, |area| area.bounds().xmin >= -180.0));
    }

    #[test]
    fn no_position_panics(lon in any::<f64>(), lat in any::<f64>()) {
        let bounds = area(AREA).bounds();
        prop_assert!(!area(AREA).contains(lon, lat) || bounds.holds(Point::new(lon, lat)));
    }

    #[test]
    fn vertices_and_midpoints_of_axis_parallel_edges_are_inside(
        west in -184_320..183_000_i32, south in -92_160..91_000_i32, size in 1..1_000_i32,
    ) {
        // Numbers that are read as they are written.
        let [west, south, east, north] = [west, south, west + size, south + size].map(|number| f64::from(number) / 1_024.0);
        let text = format!(
            r#"{{"type":"Polygon","coordinates":[[[{west},{south}],[{east},{south}],[{east},{north}],[{west},{north}],[{west},{south}]]]}}"#
        );
        let area = area(&text);
        let (middle, half) = (f64::midpoint(west, east), f64::midpoint(south, north));
        for (lon, lat) in [(west, south), (east, north), (middle, south), (east, half), (middle, half)] {
            prop_assert!(area.contains(lon, lat));
        }
        prop_assert!(!area.contains(west.next_down(), half) && !area.contains(middle, north.next_up()));
    }
}

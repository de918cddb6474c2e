use proptest::prelude::*;

use super::*;

/// A square from 0 to 10 degrees with a hole from 4 to 6.
const SQUARE: &str =
    r#"{"type":"Polygon","coordinates":[[[0,0],[10,0],[10,10],[0,10],[0,0]],[[4,4],[4,6],[6,6],[6,4],[4,4]]]}"#;
/// The box around Fiji, cut at the antimeridian.
const FIJI: &str = r#"{"type":"MultiPolygon","coordinates":[
    [[[177,-19],[180,-19],[180,-16],[177,-16],[177,-19]]],[[[-180,-19],[-178,-19],[-178,-16],[-180,-16],[-180,-19]]]]}"#;
/// Metropolitan France, very roughly.
const FRANCE: &str =
    r#"{"type":"Polygon","coordinates":[[[-5,48],[2.5,51.2],[8.3,49],[7,43.6],[3,42.3],[-1.8,43.3],[-5,48]]]}"#;

fn area(geojson: &str) -> Area {
    Area::from_geojson(geojson).unwrap()
}

fn system(authid: &str) -> System {
    System::resolve(authid, "").unwrap()
}

/// The relation of an extent: west, south, east, north.
fn of_extent(geojson: &str, authid: &str, [xmin, ymin, xmax, ymax]: [f64; 4]) -> Relation {
    let extent = Rectangle { xmin, xmax, ymin, ymax };
    area(geojson).relation(&Shape::Extent { system: &system(authid), extent }).unwrap()
}

fn of_layer(geojson: &str, authid: &str, coordinates: &str) -> Result<Relation, RelationError> {
    let layer =
        format!(r#"{{"type":"FeatureCollection","features":[{{"geometry":{{"coordinates":{coordinates}}}}}]}}"#);
    area(geojson).relation(&Shape::Layer { system: &system(authid), geojson: &layer })
}

#[test]
fn a_position_is_inside_or_outside() {
    let (france, lambert93) = (area(FRANCE), system("EPSG:2154"));
    let of = |x, y| france.relation(&Shape::Position { system: &lambert93, x, y });
    assert_eq!(of(652_469.02, 6_862_035.26).unwrap(), Relation::Inside);
    assert_eq!(of(-352_469.02, 6_862_035.26).unwrap(), Relation::Outside);
    assert!(matches!(of(f64::NAN, 0.0), Err(RelationError::NotComputable)));
}

#[test]
fn an_extent_in_a_polygon_is_inside() {
    assert_eq!(of_extent(SQUARE, "EPSG:4326", [1.0, 1.0, 3.0, 3.0]), Relation::Inside);
    assert_eq!(of_extent(SQUARE, "EPSG:4326", [1.0, 3.0, 3.0, 1.0]), Relation::Inside);
    assert_eq!(of_extent(FRANCE, "EPSG:2154", [600_000.0, 6_800_000.0, 700_000.0, 6_900_000.0]), Relation::Inside);
}

#[test]
fn an_extent_along_the_border_is_inside() {
    assert_eq!(of_extent(SQUARE, "EPSG:4326", [0.0, 0.0, 4.0, 10.0]), Relation::Inside);
    assert_eq!(of_extent(SQUARE, "EPSG:4326", [6.0, 4.0, 10.0, 6.0]), Relation::Inside);
}

#[test]
fn an_extent_around_a_hole_crosses() {
    for bounds in [[3.0, 3.0, 7.0, 7.0], [0.0, 0.0, 10.0, 10.0], [4.5, 1.0, 5.5, 9.0], [3.0, 3.0, 5.0, 5.0]] {
        assert_eq!(of_extent(SQUARE, "EPSG:4326", bounds), Relation::Crosses, "{bounds:?}");
    }
}

#[test]
fn an_extent_in_a_hole_is_outside() {
    assert_eq!(of_extent(SQUARE, "EPSG:4326", [4.5, 4.5, 5.5, 5.5]), Relation::Outside);
}

#[test]
fn an_extent_around_an_area_crosses() {
    for (authid, bounds) in [
        ("EPSG:4326", [-5.0, -5.0, 15.0, 15.0]),
        ("EPSG:4326", [-250.0, -120.0, 250.0, 120.0]),
        ("EPSG:3857", [-2e7, -2e7, 2e7, 2e7]),
        // Zoomed out, beyond the domain of the projection.
        ("EPSG:3035", [-5e7, -5e7, 5e7, 5e7]),
    ] {
        assert_eq!(of_extent(SQUARE, authid, bounds), Relation::Crosses, "{authid}");
    }
}

#[test]
fn an_extent_through_an_area_crosses_without_a_corner_in_it() {
    assert_eq!(of_extent(SQUARE, "EPSG:4326", [-5.0, 1.0, 15.0, 2.0]), Relation::Crosses);
}

#[test]
fn an_extent_beside_an_area_is_outside() {
    assert_eq!(of_extent(SQUARE, "EPSG:4326", [10.1, 0.0, 20.0, 10.0]), Relation::Outside);
    assert_eq!(of_extent(FRANCE, "EPSG:25832", [400_000.0, 5_700_000.0, 500_000.0, 5_800_000.0]), Relation::Outside);
}

#[test]
fn an_extent_that_touches_an_area_crosses() {
    assert_eq!(of_extent(SQUARE, "EPSG:4326", [10.0, 2.0, 20.0, 8.0]), Relation::Crosses);
}

#[test]
fn an_extent_across_the_antimeridian_is_compared_on_both_sides() {
    assert_eq!(of_extent(FIJI, "EPSG:4326", [178.0, -18.0, -179.0, -17.0]), Relation::Inside);
    assert_eq!(of_extent(FIJI, "EPSG:4326", [178.0, -18.0, 181.0, -17.0]), Relation::Inside);
    assert_eq!(of_extent(FIJI, "EPSG:4326", [178.0, -18.0, -170.0, -17.0]), Relation::Crosses);
    assert_eq!(of_extent(FIJI, "EPSG:4326", [178.0, 17.0, -170.0, 18.0]), Relation::Outside);
    // The same extent in the wrong order goes around the Earth.
    assert_eq!(of_extent(FIJI, "EPSG:4326", [-179.0, -18.0, 178.0, -17.0]), Relation::Crosses);
}

#[test]
fn a_projected_extent_around_a_pole_includes_it() {
    let antarctica = r#"{"type":"Polygon","coordinates":[[[-180,-90],[180,-90],[180,-60],[-180,-60],[-180,-90]]]}"#;
    assert_eq!(of_extent(antarctica, "EPSG:3031", [-1e6, -1e6, 1e6, 1e6]), Relation::Inside);
    assert_eq!(of_extent(antarctica, "EPSG:3031", [-5e6, -5e6, 5e6, 5e6]), Relation::Crosses);
    assert_eq!(of_extent(antarctica, "EPSG:3413", [-1e6, -1e6, 1e6, 1e6]), Relation::Outside);
}

#[test]
fn the_bent_side_of_a_projected_extent_counts() {
    // A small box north of the straight line between the northern corners, but south of the bent side.
    let lambert93 = system("EPSG:2154");
    let (_, corner) = lambert93.to_lon_lat(100_000.0, 7_000_000.0).unwrap();
    let (lon, middle) = lambert93.to_lon_lat(700_000.0, 7_000_000.0).unwrap();
    let (south, north) = (middle - 0.1, middle - 0.05);
    assert!(corner < south);
    let (west, east) = (lon - 0.1, lon + 0.1);
    let small = format!(
        r#"{{"type":"Polygon","coordinates":[[[{west},{south}],[{east},{south}],[{east},{north}],[{west},{north}],[{west},{south}]]]}}"#
    );
    assert_eq!(of_extent(&small, "EPSG:2154", [100_000.0, 6_000_000.0, 1_300_000.0, 7_000_000.0]), Relation::Crosses);
}

#[test]
fn an_extent_over_two_polygons_crosses() {
    let halves = r#"{"type":"MultiPolygon","coordinates":[
        [[[0,0],[5,0],[5,10],[0,10],[0,0]]],[[[5,0],[10,0],[10,10],[5,10],[5,0]]]]}"#;
    assert_eq!(of_extent(halves, "EPSG:4326", [3.0, 3.0, 7.0, 7.0]), Relation::Crosses);
}

#[test]
fn a_smaller_polygon_within_a_larger_one_changes_nothing() {
    let nested = r#"{"type":"MultiPolygon","coordinates":[
        [[[2,2],[3,2],[3,3],[2,3],[2,2]]],[[[0,0],[10,0],[10,10],[0,10],[0,0]]]]}"#;
    assert_eq!(of_extent(nested, "EPSG:4326", [1.0, 1.0, 5.0, 5.0]), Relation::Inside);
    assert_eq!(of_extent(nested, "EPSG:4326", [2.5, 2.5, 5.0, 5.0]), Relation::Inside);
}

#[test]
fn a_point_and_a_line_are_extents() {
    assert_eq!(of_extent(SQUARE, "EPSG:4326", [1.0, 1.0, 1.0, 1.0]), Relation::Inside);
    assert_eq!(of_extent(SQUARE, "EPSG:4326", [5.0, 5.0, 5.0, 5.0]), Relation::Outside);
    assert_eq!(of_extent(SQUARE, "EPSG:4326", [1.0, 5.0, 9.0, 5.0]), Relation::Crosses);
}

#[test]
fn a_layer_is_inside_when_all_its_positions_are() {
    assert_eq!(of_layer(SQUARE, "EPSG:4326", "[[1,1],[10,10],[9,1]]").unwrap(), Relation::Inside);
    assert_eq!(of_layer(SQUARE, "EPSG:4326", "[[1,1],[5,5]]").unwrap(), Relation::Crosses);
    assert_eq!(of_layer(SQUARE, "EPSG:4326", "[[-1,1],[5,5]]").unwrap(), Relation::Outside);
    assert_eq!(of_layer(FRANCE, "EPSG:2154", "[[652469,6862035],[700000,6600000]]").unwrap(), Relation::Inside);
}

#[test]
fn a_layer_around_an_area_without_a_vertex_in_it_is_outside() {
    assert_eq!(of_layer(SQUARE, "EPSG:4326", "[[[-5,-5],[15,-5],[15,15],[-5,-5]]]").unwrap(), Relation::Outside);
}

#[test]
fn a_layer_without_positions_is_outside() {
    assert_eq!(of_layer(SQUARE, "EPSG:4326", "[]").unwrap(), Relation::Outside);
}

#[test]
fn a_position_of_a_layer_that_cannot_be_computed_counts_as_outside() {
    assert_eq!(of_layer(SQUARE, "EPSG:4326", "[[1,1],[1,95]]").unwrap(), Relation::Crosses);
    assert_eq!(of_layer(SQUARE, "EPSG:4326", "[[1,95]]").unwrap(), Relation::Outside);
}

#[test]
fn a_malformed_layer_is_an_error_unless_the_answer_is_known() {
    assert!(matches!(of_layer(SQUARE, "EPSG:4326", "[[1,1],[2,2],x"), Err(RelationError::Geojson(_))));
    assert_eq!(of_layer(SQUARE, "EPSG:4326", "[[1,1],[99,2],x").unwrap(), Relation::Crosses);
}

#[test]
fn an_extent_that_is_nowhere_is_an_error() {
    let (square, wgs84) = (area(SQUARE), system("EPSG:4326"));
    let extent = Rectangle { xmin: 0.0, xmax: 1.0, ymin: 100.0, ymax: 120.0 };
    let relation = square.relation(&Shape::Extent { system: &wgs84, extent });
    assert!(matches!(relation, Err(RelationError::NotComputable)));
}

proptest! {
    #[test]
    fn no_extent_panics(
        bounds in prop::array::uniform4(prop_oneof![any::<f64>(), -400.0..400.0, -1e8..1e8]),
        authid in prop::sample::select(vec![
            "EPSG:4326", "EPSG:2154", "EPSG:3857", "EPSG:3031", "EPSG:3035", "EPSG:2056", "EPSG:28992", "EPSG:5514",
            "EPSG:27572", "EPSG:32760", "ESRI:54030", "ESRI:54009", "EPSG:3832",
        ]),
    ) {
        let [xmin, ymin, xmax, ymax] = bounds;
        let extent = Rectangle { xmin, xmax, ymin, ymax };
        let relation = area(FIJI).relation(&Shape::Extent { system: &system(authid), extent });
        prop_assert!(matches!(relation, Ok(_) | Err(RelationError::NotComputable)));
    }

    #[test]
    fn boxes_relate_as_boxes_do(
        [west, south, width, height] in [-20.0..20.0, -20.0..20.0, 0.1..15.0, 0.1..15.0_f64],
    ) {
        let (east, north) = (west + width, south + height);
        let plain = r#"{"type":"Polygon","coordinates":[[[0,0],[10,0],[10,10],[0,10],[0,0]]]}"#;
        let expected = if west >= 0.0 && east <= 10.0 && south >= 0.0 && north <= 10.0 {
            Relation::Inside
        } else if east < 0.0 || west > 10.0 || north < 0.0 || south > 10.0 {
            Relation::Outside
        } else {
            Relation::Crosses
        };
        prop_assert_eq!(of_extent(plain, "EPSG:4326", [west, south, east, north]), expected);
    }
}

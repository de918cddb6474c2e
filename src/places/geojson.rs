//! Reads the positions of a GeoJSON text one by one, without keeping them.

mod positions;

use std::ops::ControlFlow;

use serde::de::DeserializeSeed;

use positions::{Context, Object, Positions};

/// Why a text is not GeoJSON.
#[derive(Debug, thiserror::Error)]
#[error("cannot be read as GeoJSON")]
pub struct GeojsonError(#[from] serde_json::Error);

impl GeojsonError {
    /// The line of the text at which reading stopped, from 1; 0 if unknown.
    #[must_use]
    pub fn line(&self) -> usize {
        self.0.line()
    }

    /// The column at which reading stopped, from 1; 0 if unknown. Bytes.
    #[must_use]
    pub fn column(&self) -> usize {
        self.0.column()
    }
}

/// Calls `visit` with the first two numbers of each position of a GeoJSON text, in their order in the text, until it
/// breaks.
///
/// Visits the geometries of features, feature collections and geometry collections, collections in collections up to
/// eight deep. Ignores properties, foreign members, `bbox`, `type` and heights. `coordinates` of any shape are visited,
/// down to five arrays deep. The text is read once and nothing is kept, so the cost grows with its length,
/// about 5 ns per byte.
///
/// # Errors
/// [`GeojsonError`] if the text is not JSON, is nested too deeply, or has a position that is not two or more numbers.
/// The positions before that place have been visited.
pub fn for_each_position(geojson: &str, visit: impl FnMut(f64, f64) -> ControlFlow<()>) -> Result<(), GeojsonError> {
    let mut positions = Positions::new(visit);
    let mut reader = serde_json::Deserializer::from_str(geojson);
    let read = Object { positions: &mut positions, context: Context::Root }.deserialize(&mut reader);
    if positions.is_stopped() {
        return Ok(());
    }
    read.and_then(|()| reader.end()).map_err(GeojsonError::from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn visited(geojson: &str) -> Result<Vec<(f64, f64)>, GeojsonError> {
        let mut all = Vec::new();
        for_each_position(geojson, |x, y| {
            all.push((x, y));
            ControlFlow::Continue(())
        })?;
        Ok(all)
    }

    #[test]
    fn every_kind_of_geometry_is_visited() {
        for (geometry, positions) in [
            (r#"{"type":"Point","coordinates":[1,2]}"#, vec![(1.0, 2.0)]),
            (r#"{"coordinates":[1.5,-2e1,300],"type":"Point"}"#, vec![(1.5, -20.0)]),
            (r#"{"type":"LineString","coordinates":[[1,2],[3,4]]}"#, vec![(1.0, 2.0), (3.0, 4.0)]),
            (r#"{"type":"Polygon","coordinates":[[[1,2],[3,4]],[[5,6]]]}"#, vec![(1.0, 2.0), (3.0, 4.0), (5.0, 6.0)]),
            (r#"{"type":"MultiPolygon","coordinates":[[[[1,2]]],[[[3,4]]]]}"#, vec![(1.0, 2.0), (3.0, 4.0)]),
            (r#"{"type":"Point","coordinates":[]}"#, vec![]),
            (r#"{"type":"Point","coordinates":null}"#, vec![]),
            (
                r#"{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]},
                   {"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[3,4]}]}]}"#,
                vec![(1.0, 2.0), (3.0, 4.0)],
            ),
        ] {
            assert_eq!(visited(geometry).unwrap(), positions, "{geometry}");
            let feature = format!(r#"{{"properties":{{"a":[9,9]}},"type":"Feature","geometry":{geometry}}}"#);
            assert_eq!(visited(&feature).unwrap(), positions, "{feature}");
            let collection = format!(r#"{{"features":[{feature},{feature}],"type":"FeatureCollection"}}"#);
            assert_eq!(visited(&collection).unwrap(), [positions.clone(), positions].concat(), "{collection}");
        }
    }

    #[test]
    fn properties_and_foreign_members_are_ignored() {
        let feature = r#"{"type":"Feature","id":"\u00e9","bbox":[7,7,8,8],"coordinates":[7,7],
            "properties":{"geometry":{"type":"Point","coordinates":[7,7]}},"geometry":null,"crs":{"features":[{}]}}"#;
        let collection = format!(r#"{{"type":"FeatureCollection","features":[{feature}]}}"#);
        assert_eq!(visited(&collection).unwrap(), []);
    }

    #[test]
    fn visiting_ends_when_told() {
        let mut count = 0;
        let text = r#"{"type":"LineString","coordinates":[[1,2],[3,4],[5,6],"not read"#;
        let read = for_each_position(text, |_, _| {
            count += 1;
            if count == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(read.is_ok() && count == 2);
    }

    #[test]
    fn malformed_texts_are_an_error_with_a_place() {
        for (text, line, column) in [
            ("", 1, 0),
            ("[]", 1, 0),
            ("{\"type\":\"Point\",\n\"coordinates\":[1]}", 2, 17),
            (r#"{"coordinates":[1,null]}"#, 1, 22),
            (r#"{"coordinates":[[1,2],3]}"#, 1, 24),
            (r#"{"coordinates":[1,1e999]}"#, 1, 23),
            (r#"{"coordinates":["1","2"]}"#, 1, 19),
            (r#"{"coordinates":[1,2]} x"#, 1, 23),
            (r#"{"coordinates":7}"#, 1, 16),
            (r#"{"features":{}}"#, 1, 12),
        ] {
            let error = visited(text).unwrap_err();
            assert_eq!((error.line(), error.column()), (line, column), "{text}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{{\"coordinates\":{}1,2{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(visited(&nested(5)).is_ok() && visited(&nested(6)).is_err() && visited(&nested(100_000)).is_err());
        let collections = |depth: usize| format!("{}{{}}{}", r#"{"geometries":["#.repeat(depth), "]}".repeat(depth));
        assert!(visited(&collections(8)).is_ok() && visited(&collections(9)).is_err());
        assert!(visited(&collections(100_000)).is_err());
    }

    #[test]
    fn deeply_nested_properties_cost_no_stack() {
        let deep = format!("{}1{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        let feature = format!(r#"{{"properties":{deep},"geometry":{{"coordinates":[1,2]}}}}"#);
        assert_eq!(visited(&feature).unwrap(), [(1.0, 2.0)]);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in r#"[\[\]{}:,"0-9.e+ntypcoordinaesmfuglrls -]{0,80}"#) {
            prop_assert!(visited(&text).map_or(true, |all| all.iter().all(|(x, y)| x.is_finite() && y.is_finite())));
        }

        #[test]
        fn no_structure_panics(parts in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "1", "-2.5", "1e400", "null", "\"type\"", "\"coordinates\"", "\"features\"",
            "\"geometry\"", "\"geometries\"", "\"Point\"", "\"é\"", "\"\\ud800\"",
        ]), 0..40)) {
            prop_assert!(visited(&parts.concat()).map_or(true, |all| all.len() < 40));
        }
    }
}

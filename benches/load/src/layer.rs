//! A vector layer, as a plugin shares it.

use crate::frames::{TEXT, Text, masked};
use crate::generation::Generation;

/// Features of the layer, the most that the relay accepts.
pub(crate) const FEATURES: usize = 500;
/// Points of the polygon of each feature.
const POINTS: usize = 25;

/// A layer of polygons, ready to be sent by a member of v2 or v3.
#[derive(Debug)]
pub(crate) struct Layer {
    /// The masked frame.
    pub(crate) frame: Vec<u8>,
    /// Bytes of its GeoJSON.
    pub(crate) geojson: usize,
}

impl Layer {
    /// Makes a layer of about 300 KB.
    pub(crate) fn new() -> Self {
        let features: Vec<String> = (0..FEATURES).map(feature).collect();
        let geojson = format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","));
        let json = format!(
            r#"{{"type":"geojson","author":"surveyor","avatar":null,"layer_name":"parcels","crs_wkt":"","crs_authid":"EPSG:4326","style":null,"geojson":{geojson}}}"#
        );
        Self { frame: masked(TEXT, json.as_bytes()), geojson: geojson.len() }
    }

    /// Whether `text` is this layer as the relay sends it to a member of `generation`. v1 gets a line of text.
    pub(crate) fn is(&self, generation: Generation, text: Text<'_>) -> bool {
        match generation {
            Generation::V1 => {
                text.head.starts_with(br#"{"message":"shared the layer \"parcels\" (500 features, EPSG:4326)""#)
            }
            Generation::V2 | Generation::V3 => {
                text.head.starts_with(br#"{"type":"geojson","#) && text.len > self.geojson
            }
        }
    }
}

fn feature(id: usize) -> String {
    let ring: Vec<String> = (0..POINTS).map(|at| format!("[4.8{id:03}{at:02},45.7{at:02}{id:03}]")).collect();
    format!(
        r#"{{"type":"Feature","properties":{{"id":{id},"name":"parcel {id}","area":{id}.25}},"geometry":{{"type":"Polygon","coordinates":[[{}]]}}}}"#,
        ring.join(",")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::frames;
    use crate::frames::tests::as_server_frame;

    #[test]
    fn a_layer_is_geojson_of_about_300_kilobytes() {
        let layer = Layer::new();
        assert!((250_000..350_000).contains(&layer.geojson), "{}", layer.geojson);
        let bytes = as_server_frame(&layer.frame);
        let frame = frames::next(&bytes).expect("legal").expect("complete");
        let json: Value = serde_json::from_slice(frame.payload).expect("JSON");
        assert_eq!(json["geojson"]["features"].as_array().map(Vec::len), Some(FEATURES));
    }

    #[test]
    fn each_generation_has_its_form_of_a_layer() {
        let layer = Layer::new();
        let line = br#"{"message":"shared the layer \"parcels\" (500 features, EPSG:4326)","author":"surveyor"}"#;
        assert!(layer.is(Generation::V1, Text::whole(line)));
        assert!(!layer.is(Generation::V2, Text::whole(line)));
        let large = |len| Text { head: br#"{"type":"geojson","author":"surveyor""#, len };
        assert!(layer.is(Generation::V2, large(layer.geojson + 100)));
        assert!(!layer.is(Generation::V3, large(layer.geojson - 1)), "a part is missing");
        assert!(!layer.is(Generation::V1, large(layer.geojson + 100)));
    }
}

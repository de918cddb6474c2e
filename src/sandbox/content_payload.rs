//! The contents of messages as plugins see them, with the keys of the protocol.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::model::{Content, Crs, Extent, Image, Layer, Position, ProcessingModel, Script};

/// A content.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum ContentPayload<'m> {
    Image {
        /// Base64 of a PNG file.
        image_data: &'m str,
        width: Option<u32>,
        height: Option<u32>,
    },
    Layer {
        layer_name: &'m str,
        crs_wkt: &'m str,
        crs_authid: &'m str,
        features: usize,
        /// `None` if it is not JSON, which the wire formats rule out.
        geojson: Option<&'m RawValue>,
        style: Option<&'m str>,
    },
    Crs {
        crs_wkt: &'m str,
        crs_authid: &'m str,
    },
    Extent {
        crs_wkt: &'m str,
        crs_authid: &'m str,
        xmin: f64,
        xmax: f64,
        ymin: f64,
        ymax: f64,
    },
    Position {
        crs_wkt: &'m str,
        crs_authid: &'m str,
        x: f64,
        y: f64,
    },
    Model {
        model_name: &'m str,
        model_group: Option<&'m str>,
        raw_xml: &'m str,
    },
    Script {
        name: &'m str,
        raw_pycode: &'m str,
    },
}

impl<'m> ContentPayload<'m> {
    pub(super) fn new(content: &'m Content) -> Self {
        match content {
            Content::Image(Image { data, png }) => {
                Self::Image { image_data: data, width: png.map(|png| png.width), height: png.map(|png| png.height) }
            }
            Content::GeoJson(Layer { name, crs: Crs { wkt, authid }, geojson, features, bounds: _, style }) => {
                Self::Layer {
                    layer_name: name,
                    crs_wkt: wkt,
                    crs_authid: authid,
                    features: *features,
                    geojson: serde_json::from_str(geojson).ok(),
                    style: style.as_deref(),
                }
            }
            Content::Crs(Crs { wkt, authid }) => Self::Crs { crs_wkt: wkt, crs_authid: authid },
            Content::Bbox(Extent { crs: Crs { wkt, authid }, xmin, xmax, ymin, ymax }) => {
                Self::Extent { crs_wkt: wkt, crs_authid: authid, xmin: *xmin, xmax: *xmax, ymin: *ymin, ymax: *ymax }
            }
            Content::Position(Position { crs: Crs { wkt, authid }, x, y }) => {
                Self::Position { crs_wkt: wkt, crs_authid: authid, x: *x, y: *y }
            }
            Content::Model(ProcessingModel { name, group, xml }) => {
                Self::Model { model_name: name, model_group: group.as_deref(), raw_xml: xml }
            }
            Content::Script(Script { name, code }) => Self::Script { name, raw_pycode: code },
        }
    }
}

//! Contents of messages besides text: images, layers, coordinate systems, places, and code.

use serde::{Deserialize, Serialize};

use super::bounds::Bounds;

/// Content of a message other than text. The names of the kinds are those of the protocol.
///
/// A content may lack its payload (the pixels, the features, the code): then it is a record of what was shared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// An image.
    Image(Image),
    /// A layer of features.
    GeoJson(Layer),
    /// A coordinate reference system.
    Crs(Crs),
    /// An extent.
    Bbox(Extent),
    /// A position.
    Position(Position),
    /// A processing model.
    Model(ProcessingModel),
    /// A Python script for QGIS.
    Script(Script),
}

/// An image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// The file in base64: as the client sent it, or the PNG that the relay made of it.
    pub data: String,
    /// The properties of that PNG; `None` for the file of the client.
    pub png: Option<PngInfo>,
}

/// The properties of an image that the relay has encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PngInfo {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Size of the file in bytes.
    pub bytes: usize,
    /// BLAKE3 digest of the file.
    pub digest: [u8; 32],
}

/// A coordinate reference system, as a client describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crs {
    /// Its definition in well-known text. Clients also send placeholders, such as `TODO`.
    pub wkt: String,
    /// Its identifier, such as `EPSG:2154`. May be empty.
    pub authid: String,
}

/// A layer of features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// The name. Clients use it as a file name.
    pub name: String,
    /// The coordinate reference system of the features.
    pub crs: Crs,
    /// The features: a GeoJSON object, exactly as the client wrote it.
    pub geojson: String,
    /// Number of features.
    pub features: usize,
    /// The box around the coordinates of the features; `None` if they have none.
    #[serde(default)]
    pub bounds: Option<Bounds>,
    /// The style in QGIS's format (QML).
    pub style: Option<String>,
}

/// An extent. The bounds are in any order: an extent over the antimeridian has `xmin > xmax`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Extent {
    /// The coordinate reference system of the bounds.
    pub crs: Crs,
    /// First bound in x.
    pub xmin: f64,
    /// Second bound in x.
    pub xmax: f64,
    /// First bound in y.
    pub ymin: f64,
    /// Second bound in y.
    pub ymax: f64,
}

/// A position.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// The coordinate reference system of the coordinates.
    pub crs: Crs,
    /// Easting or longitude.
    pub x: f64,
    /// Northing or latitude.
    pub y: f64,
}

/// A processing model of QGIS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessingModel {
    /// The name.
    pub name: String,
    /// The group that it is listed in.
    pub group: Option<String>,
    /// The model in QGIS's format (XML).
    pub xml: String,
}

/// A Python script for QGIS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// The name. Clients use it as a file name.
    pub name: String,
    /// The source code.
    pub code: String,
}

impl Content {
    /// The stable name of the kind.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Image(_) => "image",
            Self::GeoJson(_) => "geojson",
            Self::Crs(_) => "crs",
            Self::Bbox(_) => "bbox",
            Self::Position(_) => "position",
            Self::Model(_) => "model",
            Self::Script(_) => "script",
        }
    }

    /// The coordinate reference system, for the kinds that have one.
    #[must_use]
    pub fn crs(&self) -> Option<&Crs> {
        match self {
            Self::GeoJson(layer) => Some(&layer.crs),
            Self::Crs(own) => Some(own),
            Self::Bbox(extent) => Some(&extent.crs),
            Self::Position(position) => Some(&position.crs),
            Self::Image(_) | Self::Model(_) | Self::Script(_) => None,
        }
    }

    /// Size of the payload, in bytes.
    #[must_use]
    pub fn payload_bytes(&self) -> usize {
        match self {
            Self::Image(image) => image.data.len(),
            Self::GeoJson(layer) => layer.geojson.len() + layer.style.as_ref().map_or(0, String::len),
            Self::Model(model) => model.xml.len(),
            Self::Script(script) => script.code.len(),
            Self::Crs(_) | Self::Bbox(_) | Self::Position(_) => 0,
        }
    }

    /// Size of all texts, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        let crs = |crs: &Crs| crs.wkt.len() + crs.authid.len();
        self.payload_bytes()
            + match self {
                Self::Image(_) => 0,
                Self::GeoJson(layer) => layer.name.len() + crs(&layer.crs),
                Self::Crs(own) => crs(own),
                Self::Bbox(extent) => crs(&extent.crs),
                Self::Position(position) => crs(&position.crs),
                Self::Model(model) => model.name.len() + model.group.as_ref().map_or(0, String::len),
                Self::Script(script) => script.name.len(),
            }
    }

    /// Returns the content without its payload, which may be megabytes; `None` if it has none.
    #[must_use]
    pub fn without_payload(&self) -> Option<Self> {
        if self.payload_bytes() == 0 {
            return None;
        }
        Some(match self {
            Self::Image(Image { data: _, png }) => Self::Image(Image { data: String::new(), png: *png }),
            Self::GeoJson(Layer { name, crs, geojson: _, features, bounds, style: _ }) => Self::GeoJson(Layer {
                name: name.clone(),
                crs: crs.clone(),
                geojson: String::new(),
                features: *features,
                bounds: *bounds,
                style: None,
            }),
            Self::Model(ProcessingModel { name, group, xml: _ }) => {
                Self::Model(ProcessingModel { name: name.clone(), group: group.clone(), xml: String::new() })
            }
            Self::Script(Script { name, code: _ }) => Self::Script(Script { name: name.clone(), code: String::new() }),
            Self::Crs(_) | Self::Bbox(_) | Self::Position(_) => return None,
        })
    }

    /// Calls `each` with every text that a client chose freely, to change it.
    pub fn texts_mut(&mut self, each: &mut impl FnMut(&mut String)) {
        let crs = |crs: &mut Crs, each: &mut dyn FnMut(&mut String)| {
            each(&mut crs.wkt);
            each(&mut crs.authid);
        };
        match self {
            Self::Image(image) => each(&mut image.data),
            Self::GeoJson(layer) => {
                each(&mut layer.name);
                each(&mut layer.geojson);
                crs(&mut layer.crs, each);
                layer.style.iter_mut().for_each(each);
            }
            Self::Crs(own) => crs(own, each),
            Self::Bbox(extent) => crs(&mut extent.crs, each),
            Self::Position(position) => crs(&mut position.crs, each),
            Self::Model(model) => {
                each(&mut model.name);
                each(&mut model.xml);
                model.group.iter_mut().for_each(each);
            }
            Self::Script(script) => {
                each(&mut script.name);
                each(&mut script.code);
            }
        }
    }
}

//! A message in a case file, of any kind. Contents have the keys of the protocol.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{CaseMessage, CaseSender, parse_time, qgis};
use crate::images::{self, NormalImage};
use crate::model::{Content, Image, MessageKind, RoomName};
use crate::names::named;
use crate::wire::{Generation, typed};

named! {
    /// The kind of a message in a case.
    #[derive(Default)]
    enum Kind {
        #[default]
        Text = "text",
        Like = "like",
        Image = "image",
        GeoJson = "geojson",
        Crs = "crs",
        Bbox = "bbox",
        Position = "position",
        Model = "model",
        Script = "script",
    }
}

impl Kind {
    /// The keys of a message of this kind.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Text | Self::Like => &["text"],
            Self::Image => &["image_data"],
            Self::GeoJson => &["layer_name", "crs_authid", "crs_wkt", "geojson", "style"],
            Self::Crs => &["crs_authid", "crs_wkt"],
            Self::Bbox => &["crs_authid", "crs_wkt", "xmin", "xmax", "ymin", "ymax"],
            Self::Position => &["crs_authid", "crs_wkt", "x", "y"],
            Self::Model => &["model_name", "model_group", "raw_xml"],
            Self::Script => &["name", "raw_pycode"],
        }
    }
}

/// A message as in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMessage {
    #[serde(default)]
    kind: Kind,
    author: Option<String>,
    #[serde(default = "qgis")]
    room: RoomName,
    #[serde(default, deserialize_with = "parse_time")]
    at: Option<Timestamp>,
    /// For messages before the one of the case.
    sender: Option<CaseSender>,
    text: Option<String>,
    image_data: Option<String>,
    layer_name: Option<String>,
    crs_authid: Option<String>,
    crs_wkt: Option<String>,
    /// JSON.
    geojson: Option<String>,
    style: Option<String>,
    x: Option<f64>,
    y: Option<f64>,
    xmin: Option<f64>,
    xmax: Option<f64>,
    ymin: Option<f64>,
    ymax: Option<f64>,
    model_name: Option<String>,
    model_group: Option<String>,
    raw_xml: Option<String>,
    name: Option<String>,
    raw_pycode: Option<String>,
}

impl RawMessage {
    /// Returns the message, and its sender if it has one. The error is a line.
    pub(super) fn read(self) -> Result<(CaseMessage, Option<CaseSender>), String> {
        let kind = self.message_kind()?;
        let Self { author, room, at, sender, .. } = self;
        Ok((CaseMessage { kind, author: author.unwrap_or_else(|| "jane".to_owned()), room, at }, sender))
    }

    fn message_kind(&self) -> Result<MessageKind, String> {
        let keys = self.keys()?;
        if let Some((key, _)) = keys.iter().find(|(key, _)| !self.kind.keys().contains(&key.as_str())) {
            return Err(format!("a message of the kind `{}` has no `{key}`", self.kind));
        }
        match (self.kind, &self.text) {
            (Kind::Text, Some(text)) => return Ok(MessageKind::Text { avatar: None, text: text.clone() }),
            (Kind::Like, Some(text)) => return Ok(MessageKind::Like { liked: "bob".to_owned(), text: text.clone() }),
            _ => {}
        }
        let mut frame = Map::from_iter([
            ("type".to_owned(), Value::from(self.kind.as_str())),
            ("author".to_owned(), Value::from("jane")),
        ]);
        for key in ["crs_authid", "crs_wkt", "layer_name"] {
            frame.insert(key.to_owned(), Value::from(""));
        }
        frame.extend(keys);
        let decoded = typed::decode(Generation::V2, &Value::Object(frame).to_string());
        let message = decoded.map_err(|notice| notice.reason().text.to_string())?;
        let kind = message.map(|message| message.kind).ok_or("a client does not send this kind")?;
        with_image_encoded(kind)
    }

    /// The keys of the content that are set.
    fn keys(&self) -> Result<Map<String, Value>, String> {
        let texts = [
            ("text", &self.text),
            ("image_data", &self.image_data),
            ("layer_name", &self.layer_name),
            ("crs_authid", &self.crs_authid),
            ("crs_wkt", &self.crs_wkt),
            ("style", &self.style),
            ("model_name", &self.model_name),
            ("model_group", &self.model_group),
            ("raw_xml", &self.raw_xml),
            ("name", &self.name),
            ("raw_pycode", &self.raw_pycode),
        ];
        let numbers = [
            ("x", self.x),
            ("y", self.y),
            ("xmin", self.xmin),
            ("xmax", self.xmax),
            ("ymin", self.ymin),
            ("ymax", self.ymax),
        ];
        let texts = texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), Value::from(text.as_deref()?))));
        let numbers = numbers.into_iter().filter_map(|(key, number)| Some((key.to_owned(), Value::from(number?))));
        let mut keys: Map<String, Value> = texts.chain(numbers).collect();
        if let Some(geojson) = &self.geojson {
            let parsed = serde_json::from_str(geojson).map_err(|error| format!("`geojson` is not JSON: {error}"))?;
            keys.insert("geojson".to_owned(), parsed);
        }
        Ok(keys)
    }
}

/// Encodes an image as the relay does before it calls plugins.
fn with_image_encoded(kind: MessageKind) -> Result<MessageKind, String> {
    let MessageKind::Content { avatar, content } = &kind else { return Ok(kind) };
    let Content::Image(Image { data, .. }) = &**content else { return Ok(kind) };
    let NormalImage { data, width, height, digest } =
        images::normalize(data, &images::Limits::default()).map_err(|error| format!("`image_data`: {error}"))?;
    let png = Some(crate::model::PngInfo { width, height, bytes: data.len() / 4 * 3, digest });
    Ok(MessageKind::Content { avatar: avatar.clone(), content: Content::Image(Image { data, png }).into() })
}

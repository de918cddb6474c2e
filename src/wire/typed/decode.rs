//! Decodes frames of v2 and v3.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::super::Generation;
use super::super::field::{Field, refused, uncompliant};
use super::layer::{Features, check_features};
use super::object::{ClientObject, Key};
use crate::model::{
    Content, Crs, Extent, Image, Layer, Message, MessageKind, Notice, Position, ProcessingModel, Script,
};

/// Decodes the text of a message; `None` for kinds that only the relay sends, which clients send at times. Ignores
/// unknown keys.
///
/// # Errors
/// The [`Notice`] for the sender when the frame is not a valid message of the protocol.
pub fn decode(generation: Generation, text: &str) -> Result<Option<Message>, Notice> {
    let mut object = ClientObject::default();
    object.read(text)?;
    object.take_message(generation)
}

/// Decodes the body of a `PUT` of a text. Its `type` may be absent.
///
/// # Errors
/// The [`Notice`] for the sender when the body is not a valid text.
pub fn decode_text(generation: Generation, text: &str) -> Result<Message, Notice> {
    let mut object = ClientObject::default();
    object.read(text)?;
    let ids = object.ids(generation)?;
    Ok(message(ids, object.take_text()?))
}

/// Creates a message that is received now. It gets an ID unless the client gave one.
fn message((id, in_reply_to): (Option<Uuid>, Option<Uuid>), (author, kind): (String, MessageKind)) -> Message {
    Message { id: id.unwrap_or_else(Uuid::new_v4), at: Timestamp::now(), author, kind, in_reply_to }
}

impl ClientObject<'_> {
    fn take_message(&mut self, generation: Generation) -> Result<Option<Message>, Notice> {
        let kind = match self.take(Key::Type) {
            Field::Text(kind) => kind,
            Field::Absent => return Err(uncompliant("`type` is missing")),
            Field::Null | Field::Number(_) | Field::Other => return Err(uncompliant("`type` must be a string")),
        };
        if matches!(&*kind, "exiter" | "nb_users" | "uncompliant") {
            return Ok(None);
        }
        let ids = self.ids(generation)?;
        let sent = match &*kind {
            "text" => self.take_text()?,
            "newcomer" => (self.take(Key::Newcomer).required("newcomer")?, MessageKind::Newcomer),
            "like" => {
                let liked = self.take(Key::LikedAuthor).required("liked_author")?;
                let text = self.take(Key::Message).required("message")?;
                (self.take(Key::LikerAuthor).required("liker_author")?, MessageKind::Like { liked, text })
            }
            "image" => {
                let image = Image { data: self.take(Key::ImageData).required("image_data")?, png: None };
                self.take_content(Content::Image(image))?
            }
            "geojson" => {
                let layer = self.take_layer()?;
                self.take_content(Content::GeoJson(layer))?
            }
            "crs" => {
                let crs = self.take_crs()?;
                self.take_content(Content::Crs(crs))?
            }
            "bbox" => {
                let extent = Extent {
                    crs: self.take_crs()?,
                    xmin: self.take(Key::Xmin).number("xmin")?,
                    xmax: self.take(Key::Xmax).number("xmax")?,
                    ymin: self.take(Key::Ymin).number("ymin")?,
                    ymax: self.take(Key::Ymax).number("ymax")?,
                };
                self.take_content(Content::Bbox(extent))?
            }
            "position" => {
                let (x, y) = (self.take(Key::X).number("x")?, self.take(Key::Y).number("y")?);
                let position = Position { crs: self.take_crs()?, x, y };
                self.take_content(Content::Position(position))?
            }
            "model" => {
                let model = ProcessingModel {
                    name: self.take(Key::ModelName).required("model_name")?,
                    group: self.take(Key::ModelGroup).optional("model_group")?,
                    xml: self.take(Key::RawXml).required("raw_xml")?,
                };
                self.take_content(Content::Model(model))?
            }
            "script" => {
                let name = self.take(Key::Name).required("name")?;
                let script = Script { name, code: self.take(Key::RawPycode).required("raw_pycode")? };
                self.take_content(Content::Script(script))?
            }
            _ => return Err(uncompliant("`type` is not a kind of message")),
        };
        Ok(Some(message(ids, sent)))
    }

    /// Takes the ID of the message and that of the message it replies to. Clients of v3 choose the ID; the relay uses
    /// its own clock, whatever the `timestamp`.
    fn ids(&mut self, generation: Generation) -> Result<(Option<Uuid>, Option<Uuid>), Notice> {
        // Clients send null when it is no reply, and the key is not part of any generation: it is never an error.
        let reply = match self.take(Key::InReplyToId) {
            Field::Text(id) => id.parse().ok(),
            _ => None,
        };
        if generation == Generation::V2 {
            return Ok((None, reply));
        }
        match self.take(Key::Timestamp) {
            Field::Absent => {}
            stated => {
                let number = stated.number("timestamp").ok();
                if number.is_none_or(|seconds| seconds.fract() != 0.0) {
                    return Err(uncompliant("`timestamp` must be a whole number of seconds"));
                }
            }
        }
        let id = match self.take(Key::Id) {
            Field::Absent => None,
            Field::Text(id) => Some(id.parse().map_err(|_| uncompliant("`id` must be a UUID"))?),
            Field::Null | Field::Number(_) | Field::Other => return Err(uncompliant("`id` must be a UUID")),
        };
        Ok((id, reply))
    }

    /// Returns the author of a text, and the text.
    fn take_text(&mut self) -> Result<(String, MessageKind), Notice> {
        let (avatar, text) = (self.take(Key::Avatar).optional("avatar")?, self.take(Key::Text).required("text")?);
        Ok((self.take(Key::Author).required("author")?, MessageKind::Text { avatar, text }))
    }

    /// Returns the author of a content, and the content.
    fn take_content(&mut self, content: Content) -> Result<(String, MessageKind), Notice> {
        let avatar = self.take(Key::Avatar).optional("avatar")?;
        let kind = MessageKind::Content { avatar, content: Arc::new(content) };
        Ok((self.take(Key::Author).required("author")?, kind))
    }

    fn take_crs(&mut self) -> Result<Crs, Notice> {
        let wkt = self.take(Key::CrsWkt).required("crs_wkt")?;
        Ok(Crs { wkt, authid: self.take(Key::CrsAuthid).required("crs_authid")? })
    }

    fn take_layer(&mut self) -> Result<Layer, Notice> {
        let name = self.take(Key::LayerName).required("layer_name")?;
        let style = self.take(Key::Style).optional("style")?;
        let crs = self.take_crs()?;
        let geojson = self.geojson().ok_or_else(|| refused("`geojson` is missing"))?;
        let Features { count, bounds } = check_features(geojson)?;
        Ok(Layer { name, crs, geojson: geojson.to_owned(), features: count, bounds, style })
    }
}

//! Decodes frames of v2 and v3.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::super::Generation;
use super::super::field::{Field, from_object, refused, uncompliant};
use super::layer::check_layer;
use crate::model::{
    Content, Crs, Extent, Image, Layer, Message, MessageKind, Notice, Position, ProcessingModel, Script,
};

/// Decodes the text of a message; `None` for kinds that only the relay sends, which clients send at times. Ignores
/// unknown keys.
///
/// # Errors
/// The [`Notice`] for the sender when the frame is not a valid message of the protocol.
pub fn decode(generation: Generation, text: &str) -> Result<Option<Message>, Notice> {
    let object: ClientObject<'_> = from_object(text)?;
    object.into_message(generation)
}

/// Decodes the body of a `PUT` of a text. Its `type` may be absent.
///
/// # Errors
/// The [`Notice`] for the sender when the body is not a valid text.
pub fn decode_text(generation: Generation, text: &str) -> Result<Message, Notice> {
    let mut object: ClientObject<'_> = from_object(text)?;
    let (id, in_reply_to) = object.ids(generation)?;
    let message = object.into_text()?;
    Ok(Message { id: id.unwrap_or(message.id), in_reply_to, ..message })
}

/// The JSON object of a client, with the keys of all kinds.
#[derive(Deserialize)]
struct ClientObject<'a> {
    #[serde(borrow, default, rename = "type")]
    type_: Field<'a>,
    #[serde(borrow, default)]
    id: Field<'a>,
    #[serde(borrow, default)]
    timestamp: Field<'a>,
    #[serde(borrow, default)]
    in_reply_to_id: Field<'a>,
    #[serde(borrow, default)]
    author: Field<'a>,
    #[serde(borrow, default)]
    avatar: Field<'a>,
    #[serde(borrow, default)]
    text: Field<'a>,
    #[serde(borrow, default)]
    image_data: Field<'a>,
    #[serde(borrow, default)]
    newcomer: Field<'a>,
    #[serde(borrow, default)]
    liker_author: Field<'a>,
    #[serde(borrow, default)]
    liked_author: Field<'a>,
    #[serde(borrow, default)]
    message: Field<'a>,
    #[serde(borrow, default)]
    layer_name: Field<'a>,
    #[serde(borrow, default)]
    crs_wkt: Field<'a>,
    #[serde(borrow, default)]
    crs_authid: Field<'a>,
    #[serde(borrow, default)]
    geojson: Option<&'a RawValue>,
    #[serde(borrow, default)]
    style: Field<'a>,
    #[serde(borrow, default)]
    xmin: Field<'a>,
    #[serde(borrow, default)]
    xmax: Field<'a>,
    #[serde(borrow, default)]
    ymin: Field<'a>,
    #[serde(borrow, default)]
    ymax: Field<'a>,
    #[serde(borrow, default)]
    x: Field<'a>,
    #[serde(borrow, default)]
    y: Field<'a>,
    #[serde(borrow, default)]
    model_name: Field<'a>,
    #[serde(borrow, default)]
    model_group: Field<'a>,
    #[serde(borrow, default)]
    raw_xml: Field<'a>,
    #[serde(borrow, default)]
    name: Field<'a>,
    #[serde(borrow, default)]
    raw_pycode: Field<'a>,
}

impl ClientObject<'_> {
    fn into_message(mut self, generation: Generation) -> Result<Option<Message>, Notice> {
        let kind = match std::mem::take(&mut self.type_) {
            Field::Text(kind) => kind,
            Field::Absent => return Err(uncompliant("`type` is missing")),
            Field::Null | Field::Number(_) | Field::Other => return Err(uncompliant("`type` must be a string")),
        };
        if matches!(&*kind, "exiter" | "nb_users" | "uncompliant") {
            return Ok(None);
        }
        let (id, in_reply_to) = self.ids(generation)?;
        let message = match &*kind {
            "text" => self.into_text()?,
            "newcomer" => Message::new(self.newcomer.required("newcomer")?, MessageKind::Newcomer),
            "like" => {
                let liked = self.liked_author.required("liked_author")?;
                let text = self.message.required("message")?;
                Message::new(self.liker_author.required("liker_author")?, MessageKind::Like { liked, text })
            }
            "image" => {
                let image = Image { data: take(&mut self.image_data).required("image_data")?, png: None };
                self.into_content(Content::Image(image))?
            }
            "geojson" => {
                let layer = self.take_layer()?;
                self.into_content(Content::GeoJson(layer))?
            }
            "crs" => {
                let crs = self.take_crs()?;
                self.into_content(Content::Crs(crs))?
            }
            "bbox" => {
                let extent = Extent {
                    crs: self.take_crs()?,
                    xmin: take(&mut self.xmin).number("xmin")?,
                    xmax: take(&mut self.xmax).number("xmax")?,
                    ymin: take(&mut self.ymin).number("ymin")?,
                    ymax: take(&mut self.ymax).number("ymax")?,
                };
                self.into_content(Content::Bbox(extent))?
            }
            "position" => {
                let (x, y) = (take(&mut self.x).number("x")?, take(&mut self.y).number("y")?);
                let position = Position { crs: self.take_crs()?, x, y };
                self.into_content(Content::Position(position))?
            }
            "model" => {
                let model = ProcessingModel {
                    name: take(&mut self.model_name).required("model_name")?,
                    group: take(&mut self.model_group).optional("model_group")?,
                    xml: take(&mut self.raw_xml).required("raw_xml")?,
                };
                self.into_content(Content::Model(model))?
            }
            "script" => {
                let name = take(&mut self.name).required("name")?;
                let script = Script { name, code: take(&mut self.raw_pycode).required("raw_pycode")? };
                self.into_content(Content::Script(script))?
            }
            _ => return Err(uncompliant("`type` is not a kind of message")),
        };
        Ok(Some(Message { id: id.unwrap_or(message.id), in_reply_to, ..message }))
    }

    /// Takes the ID of the message and that of the message it replies to. Clients of v3 choose the ID; the relay uses
    /// its own clock, whatever the `timestamp`.
    fn ids(&mut self, generation: Generation) -> Result<(Option<Uuid>, Option<Uuid>), Notice> {
        // Clients send null when it is no reply, and the key is not part of any generation: it is never an error.
        let reply = match take(&mut self.in_reply_to_id) {
            Field::Text(id) => id.parse().ok(),
            _ => None,
        };
        if generation == Generation::V2 {
            return Ok((None, reply));
        }
        match take(&mut self.timestamp) {
            Field::Absent => {}
            stated => {
                let number = stated.number("timestamp").ok();
                if number.is_none_or(|seconds| seconds.fract() != 0.0) {
                    return Err(uncompliant("`timestamp` must be a whole number of seconds"));
                }
            }
        }
        let id = match take(&mut self.id) {
            Field::Absent => None,
            Field::Text(id) => Some(id.parse().map_err(|_| uncompliant("`id` must be a UUID"))?),
            Field::Null | Field::Number(_) | Field::Other => return Err(uncompliant("`id` must be a UUID")),
        };
        Ok((id, reply))
    }

    fn into_text(self) -> Result<Message, Notice> {
        let (avatar, text) = (self.avatar.optional("avatar")?, self.text.required("text")?);
        Ok(Message::new(self.author.required("author")?, MessageKind::Text { avatar, text }))
    }

    fn into_content(self, content: Content) -> Result<Message, Notice> {
        let avatar = self.avatar.optional("avatar")?;
        let kind = MessageKind::Content { avatar, content: Arc::new(content) };
        Ok(Message::new(self.author.required("author")?, kind))
    }

    fn take_crs(&mut self) -> Result<Crs, Notice> {
        let wkt = take(&mut self.crs_wkt).required("crs_wkt")?;
        Ok(Crs { wkt, authid: take(&mut self.crs_authid).required("crs_authid")? })
    }

    fn take_layer(&mut self) -> Result<Layer, Notice> {
        let name = take(&mut self.layer_name).required("layer_name")?;
        let style = take(&mut self.style).optional("style")?;
        let crs = self.take_crs()?;
        let geojson = self.geojson.take().ok_or_else(|| refused("`geojson` is missing"))?.get();
        let features = check_layer(geojson)?;
        Ok(Layer { name, crs, geojson: geojson.to_owned(), features, style })
    }
}

fn take<'a>(field: &mut Field<'a>) -> Field<'a> {
    std::mem::take(field)
}

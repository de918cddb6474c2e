//! Encodes frames of v2 and v3. Clients build objects from the keys, so that a frame has exactly those of its kind.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::super::Generation;
use super::super::fallback::fallback_text;
use crate::model::{Content, Crs, Extent, Image, Layer, Message, MessageKind, Notice, Position, Reason, RoomEvent};

/// Encodes an event as JSON; `None` if the generation has no frame for it.
#[must_use]
pub fn encode(generation: Generation, event: RoomEvent<'_>) -> Option<Vec<u8>> {
    let frame = match event {
        RoomEvent::Message(message) => return Some(encode_message(generation, message)),
        RoomEvent::UserCount(nb_users) => Frame::NbUsers { nb_users },
        RoomEvent::Newcomer(nickname) => Frame::Newcomer { newcomer: nickname.as_str() },
        RoomEvent::Exiter(nickname) => Frame::Exiter { exiter: nickname.as_str() },
        RoomEvent::Retracted(message_id) if generation == Generation::Relay => Frame::Retract { message_id },
        RoomEvent::Retracted(_) => return None,
    };
    Some(with_stamp(generation, json(&frame), Uuid::new_v4(), Timestamp::now()))
}

/// Encodes a message as broadcast JSON.
#[must_use]
pub fn encode_message(generation: Generation, message: &Message) -> Vec<u8> {
    let mut encoded = match &message.kind {
        MessageKind::Text { avatar, text } => {
            json(&Frame::Text { author: &message.author, avatar: avatar.as_deref(), text })
        }
        MessageKind::Like { liked, text } => {
            json(&Frame::Like { liker_author: &message.author, liked_author: liked, message: text })
        }
        MessageKind::Newcomer => json(&Frame::Newcomer { newcomer: &message.author }),
        MessageKind::Content { avatar, content } => {
            encode_content(generation, &message.author, avatar.as_deref(), content)
        }
    };
    if generation == Generation::Relay
        && let Some(id) = message.in_reply_to
    {
        append_member(&mut encoded, "in_reply_to_id", &[format!("\"{id}\"").as_bytes()]);
    }
    with_stamp(generation, encoded, message.id, message.at)
}

/// Encodes a notice as JSON. `message_id` is the ID of the message that it is about.
#[must_use]
pub fn encode_notice(generation: Generation, notice: &Notice, message_id: Option<Uuid>) -> Vec<u8> {
    let held = matches!(notice, Notice::Held(_));
    let (Notice::Refused(reason) | Notice::Uncompliant(reason) | Notice::Held(reason) | Notice::Moderation(reason)) =
        notice;
    let Reason { code, text, .. } = reason;
    // Clients show the reason alone, so it says that the message is not lost.
    let text = if held { Cow::Owned(format!("Waits for a moderator: {text}")) } else { Cow::Borrowed(&**text) };
    let text = &*text;
    let encoded = if generation == Generation::Relay {
        json(&Frame::ExplainedRefusal { reason: text, code: code.as_str(), held, message_id })
    } else {
        json(&Frame::Uncompliant { reason: text })
    };
    with_stamp(generation, encoded, Uuid::new_v4(), Timestamp::now())
}

fn encode_content(generation: Generation, author: &str, avatar: Option<&str>, content: &Content) -> Vec<u8> {
    match content {
        Content::Image(image) => encode_image(author, avatar, image),
        Content::GeoJson(layer) => encode_layer(author, avatar, layer),
        Content::Crs(Crs { wkt, authid }) => json(&Frame::Crs { author, avatar, crs_wkt: wkt, crs_authid: authid }),
        Content::Bbox(Extent { crs: Crs { wkt, authid }, xmin, xmax, ymin, ymax }) => json(&Frame::Bbox {
            author,
            avatar,
            crs_wkt: wkt,
            crs_authid: authid,
            xmin: *xmin,
            xmax: *xmax,
            ymin: *ymin,
            ymax: *ymax,
        }),
        Content::Position(Position { crs: Crs { wkt, authid }, x, y }) => {
            json(&Frame::Position { author, avatar, crs_wkt: wkt, crs_authid: authid, x: *x, y: *y })
        }
        Content::Model(model) => json(&Frame::Model {
            author,
            avatar,
            model_name: &model.name,
            model_group: model.group.as_deref(),
            raw_xml: &model.xml,
        }),
        // v2 has no scripts.
        Content::Script(_) if generation == Generation::V2 => {
            json(&Frame::Text { author, avatar, text: &fallback_text(content) })
        }
        Content::Script(script) => {
            json(&Frame::Script { author, avatar, name: &script.name, raw_pycode: &script.code })
        }
    }
}

/// Encodes an image. The relay's own base64 needs no escapes, and may be megabytes.
fn encode_image(author: &str, avatar: Option<&str>, image: &Image) -> Vec<u8> {
    let Image { data, png } = image;
    if png.is_none() {
        return json(&Frame::Image { author, avatar, image_data: Some(data) });
    }
    let mut encoded = json(&Frame::Image { author, avatar, image_data: None });
    encoded.reserve_exact(data.len() + 2 * STAMP_BYTES);
    append_member(&mut encoded, "image_data", &[b"\"", data.as_bytes(), b"\""]);
    encoded
}

/// Encodes a layer. Its features are copied as they are: the order of keys and the form of numbers matter to QGIS.
fn encode_layer(author: &str, avatar: Option<&str>, layer: &Layer) -> Vec<u8> {
    let Layer { name, crs: Crs { wkt, authid }, geojson, features: _, bounds: _, style } = layer;
    // QGIS plugins fail on a null when the user loads the layer.
    let style = style.as_deref().unwrap_or_default();
    let head = Frame::GeoJson { author, avatar, layer_name: name, crs_wkt: wkt, crs_authid: authid, style };
    let mut encoded = json(&head);
    encoded.reserve_exact(geojson.len() + 2 * STAMP_BYTES);
    append_member(&mut encoded, "geojson", &[geojson.as_bytes()]);
    encoded
}

/// Length of the members that v3 adds, with room to spare.
const STAMP_BYTES: usize = 128;

/// Adds the `id` and the `timestamp` of v3.
fn with_stamp(generation: Generation, mut encoded: Vec<u8>, id: Uuid, at: Timestamp) -> Vec<u8> {
    if generation != Generation::V2 {
        encoded.reserve(STAMP_BYTES);
        append_member(&mut encoded, "id", &[format!("\"{id}\"").as_bytes()]);
        append_member(&mut encoded, "timestamp", &[at.as_second().to_string().as_bytes()]);
    }
    encoded
}

/// Adds a member to a JSON object that has others. `value` is JSON, in parts.
fn append_member(object: &mut Vec<u8>, key: &str, value: &[&[u8]]) {
    object.pop();
    object.extend_from_slice(b",\"");
    object.extend_from_slice(key.as_bytes());
    object.extend_from_slice(b"\":");
    for part in value {
        object.extend_from_slice(part);
    }
    object.push(b'}');
}

/// Serializes a frame. It holds only strings and finite numbers, so this cannot fail.
fn json(frame: &Frame<'_>) -> Vec<u8> {
    serde_json::to_vec(frame).unwrap_or_default()
}

/// The frames of v2, and of v3 without `id` and `timestamp`.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Frame<'a> {
    Text {
        author: &'a str,
        avatar: Option<&'a str>,
        text: &'a str,
    },
    Image {
        author: &'a str,
        avatar: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        image_data: Option<&'a str>,
    },
    NbUsers {
        nb_users: usize,
    },
    Newcomer {
        newcomer: &'a str,
    },
    Exiter {
        exiter: &'a str,
    },
    Like {
        liker_author: &'a str,
        liked_author: &'a str,
        message: &'a str,
    },
    /// Without its `geojson`.
    #[serde(rename = "geojson")]
    GeoJson {
        author: &'a str,
        avatar: Option<&'a str>,
        layer_name: &'a str,
        crs_wkt: &'a str,
        crs_authid: &'a str,
        style: &'a str,
    },
    Crs {
        author: &'a str,
        avatar: Option<&'a str>,
        crs_wkt: &'a str,
        crs_authid: &'a str,
    },
    Bbox {
        author: &'a str,
        avatar: Option<&'a str>,
        crs_wkt: &'a str,
        crs_authid: &'a str,
        xmin: f64,
        xmax: f64,
        ymin: f64,
        ymax: f64,
    },
    Position {
        author: &'a str,
        avatar: Option<&'a str>,
        crs_wkt: &'a str,
        crs_authid: &'a str,
        x: f64,
        y: f64,
    },
    Model {
        author: &'a str,
        avatar: Option<&'a str>,
        model_name: &'a str,
        model_group: Option<&'a str>,
        raw_xml: &'a str,
    },
    Script {
        author: &'a str,
        avatar: Option<&'a str>,
        name: &'a str,
        raw_pycode: &'a str,
    },
    Uncompliant {
        reason: &'a str,
    },
    /// An `uncompliant` for clients that ask for more.
    #[serde(rename = "uncompliant")]
    ExplainedRefusal {
        reason: &'a str,
        code: &'static str,
        held: bool,
        message_id: Option<Uuid>,
    },
    /// A moderator takes a message back. For clients that ask for more.
    Retract {
        message_id: Uuid,
    },
}

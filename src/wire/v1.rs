//! Generation v1: chat lines without a `type`, and frames of the author `internal`.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::V1Notices;
use crate::model::{Message, MessageKind, Notice, Reason, ReasonCode, RoomEvent};

/// The author of frames that are not chat.
const INTERNAL: &str = "internal";
/// The author of chat lines that carry notices.
const MODERATION: &str = "moderation";
/// The icon next to a notice. QGIS includes it.
const WARNING_ICON: &str = "mIconWarning.svg";

/// Decodes the text of a message.
///
/// Ignores unknown keys, as v1 clients do.
///
/// # Errors
///
/// The [`Notice`] for the sender: [`Notice::Uncompliant`] when the frame is not a JSON object of the protocol,
/// [`Notice::Refused`] when it is one but lacks a field or uses one reserved for the relay.
pub fn decode(text: &str) -> Result<Message, Notice> {
    // Serde would also accept an array of the fields in order.
    if !text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
        return Err(uncompliant("a frame must be a JSON object"));
    }
    let object: ClientObject<'_> = serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => uncompliant("the frame has a duplicate key"),
        _ => uncompliant("the frame is not valid JSON"),
    })?;
    object.into_message()
}

/// Encodes an event as JSON.
#[must_use]
pub fn encode(event: RoomEvent<'_>) -> Vec<u8> {
    match event {
        RoomEvent::Message(message) => encode_message(message),
        RoomEvent::UserCount(number) => json(&NbUsers { author: INTERNAL, nb_users: number }),
        RoomEvent::Newcomer(nickname) => json(&Newcomer { author: INTERNAL, newcomer: nickname.as_str() }),
        RoomEvent::Exiter(nickname) => json(&Exiter { author: INTERNAL, exiter: nickname.as_str() }),
    }
}

/// Encodes a message as broadcast JSON.
#[must_use]
pub fn encode_message(message: &Message) -> Vec<u8> {
    let author = &message.author;
    match &message.kind {
        MessageKind::Text { avatar, text } => json(&ChatLine { message: text, author, avatar: avatar.as_deref() }),
        MessageKind::Like { liked, text } => {
            json(&Like { author: INTERNAL, message: text, liker_author: author, liked_author: liked })
        }
        MessageKind::Newcomer => json(&Newcomer { author: INTERNAL, newcomer: author }),
    }
}

/// Encodes a notice as JSON; `None` if this kind of notice is not sent with this setting.
#[must_use]
pub fn encode_notice(notice: &Notice, setting: V1Notices) -> Option<Vec<u8>> {
    match (setting, notice) {
        (V1Notices::Visible, Notice::Refused(reason)) => Some(moderation_line(&format!("Refused: {}", reason.text))),
        (V1Notices::Visible, Notice::Held(reason)) => {
            Some(moderation_line(&format!("Waits for a moderator: {}", reason.text)))
        }
        (V1Notices::Visible, Notice::Moderation(reason)) => Some(moderation_line(&reason.text)),
        (
            V1Notices::Internal,
            Notice::Refused(reason) | Notice::Uncompliant(reason) | Notice::Held(reason) | Notice::Moderation(reason),
        ) => Some(json(&Uncompliant { author: INTERNAL, uncompliant: &reason.text })),
        (V1Notices::Visible, Notice::Uncompliant(_)) | (V1Notices::Off, _) => None,
    }
}

/// A chat line from the relay.
fn moderation_line(message: &str) -> Vec<u8> {
    json(&ChatLine { message, author: MODERATION, avatar: Some(WARNING_ICON) })
}

/// Serializes one of the structs below. They hold only strings and numbers, so it cannot fail.
fn json(frame: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(frame).unwrap_or_default()
}

fn uncompliant(text: &'static str) -> Notice {
    Notice::Uncompliant(Reason::new(ReasonCode::Malformed, text))
}

fn refused(text: &'static str) -> Notice {
    Notice::Refused(Reason::new(ReasonCode::Malformed, text))
}

#[derive(Serialize)]
struct ChatLine<'a> {
    message: &'a str,
    author: &'a str,
    avatar: Option<&'a str>,
}

#[derive(Serialize)]
struct NbUsers {
    author: &'static str,
    nb_users: usize,
}

#[derive(Serialize)]
struct Newcomer<'a> {
    author: &'static str,
    newcomer: &'a str,
}

#[derive(Serialize)]
struct Exiter<'a> {
    author: &'static str,
    exiter: &'a str,
}

#[derive(Serialize)]
struct Like<'a> {
    author: &'static str,
    message: &'a str,
    liker_author: &'a str,
    liked_author: &'a str,
}

#[derive(Serialize)]
struct Uncompliant<'a> {
    author: &'static str,
    uncompliant: &'a str,
}

/// The JSON object of a client, with the keys that the relay reads.
#[derive(serde::Deserialize)]
struct ClientObject<'a> {
    #[serde(borrow, default)]
    message: Field<'a>,
    #[serde(borrow, default)]
    author: Field<'a>,
    #[serde(borrow, default)]
    avatar: Field<'a>,
    #[serde(borrow, default)]
    newcomer: Field<'a>,
    #[serde(borrow, default)]
    liker_author: Field<'a>,
    #[serde(borrow, default)]
    liked_author: Field<'a>,
    #[serde(borrow, default)]
    nb_users: Field<'a>,
    #[serde(borrow, default)]
    exiter: Field<'a>,
    #[serde(borrow, default, rename = "type")]
    type_: Field<'a>,
}

impl ClientObject<'_> {
    fn into_message(self) -> Result<Message, Notice> {
        if self.type_.is_present() {
            return Err(uncompliant("this relay speaks generation v1 of the protocol, whose frames have no `type`"));
        }
        match &self.author {
            Field::Text(author) if author == INTERNAL => self.into_internal(),
            Field::Text(_) => self.into_text_message(),
            Field::Absent if !self.message.is_present() => Err(uncompliant("the frame is not part of the protocol")),
            Field::Absent => Err(refused("`author` is missing")),
            Field::Null | Field::Other => Err(refused("`author` must be a string")),
        }
    }

    fn into_text_message(self) -> Result<Message, Notice> {
        let text = self.message.required("`message` is missing", "`message` must be a string")?;
        let avatar = match self.avatar {
            Field::Absent | Field::Null => None,
            Field::Text(avatar) => Some(avatar.into_owned()),
            Field::Other => return Err(refused("`avatar` must be a string or null")),
        };
        let author = self.author.required("`author` is missing", "`author` must be a string")?;
        Ok(Message::new(author, MessageKind::Text { avatar, text }))
    }

    /// A client may send the registration of a nickname as `internal`, and recent QGIS plugins send likes so.
    fn into_internal(self) -> Result<Message, Notice> {
        if self.nb_users.is_present() || self.exiter.is_present() {
            return Err(refused("`nb_users` and `exiter` are reserved for the relay"));
        }
        if self.newcomer.is_present() {
            let nickname = self.newcomer.required("`newcomer` is missing", "`newcomer` must be a string")?;
            return Ok(Message::new(nickname, MessageKind::Newcomer));
        }
        if self.liker_author.is_present() || self.liked_author.is_present() {
            let author = self.liker_author.required("`liker_author` is missing", "`liker_author` must be a string")?;
            let liked = self.liked_author.required("`liked_author` is missing", "`liked_author` must be a string")?;
            let text = self.message.required("`message` is missing", "`message` must be a string")?;
            return Ok(Message::new(author, MessageKind::Like { liked, text }));
        }
        Err(Notice::Refused(Reason::new(ReasonCode::Reserved, "this nickname is reserved")))
    }
}

/// The value of a key. v1 expects a string almost everywhere; other values are skipped, whatever their size or depth.
#[derive(Debug, Default)]
enum Field<'a> {
    #[default]
    Absent,
    Null,
    Text(Cow<'a, str>),
    Other,
}

impl Field<'_> {
    fn is_present(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    fn required(self, missing: &'static str, not_text: &'static str) -> Result<String, Notice> {
        match self {
            Self::Text(text) => Ok(text.into_owned()),
            Self::Absent => Err(refused(missing)),
            Self::Null | Self::Other => Err(refused(not_text)),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldVisitor;

        impl<'de> Visitor<'de> for FieldVisitor {
            type Value = Field<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Field::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Field::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Field::Null)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Field::Other)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Field::Other)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(Field::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Field::Other)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Field::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Field::Other)
            }
        }

        deserializer.deserialize_any(FieldVisitor)
    }
}

#[cfg(test)]
mod tests;

//! Generation v1: chat lines without a `type`, and frames of the author `internal`.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::V1Notices;
use crate::model::{Code, Event, Kind, Message, Notice, Reason};

/// The author of frames that are not chat.
const INTERNAL: &str = "internal";
/// The author of the chat lines that tell of a refusal.
const MODERATION: &str = "moderation";
/// The icon beside a refusal; QGIS has it.
const WARNING_ICON: &str = "mIconWarning.svg";

/// Reads a frame.
///
/// Keys that v1 does not know are passed over, as its clients do.
///
/// # Errors
/// The [`Notice`] for the sender: [`Notice::Uncompliant`] when the frame is no JSON object of the protocol,
/// [`Notice::Refused`] when it is one, but lacks something or says what only the relay may say.
pub fn decode(text: &str) -> Result<Message, Notice> {
    // Serde would take an array for the fields in order.
    if !text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
        return Err(uncompliant("a frame must be a JSON object"));
    }
    let frame: Frame<'_> = serde_json::from_str(text).map_err(|fault| match fault.classify() {
        serde_json::error::Category::Data => uncompliant("a key stands twice in the frame"),
        _ => uncompliant("the frame is not valid JSON"),
    })?;
    frame.into_message()
}

/// Writes an event as JSON.
#[must_use]
pub fn encode(event: Event<'_>) -> Vec<u8> {
    match event {
        Event::Message(message) => encode_message(message),
        Event::Users(number) => json(&NbUsers { author: INTERNAL, nb_users: number }),
        Event::Newcomer(nickname) => json(&Newcomer { author: INTERNAL, newcomer: nickname.as_str() }),
        Event::Exiter(nickname) => json(&Exiter { author: INTERNAL, exiter: nickname.as_str() }),
    }
}

/// Writes a message as JSON, as it is broadcast.
#[must_use]
pub fn encode_message(message: &Message) -> Vec<u8> {
    let author = &message.author;
    match &message.kind {
        Kind::Text { avatar, text } => json(&Line { message: text, author, avatar: avatar.as_deref() }),
        Kind::Like { liked, text } => {
            json(&Like { author: INTERNAL, message: text, liker_author: author, liked_author: liked })
        }
        Kind::Newcomer => json(&Newcomer { author: INTERNAL, newcomer: author }),
    }
}

/// Writes what the sender alone is told, or nothing where the setting or the kind of fault asks for silence.
#[must_use]
pub fn encode_notice(notice: &Notice, setting: V1Notices) -> Option<Vec<u8>> {
    match (setting, notice) {
        (V1Notices::Visible, Notice::Refused(reason)) => Some(from_moderation(&format!("Refused: {}", reason.text))),
        (V1Notices::Visible, Notice::Held(reason)) => {
            Some(from_moderation(&format!("Waits for a moderator: {}", reason.text)))
        }
        (V1Notices::Visible, Notice::Act(reason)) => Some(from_moderation(&reason.text)),
        (
            V1Notices::Internal,
            Notice::Refused(reason) | Notice::Uncompliant(reason) | Notice::Held(reason) | Notice::Act(reason),
        ) => Some(json(&Uncompliant { author: INTERNAL, uncompliant: &reason.text })),
        (V1Notices::Visible, Notice::Uncompliant(_)) | (V1Notices::Off, _) => None,
    }
}

/// A chat line of the relay's own.
fn from_moderation(message: &str) -> Vec<u8> {
    json(&Line { message, author: MODERATION, avatar: Some(WARNING_ICON) })
}

/// The types below hold strings and numbers only, which always have a JSON form.
fn json(frame: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(frame).unwrap_or_default()
}

fn uncompliant(text: &'static str) -> Notice {
    Notice::Uncompliant(Reason::new(Code::Malformed, text))
}

fn refused(text: &'static str) -> Notice {
    Notice::Refused(Reason::new(Code::Malformed, text))
}

#[derive(Serialize)]
struct Line<'a> {
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

/// A frame as a client wrote it, with every key of which it matters whether it is there.
#[derive(serde::Deserialize)]
struct Frame<'a> {
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

impl Frame<'_> {
    fn into_message(self) -> Result<Message, Notice> {
        if self.type_.is_there() {
            return Err(uncompliant("this relay speaks generation v1 of the protocol, whose frames have no `type`"));
        }
        match &self.author {
            Field::Text(author) if author == INTERNAL => self.into_internal(),
            Field::Text(_) => self.into_line(),
            Field::Absent if !self.message.is_there() => Err(uncompliant("the frame is none of the protocol's")),
            Field::Absent => Err(refused("`author` is missing")),
            Field::Null | Field::Other => Err(refused("`author` must be a text")),
        }
    }

    fn into_line(self) -> Result<Message, Notice> {
        let text = self.message.required("`message` is missing", "`message` must be a text")?;
        let avatar = match self.avatar {
            Field::Absent | Field::Null => None,
            Field::Text(avatar) => Some(avatar.into_owned()),
            Field::Other => return Err(refused("`avatar` must be a text or null")),
        };
        let author = self.author.required("`author` is missing", "`author` must be a text")?;
        Ok(Message::new(author, Kind::Text { avatar, text }))
    }

    /// What a client may say as `internal`: that it registers, or (late plugins) that it likes a message.
    fn into_internal(self) -> Result<Message, Notice> {
        if self.nb_users.is_there() || self.exiter.is_there() {
            return Err(refused("`nb_users` and `exiter` are for the relay to say"));
        }
        if self.newcomer.is_there() {
            let nickname = self.newcomer.required("`newcomer` is missing", "`newcomer` must be a text")?;
            return Ok(Message::new(nickname, Kind::Newcomer));
        }
        if self.liker_author.is_there() || self.liked_author.is_there() {
            let liker = self.liker_author.required("`liker_author` is missing", "`liker_author` must be a text")?;
            let author = self.liked_author.required("`liked_author` is missing", "`liked_author` must be a text")?;
            let text = self.message.required("`message` is missing", "`message` must be a text")?;
            return Ok(Message::new(liker, Kind::Like { liked: author, text }));
        }
        Err(Notice::Refused(Reason::new(Code::Reserved, "this name is kept for the relay itself")))
    }
}

/// The value of a key: a text, which is what v1 wants almost everywhere, or only the fact that it is something else.
///
/// Values of other types are skipped, not built, whatever their size or depth.
#[derive(Debug, Default)]
enum Field<'a> {
    #[default]
    Absent,
    Null,
    Text(Cow<'a, str>),
    Other,
}

impl Field<'_> {
    fn is_there(&self) -> bool {
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

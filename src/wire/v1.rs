//! Generation v1: chat lines without a `type`, and frames of the author `internal`.

use serde::Serialize;

use super::V1Notices;
use super::fallback::fallback_text;
use super::field::{Field, from_object, refused, uncompliant};
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
    let object: ClientObject<'_> = from_object(text)?;
    object.into_message()
}

/// Encodes an event as JSON; `None` if the generation has no frame for it.
#[must_use]
pub fn encode(event: RoomEvent<'_>) -> Option<Vec<u8>> {
    Some(match event {
        RoomEvent::Message(message) => encode_message(message),
        RoomEvent::UserCount(number) => json(&NbUsers { author: INTERNAL, nb_users: number }),
        RoomEvent::Newcomer(nickname) => json(&Newcomer { author: INTERNAL, newcomer: nickname.as_str() }),
        RoomEvent::Exiter(nickname) => json(&Exiter { author: INTERNAL, exiter: nickname.as_str() }),
        RoomEvent::Retracted(_) => return None,
    })
}

/// Encodes a message as broadcast JSON.
#[must_use]
pub fn encode_message(message: &Message) -> Vec<u8> {
    let author = &message.author;
    match &message.kind {
        MessageKind::Text { avatar, text } => {
            json(&ChatLine { message: text, author, avatar: shown(avatar.as_deref()) })
        }
        MessageKind::Like { liked, text } => {
            json(&Like { author: INTERNAL, message: text, liker_author: author, liked_author: liked })
        }
        MessageKind::Newcomer => json(&Newcomer { author: INTERNAL, newcomer: author }),
        MessageKind::Content { avatar, content } => {
            json(&ChatLine { message: &fallback_text(content), author, avatar: shown(avatar.as_deref()) })
        }
    }
}

/// Returns the avatar as v1 clients expect it: without one, the key is null. Other clients also send an empty name.
fn shown(avatar: Option<&str>) -> Option<&str> {
    avatar.filter(|avatar| !avatar.is_empty())
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
            return Err(uncompliant(
                "this connection speaks generation v1 of the protocol, whose frames have no `type`",
            ));
        }
        match &self.author {
            Field::Text(author) if author == INTERNAL => self.into_internal(),
            Field::Text(_) => self.into_text_message(),
            Field::Absent if !self.message.is_present() => Err(uncompliant("the frame is not part of the protocol")),
            Field::Absent => Err(refused("`author` is missing")),
            Field::Null | Field::Number(_) | Field::Other => Err(refused("`author` must be a string")),
        }
    }

    fn into_text_message(self) -> Result<Message, Notice> {
        let text = self.message.required("message")?;
        let avatar = self.avatar.optional("avatar")?;
        let author = self.author.required("author")?;
        Ok(Message::new(author, MessageKind::Text { avatar, text }))
    }

    /// A client may send the registration of a nickname as `internal`, and recent QGIS plugins send likes so.
    fn into_internal(self) -> Result<Message, Notice> {
        if self.nb_users.is_present() || self.exiter.is_present() {
            return Err(refused("`nb_users` and `exiter` are reserved for the relay"));
        }
        if self.newcomer.is_present() {
            let nickname = self.newcomer.required("newcomer")?;
            return Ok(Message::new(nickname, MessageKind::Newcomer));
        }
        if self.liker_author.is_present() || self.liked_author.is_present() {
            let author = self.liker_author.required("liker_author")?;
            let liked = self.liked_author.required("liked_author")?;
            let text = self.message.required("message")?;
            return Ok(Message::new(author, MessageKind::Like { liked, text }));
        }
        Err(Notice::Refused(Reason::new(ReasonCode::Reserved, "this nickname is reserved")))
    }
}

#[cfg(test)]
mod tests;

//! The arguments and context of a plugin call.

use std::sync::Arc;

use serde::Serialize;
use uuid::Uuid;

use super::content_payload::ContentPayload;
use super::contract::types;
use crate::model::{Message, MessageKind, Sender};

/// The context of a call: the time and the room.
#[derive(Clone, Debug, Default)]
pub struct CallContext {
    /// When the relay received the message, in milliseconds since 1970.
    pub at: u64,
    /// The number of connections in the room.
    pub members: usize,
    /// The registered nicknames in the room.
    pub names: Arc<[String]>,
    /// Whether the call is a trial: it does not change the plugin's store and does not count in its statistics.
    pub is_trial: bool,
}

/// The arguments of a call.
#[derive(Debug)]
pub enum CheckRequest {
    /// Check a message.
    Message {
        /// The message.
        message: Box<types::Message>,
        /// Its sender.
        sender: types::Sender,
        /// Longest replacement text, in code points; `None` if the message has no text.
        max_chars: Option<usize>,
    },
    /// Check a nickname.
    Nickname {
        /// The nickname.
        nickname: String,
        /// The name of the room.
        room: String,
        /// The sender that wants to register it.
        sender: types::Sender,
    },
}

impl CheckRequest {
    /// A request to check a message. `folded` is its text in the form for comparison, `address` an opaque token for its
    /// sender's address. A replacement text may have at most `max_chars` code points.
    #[must_use]
    pub fn message(message: &Message, folded: String, sender: &Sender, address: String, max_chars: usize) -> Self {
        let max_chars = message.text().map(|_| max_chars);
        let request = types::Message {
            id: message.id.to_string(),
            room: sender.room.as_str().to_owned(),
            author: message.author.clone(),
            kind: message.kind.as_str().to_owned(),
            text: message.text().unwrap_or_default().to_owned(),
            folded,
            avatar: message.avatar().map(str::to_owned),
            payload: None,
            at: received_at(message),
        };
        Self::Message { message: Box::new(request), sender: guest_sender(sender, address), max_chars }
    }

    /// Adds the whole message as JSON, for a plugin that needs it.
    #[must_use]
    pub fn with_payload(mut self, original: &Message) -> Self {
        if let Self::Message { message, .. } = &mut self {
            // Strings and numbers always have a JSON form.
            message.payload = serde_json::to_string(&MessagePayload::new(original)).ok();
        }
        self
    }

    /// The size of its texts, in bytes.
    pub(super) fn size(&self) -> usize {
        let (texts, sender) = match self {
            Self::Message { message, sender, .. } => {
                let types::Message { id, room, author, kind, text, folded, avatar, payload, at: _ } = &**message;
                let optional = [avatar, payload].into_iter().flatten().map(String::len).sum::<usize>();
                ([id, room, author, kind, text, folded].map(String::len).iter().sum::<usize>() + optional, sender)
            }
            Self::Nickname { nickname, room, sender } => (nickname.len() + room.len(), sender),
        };
        size_of::<types::Message>() + texts + sender.address.len()
    }

    /// A request to check the nickname that a message registers.
    #[must_use]
    pub fn nickname(message: &Message, sender: &Sender, address: String) -> Self {
        let (nickname, room) = (message.author.clone(), sender.room.as_str().to_owned());
        Self::Nickname { nickname, room, sender: guest_sender(sender, address) }
    }
}

/// A whole message: the fields of every kind and those of its own.
#[derive(Serialize)]
struct MessagePayload<'m> {
    id: Uuid,
    kind: &'static str,
    author: &'m str,
    /// When the relay received it, in milliseconds since 1970.
    at: u64,
    #[serde(flatten)]
    body: PayloadBody<'m>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum PayloadBody<'m> {
    Text {
        avatar: Option<&'m str>,
        text: &'m str,
    },
    Like {
        liked: &'m str,
        text: &'m str,
    },
    Newcomer {},
    Content {
        avatar: Option<&'m str>,
        #[serde(flatten)]
        content: ContentPayload<'m>,
    },
}

impl<'m> MessagePayload<'m> {
    fn new(message: &'m Message) -> Self {
        let body = match &message.kind {
            MessageKind::Text { avatar, text } => PayloadBody::Text { avatar: avatar.as_deref(), text },
            MessageKind::Like { liked, text } => PayloadBody::Like { liked, text },
            MessageKind::Newcomer => PayloadBody::Newcomer {},
            MessageKind::Content { avatar, content } => {
                PayloadBody::Content { avatar: avatar.as_deref(), content: ContentPayload::new(content) }
            }
        };
        Self { id: message.id, kind: message.kind.as_str(), author: &message.author, at: received_at(message), body }
    }
}

fn received_at(message: &Message) -> u64 {
    u64::try_from(message.at.as_millisecond()).unwrap_or(0)
}

fn guest_sender(sender: &Sender, address: String) -> types::Sender {
    let context = &sender.context;
    types::Sender {
        connection: sender.connection.map(|id| id.0),
        address,
        registered: context.registered,
        seconds_connected: context.connected.as_secs(),
        accepted: context.accepted,
        refused: context.refused,
        trusted: context.trusted,
    }
}

impl CallContext {
    /// The context of a message.
    #[must_use]
    pub fn new(message: &Message, sender: &Sender) -> Self {
        Self {
            at: received_at(message),
            members: sender.context.member_count,
            names: Arc::clone(&sender.context.nicknames),
            is_trial: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(kind: MessageKind) -> String {
        let message = Message { id: Uuid::nil(), at: jiff::Timestamp::UNIX_EPOCH, ..Message::new("jane", kind) };
        serde_json::to_string(&MessagePayload::new(&message)).unwrap()
    }

    #[test]
    fn a_payload_has_the_fields_of_its_kind() {
        let common =
            |kind| format!(r#"{{"id":"00000000-0000-0000-0000-000000000000","kind":"{kind}","author":"jane","at":0"#);
        assert_eq!(
            payload(MessageKind::Text { avatar: None, text: "\"hi\"".to_owned() }),
            common("text") + r#","avatar":null,"text":"\"hi\""}"#
        );
        assert_eq!(
            payload(MessageKind::Like { liked: "bob".to_owned(), text: "hi".to_owned() }),
            common("like") + r#","liked":"bob","text":"hi"}"#
        );
        assert_eq!(payload(MessageKind::Newcomer), common("newcomer") + "}");
    }
}

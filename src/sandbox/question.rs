//! What a plugin is asked, and what it may know of the surroundings.

use std::sync::Arc;

use serde::Serialize;
use uuid::Uuid;

use super::contract::types;
use crate::model::{Kind, Message, Sender};

/// What a plugin may know of the surroundings of a message.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    /// When the relay got the message, in milliseconds since 1970.
    pub at: u64,
    /// Connections of its room.
    pub members: usize,
    /// Registered nicknames of its room.
    pub names: Arc<[String]>,
    /// Whether the message is only tried: what the plugin remembers of it is forgotten, and it does not count for the
    /// plugin's standing.
    pub trial: bool,
}

/// What a plugin is asked.
#[derive(Debug)]
pub enum Question {
    /// What is to be done with a message?
    Message {
        /// The message.
        message: Box<types::Message>,
        /// Who sends it.
        sender: types::Sender,
        /// How many code points a text in place of its own may have; `None` when it has none.
        longest: Option<usize>,
    },
    /// May somebody go by this nickname in this room?
    Nickname {
        /// The name.
        nickname: String,
        /// The room's name.
        room: String,
        /// Who asks for it.
        sender: types::Sender,
    },
}

impl Question {
    /// Whether a message is to go on; `folded` is its text as words are compared, `address` stands for its sender's. A
    /// text in place of its own may have `longest` code points.
    #[must_use]
    pub fn message(message: &Message, folded: String, sender: &Sender, address: String, longest: usize) -> Self {
        let longest = message.text().map(|_| longest);
        let question = types::Message {
            id: message.id.to_string(),
            room: sender.room.as_str().to_owned(),
            author: message.author.clone(),
            kind: message.kind.name().to_owned(),
            text: message.text().unwrap_or_default().to_owned(),
            folded,
            avatar: message.avatar().map(str::to_owned),
            payload: None,
            at: millis(message),
        };
        Self::Message { message: Box::new(question), sender: sender_of(sender, address), longest }
    }

    /// The question with all of the message as JSON, for a plugin that asked for that.
    #[must_use]
    pub fn with_payload(mut self, of: &Message) -> Self {
        if let Self::Message { message, .. } = &mut self {
            // Texts and numbers always have a JSON form.
            message.payload = serde_json::to_string(&Payload::of(of)).ok();
        }
        self
    }

    /// Whether somebody may register the nickname that a message asks for.
    #[must_use]
    pub fn nickname(message: &Message, sender: &Sender, address: String) -> Self {
        let (nickname, room) = (message.author.clone(), sender.room.as_str().to_owned());
        Self::Nickname { nickname, room, sender: sender_of(sender, address) }
    }
}

/// All of a message: what every kind has, and what its own kind has beside that.
#[derive(Serialize)]
struct Payload<'m> {
    id: Uuid,
    kind: &'static str,
    author: &'m str,
    /// When the relay got it, in milliseconds since 1970.
    at: u64,
    #[serde(flatten)]
    own: Own<'m>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Own<'m> {
    Text { avatar: Option<&'m str>, text: &'m str },
    Like { liked: &'m str, text: &'m str },
    Newcomer {},
}

impl<'m> Payload<'m> {
    fn of(message: &'m Message) -> Self {
        let own = match &message.kind {
            Kind::Text { avatar, text } => Own::Text { avatar: avatar.as_deref(), text },
            Kind::Like { liked, text } => Own::Like { liked, text },
            Kind::Newcomer => Own::Newcomer {},
        };
        Self { id: message.id, kind: message.kind.name(), author: &message.author, at: millis(message), own }
    }
}

fn millis(message: &Message) -> u64 {
    u64::try_from(message.at.as_millisecond()).unwrap_or(0)
}

fn sender_of(sender: &Sender, address: String) -> types::Sender {
    let facts = &sender.facts;
    types::Sender {
        connection: sender.connection.map(|id| id.0),
        address,
        registered: facts.registered,
        seconds_connected: facts.connected.as_secs(),
        accepted: facts.accepted,
        refused: facts.refused,
        trusted: facts.trusted,
    }
}

impl Scene {
    /// The surroundings of a message.
    #[must_use]
    pub fn of(message: &Message, sender: &Sender) -> Self {
        Self {
            at: millis(message),
            members: sender.facts.members,
            names: Arc::clone(&sender.facts.names),
            trial: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(kind: Kind) -> String {
        let message = Message { id: Uuid::nil(), at: jiff::Timestamp::UNIX_EPOCH, ..Message::new("jane", kind) };
        serde_json::to_string(&Payload::of(&message)).unwrap()
    }

    #[test]
    fn a_payload_has_the_fields_of_its_kind() {
        let common =
            |kind| format!(r#"{{"id":"00000000-0000-0000-0000-000000000000","kind":"{kind}","author":"jane","at":0"#);
        assert_eq!(
            payload(Kind::Text { avatar: None, text: "\"hi\"".to_owned() }),
            common("text") + r#","avatar":null,"text":"\"hi\""}"#
        );
        assert_eq!(
            payload(Kind::Like { liked: "bob".to_owned(), text: "hi".to_owned() }),
            common("like") + r#","liked":"bob","text":"hi"}"#
        );
        assert_eq!(payload(Kind::Newcomer), common("newcomer") + "}");
    }
}

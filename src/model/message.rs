//! Messages, their senders, and room events.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::{Address, Content, Nickname, Reason, Replacement, RoomName, address};

/// One message to pass on, from a WebSocket or a `PUT`, in any protocol generation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// A random ID, unless the client gave one.
    pub id: Uuid,
    /// When the relay received it.
    pub at: Timestamp,
    /// The name it is sent under. Not a valid [`Nickname`] until the `shape` filter has checked it.
    pub author: String,
    /// The kind and its content.
    pub kind: MessageKind,
    /// The message that it replies to, if the client said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<Uuid>,
}

/// The kinds of message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageKind {
    /// A chat line.
    Text {
        /// File name of a QGIS icon.
        avatar: Option<String>,
        /// The text of the line.
        text: String,
    },
    /// The author likes a message. Only the author of that message receives it.
    Like {
        /// The author of the liked message.
        liked: String,
        /// The text of the liked message.
        text: String,
    },
    /// The author registers a nickname, which its connection uses from now on.
    Newcomer,
    /// Anything else that is shared with the room. Behind a pointer, as it may be megabytes.
    Content {
        /// File name of a QGIS icon.
        avatar: Option<String>,
        /// The content.
        content: Arc<Content>,
    },
}

impl Message {
    /// Creates a message with a random ID, received now.
    #[must_use]
    pub fn new(author: impl Into<String>, kind: MessageKind) -> Self {
        Self { id: Uuid::new_v4(), at: Timestamp::now(), author: author.into(), kind, in_reply_to: None }
    }

    /// The text that filters examine, for the kinds that have one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            MessageKind::Text { text, .. } | MessageKind::Like { text, .. } => Some(text),
            MessageKind::Newcomer | MessageKind::Content { .. } => None,
        }
    }

    /// The content besides text, if the message has one.
    #[must_use]
    pub fn content(&self) -> Option<&Content> {
        match &self.kind {
            MessageKind::Content { content, .. } => Some(content),
            MessageKind::Text { .. } | MessageKind::Like { .. } | MessageKind::Newcomer => None,
        }
    }

    /// Size of what the client wrote, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        let lengths = [Some(&*self.author), self.avatar(), self.text()];
        lengths.into_iter().flatten().map(str::len).sum::<usize>() + self.content().map_or(0, Content::size)
    }

    /// The file name of the sender's avatar.
    #[must_use]
    pub fn avatar(&self) -> Option<&str> {
        match &self.kind {
            MessageKind::Text { avatar, .. } | MessageKind::Content { avatar, .. } => avatar.as_deref(),
            MessageKind::Like { .. } | MessageKind::Newcomer => None,
        }
    }

    /// Replaces the text or the content. Returns the old text if it was replaced. A replacement of another kind than the
    /// message is dropped.
    pub fn replace(&mut self, replacement: Replacement) -> Option<String> {
        match (&mut self.kind, replacement) {
            (MessageKind::Text { text, .. } | MessageKind::Like { text, .. }, Replacement::Text(new)) => {
                Some(std::mem::replace(text, new))
            }
            (MessageKind::Content { content, .. }, Replacement::Content(new)) => {
                *content = new;
                None
            }
            _ => None,
        }
    }
}

impl MessageKind {
    /// The stable name of the kind.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Like { .. } => "like",
            Self::Newcomer => "newcomer",
            Self::Content { content, .. } => content.as_str(),
        }
    }
}

/// A connection ID, unique while the relay runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ConnectionId {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}

/// A text, because programs in JavaScript would round the number.
impl Serialize for ConnectionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A number in files of version 0.1.
impl<'de> Deserialize<'de> for ConnectionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Text(String),
            Number(u64),
        }
        match Form::deserialize(deserializer)? {
            Form::Text(text) => text.parse().map_err(serde::de::Error::custom),
            Form::Number(number) => Ok(Self(number)),
        }
    }
}

/// The sender of a message, as far as the relay knows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sender {
    /// The connection; `None` for a `PUT`.
    pub connection: Option<ConnectionId>,
    /// The client's address.
    #[serde(with = "address::plain")]
    pub address: Address,
    /// The room it sends to.
    pub room: RoomName,
    /// Context from the room, set when the message reaches it.
    #[serde(flatten)]
    pub context: SenderContext,
}

/// The context of a message: the state of its sender and of the room when it arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderContext {
    /// Whether the sender uses a nickname that it registered.
    pub registered: bool,
    /// How long it has been connected.
    pub connected: Duration,
    /// Number of earlier messages that were accepted.
    pub accepted: u64,
    /// Number of earlier messages that were refused.
    pub refused: u64,
    /// Whether the sender is trusted: it proved its nickname with a token, or a moderator trusts it.
    pub trusted: bool,
    /// Whether the message is a like of something that the liked author has said lately. Any other like counts as speech.
    #[serde(default)]
    pub quotes: bool,
    /// When the message arrived, on a monotonic clock that starts with the relay.
    pub since_start: Duration,
    /// Number of connections in the room.
    #[serde(rename = "members")]
    pub member_count: usize,
    /// The registered nicknames in the room, sorted; empty unless a filter needs them.
    #[serde(rename = "names")]
    pub nicknames: Arc<[String]>,
}

/// An event sent to members of a room.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RoomEvent<'a> {
    /// A message was accepted.
    Message(&'a Message),
    /// The number of connections changed.
    UserCount(usize),
    /// A connection registered a nickname.
    Newcomer(&'a Nickname),
    /// A connection with this nickname left or changed its nickname.
    Exiter(&'a Nickname),
    /// A moderator took back the message with this ID.
    Retracted(Uuid),
}

/// A notice to the sender alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A message of the protocol was refused.
    Refused(Reason),
    /// The frame is not part of the protocol. Old clients do not show this in the chat.
    Uncompliant(Reason),
    /// A message is held for a moderator.
    Held(Reason),
    /// A moderator, a rule or a plugin took an action against the sender.
    Moderation(Reason),
}

impl Notice {
    /// The reason that the sender is given.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        match self {
            Self::Refused(reason) | Self::Uncompliant(reason) | Self::Held(reason) | Self::Moderation(reason) => reason,
        }
    }
}

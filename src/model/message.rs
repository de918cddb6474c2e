//! Messages, those who send them, and what a room tells its members.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::{Address, Nickname, Reason, RoomName};

/// One thing that a client asks the relay to pass on, whatever its entrance and generation.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its own id; random unless the client gave one.
    pub id: Uuid,
    /// When the relay got it.
    pub at: Timestamp,
    /// The name it is sent under. A [`Nickname`] only once `shape` has seen it.
    pub author: String,
    /// What it is.
    pub kind: Kind,
}

/// The kinds of message.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A line of chat.
    Text {
        /// File name of a QGIS icon.
        avatar: Option<String>,
        /// What is said.
        text: String,
    },
    /// Somebody likes what somebody else said; only the latter hears of it.
    Like {
        /// The author of what is liked.
        liked: String,
        /// What is liked.
        text: String,
    },
    /// The author registers: from now on the connection speaks under this name.
    Newcomer,
}

impl Message {
    /// A message that has just come in.
    #[must_use]
    pub fn new(author: impl Into<String>, kind: Kind) -> Self {
        Self { id: Uuid::new_v4(), at: Timestamp::now(), author: author.into(), kind }
    }

    /// The text that filters look at, for the kinds that have one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text { text, .. } | Kind::Like { text, .. } => Some(text),
            Kind::Newcomer => None,
        }
    }

    /// The file name of the sender's avatar.
    #[must_use]
    pub fn avatar(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text { avatar, .. } => avatar.as_deref(),
            Kind::Like { .. } | Kind::Newcomer => None,
        }
    }

    /// Puts another text in place of the message's own and gives that back; `None` for kinds without one.
    pub fn replace_text(&mut self, new: String) -> Option<String> {
        match &mut self.kind {
            Kind::Text { text, .. } | Kind::Like { text, .. } => Some(std::mem::replace(text, new)),
            Kind::Newcomer => None,
        }
    }
}

impl Kind {
    /// The stable name of the kind.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Like { .. } => "like",
            Self::Newcomer => "newcomer",
        }
    }
}

/// The number of a connection, unique while the relay runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SenderId(pub u64);

/// Who sends a message, as far as the relay knows.
#[derive(Clone, Debug)]
pub struct Sender {
    /// The connection, or `None` for a `PUT`, which has none.
    pub connection: Option<SenderId>,
    /// Where it comes from.
    pub address: Address,
    /// The room it speaks in.
    pub room: RoomName,
    /// What the room knows of it, once the message has come there.
    pub facts: Facts,
}

/// What a room knows of somebody who sends a message, and of itself at that moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Whether the sender speaks under a nickname that it registered.
    pub registered: bool,
    /// For how long it has been connected.
    pub connected: Duration,
    /// How many of its messages were let through before.
    pub accepted: u64,
    /// How many were not.
    pub refused: u64,
    /// Whether it is trusted: it has proven its name, or a moderator has said so.
    pub trusted: bool,
    /// When the message came, counted from the start of the relay by a clock that never goes back.
    pub since_start: Duration,
    /// How many connections the room has.
    pub members: usize,
    /// The registered nicknames of the room, sorted; empty when no filter wants them.
    pub names: Arc<[String]>,
}

/// What members of a room are told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event<'a> {
    /// A message was let through.
    Message(&'a Message),
    /// How many connections the room has now.
    Users(usize),
    /// Somebody registered.
    Newcomer(&'a Nickname),
    /// Somebody who had registered left, or goes by another name from now on.
    Exiter(&'a Nickname),
}

/// What only the sender of something is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A message of the protocol was refused.
    Refused(Reason),
    /// The frame was none of the protocol's. Old clients are not told in the chat itself.
    Uncompliant(Reason),
    /// A message waits for a moderator.
    Held(Reason),
    /// A moderator, a rule or a plugin has done something that concerns the sender.
    Act(Reason),
}

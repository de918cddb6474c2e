//! What relay and filter tell each other.

/// A message on its way to a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its own id, a UUID.
    pub id: String,
    /// The name of its room.
    pub room: String,
    /// The name that it is sent under.
    pub author: String,
    /// What it is: `text`, and other kinds as the protocol grows. A filter gets only the kinds that it asked for.
    pub kind: String,
    /// The words as they were sent, or as a filter before this one replaced them. Empty for kinds without words.
    pub text: String,
    /// The words in the form that they are best compared in: Unicode's NFKC, then case folding, and what only
    /// disguises words undone (invisible characters, heaps of marks, letters of other scripts among Latin ones).
    pub folded: String,
    /// The file name of the sender's avatar.
    pub avatar: Option<String>,
    /// All of the message as JSON, if [`Filter::PAYLOAD`](crate::Filter::PAYLOAD) asks for it.
    pub payload: Option<String>,
    /// When the relay got it, in milliseconds since 1970-01-01T00:00:00Z.
    pub at: u64,
}

/// Who sends a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// A number for its connection, never used again while the relay runs; nothing for a message without one.
    pub connection: Option<u64>,
    /// Stands for its address: the same text for the same address while the relay runs, and of no other use.
    pub address: String,
    /// Whether it speaks under a nickname that it registered.
    pub registered: bool,
    /// For how many whole seconds it has been connected; 0 without a connection.
    pub seconds_connected: u64,
    /// How many of its messages were let through before this one, on this connection.
    pub accepted: u64,
    /// How many were not.
    pub refused: u64,
    /// Whether a moderator trusts it.
    pub trusted: bool,
}

/// What is to be done with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing: it goes on to the next filter.
    Pass,
    /// It goes on with this text.
    Replace(String),
    /// It is kept back until a moderator has looked at it.
    Hold,
    /// It is shown to its sender alone, who is not told.
    Shadow,
    /// It is refused and its sender told why.
    Reject,
}

/// A consequence for the sender, which the relay's moderators may let happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sanction {
    /// `warn`, `mute`, `kick` or `ban`.
    pub kind: String,
    /// For how long, in seconds; 0 for what has no duration.
    pub seconds: u64,
}

impl Sanction {
    /// A warning.
    #[must_use]
    pub fn warn() -> Self {
        Self { kind: "warn".to_owned(), seconds: 0 }
    }

    /// No messages for so many seconds.
    #[must_use]
    pub fn mute(seconds: u64) -> Self {
        Self { kind: "mute".to_owned(), seconds }
    }

    /// The end of the connection.
    #[must_use]
    pub fn kick() -> Self {
        Self { kind: "kick".to_owned(), seconds: 0 }
    }

    /// No connection for so many seconds.
    #[must_use]
    pub fn ban(seconds: u64) -> Self {
        Self { kind: "ban".to_owned(), seconds }
    }
}

/// What a filter says of a message.
///
/// ```
/// use gischat_filter::{Sanction, Verdict};
///
/// let verdict = Verdict::reject("No advertising, please.").label("advertising").sanction(Sanction::mute(600));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Verdict {
    /// What is to be done.
    pub action: Action,
    /// For the sender: one sentence.
    pub reason: Option<String>,
    /// For moderators: what the message is, such as `advertising`.
    pub labels: Vec<String>,
    /// A consequence for the sender.
    pub sanction: Option<Sanction>,
}

impl Verdict {
    /// The message goes on.
    pub fn pass() -> Self {
        Self::of(Action::Pass)
    }

    /// The message goes on with this text.
    pub fn replace(text: impl Into<String>) -> Self {
        Self::of(Action::Replace(text.into()))
    }

    /// The message waits for a moderator.
    pub fn hold() -> Self {
        Self::of(Action::Hold)
    }

    /// The message is shown to its sender alone.
    pub fn shadow() -> Self {
        Self::of(Action::Shadow)
    }

    /// The message is refused, and its sender told why in one sentence.
    pub fn reject(reason: impl Into<String>) -> Self {
        Self::of(Action::Reject).reason(reason)
    }

    /// Tells the sender why, in one sentence.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Tells moderators what the message is. May be called more than once.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.labels.push(label.into());
        self
    }

    /// Proposes a consequence for the sender.
    pub fn sanction(mut self, sanction: Sanction) -> Self {
        self.sanction = Some(sanction);
        self
    }

    fn of(action: Action) -> Self {
        Self { action, reason: None, labels: Vec::new(), sanction: None }
    }
}

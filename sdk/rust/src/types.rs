//! The types that the relay and a filter exchange.

/// A message on its way to a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its own id, a UUID.
    pub id: String,
    /// The name of its room.
    pub room: String,
    /// The name that the message is sent under.
    pub author: String,
    /// The kind: `text`, and others as the protocol grows. A filter only gets the kinds that it asked for.
    pub kind: String,
    /// The text as it was sent, or as an earlier filter replaced it. Empty for kinds without text.
    pub text: String,
    /// The text in a form for comparison: NFKC, case folding, and disguises removed (invisible characters, stacked
    /// combining marks, letters of other scripts among Latin ones).
    pub folded: String,
    /// The file name of the sender's avatar.
    pub avatar: Option<String>,
    /// The whole message as JSON, if [`Filter::PAYLOAD`](crate::Filter::PAYLOAD) asks for it.
    pub payload: Option<String>,
    /// When the relay received it, in milliseconds since 1970-01-01T00:00:00Z.
    pub at: u64,
}

/// The sender of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The number of its connection, never reused while the relay runs; none for a message without a connection.
    pub connection: Option<u64>,
    /// An opaque token for its address: the same address has the same token while the relay runs.
    pub address: String,
    /// Whether it sends under a nickname that it registered.
    pub registered: bool,
    /// How long it has been connected, in whole seconds; 0 without a connection.
    pub seconds_connected: u64,
    /// How many messages on this connection were accepted before this one.
    pub accepted: u64,
    /// How many messages on this connection were refused before this one.
    pub refused: u64,
    /// Whether a moderator trusts it.
    pub trusted: bool,
}

/// What to do with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Pass it on to the next filter.
    Pass,
    /// Pass it on with this text instead of its own.
    Replace(String),
    /// Hold it for a moderator.
    Hold,
    /// Show it only to its sender, without saying so.
    Shadow,
    /// Refuse it and tell its sender why.
    Reject,
}

/// A proposed sanction against the sender. The relay applies it if the filter enforces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sanction {
    /// `warn`, `mute`, `kick` or `ban`.
    pub kind: String,
    /// The duration in seconds; 0 for a sanction without a duration.
    pub seconds: u64,
}

impl Sanction {
    /// A warning.
    #[must_use]
    pub fn warn() -> Self {
        Self { kind: "warn".to_owned(), seconds: 0 }
    }

    /// No messages for `seconds`.
    #[must_use]
    pub fn mute(seconds: u64) -> Self {
        Self { kind: "mute".to_owned(), seconds }
    }

    /// Closes the connection.
    #[must_use]
    pub fn kick() -> Self {
        Self { kind: "kick".to_owned(), seconds: 0 }
    }

    /// No connection for `seconds`.
    #[must_use]
    pub fn ban(seconds: u64) -> Self {
        Self { kind: "ban".to_owned(), seconds }
    }
}

/// A filter's verdict on a message.
///
/// ```
/// use gischat_filter::{Sanction, Verdict};
///
/// let verdict = Verdict::reject("No advertising, please.").label("advertising").sanction(Sanction::mute(600));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Verdict {
    /// What to do with the message.
    pub action: Action,
    /// The reason that the sender sees: one sentence.
    pub reason: Option<String>,
    /// Labels for moderators, such as `advertising`.
    pub labels: Vec<String>,
    /// A proposed sanction against the sender.
    pub sanction: Option<Sanction>,
}

impl Verdict {
    /// Passes the message on.
    pub fn pass() -> Self {
        Self::new(Action::Pass)
    }

    /// Passes the message on with this text instead of its own.
    pub fn replace(text: impl Into<String>) -> Self {
        Self::new(Action::Replace(text.into()))
    }

    /// Holds the message for a moderator.
    pub fn hold() -> Self {
        Self::new(Action::Hold)
    }

    /// Shows the message only to its sender.
    pub fn shadow() -> Self {
        Self::new(Action::Shadow)
    }

    /// Refuses the message and tells its sender why, in one sentence.
    pub fn reject(reason: impl Into<String>) -> Self {
        Self::new(Action::Reject).reason(reason)
    }

    /// Tells the sender why, in one sentence.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Adds a label for moderators. May be called more than once.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.labels.push(label.into());
        self
    }

    /// Proposes a sanction against the sender.
    pub fn sanction(mut self, sanction: Sanction) -> Self {
        self.sanction = Some(sanction);
        self
    }

    fn new(action: Action) -> Self {
        Self { action, reason: None, labels: Vec::new(), sanction: None }
    }
}

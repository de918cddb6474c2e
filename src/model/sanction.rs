//! Sanctions, penalties and who imposes them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{Address, Nickname, RoomName};

/// The kind of a sanction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SanctionKind {
    /// A notice to the sender, nothing else.
    Warn,
    /// Messages of the sender are refused.
    Mute,
    /// Connections of the sender are closed; it may reconnect.
    Kick,
    /// Connections of the sender are closed, and it may not reconnect.
    Ban,
}

impl SanctionKind {
    /// All kinds, mildest first.
    pub const ALL: [Self; 4] = [Self::Warn, Self::Mute, Self::Kick, Self::Ban];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Mute => "mute",
            Self::Kick => "kick",
            Self::Ban => "ban",
        }
    }

    /// Returns the kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether it remains in force for a time, rather than taking effect once.
    #[must_use]
    pub fn has_duration(self) -> bool {
        matches!(self, Self::Mute | Self::Ban)
    }
}

/// A consequence requested by a rule, a plugin or a moderator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Penalty {
    /// A sanction of this kind. `None` means until lifted, for a mute or ban.
    Fixed(SanctionKind, Option<Duration>),
    /// The next step of the instance's penalty ladder.
    Ladder,
}

impl Penalty {
    /// The name of [`Penalty::Ladder`].
    pub const LADDER: &str = "ladder";

    /// Returns the penalty with this name, or `None` if there is none. The duration is ignored for kinds without one.
    #[must_use]
    pub fn from_name(name: &str, lasts: Option<Duration>) -> Option<Self> {
        if name == Self::LADDER {
            return Some(Self::Ladder);
        }
        let kind = SanctionKind::from_name(name)?;
        Some(Self::Fixed(kind, lasts.filter(|_| kind.has_duration())))
    }

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fixed(kind, _) => kind.as_str(),
            Self::Ladder => Self::LADDER,
        }
    }

    /// How long it lasts; zero if it happens once or has no end.
    #[must_use]
    pub fn duration(self) -> Duration {
        match self {
            Self::Fixed(_, lasts) => lasts.unwrap_or_default(),
            Self::Ladder => Duration::ZERO,
        }
    }
}

/// The target of a sanction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Connections with this nickname or a look-alike.
    Nickname(Nickname),
    /// Connections from this IPv4 address or IPv6 /64.
    Address(Address),
}

/// The moderator, rule or plugin that caused an action, or the relay itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A moderator, by name.
    Moderator(Arc<str>),
    /// A rule, by id.
    Rule(Arc<str>),
    /// A plugin, by name.
    Plugin(Arc<str>),
    /// The relay itself, because a time limit expired.
    Relay,
}

impl Actor {
    /// The stable name of the kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Moderator(_) => "moderator",
            Self::Rule(_) => "rule",
            Self::Plugin(_) => "plugin",
            Self::Relay => "relay",
        }
    }

    /// The name of the moderator, rule or plugin; `relay` for the relay.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Moderator(name) | Self::Rule(name) | Self::Plugin(name) => name,
            Self::Relay => "relay",
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relay => f.write_str("the relay"),
            Self::Moderator(name) => f.write_str(name),
            Self::Rule(name) | Self::Plugin(name) => write!(f, "{} `{name}`", self.kind()),
        }
    }
}

/// A sanction imposed on a nickname or address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sanction {
    /// A unique ID, never reused.
    pub id: u64,
    /// The kind of sanction.
    pub kind: SanctionKind,
    /// The nickname or address it applies to.
    pub target: Target,
    /// The room it applies to; `None` for all rooms.
    pub room: Option<RoomName>,
    /// When it began.
    pub at: Timestamp,
    /// When it ends; `None` if not before it is lifted. Equal to `at` for kinds without duration.
    pub until: Option<Timestamp>,
    /// The reason, as shown to the sender.
    pub reason: Arc<str>,
    /// The actor that imposed it.
    pub actor: Actor,
    /// The step of the ladder, from 0; `None` if the kind was requested explicitly.
    pub step: Option<usize>,
}

impl Sanction {
    /// Whether it is in force at `now`.
    #[must_use]
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.kind.has_duration() && self.until.is_none_or(|until| now < until)
    }

    /// Whether it applies in `room`.
    #[must_use]
    pub fn applies_to(&self, room: &RoomName) -> bool {
        self.room.as_ref().is_none_or(|own| own == room)
    }
}

//! What is done about senders who do not keep the rules.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{Address, Nickname, RoomName};

/// What a sanction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SanctionKind {
    /// The sender is told, and nothing else happens.
    Warn,
    /// What it says is refused.
    Mute,
    /// Its connections are closed; it may come back.
    Kick,
    /// Its connections are closed, and it may not come back.
    Ban,
}

impl SanctionKind {
    /// All of them, the mildest first.
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

    /// The kind of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether it goes on for a while, and does not just happen.
    #[must_use]
    pub fn lasts(self) -> bool {
        matches!(self, Self::Mute | Self::Ban)
    }
}

/// What is asked for, by a rule, a plugin or a moderator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Penalty {
    /// This kind. A mute or ban lasts as long as it says; without that, until it is lifted.
    Fixed(SanctionKind, Option<Duration>),
    /// The next step of the instance's ladder.
    Ladder,
}

impl Penalty {
    /// The name of what stands for the next step of the ladder.
    pub const LADDER: &str = "ladder";

    /// The penalty of this name, for so long where its kind goes on for a while; `None` for a name that is none.
    #[must_use]
    pub fn of_name(name: &str, lasts: Option<Duration>) -> Option<Self> {
        if name == Self::LADDER {
            return Some(Self::Ladder);
        }
        let kind = SanctionKind::of_name(name)?;
        Some(Self::Fixed(kind, lasts.filter(|_| kind.lasts())))
    }

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fixed(kind, _) => kind.as_str(),
            Self::Ladder => Self::LADDER,
        }
    }

    /// How long it lasts; zero for what happens once or has no end.
    #[must_use]
    pub fn duration(self) -> Duration {
        match self {
            Self::Fixed(_, lasts) => lasts.unwrap_or_default(),
            Self::Ladder => Duration::ZERO,
        }
    }
}

/// Whom a sanction is on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Whoever goes by this nickname, or one that looks like it.
    Nickname(Nickname),
    /// Whoever comes from this address: an IPv4 address or an IPv6 /64.
    Address(Address),
}

/// Who or what causes something.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// A moderator, by name.
    Moderator(Arc<str>),
    /// A rule, by id.
    Rule(Arc<str>),
    /// A plugin, by name.
    Plugin(Arc<str>),
    /// The relay itself: a time was up.
    Relay,
}

impl Cause {
    /// The stable name of its kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Moderator(_) => "moderator",
            Self::Rule(_) => "rule",
            Self::Plugin(_) => "plugin",
            Self::Relay => "relay",
        }
    }

    /// Its own name; `relay` for the relay.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Moderator(name) | Self::Rule(name) | Self::Plugin(name) => name,
            Self::Relay => "relay",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relay => f.write_str("the relay"),
            Self::Moderator(name) => f.write_str(name),
            Self::Rule(name) | Self::Plugin(name) => write!(f, "{} `{name}`", self.kind()),
        }
    }
}

/// A sanction on somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sanction {
    /// Its number, never used again.
    pub id: u64,
    /// What it does.
    pub kind: SanctionKind,
    /// On whom.
    pub target: Target,
    /// Where; everywhere when `None`.
    pub room: Option<RoomName>,
    /// When it began.
    pub at: Timestamp,
    /// When it ends; `None`: not before it is lifted. The same as `at` for what happens once.
    pub until: Option<Timestamp>,
    /// For the one it is on.
    pub reason: Arc<str>,
    /// Who or what caused it.
    pub cause: Cause,
    /// Which step of the ladder it is, from 0 on; `None` for one that was asked for by its kind.
    pub step: Option<usize>,
}

impl Sanction {
    /// Whether it is in force at that time.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        self.kind.lasts() && self.until.is_none_or(|until| now < until)
    }

    /// Whether it is about what happens in this room.
    #[must_use]
    pub fn concerns(&self, room: &RoomName) -> bool {
        self.room.as_ref().is_none_or(|own| own == room)
    }
}

//! Moderation levels.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::RoomName;

/// A moderation level: how much is held or slowed down in addition to the verdicts of filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "level", rename_all = "lowercase")]
pub enum ModerationLevel {
    /// Nothing in addition.
    Normal,
    /// Hold the first messages of each sender.
    Newcomers,
    /// Accept one message per sender in this many seconds.
    Slow {
        /// The interval, in seconds.
        seconds: u32,
    },
    /// Hold all messages.
    All,
}

impl ModerationLevel {
    /// Returns the stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Newcomers => "newcomers",
            Self::Slow { .. } => "slow",
            Self::All => "all",
        }
    }
}

/// A level that was set for a room or for all rooms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveLevel {
    /// The room; `None` for all rooms without a level of their own.
    pub room: Option<RoomName>,
    /// The level.
    #[serde(flatten)]
    pub level: ModerationLevel,
    /// When it ends; `None` if it stays until it is set again.
    #[serde(default, with = "super::form::optional_milliseconds", skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

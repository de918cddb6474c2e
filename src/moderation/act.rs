//! What moderators do, and what the relay does in their place.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::levels::SetLevel;
use crate::model::{Address, Cause, Nickname, RoomName, Sanction, SenderId, Target};

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// When.
    pub at: Timestamp,
    /// The same, counted from the start of the relay by a clock that never goes back.
    pub since_start: Duration,
    /// Who did it, or what.
    pub by: Cause,
    /// What it was.
    pub what: What,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Somebody was warned, muted, kicked or banned.
    Sanctioned(Sanction),
    /// A sanction was lifted before its end.
    Lifted(Sanction),
    /// The connection of a member was closed.
    Kicked {
        /// Where.
        room: RoomName,
        /// Whose.
        member: SenderId,
        /// The nickname, if it had registered one.
        nickname: Option<Nickname>,
    },
    /// A held message was released.
    Released {
        /// Its id.
        message: Uuid,
        /// Where.
        room: RoomName,
    },
    /// A held message was refused.
    Refused {
        /// Its id.
        message: Uuid,
        /// Where.
        room: RoomName,
    },
    /// How much is held was changed.
    Level {
        /// Where; everywhere when `None`.
        room: Option<RoomName>,
        /// From now on.
        level: Level,
        /// Until then; `None`: until it is changed again.
        until: Option<Timestamp>,
    },
    /// How much the starter rules do was changed.
    Preset(&'static str),
    /// Somebody is trusted from now on, or no longer.
    Trusted {
        /// Where.
        room: RoomName,
        /// Who.
        member: SenderId,
        /// The nickname, if it had registered one.
        nickname: Option<Nickname>,
        /// Whether it is.
        on: bool,
    },
    /// Rules and plugins were read again.
    Reloaded,
    /// What somebody or something caused was taken back.
    Undone {
        /// Whose acts.
        cause: Cause,
        /// From when on.
        since: Timestamp,
        /// Sanctions that were lifted.
        lifted: Vec<u64>,
        /// Held messages that were released.
        released: Vec<Uuid>,
    },
    /// A rule or plugin only observes from now on: it refused too much.
    Braked {
        /// Which.
        cause: Cause,
        /// Why, in words.
        why: String,
    },
}

/// How much is held back or slowed down beyond what filters ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// Nothing.
    Normal,
    /// The first messages of each sender are held.
    Newcomers,
    /// A sender may say one thing in so many seconds.
    Slow {
        /// How many.
        seconds: u32,
    },
    /// Everything is held.
    All,
}

impl Level {
    /// The stable name.
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

impl What {
    /// The stable name.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Sanctioned(_) => "sanction",
            Self::Lifted(_) => "lift",
            Self::Kicked { .. } => "kick",
            Self::Released { .. } => "release",
            Self::Refused { .. } => "refuse",
            Self::Level { .. } => "level",
            Self::Preset(_) => "preset",
            Self::Trusted { .. } => "trusted",
            Self::Reloaded => "reload",
            Self::Undone { .. } => "undo",
            Self::Braked { .. } => "brake",
        }
    }

    /// The room that it is about; `None` for what is about all of them.
    #[must_use]
    pub fn room(&self) -> Option<&RoomName> {
        match self {
            Self::Sanctioned(sanction) | Self::Lifted(sanction) => sanction.room.as_ref(),
            Self::Kicked { room, .. }
            | Self::Released { room, .. }
            | Self::Refused { room, .. }
            | Self::Trusted { room, .. } => Some(room),
            Self::Level { room, .. } => room.as_ref(),
            Self::Preset(_) | Self::Reloaded | Self::Undone { .. } | Self::Braked { .. } => None,
        }
    }
}

impl Act {
    /// The act as one JSON object; `address` writes addresses as the reader may see them.
    #[must_use]
    pub fn json(&self, address: &dyn Fn(Address) -> String) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("at".to_owned(), json!(format!("{:.3}", self.at)));
        map.insert("act".to_owned(), json!(self.what.as_str()));
        map.insert("by".to_owned(), cause_json(&self.by));
        let mut put = |key: &str, value: Value| drop(map.insert(key.to_owned(), value));
        if let Some(room) = self.what.room() {
            put("room", json!(room.as_str()));
        }
        match &self.what {
            What::Sanctioned(sanction) | What::Lifted(sanction) => {
                put("sanction", Value::Object(sanction_json(sanction, address)));
            }
            What::Kicked { member, nickname, .. } => {
                put("member", json!(member.0.to_string()));
                put("nickname", json!(nickname.as_ref().map(Nickname::as_str)));
            }
            What::Released { message, .. } | What::Refused { message, .. } => put("id", json!(message)),
            What::Level { level, until, .. } => put_level(*level, *until, &mut put),
            What::Preset(preset) => put("preset", json!(preset)),
            What::Trusted { member, nickname, on, .. } => {
                put("member", json!(member.0.to_string()));
                put("nickname", json!(nickname.as_ref().map(Nickname::as_str)));
                put("trusted", json!(on));
            }
            What::Reloaded => {}
            What::Undone { cause, since, lifted, released } => {
                put("undone", cause_json(cause));
                put("since", json!(format!("{since:.3}")));
                put("lifted", json!(lifted));
                put("released", json!(released));
            }
            What::Braked { cause, why } => {
                put("braked", cause_json(cause));
                put("why", json!(why));
            }
        }
        map
    }
}

fn put_level(level: Level, until: Option<Timestamp>, put: &mut dyn FnMut(&str, Value)) {
    put("level", json!(level.as_str()));
    if let Level::Slow { seconds } = level {
        put("seconds", json!(seconds));
    }
    if let Some(until) = until {
        put("until", json!(format!("{until:.3}")));
    }
}

/// A level that is set, as one JSON object.
#[must_use]
pub fn level_json(set: &SetLevel) -> Value {
    let SetLevel { room, level, until } = set;
    let mut map = Map::new();
    let mut put = |key: &str, value: Value| drop(map.insert(key.to_owned(), value));
    put("room", json!(room.as_ref().map(RoomName::as_str)));
    put_level(*level, *until, &mut put);
    Value::Object(map)
}

/// A cause as `{"moderator": "jane"}`, with its kind as the key.
#[must_use]
pub fn cause_json(cause: &Cause) -> Value {
    json!({ cause.kind(): cause.name() })
}

/// A sanction as one JSON object; `address` writes addresses as the reader may see them.
#[must_use]
pub fn sanction_json(sanction: &Sanction, address: &dyn Fn(Address) -> String) -> Map<String, Value> {
    let Sanction { id, kind, target, room, at, until, reason, cause, step } = sanction;
    let mut map = Map::new();
    let mut put = |key: &str, value: Value| drop(map.insert(key.to_owned(), value));
    put("id", json!(id));
    put("kind", json!(kind.as_str()));
    match target {
        Target::Nickname(nickname) => put("nickname", json!(nickname.as_str())),
        Target::Address(own) => put("address", json!(address(*own))),
    }
    put("room", json!(room.as_ref().map(RoomName::as_str)));
    put("at", json!(format!("{at:.3}")));
    put("until", json!(until.map(|until| format!("{until:.3}"))));
    put("reason", json!(reason));
    put("by", cause_json(cause));
    if let Some(step) = step {
        put("step", json!(step));
    }
    map
}

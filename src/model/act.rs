//! Acts of moderators, rules, plugins and the relay itself.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{ActiveLevel, Actor, Address, ConnectionId, ModerationLevel, Nickname, RoomName, Sanction, Target};

/// An act: something that was done, when, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// When, on the wall clock.
    pub at: Timestamp,
    /// When, on the monotonic clock since the relay started.
    pub since_start: Duration,
    /// The person or thing that acted.
    pub actor: Actor,
    /// The kind of act, with its details.
    pub kind: ActKind,
}

/// A kind of act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActKind {
    /// A sanction was imposed.
    Sanctioned(Sanction),
    /// A sanction was lifted before its end.
    Lifted(Sanction),
    /// The connection of a member was closed.
    Kicked {
        /// The room.
        room: RoomName,
        /// The connection.
        member: ConnectionId,
        /// The nickname, if it had registered one.
        nickname: Option<Nickname>,
    },
    /// A held message was released.
    Released {
        /// The id of the message.
        message: Uuid,
        /// The room.
        room: RoomName,
    },
    /// A held message was refused.
    Refused {
        /// The id of the message.
        message: Uuid,
        /// The room.
        room: RoomName,
    },
    /// A moderation level was set.
    Level {
        /// The room; `None` for all rooms.
        room: Option<RoomName>,
        /// The new level.
        level: ModerationLevel,
        /// When the level ends; `None` if it stays until it is changed.
        until: Option<Timestamp>,
    },
    /// The starter preset was changed.
    Preset(&'static str),
    /// A connection became trusted, or is no longer.
    Trusted {
        /// The room.
        room: RoomName,
        /// The connection.
        member: ConnectionId,
        /// The nickname, if it had registered one.
        nickname: Option<Nickname>,
        /// Whether it is trusted now.
        is_trusted: bool,
    },
    /// Settings, rules and plugins were reloaded.
    Reloaded,
    /// The acts of somebody or something were undone.
    Undone {
        /// Whose acts were undone.
        actor: Actor,
        /// Acts from this time on were undone.
        since: Timestamp,
        /// Numbers of sanctions that were lifted.
        lifted: Vec<u64>,
        /// Ids of held messages that were released.
        released: Vec<Uuid>,
    },
    /// The breaker of a rule or plugin tripped: it rejected too much and only observes from now on.
    BreakerTripped {
        /// The rule or plugin.
        actor: Actor,
        /// Why, for people.
        reason: String,
    },
}

impl ActKind {
    /// Returns the stable name.
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
            Self::BreakerTripped { .. } => "brake",
        }
    }

    /// Returns the room that the act concerns; `None` for all rooms.
    #[must_use]
    pub fn room(&self) -> Option<&RoomName> {
        match self {
            Self::Sanctioned(sanction) | Self::Lifted(sanction) => sanction.room.as_ref(),
            Self::Kicked { room, .. }
            | Self::Released { room, .. }
            | Self::Refused { room, .. }
            | Self::Trusted { room, .. } => Some(room),
            Self::Level { room, .. } => room.as_ref(),
            Self::Preset(_) | Self::Reloaded | Self::Undone { .. } | Self::BreakerTripped { .. } => None,
        }
    }
}

impl Act {
    /// Returns the act as a JSON object. `address` formats addresses as far as the reader may see them.
    #[must_use]
    pub fn to_json(&self, address: &dyn Fn(Address) -> String) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("at".to_owned(), json!(format!("{:.3}", self.at)));
        map.insert("act".to_owned(), json!(self.kind.as_str()));
        map.insert("by".to_owned(), actor_json(&self.actor));
        let mut put = |key: &str, value: Value| drop(map.insert(key.to_owned(), value));
        if let Some(room) = self.kind.room() {
            put("room", json!(room.as_str()));
        }
        match &self.kind {
            ActKind::Sanctioned(sanction) | ActKind::Lifted(sanction) => {
                put("sanction", Value::Object(sanction_json(sanction, address)));
            }
            ActKind::Kicked { member, nickname, .. } => {
                put("member", json!(member.0.to_string()));
                put("nickname", json!(nickname.as_ref().map(Nickname::as_str)));
            }
            ActKind::Released { message, .. } | ActKind::Refused { message, .. } => put("id", json!(message)),
            ActKind::Level { level, until, .. } => put_level(*level, *until, &mut put),
            ActKind::Preset(preset) => put("preset", json!(preset)),
            ActKind::Trusted { member, nickname, is_trusted, .. } => {
                put("member", json!(member.0.to_string()));
                put("nickname", json!(nickname.as_ref().map(Nickname::as_str)));
                put("trusted", json!(is_trusted));
            }
            ActKind::Reloaded => {}
            ActKind::Undone { actor, since, lifted, released } => {
                put("undone", actor_json(actor));
                put("since", json!(format!("{since:.3}")));
                put("lifted", json!(lifted));
                put("released", json!(released));
            }
            ActKind::BreakerTripped { actor, reason } => {
                put("braked", actor_json(actor));
                put("why", json!(reason));
            }
        }
        map
    }
}

fn put_level(level: ModerationLevel, until: Option<Timestamp>, put: &mut dyn FnMut(&str, Value)) {
    put("level", json!(level.as_str()));
    if let ModerationLevel::Slow { seconds } = level {
        put("seconds", json!(seconds));
    }
    if let Some(until) = until {
        put("until", json!(format!("{until:.3}")));
    }
}

/// Returns a level and its room as a JSON object.
#[must_use]
pub fn level_json(set: &ActiveLevel) -> Value {
    let ActiveLevel { room, level, until } = set;
    let mut map = Map::new();
    let mut put = |key: &str, value: Value| drop(map.insert(key.to_owned(), value));
    put("room", json!(room.as_ref().map(RoomName::as_str)));
    put_level(*level, *until, &mut put);
    Value::Object(map)
}

/// Returns an actor as a JSON object with its kind as the key, such as `{"moderator": "jane"}`.
#[must_use]
pub fn actor_json(actor: &Actor) -> Value {
    json!({ actor.kind(): actor.name() })
}

/// Returns a sanction as a JSON object. `address` formats addresses as far as the reader may see them.
#[must_use]
pub fn sanction_json(sanction: &Sanction, address: &dyn Fn(Address) -> String) -> Map<String, Value> {
    let Sanction { id, kind, target, room, at, until, reason, actor, step } = sanction;
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
    put("by", actor_json(actor));
    if let Some(step) = step {
        put("step", json!(step));
    }
    map
}

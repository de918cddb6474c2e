//! Acts of moderators, rules, plugins and the relay itself.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::form::{milliseconds, optional_milliseconds};
use super::{Actor, ConnectionId, ModerationLevel, Nickname, RoomName, Sanction};

/// An act: something that was done, when, where and by whom. `S` is the form in which a sanction is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act<S = Sanction> {
    /// When, on the wall clock.
    #[serde(with = "milliseconds")]
    pub at: Timestamp,
    /// When, on the monotonic clock since the relay started.
    #[serde(skip)]
    pub since_start: Duration,
    /// The person or thing that acted.
    #[serde(rename = "by")]
    pub actor: Actor,
    /// The room that the act concerns; `None` for all rooms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomName>,
    /// The kind of act, with its details.
    #[serde(flatten)]
    pub kind: ActKind<S>,
}

/// A kind of act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act")]
pub enum ActKind<S = Sanction> {
    /// A sanction was imposed.
    #[serde(rename = "sanction")]
    Sanctioned {
        /// The sanction.
        sanction: S,
    },
    /// A sanction was lifted before its end.
    #[serde(rename = "lift")]
    Lifted {
        /// The sanction, as it was before.
        sanction: S,
    },
    /// The connection of a member was closed.
    #[serde(rename = "kick")]
    Kicked {
        /// The connection.
        member: ConnectionId,
        /// The nickname, if it had registered one.
        nickname: Option<Nickname>,
    },
    /// A held message was released.
    #[serde(rename = "release")]
    Released {
        /// The id of the message.
        #[serde(rename = "id")]
        message: Uuid,
    },
    /// A held message was refused.
    #[serde(rename = "refuse")]
    Refused {
        /// The id of the message.
        #[serde(rename = "id")]
        message: Uuid,
    },
    /// One of the last messages was taken back.
    #[serde(rename = "retract")]
    Retracted {
        /// The id of the message.
        #[serde(rename = "id")]
        message: Uuid,
    },
    /// A moderation level was set.
    #[serde(rename = "level")]
    Level {
        /// The new level.
        #[serde(flatten)]
        level: ModerationLevel,
        /// When the level ends; `None` if it stays until it is changed.
        #[serde(default, with = "optional_milliseconds", skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// The starter preset was changed.
    #[serde(rename = "preset")]
    Preset {
        /// The new preset.
        preset: Cow<'static, str>,
    },
    /// A connection became trusted, or is no longer.
    #[serde(rename = "trusted")]
    Trusted {
        /// The connection.
        member: ConnectionId,
        /// The nickname, if it had registered one.
        nickname: Option<Nickname>,
        /// Whether it is trusted now.
        #[serde(rename = "trusted")]
        is_trusted: bool,
    },
    /// Settings, rules and plugins were reloaded.
    #[serde(rename = "reload")]
    Reloaded,
    /// The acts of somebody or something were undone.
    #[serde(rename = "undo")]
    Undone {
        /// Whose acts were undone.
        #[serde(rename = "undone")]
        actor: Actor,
        /// Acts from this time on were undone.
        #[serde(with = "milliseconds")]
        since: Timestamp,
        /// Numbers of sanctions that were lifted.
        lifted: Vec<u64>,
        /// Ids of held messages that were released.
        released: Vec<Uuid>,
    },
    /// The breaker of a rule or plugin tripped: it refused too much and only observes from now on.
    #[serde(rename = "breaker_tripped", alias = "brake")]
    BreakerTripped {
        /// The rule or plugin.
        #[serde(rename = "tripped", alias = "braked")]
        actor: Actor,
        /// Why, for people.
        #[serde(alias = "why")]
        reason: String,
    },
    /// Refused messages were counted instead of recorded, because their senders had too many.
    #[serde(rename = "refusals_omitted")]
    RefusalsOmitted {
        /// Number of messages since the last such act.
        count: u32,
    },
    /// The breaker of a rule or plugin was reset: it is in force again.
    #[serde(rename = "breaker_reset")]
    BreakerReset {
        /// The rule or plugin.
        #[serde(rename = "reset")]
        actor: Actor,
    },
}

impl<S> Act<S> {
    /// Converts the sanction, if the act is about one. It names all fields, so that a new one does not leave the process
    /// unnoticed.
    #[must_use]
    pub fn map_sanction<T>(self, convert: impl FnOnce(S) -> T) -> Act<T> {
        let Self { at, since_start, actor, room, kind } = self;
        let kind = match kind {
            ActKind::Sanctioned { sanction } => ActKind::Sanctioned { sanction: convert(sanction) },
            ActKind::Lifted { sanction } => ActKind::Lifted { sanction: convert(sanction) },
            ActKind::Kicked { member, nickname } => ActKind::Kicked { member, nickname },
            ActKind::Released { message } => ActKind::Released { message },
            ActKind::Refused { message } => ActKind::Refused { message },
            ActKind::Retracted { message } => ActKind::Retracted { message },
            ActKind::Level { level, until } => ActKind::Level { level, until },
            ActKind::Preset { preset } => ActKind::Preset { preset },
            ActKind::Trusted { member, nickname, is_trusted } => ActKind::Trusted { member, nickname, is_trusted },
            ActKind::Reloaded => ActKind::Reloaded,
            ActKind::Undone { actor, since, lifted, released } => ActKind::Undone { actor, since, lifted, released },
            ActKind::BreakerTripped { actor, reason } => ActKind::BreakerTripped { actor, reason },
            ActKind::RefusalsOmitted { count } => ActKind::RefusalsOmitted { count },
            ActKind::BreakerReset { actor } => ActKind::BreakerReset { actor },
        };
        Act { at, since_start, actor, room, kind }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_act_of_a_breaker_is_read_in_its_old_form_too() {
        let common = json!({"at": "2026-11-30T09:00:44.462Z", "by": {"relay": "relay"}});
        let read = |own: serde_json::Value| {
            let mut act = common.clone();
            act.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
            serde_json::from_value::<Act<()>>(act).unwrap()
        };
        let act = read(json!({"act": "breaker_tripped", "tripped": {"rule": "no"}, "reason": "6 of 6"}));
        assert_eq!(act.kind, ActKind::BreakerTripped { actor: Actor::Rule("no".into()), reason: "6 of 6".to_owned() });
        assert_eq!(read(json!({"act": "brake", "braked": {"rule": "no"}, "why": "6 of 6"})), act);
        assert_eq!(serde_json::to_value(&act).unwrap()["act"], "breaker_tripped");
    }
}

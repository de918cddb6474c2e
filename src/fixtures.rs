//! Plain values for unit tests. A test changes only the fields that it is about.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{
    Actor, Address, Basis, Decision, JudgedMessage, Match, Message, MessageKind, Mode, Nickname, Outcome, Penalty,
    RoomName, Sanction, SanctionKind, Sender, SenderContext, Target,
};
use crate::moderation::PenaltyRequest;

/// The time so many seconds after the beginning of 1970.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// The address `192.0.2.HOST`.
pub(crate) fn address(host: u8) -> Address {
    Address::from(IpAddr::from([192, 0, 2, host]))
}

pub(crate) fn room(name: &str) -> RoomName {
    name.parse().unwrap()
}

pub(crate) fn nickname(name: &str) -> Nickname {
    name.parse().unwrap()
}

/// The target of a sanction on a nickname.
pub(crate) fn named(name: &str) -> Target {
    Target::Nickname(nickname(name))
}

pub(crate) fn rule(id: &str) -> Actor {
    Actor::Rule(id.into())
}

pub(crate) fn plugin(name: &str) -> Actor {
    Actor::Plugin(name.into())
}

/// The moderator.
pub(crate) fn jane() -> Actor {
    Actor::Moderator("jane".into())
}

/// A chat line without an avatar, received now.
pub(crate) fn message(author: &str, text: impl Into<String>) -> Message {
    Message::new(author, MessageKind::Text { avatar: None, text: text.into() })
}

/// A `PUT` to the room QGIS.
pub(crate) fn sender() -> Sender {
    Sender { connection: None, address: address(1), room: room("QGIS"), context: SenderContext::default() }
}

/// A decision without reason, filter and trace.
pub(crate) fn decision(message: Message, outcome: Outcome) -> Decision {
    Decision { message, original: None, outcome, reason: None, decided_by: None, trace: Vec::new() }
}

/// A decision on a message of [`sender`].
pub(crate) fn judged(decision: Decision) -> JudgedMessage {
    JudgedMessage::new(decision, sender())
}

/// A match that takes effect.
pub(crate) fn matched(requested: Outcome, basis: Basis) -> Match {
    Match { requested, mode: Mode::Enforce, exempt: false, basis, field: None, span: None, labels: Vec::new() }
}

/// A penalty for a nickname in the room QGIS.
pub(crate) fn request(name: &str, penalty: Penalty, actor: Actor) -> PenaltyRequest {
    PenaltyRequest { penalty, target: named(name), room: Some(room("QGIS")), reason: None, actor }
}

/// A mute of a nickname in the room QGIS by the moderator.
pub(crate) fn mute(name: &str, seconds: Option<u64>) -> PenaltyRequest {
    request(name, Penalty::Fixed(SanctionKind::Mute, seconds.map(Duration::from_secs)), jane())
}

/// A sanction of the moderator on the nickname `hans` in all rooms, without an end.
pub(crate) fn sanction(kind: SanctionKind) -> Sanction {
    Sanction {
        id: 1,
        kind,
        target: named("hans"),
        room: None,
        at: at(0),
        until: None,
        reason: "".into(),
        actor: jane(),
        step: None,
    }
}

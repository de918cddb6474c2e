//! Sanctions and penalties.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};

use super::form::{milliseconds, optional_milliseconds};
use super::{Actor, Address, ConnectionId, Nickname, PlainAddress, RoomName};
use crate::names::named;

named! {
    /// The kind of a sanction, the mildest first.
    #[derive(PartialOrd, Ord)]
    pub enum SanctionKind {
        /// A notice to the sender, nothing else.
        Warn = "warn",
        /// Messages of the sender are refused.
        Mute = "mute",
        /// Connections of the sender are closed; it may reconnect.
        Kick = "kick",
        /// Connections of the sender are closed, and it may not reconnect.
        Ban = "ban",
    }
}

impl SanctionKind {
    /// Whether it remains in force for a time, rather than taking effect once.
    #[must_use]
    pub fn has_duration(self) -> bool {
        matches!(self, Self::Mute | Self::Ban)
    }
}

/// A consequence requested by a rule, a plugin or a moderator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "PenaltyForm", try_from = "PenaltyForm")]
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
        let kind: SanctionKind = name.parse().ok()?;
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

/// The serialised form of a penalty.
#[derive(Serialize, Deserialize)]
struct PenaltyForm {
    kind: Cow<'static, str>,
    #[serde(default)]
    seconds: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    nanoseconds: u32,
    /// The duration, in format 1 of the store.
    #[serde(default, skip_serializing)]
    lasts: Option<Duration>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl From<Penalty> for PenaltyForm {
    fn from(penalty: Penalty) -> Self {
        let duration = penalty.duration();
        let (seconds, nanoseconds) = (duration.as_secs(), duration.subsec_nanos());
        Self { kind: penalty.as_str().into(), seconds, nanoseconds, lasts: None }
    }
}

impl TryFrom<PenaltyForm> for Penalty {
    type Error = &'static str;

    fn try_from(form: PenaltyForm) -> Result<Self, &'static str> {
        let PenaltyForm { kind, seconds, nanoseconds, lasts } = form;
        let duration = Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanoseconds.into()));
        let lasts = lasts.or((!duration.is_zero()).then_some(duration));
        Self::from_name(&kind, lasts).ok_or("there is no such penalty")
    }
}

/// The target of a sanction. `A` is the form in which an address is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "TargetForm<A>", bound(deserialize = "A: Deserialize<'de>"))]
pub enum Target<A = Address> {
    /// Connections with this nickname or a look-alike.
    Nickname(Nickname),
    /// Connections from this IPv4 address or IPv6 /64, or from a wider network.
    Address(A),
    /// Connections with this nickname or a look-alike from this address.
    Sender {
        /// The nickname.
        nickname: Nickname,
        /// The address.
        address: A,
    },
    /// A connection under any nickname.
    Connection {
        /// The connection; `None` for all `PUT` requests from the address.
        id: Option<ConnectionId>,
        /// Its address.
        address: A,
    },
}

/// An object with `nickname`, `address` or both; for a connection, with `address` and either `member` or `put`.
impl<A: Serialize> Serialize for Target<A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Self::Nickname(nickname) | Self::Sender { nickname, .. } = self {
            map.serialize_entry("nickname", nickname)?;
        }
        if let Self::Address(address) | Self::Sender { address, .. } | Self::Connection { address, .. } = self {
            map.serialize_entry("address", address)?;
        }
        match self {
            Self::Connection { id: Some(id), .. } => map.serialize_entry("member", id)?,
            Self::Connection { id: None, .. } => map.serialize_entry("put", &true)?,
            Self::Nickname(_) | Self::Address(_) | Self::Sender { .. } => {}
        }
        map.end()
    }
}

/// The serialised form of a target.
#[derive(Deserialize)]
#[serde(bound(deserialize = "A: Deserialize<'de>"))]
struct TargetForm<A> {
    nickname: Option<Nickname>,
    address: Option<A>,
    member: Option<ConnectionId>,
    /// Only `PUT` requests.
    #[serde(default)]
    put: bool,
}

impl<A> TryFrom<TargetForm<A>> for Target<A> {
    type Error = &'static str;

    fn try_from(form: TargetForm<A>) -> Result<Self, &'static str> {
        let TargetForm { nickname, address, member, put } = form;
        match (nickname, address, member, put) {
            (Some(nickname), None, None, false) => Ok(Self::Nickname(nickname)),
            (Some(nickname), Some(address), None, false) => Ok(Self::Sender { nickname, address }),
            (None, Some(address), None, false) => Ok(Self::Address(address)),
            (None, Some(address), Some(id), false) => Ok(Self::Connection { id: Some(id), address }),
            (None, Some(address), None, true) => Ok(Self::Connection { id: None, address }),
            _ => Err("there is no such target of a sanction"),
        }
    }
}

impl<A> Target<A> {
    /// Converts the address, if it has one.
    pub fn map_address<B>(self, convert: impl FnOnce(A) -> B) -> Target<B> {
        match self {
            Self::Nickname(nickname) => Target::Nickname(nickname),
            Self::Address(address) => Target::Address(convert(address)),
            Self::Sender { nickname, address } => Target::Sender { nickname, address: convert(address) },
            Self::Connection { id, address } => Target::Connection { id, address: convert(address) },
        }
    }
}

/// A target with its address in full, for `#[serde(with = "…")]`.
#[expect(clippy::missing_errors_doc, reason = "the errors are those of the serializer")]
pub mod plain_target {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use super::{PlainAddress, Target};

    /// Serializes a target.
    pub fn serialize<S: Serializer>(target: &Target, serializer: S) -> Result<S::Ok, S::Error> {
        target.clone().map_address(PlainAddress).serialize(serializer)
    }

    /// Deserializes a target.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Target, D::Error> {
        Target::deserialize(deserializer).map(|target| target.map_address(|PlainAddress(address)| address))
    }
}

/// A sanction imposed on a nickname or address. `A` is the form in which an address is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sanction<A = Address> {
    /// A unique ID, never reused.
    pub id: u64,
    /// The kind of sanction.
    pub kind: SanctionKind,
    /// The nickname or address it applies to.
    #[serde(flatten)]
    pub target: Target<A>,
    /// The room it applies to; `None` for all rooms.
    pub room: Option<RoomName>,
    /// When it began.
    #[serde(with = "milliseconds")]
    pub at: Timestamp,
    /// When it ends; `None` if not before it is lifted. Equal to `at` for kinds without duration.
    #[serde(default, with = "optional_milliseconds")]
    pub until: Option<Timestamp>,
    /// The reason, as shown to the sender.
    pub reason: Arc<str>,
    /// The actor that imposed it.
    #[serde(rename = "by")]
    pub actor: Actor,
    /// The step of the ladder, from 0; `None` if the kind was requested explicitly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<usize>,
}

impl<A> Sanction<A> {
    /// Converts the address, if the target is one.
    #[must_use]
    pub fn map_address<B>(self, convert: impl FnOnce(A) -> B) -> Sanction<B> {
        let Self { id, kind, target, room, at, until, reason, actor, step } = self;
        Sanction { id, kind, target: target.map_address(convert), room, at, until, reason, actor, step }
    }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixtures::{address, nickname};

    #[test]
    fn each_target_has_a_form_of_its_own() {
        let (nickname, address) = (nickname("jane"), PlainAddress(address(7)));
        for (target, form) in [
            (Target::Nickname(nickname.clone()), json!({"nickname": "jane"})),
            (Target::Address(address), json!({"address": "192.0.2.7"})),
            (Target::Sender { nickname, address }, json!({"nickname": "jane", "address": "192.0.2.7"})),
            (Target::Connection { id: Some(ConnectionId(5)), address }, json!({"address": "192.0.2.7", "member": "5"})),
            (Target::Connection { id: None, address }, json!({"address": "192.0.2.7", "put": true})),
        ] {
            assert_eq!(serde_json::to_value(&target).unwrap(), form);
            assert_eq!(serde_json::from_value::<Target<PlainAddress>>(form).unwrap(), target);
        }
        assert!(serde_json::from_value::<Target<PlainAddress>>(json!({})).is_err());
    }
}

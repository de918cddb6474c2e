//! Grants of a token: moderation within a scope and rooms, or a trusted nickname.

use std::sync::Arc;

use super::token::Digest;
use crate::model::{Actor, GuardedNames, Nickname, ReservedNames, RoomName, RoomScope};
use crate::names::named;

named! {
    /// The permissions of a moderator. Each scope includes those before it.
    #[derive(PartialOrd, Ord)]
    pub enum Scope {
        /// Read everything and run trials.
        Read = "read",
        /// Act on senders and messages.
        Act = "act",
        /// Change rules and presets, and undo the acts of others.
        Admin = "admin",
    }
}

/// A moderator.
#[derive(Clone, Debug)]
pub struct Moderator {
    pub(super) name: Arc<str>,
    pub(super) scope: Scope,
    pub(super) rooms: RoomScope,
    pub(super) digest: Digest,
}

impl Moderator {
    /// Creates a moderator with all scopes in all rooms.
    pub(super) fn admin(name: Arc<str>, digest: Digest) -> Self {
        Self { name, scope: Scope::Admin, rooms: RoomScope::All, digest }
    }

    /// Returns the name, for logs and notes.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the moderator as the actor of an act.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::Moderator(Arc::clone(&self.name))
    }

    /// Returns the widest scope.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Returns the rooms that the moderator may act in.
    #[must_use]
    pub fn rooms(&self) -> &RoomScope {
        &self.rooms
    }

    /// Whether the moderator has `scope` or a wider one.
    #[must_use]
    pub fn has_scope(&self, scope: Scope) -> bool {
        scope <= self.scope
    }

    /// Whether the moderator may act in `room`.
    #[must_use]
    pub fn covers(&self, room: &RoomName) -> bool {
        self.rooms.contains(room)
    }

    /// Whether the moderator may act in all rooms, as acts without a room require.
    #[must_use]
    pub fn covers_all_rooms(&self) -> bool {
        self.rooms == RoomScope::All
    }
}

/// A nickname that a token proves.
#[derive(Clone, Debug)]
pub struct TrustedNickname {
    pub(super) nickname: Nickname,
    pub(super) rooms: RoomScope,
    pub(super) digest: Digest,
}

impl TrustedNickname {
    /// Returns the nickname.
    #[must_use]
    pub fn nickname(&self) -> &Nickname {
        &self.nickname
    }

    /// Returns the rooms in which its bearer is trusted.
    #[must_use]
    pub fn rooms(&self) -> &RoomScope {
        &self.rooms
    }

    /// Whether its bearer is trusted in `room`.
    #[must_use]
    pub fn covers(&self, room: &RoomName) -> bool {
        self.rooms.contains(room)
    }
}

/// The moderators and trusted nicknames that have a token, and the names that nobody may use.
#[derive(Clone, Debug, Default)]
pub struct AccessTokens {
    pub(super) moderators: Vec<Moderator>,
    pub(super) trusted: Vec<TrustedNickname>,
    pub(super) reserved: ReservedNames,
}

impl AccessTokens {
    /// Returns the names that not everybody may use: trusted nicknames are kept for those who prove them.
    #[must_use]
    pub fn guarded_names(&self) -> GuardedNames {
        let kept = self.trusted.iter().map(|trusted| (trusted.nickname.clone(), trusted.rooms.clone()));
        GuardedNames::new(self.reserved.clone(), kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::room;

    #[test]
    fn each_scope_includes_those_before_it() {
        for (at, scope) in Scope::ALL.into_iter().enumerate() {
            let moderator = Moderator { scope, ..Moderator::admin("jane".into(), Digest::new(b"")) };
            let may = Scope::ALL.map(|wanted| moderator.has_scope(wanted));
            assert_eq!(may, [true, at >= 1, at >= 2], "{scope:?}");
        }
    }

    #[test]
    fn a_moderator_of_some_rooms_covers_no_others_and_not_all_rooms() {
        let everywhere = Moderator::admin("jane".into(), Digest::new(b""));
        assert!(everywhere.covers_all_rooms() && everywhere.covers(&room("QGIS")));
        let somewhere = Moderator { rooms: RoomScope::Only([room("Caf\u{e9}")].into()), ..everywhere };
        assert!(!somewhere.covers_all_rooms());
        assert!(somewhere.covers(&room("Cafe\u{301}")), "the same name in another Unicode normalization");
        assert!(!somewhere.covers(&room("QGIS")));
    }
}

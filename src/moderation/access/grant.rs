//! What a token grants: to moderate, so far and in such rooms, or to go by a nickname.

use std::sync::Arc;

use super::token::Digest;
use crate::model::{Cause, Nickname, RoomName};

/// How far a moderator may go. Each scope includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// May look at everything and try things out.
    Read,
    /// May act on senders and messages, too.
    Act,
    /// May change what holds for all, too: rules, presets; and take back what others did.
    Admin,
}

impl Scope {
    /// All of them, the narrowest first.
    pub const ALL: [Self; 3] = [Self::Read, Self::Act, Self::Admin];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Act => "act",
            Self::Admin => "admin",
        }
    }

    /// The scope of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

/// In which rooms something holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rooms {
    /// In all of them.
    All,
    /// In these.
    Only(Arc<[RoomName]>),
}

impl Rooms {
    /// Whether it holds in this one.
    #[must_use]
    pub fn include(&self, room: &RoomName) -> bool {
        match self {
            Self::All => true,
            Self::Only(rooms) => rooms.contains(room),
        }
    }
}

/// Somebody who may moderate.
#[derive(Clone, Debug)]
pub struct Moderator {
    pub(super) name: Arc<str>,
    pub(super) scope: Scope,
    pub(super) rooms: Rooms,
    pub(super) digest: Digest,
}

impl Moderator {
    /// One who may do everything everywhere.
    pub(super) fn of_all(name: Arc<str>, digest: Digest) -> Self {
        Self { name, scope: Scope::Admin, rooms: Rooms::All, digest }
    }

    /// The name, for logs and notes.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The moderator as the cause of an act.
    #[must_use]
    pub fn cause(&self) -> Cause {
        Cause::Moderator(Arc::clone(&self.name))
    }

    /// The widest scope.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// The rooms.
    #[must_use]
    pub fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    /// Whether the scope is this one or a wider one.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        scope <= self.scope
    }

    /// Whether this room is one of the moderator's.
    #[must_use]
    pub fn may_in(&self, room: &RoomName) -> bool {
        self.rooms.include(room)
    }

    /// Whether all rooms are the moderator's, as what is about all of them needs.
    #[must_use]
    pub fn everywhere(&self) -> bool {
        self.rooms == Rooms::All
    }
}

/// A sender who proves by a token whose nickname it is.
#[derive(Clone, Debug)]
pub struct Trusted {
    pub(super) nickname: Nickname,
    pub(super) rooms: Rooms,
    pub(super) digest: Digest,
}

impl Trusted {
    /// The nickname.
    #[must_use]
    pub fn nickname(&self) -> &Nickname {
        &self.nickname
    }

    /// Where its bearer is trusted.
    #[must_use]
    pub fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    /// Whether its bearer is trusted in this room.
    #[must_use]
    pub fn holds_in(&self, room: &RoomName) -> bool {
        self.rooms.include(room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str) -> RoomName {
        RoomName::parse(name).unwrap()
    }

    #[test]
    fn each_scope_includes_those_before_it() {
        for (at, scope) in Scope::ALL.into_iter().enumerate() {
            let moderator = Moderator { scope, ..Moderator::of_all("jane".into(), Digest::of(b"")) };
            let may = Scope::ALL.map(|wanted| moderator.may(wanted));
            assert_eq!(may, [true, at >= 1, at >= 2], "{scope:?}");
            assert_eq!(Scope::of_name(scope.as_str()), Some(scope));
        }
        assert_eq!(Scope::of_name("root"), None);
    }

    #[test]
    fn whoever_has_some_rooms_has_no_others_and_not_all_of_them() {
        let everywhere = Moderator::of_all("jane".into(), Digest::of(b""));
        assert!(everywhere.everywhere() && everywhere.may_in(&room("QGIS")));
        let somewhere = Moderator { rooms: Rooms::Only([room("Caf\u{e9}")].into()), ..everywhere };
        assert!(!somewhere.everywhere());
        assert!(somewhere.may_in(&room("Cafe\u{301}")), "the same name, typed in another way");
        assert!(!somewhere.may_in(&room("QGIS")));
    }
}

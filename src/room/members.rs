//! The members of a room, and what it knows of each.

use std::sync::Arc;
use std::time::Instant;

use indexmap::IndexMap;

use super::Room;
use super::round::Own;
use crate::model::{Address, Facts, Looks, Nickname, SenderId};
use crate::wire::Generation;

/// The members in a row, since each round goes through all of them. Nobody else chooses their ids, so a fast hash is
/// safe.
pub(super) type Members = IndexMap<SenderId, Member, foldhash::fast::RandomState>;

/// One connection in a room.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) generation: Generation,
    pub(super) address: Address,
    pub(super) joined: Instant,
    /// Messages of this connection that were let through, and that were not.
    pub(super) accepted: u32,
    pub(super) refused: u32,
    /// A moderator trusts it.
    pub(super) trusted: bool,
    /// The nickname that it has proven to be its own, by a token.
    pub(super) proven: Option<Arc<str>>,
    pub(super) nickname: Option<Nickname>,
    pub(super) spoke_as: Option<Box<SpokeAs>>,
    /// Where in the round under way its part begins.
    pub(super) from: usize,
    /// Frames for it alone, with their places in the round under way.
    pub(super) own: Own,
}

/// A name that a connection without a nickname spoke under and that was free then. What names look like costs more
/// than all the rest of a message, so it is not found out for each line again.
#[derive(Debug)]
pub(super) struct SpokeAs {
    pub(super) author: Nickname,
    /// What that looks like.
    pub(super) looks: Looks,
    /// `Nicknames::changes` at that time.
    pub(super) changes: u64,
}

impl SpokeAs {
    pub(super) fn still_free(&self, author: &str, changes: u64) -> bool {
        self.changes == changes && self.author.as_str() == author
    }
}

impl Room {
    /// The registered nicknames, sorted without regard to letter case.
    ///
    /// Anybody may ask, any number of times: they are put together once, not for each who asks.
    #[must_use]
    pub fn users(&mut self) -> Arc<[String]> {
        let Self { users, members, .. } = self;
        Arc::clone(users.get_or_insert_with(|| sorted_names(members)))
    }

    /// What the room knows of who sends a message as `author`; the nicknames only if they are wanted.
    pub fn facts(&mut self, connection: Option<SenderId>, author: &str, with_names: bool) -> Facts {
        let names = if with_names { self.users() } else { Arc::default() };
        let facts = Facts { members: self.members.len(), names, ..Facts::default() };
        let Some(member) = connection.and_then(|id| self.members.get(&id)) else { return facts };
        Facts {
            registered: member.nickname.is_some(),
            connected: member.joined.elapsed(),
            accepted: member.accepted.into(),
            refused: member.refused.into(),
            trusted: member.trusted || member.proven.as_deref() == Some(author),
            ..facts
        }
    }

    /// Counts a message of a connection as let through or not.
    pub fn count(&mut self, connection: Option<SenderId>, was_let_through: bool) {
        if let Some(member) = connection.and_then(|id| self.members.get_mut(&id)) {
            let count = if was_let_through { &mut member.accepted } else { &mut member.refused };
            *count = count.saturating_add(1);
        }
    }
}

fn sorted_names(members: &Members) -> Arc<[String]> {
    let mut names: Vec<String> =
        members.values().filter_map(|m| m.nickname.as_ref()).map(|n| n.as_str().to_owned()).collect();
    names.sort_by_cached_key(|name| (name.to_lowercase(), name.clone()));
    names.into()
}

//! The members of a room.

use std::sync::Arc;
use std::time::Instant;

use indexmap::IndexMap;

use super::Room;
use super::round::{DirectFrames, Share};
use crate::model::{Address, ConnectionId, Nickname, SenderContext, Skeletons};
use crate::wire::Generation;

/// Contiguous, since every round visits all members. Clients do not choose their IDs, so a fast hash is safe.
pub(super) type Members = IndexMap<ConnectionId, Member, foldhash::fast::RandomState>;

/// A connection in the room.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) generation: Generation,
    pub(super) address: Address,
    pub(super) joined: Instant,
    /// Messages of this connection that were accepted and refused.
    pub(super) accepted: u32,
    pub(super) refused: u32,
    /// Whether a moderator trusts it.
    pub(super) trusted: bool,
    /// The nickname that it proved to own with a token.
    pub(super) proven_nickname: Option<Arc<str>>,
    pub(super) nickname: Option<Nickname>,
    pub(super) last_author: Option<Box<LastAuthor>>,
    /// Whether it has received a user count, which precedes all other frames.
    pub(super) knows_count: bool,
    /// Where its share of the current round starts.
    pub(super) round_start: usize,
    /// Frames for this member alone, with their offsets in the current round.
    pub(super) direct: DirectFrames,
}

impl Member {
    /// Takes its share of the round that ends now, or that it leaves.
    pub(super) fn take_share(&mut self, id: ConnectionId) -> Share {
        Share {
            to: id,
            generation: self.generation,
            start: std::mem::take(&mut self.round_start),
            direct: std::mem::take(&mut self.direct).freeze(),
        }
    }
}

/// The last author name used by a connection without a nickname, which was free at that time. Cached, since computing
/// skeletons costs more than all other work on a message.
#[derive(Debug)]
pub(super) struct LastAuthor {
    pub(super) author: Nickname,
    pub(super) skeletons: Skeletons,
    /// `Nicknames::version` at that time.
    pub(super) version: u64,
}

impl LastAuthor {
    pub(super) fn is_still_free(&self, author: &str, version: u64) -> bool {
        self.version == version && self.author.as_str() == author
    }
}

/// Returns the member that sent a message; `None` for a `PUT`, and for a connection that has left while its message was
/// judged elsewhere.
pub(super) fn find(members: &mut Members, connection: Option<ConnectionId>) -> Option<&mut Member> {
    members.get_mut(&connection?)
}

impl Room {
    /// Returns the registered nicknames, sorted case-insensitively.
    ///
    /// The list is cached until a nickname changes, since anyone may request it any number of times.
    #[must_use]
    pub fn nicknames(&mut self) -> Arc<[String]> {
        let Self { sorted_nicknames, members, .. } = self;
        Arc::clone(sorted_nicknames.get_or_insert_with(|| sort_nicknames(members)))
    }

    /// Returns the context of a message sent as `author`. Nicknames are included only if `with_names` is set.
    pub fn sender_context(
        &mut self,
        connection: Option<ConnectionId>,
        author: &str,
        with_names: bool,
    ) -> SenderContext {
        let names = if with_names { self.nicknames() } else { Arc::default() };
        let context = SenderContext { member_count: self.members.len(), nicknames: names, ..SenderContext::default() };
        let Some(member) = find(&mut self.members, connection) else { return context };
        SenderContext {
            registered: member.nickname.is_some(),
            connected: member.joined.elapsed(),
            accepted: member.accepted.into(),
            refused: member.refused.into(),
            trusted: member.trusted || member.proven_nickname.as_deref() == Some(author),
            ..context
        }
    }

    /// Counts a message of a connection as accepted or refused.
    pub fn count_message(&mut self, connection: Option<ConnectionId>, was_accepted: bool) {
        if let Some(member) = find(&mut self.members, connection) {
            let count = if was_accepted { &mut member.accepted } else { &mut member.refused };
            *count = count.saturating_add(1);
        }
    }
}

fn sort_nicknames(members: &Members) -> Arc<[String]> {
    let mut names: Vec<String> =
        members.values().filter_map(|m| m.nickname.as_ref()).map(|n| n.as_str().to_owned()).collect();
    names.sort_by_cached_key(|name| (name.to_lowercase(), name.clone()));
    names.into()
}

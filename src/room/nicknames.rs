//! Registered nicknames, by skeleton.

use std::collections::HashMap;

use crate::model::{ConnectionId, Nickname, Skeletons};

/// The nicknames of a room. No two members share a skeleton.
#[derive(Debug, Default)]
pub(super) struct Nicknames {
    by_skeleton: HashMap<Box<str>, ConnectionId>,
    version: u64,
}

impl Nicknames {
    /// Returns the connection, other than `except`, that a nickname with one of these skeletons belongs to.
    pub(super) fn owner(&self, skeletons: &Skeletons, except: Option<ConnectionId>) -> Option<ConnectionId> {
        skeletons.iter().filter_map(|skeleton| self.by_skeleton.get(skeleton)).copied().find(|&id| Some(id) != except)
    }

    /// Incremented on every change. Results of lookups remain valid while it is unchanged.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// Makes the results of earlier lookups invalid.
    pub(super) fn invalidate(&mut self) {
        self.version += 1;
    }

    /// Assigns a nickname that belongs to no other connection.
    pub(super) fn assign(&mut self, nickname: &Nickname, id: ConnectionId) {
        self.version += 1;
        for skeleton in nickname.skeletons().iter() {
            self.by_skeleton.insert(skeleton.into(), id);
        }
    }

    /// Releases a nickname.
    pub(super) fn release(&mut self, nickname: &Nickname) {
        self.version += 1;
        for skeleton in nickname.skeletons().iter() {
            self.by_skeleton.remove(skeleton);
        }
    }
}

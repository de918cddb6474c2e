//! The rooms of a shard.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use indexmap::IndexMap;
use tokio::sync::oneshot;

use super::Shard;
use super::closing::CloseReason;
use crate::model::{ConnectionId, GuardedNames, Notice, Sanction};
use crate::room::{Delivery, Room, kept_reason};
use crate::wire::frame::CloseCode;

/// The key of a room on its shard. Keys are never reused, so that a command for a removed room cannot reach a later
/// one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::live) struct RoomKey(pub(in crate::live) u64);

/// The close reason for members of a removed room.
pub(super) const REMOVED: CloseReason = CloseReason::ByRelay(CloseCode::GoingAway, "this room was removed");

/// A room and the unsent rest of its last round.
#[derive(Debug)]
pub(super) struct LocalRoom {
    pub(super) room: Room,
    pub(super) delivery: Option<PendingDelivery>,
    /// Whether it is in the list of dirty rooms.
    dirty: bool,
}

/// A round in delivery, slice by slice.
#[derive(Debug)]
pub(super) struct PendingDelivery {
    pub(super) delivery: Delivery,
    /// Frames delivered so far.
    pub(super) delivered: usize,
    /// Time spent on delivery so far.
    pub(super) took: Duration,
}

impl LocalRoom {
    /// Removes a member, and returns its undelivered output; `None` if it is not a member.
    fn leave(&mut self, id: ConnectionId) -> Option<Vec<Bytes>> {
        let current = self.room.leave(id)?;
        let mut unsent = Vec::new();
        if let Some(PendingDelivery { delivery: Delivery { broadcast, shares, .. }, .. }) = &mut self.delivery
            && let Some(at) = shares.iter().position(|share| share.to == id)
        {
            unsent.extend(shares.swap_remove(at).pieces(broadcast));
        }
        unsent.extend(current);
        Some(unsent)
    }
}

/// The rooms by key. Clients do not choose keys, so a fast hash is safe.
#[derive(Debug, Default)]
pub(super) struct LocalRooms {
    by_key: IndexMap<RoomKey, LocalRoom, foldhash::fast::RandomState>,
    /// Rooms with output or a pending user count. All of them exist.
    dirty: VecDeque<RoomKey>,
}

impl LocalRooms {
    pub(super) fn add(&mut self, key: RoomKey, room: Room) {
        self.by_key.insert(key, LocalRoom { room, delivery: None, dirty: false });
    }

    fn remove(&mut self, key: RoomKey) -> Option<Room> {
        self.dirty.retain(|dirty| *dirty != key);
        self.by_key.swap_remove(&key).map(|local| local.room)
    }

    /// Returns a room; `None` once it is removed. Commands may have been sent before that; if they have a reply,
    /// dropping it informs the caller.
    pub(super) fn get(&self, key: RoomKey) -> Option<&Room> {
        self.by_key.get(&key).map(|local| &local.room)
    }

    /// As [`LocalRooms::get`], to change the room. Its output is delivered at the end of the round.
    pub(super) fn get_mut(&mut self, key: RoomKey) -> Option<&mut Room> {
        self.mark_dirty(key).map(|local| &mut local.room)
    }

    /// As [`LocalRooms::get`], to deliver a round.
    pub(super) fn local_mut(&mut self, key: RoomKey) -> Option<&mut LocalRoom> {
        self.by_key.get_mut(&key)
    }

    /// Removes a member from its room, and returns its undelivered output; `None` if it is not a member.
    pub(super) fn leave(&mut self, key: RoomKey, id: ConnectionId) -> Option<Vec<Bytes>> {
        self.mark_dirty(key)?.leave(id)
    }

    fn mark_dirty(&mut self, key: RoomKey) -> Option<&mut LocalRoom> {
        let local = self.by_key.get_mut(&key)?;
        if !std::mem::replace(&mut local.dirty, true) {
            self.dirty.push_back(key);
        }
        Some(local)
    }

    /// Marks a room again if a part of its round is left or a user count is not yet due.
    pub(super) fn mark_unfinished(&mut self, key: RoomKey) {
        if self.by_key.get(&key).is_some_and(|local| local.delivery.is_some() || local.room.is_dirty()) {
            self.mark_dirty(key);
        }
    }

    /// Takes the next dirty room from the list.
    pub(super) fn take_dirty(&mut self) -> Option<RoomKey> {
        let key = self.dirty.pop_front()?;
        self.by_key.get_mut(&key)?.dirty = false;
        Some(key)
    }

    pub(super) fn dirty_len(&self) -> usize {
        self.dirty.len()
    }

    /// Returns all keys.
    pub(super) fn keys(&self) -> Vec<RoomKey> {
        self.by_key.keys().copied().collect()
    }

    /// Whether a room has undelivered output.
    pub(super) fn has_undelivered(&self) -> bool {
        let has_output = |local: &LocalRoom| local.delivery.is_some() || local.room.has_output();
        self.dirty.iter().any(|key| self.by_key.get(key).is_some_and(has_output))
    }

    /// Returns when the next user count is due.
    pub(super) fn next_count_due(&self) -> Option<Instant> {
        self.dirty.iter().filter_map(|key| self.get(*key)?.count_due_at()).min()
    }

    /// Returns the members that a sanction targets, with their rooms.
    pub(super) fn targets_of(&self, sanction: &Sanction) -> Vec<(RoomKey, ConnectionId)> {
        let covered = self.by_key.iter().filter(|(_, local)| sanction.applies_to(local.room.name()));
        let targets = covered
            .flat_map(|(key, local)| local.room.members_matching(&sanction.target).into_iter().map(|id| (*key, id)));
        targets.collect()
    }

    /// Removes all members of all rooms without notifying them.
    pub(super) fn clear_members(&mut self) {
        self.by_key.values_mut().for_each(|local| local.room.clear());
    }
}

impl Shard {
    /// Replaces the guarded names of all rooms, and tells those who lose their nicknames.
    pub(super) fn set_guarded_names(&mut self, names: &Arc<GuardedNames>, reply: oneshot::Sender<()>) {
        for key in self.rooms.keys() {
            let Some(room) = self.rooms.get_mut(key) else { continue };
            for id in room.set_guarded_names(Arc::clone(names)) {
                room.notify(id, &Notice::Moderation(kept_reason()), None, &self.live.wire);
            }
        }
        // The caller may have timed out.
        let _gone = reply.send(());
    }

    /// Removes a room: pending output is delivered, then its members are disconnected without presence events.
    pub(super) fn remove_room(&mut self, key: RoomKey, reply: oneshot::Sender<()>, now: Instant) {
        self.deliver_room(key, now);
        if let Some(mut room) = self.rooms.remove(key) {
            room.clear();
            self.claims.forget(|claim_room| claim_room == key);
            let members = self.connections.not_closing(Some(key));
            tracing::info!(room = %room.name(), connections = members.len(), "room removed");
            for id in members {
                self.begin_close(id, REMOVED, Vec::new(), now);
            }
        }
        // The caller may have timed out.
        let _gone = reply.send(());
    }
}

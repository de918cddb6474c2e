//! Delivery of a round: one write per member.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Shard;
use super::closing::CloseReason;
use super::rooms::RoomKey;
use crate::model::ConnectionId;
use crate::room::{Delivery, Room, Share};

/// Number of members served before the shard reads its sockets again, so that a room of ten thousand does not block the
/// others.
const MEMBERS_PER_SLICE: usize = 1_024;

/// A room and the unsent rest of its last round.
#[derive(Debug)]
pub(super) struct LocalRoom {
    pub(super) room: Room,
    delivery: Option<PendingDelivery>,
    /// Whether it is in the list of dirty rooms.
    dirty: bool,
}

/// A round in delivery, slice by slice.
#[derive(Debug)]
struct PendingDelivery {
    delivery: Delivery,
    /// Frames delivered so far.
    delivered: usize,
    /// Time spent on delivery so far.
    took: Duration,
}

impl LocalRoom {
    pub(super) fn new(room: Room) -> Self {
        Self { room, delivery: None, dirty: false }
    }
}

impl Shard {
    /// Marks a room with output or a pending user count.
    pub(super) fn mark_dirty(&mut self, room: RoomKey) {
        if let Some(local) = self.rooms.get_mut(&room)
            && !std::mem::replace(&mut local.dirty, true)
        {
            self.dirty_rooms.push_back(room);
        }
    }

    /// Ends the round of each dirty room and delivers it, or one slice of it in large rooms.
    pub(super) fn deliver(&mut self, now: Instant) {
        for _ in 0..self.dirty_rooms.len() {
            let Some(room) = self.dirty_rooms.pop_front() else { break };
            if let Some(local) = self.rooms.get_mut(&room) {
                local.dirty = false;
                self.deliver_slice(room, MEMBERS_PER_SLICE, now);
            }
            // The room stays dirty while part of its round is left or a user count is not yet due.
            if self.rooms.get(&room).is_some_and(|local| local.delivery.is_some() || local.room.is_dirty()) {
                self.mark_dirty(room);
            }
        }
    }

    /// Delivers all output, in all slices.
    pub(super) fn deliver_all(&mut self, now: Instant) {
        let keys: Vec<RoomKey> = self.rooms.keys().copied().collect();
        for key in keys {
            self.deliver_room(key, now);
        }
    }

    /// As [`Shard::deliver_all`], for one room.
    pub(super) fn deliver_room(&mut self, room: RoomKey, now: Instant) {
        while self.deliver_slice(room, usize::MAX, now) {}
    }

    /// Whether a room has undelivered output.
    pub(super) fn has_undelivered(&self) -> bool {
        let has_output = |room: &RoomKey| {
            self.rooms.get(room).is_some_and(|local| local.delivery.is_some() || local.room.has_output())
        };
        self.dirty_rooms.iter().any(has_output)
    }

    /// Returns when the next user count is due.
    pub(super) fn next_count_due(&self) -> Option<Instant> {
        self.dirty_rooms.iter().filter_map(|room| self.rooms.get(room)?.room.count_due_at()).min()
    }

    /// Removes a connection from its room, and returns its undelivered output.
    pub(super) fn leave_room(&mut self, room: RoomKey, id: ConnectionId) -> Vec<Bytes> {
        let Some(local) = self.rooms.get_mut(&room) else { return Vec::new() };
        let mut due = Vec::new();
        if let Some(PendingDelivery { delivery: Delivery { broadcast, shares, .. }, .. }) = &mut local.delivery
            && let Some(at) = shares.iter().position(|share| share.to == id)
        {
            due.extend(shares.swap_remove(at).pieces(broadcast));
        }
        due.extend(local.room.leave(id));
        self.mark_dirty(room);
        due
    }

    /// Delivers the next slice of a room's round, and starts a round if there is none. Returns `false` if there was no
    /// output.
    fn deliver_slice(&mut self, room: RoomKey, slice: usize, now: Instant) -> bool {
        let Some(local) = self.rooms.get_mut(&room) else { return false };
        let start = |delivery| PendingDelivery { delivery, delivered: 0, took: Duration::ZERO };
        let pending = local.delivery.take().or_else(|| local.room.end_round(now).map(start));
        let Some(PendingDelivery { mut delivery, mut delivered, took }) = pending else { return false };
        let began = Instant::now();
        let rest = delivery.shares.len().saturating_sub(slice);
        let mut closed = Vec::new();
        // Drain from the back to avoid moving shares, so the newest members are served first.
        for share in delivery.shares.drain(rest..) {
            let to = share.to;
            match self.send_share(share, &delivery.broadcast) {
                Ok(()) => delivered += delivery.frame_count,
                Err(reason) => closed.push((to, reason)),
            }
        }
        let took = took + began.elapsed();
        if rest == 0 {
            self.live.metrics.count_round(delivered, took);
        } else if let Some(local) = self.rooms.get_mut(&room) {
            local.delivery = Some(PendingDelivery { delivery, delivered, took });
        }
        for (id, reason) in closed {
            self.close_connection(id, reason, now);
        }
        true
    }

    fn send_share(&mut self, share: Share, broadcast: &[Bytes]) -> Result<(), CloseReason> {
        let limit = self.live.config.outbox_bytes;
        // A connection that has left in the meantime gets nothing.
        let Some(connection) = self.connection(share.to).filter(|connection| !connection.is_closing()) else {
            return Ok(());
        };
        share.pieces(broadcast).try_for_each(|piece| connection.send(piece, limit))
    }
}

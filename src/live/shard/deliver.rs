//! The end of a round: what a room said is written to its members, one write for each.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Shard;
use super::ending::End;
use super::rooms::RoomKey;
use crate::model::SenderId;
use crate::room::{Delivery, Room, Share};

/// Members that are written to before the shard looks at its sockets again, so that a room of ten thousand does not
/// keep everybody else waiting.
const SLICE: usize = 1_024;

/// A room, and what of its last round is still to be written.
#[derive(Debug)]
pub(super) struct LocalRoom {
    pub(super) room: Room,
    delivery: Option<UnderWay>,
    /// Whether it is in the list of stirred rooms.
    stirred: bool,
}

/// A round that is being written, slice by slice.
#[derive(Debug)]
struct UnderWay {
    delivery: Delivery,
    /// Frames handed over so far.
    delivered: usize,
    /// Time that the writing has taken so far.
    took: Duration,
}

impl LocalRoom {
    pub(super) fn new(room: Room) -> Self {
        Self { room, delivery: None, stirred: false }
    }
}

impl Shard {
    /// Notes that something was said in a room, or a number is due there.
    pub(super) fn stir(&mut self, room: RoomKey) {
        if let Some(local) = self.rooms.get_mut(&room)
            && !std::mem::replace(&mut local.stirred, true)
        {
            self.stirred.push_back(room);
        }
    }

    /// Ends the round of each stirred room and writes it, a slice for rooms with many members.
    pub(super) fn deliver(&mut self, now: Instant) {
        for _ in 0..self.stirred.len() {
            let Some(room) = self.stirred.pop_front() else { break };
            if let Some(local) = self.rooms.get_mut(&room) {
                local.stirred = false;
                self.deliver_slice(room, SLICE, now);
            }
            // Part of the round is left, or a number that is not yet due: the room stays in the list.
            if self.rooms.get(&room).is_some_and(|local| local.delivery.is_some() || local.room.has_news()) {
                self.stir(room);
            }
        }
    }

    /// Writes all that was said, whatever it takes.
    pub(super) fn deliver_all(&mut self, now: Instant) {
        let keys: Vec<RoomKey> = self.rooms.keys().copied().collect();
        for key in keys {
            self.deliver_room(key, now);
        }
    }

    /// As [`Shard::deliver_all`], in one room.
    pub(super) fn deliver_room(&mut self, room: RoomKey, now: Instant) {
        while self.deliver_slice(room, usize::MAX, now) {}
    }

    /// Whether something that was said is still to be written.
    pub(super) fn has_undelivered(&self) -> bool {
        let said = |room: &RoomKey| {
            self.rooms.get(room).is_some_and(|local| local.delivery.is_some() || local.room.has_words())
        };
        self.stirred.iter().any(said)
    }

    /// When the next number of connections is to be told.
    pub(super) fn number_due(&self) -> Option<Instant> {
        self.stirred.iter().filter_map(|room| self.rooms.get(room)?.room.number_due()).min()
    }

    /// Removes a connection from its room, and gives what it is still due of what was said.
    pub(super) fn leave_room(&mut self, room: RoomKey, id: SenderId) -> Vec<Bytes> {
        let Some(local) = self.rooms.get_mut(&room) else { return Vec::new() };
        let mut due = Vec::new();
        if let Some(UnderWay { delivery: Delivery { said, shares, .. }, .. }) = &mut local.delivery
            && let Some(at) = shares.iter().position(|share| share.to == id)
        {
            due.extend(shares.swap_remove(at).pieces(said));
        }
        due.extend(local.room.leave(id));
        self.stir(room);
        due
    }

    /// Writes the next slice of a room's round, beginning the round when none is under way; `false` when there is
    /// nothing to write.
    fn deliver_slice(&mut self, room: RoomKey, slice: usize, now: Instant) -> bool {
        let Some(local) = self.rooms.get_mut(&room) else { return false };
        let whole = |delivery| UnderWay { delivery, delivered: 0, took: Duration::ZERO };
        let under_way = local.delivery.take().or_else(|| local.room.end_round(now).map(whole));
        let Some(UnderWay { mut delivery, mut delivered, took }) = under_way else { return false };
        let began = Instant::now();
        let rest = delivery.shares.len().saturating_sub(slice);
        let mut ended = Vec::new();
        // From the back, so that nothing is moved: who came last hears it first.
        for share in delivery.shares.drain(rest..) {
            let to = share.to;
            match self.hand_over(share, &delivery.said) {
                Ok(()) => delivered += delivery.frames,
                Err(end) => ended.push((to, end)),
            }
        }
        let took = took + began.elapsed();
        if rest == 0 {
            self.live.metrics.count_round(delivered, took);
        } else if let Some(local) = self.rooms.get_mut(&room) {
            local.delivery = Some(UnderWay { delivery, delivered, took });
        }
        for (id, end) in ended {
            self.end(id, end, now);
        }
        true
    }

    fn hand_over(&mut self, share: Share, said: &[Bytes]) -> Result<(), End> {
        let limit = self.live.config.outbox_bytes;
        // Whoever has left meanwhile is due nothing.
        let Some(connection) = self.connection(share.to).filter(|connection| !connection.is_leaving()) else {
            return Ok(());
        };
        share.pieces(said).try_for_each(|piece| connection.send(piece, limit))
    }
}

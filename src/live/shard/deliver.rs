//! Delivery of a round: one write per member.

use std::time::{Duration, Instant};

use super::Shard;
use super::closing::ShardError;
use super::rooms::{PendingDelivery, RoomKey};
use crate::live::output_memory::OutputMemory;
use crate::room::Delivery;

/// Number of members served before the shard reads its sockets again, so that a room of ten thousand does not block the
/// others.
const MEMBERS_PER_SLICE: usize = 1_024;

/// Counts the memory of the frames until they are written.
fn tracked(delivery: Delivery, output: &OutputMemory) -> Delivery {
    let Delivery { broadcast, frame_count, mut shares } = delivery;
    for (_, frames) in shares.iter_mut().flat_map(|share| &mut share.direct) {
        *frames = output.track(std::mem::take(frames));
    }
    Delivery { broadcast: broadcast.map(|frames| output.track(frames)), frame_count, shares }
}

impl Shard {
    /// Ends the round of each dirty room and delivers it, or one slice of it in large rooms.
    pub(super) fn deliver(&mut self, now: Instant) {
        for _ in 0..self.rooms.dirty_len() {
            let Some(room) = self.rooms.take_dirty() else { break };
            self.deliver_slice(room, MEMBERS_PER_SLICE, now);
            self.rooms.mark_unfinished(room);
        }
        self.relieve_outboxes(now);
    }

    /// Delivers all output, in all slices.
    pub(super) fn deliver_all(&mut self, now: Instant) {
        for room in self.rooms.keys() {
            self.deliver_room(room, now);
        }
    }

    /// As [`Shard::deliver_all`], for one room.
    pub(super) fn deliver_room(&mut self, room: RoomKey, now: Instant) {
        while self.deliver_slice(room, usize::MAX, now) {}
    }

    /// Delivers the next slice of a room's round, and starts a round if there is none. Returns `false` if there was no
    /// output.
    fn deliver_slice(&mut self, room: RoomKey, slice: usize, now: Instant) -> bool {
        let Some(local) = self.rooms.local_mut(room) else { return false };
        let start = |delivery| {
            let delivery = tracked(delivery, &self.live.output);
            PendingDelivery { delivery, delivered: 0, took: Duration::ZERO }
        };
        let pending = local.delivery.take().or_else(|| local.room.end_round(now).map(start));
        let Some(PendingDelivery { mut delivery, mut delivered, took }) = pending else { return false };
        let began = Instant::now();
        let limit = self.live.config.outbox_bytes;
        let rest = delivery.shares.len().saturating_sub(slice);
        let mut closed = Vec::new();
        // Drain from the back to avoid moving shares, so the newest members are served first.
        for share in delivery.shares.drain(rest..) {
            let to = share.to;
            let Some(connection) = self.connections.member(to) else {
                // Its share leaves the room with a member. The room must not keep one that is gone.
                ShardError::NotConnected.log(to);
                let _output = local.room.leave(to);
                continue;
            };
            match share.pieces(&delivery.broadcast).try_for_each(|piece| connection.send(piece, limit)) {
                Ok(()) => delivered += delivery.frame_count,
                Err(reason) => closed.push((to, reason)),
            }
        }
        let took = took + began.elapsed();
        if rest == 0 {
            self.live.metrics.count_round(delivered, took);
        } else {
            local.delivery = Some(PendingDelivery { delivery, delivered, took });
        }
        for (id, reason) in closed {
            self.close_connection(id, reason, now);
        }
        true
    }
}

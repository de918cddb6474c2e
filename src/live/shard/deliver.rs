//! Delivery of a round: one write per member.

use std::time::{Duration, Instant};

use super::Shard;
use super::closing::ShardError;
use super::outbox::WRITE_BYTES;
use super::rooms::{PendingDelivery, RoomKey};
use crate::live::output_memory::OutputMemory;
use crate::room::Delivery;

/// Number of members of a room that are served before the shard reads its sockets again, so that a room of ten thousand does not
/// block the others.
const MEMBERS_PER_SLICE: usize = 1_024;
/// Bytes that are written to members of all rooms before the shard reads its sockets again, so that an image or a layer does not
/// block the other rooms.
const ROUND_BYTES: usize = 256 * 1024;

/// Counts the memory of the frames until they are written.
fn tracked(delivery: Delivery, output: &OutputMemory) -> Delivery {
    let Delivery { broadcast, frame_count, mut shares } = delivery;
    for (_, frames) in shares.iter_mut().flat_map(|share| &mut share.direct) {
        *frames = output.track(std::mem::take(frames));
    }
    Delivery { broadcast: broadcast.map(|frames| output.track(frames)), frame_count, shares }
}

impl Shard {
    /// Ends the round of each dirty room and delivers it, or one slice of it if there is much to write.
    pub(super) fn deliver(&mut self, now: Instant) {
        let mut bytes_left = ROUND_BYTES;
        for _ in 0..self.rooms.dirty_len() {
            if bytes_left == 0 {
                break;
            }
            let Some(room) = self.rooms.take_dirty() else { break };
            self.deliver_slice(room, MEMBERS_PER_SLICE, &mut bytes_left, now);
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
        while self.deliver_slice(room, usize::MAX, &mut { usize::MAX }, now) {}
    }

    /// Delivers the next slice of a room's round, to at most `members` members, until `bytes_left` is used up. Starts a round if
    /// there is none. Returns `false` if there was no output.
    fn deliver_slice(&mut self, room: RoomKey, members: usize, bytes_left: &mut usize, now: Instant) -> bool {
        let Some(local) = self.rooms.local_mut(room) else { return false };
        let start = |delivery| {
            let delivery = tracked(delivery, &self.live.output);
            PendingDelivery { delivery, delivered: 0, took: Duration::ZERO }
        };
        let pending = local.delivery.take().or_else(|| local.room.end_round(now).map(start));
        let Some(PendingDelivery { mut delivery, mut delivered, took }) = pending else { return false };
        let began = Instant::now();
        let limit = self.live.config.outbox_bytes;
        let mut closed = Vec::new();
        for _ in 0..members {
            if *bytes_left == 0 {
                break;
            }
            // From the back to avoid moving shares, so the newest members are served first.
            let Some(share) = delivery.shares.pop() else { break };
            let to = share.to;
            let Some(connection) = self.connections.member(to) else {
                // Its share leaves the room with a member. The room must not keep one that is gone.
                ShardError::NotConnected.log(to);
                let _output = local.room.leave(to);
                continue;
            };
            let sent = share.pieces(&delivery.broadcast).try_for_each(|piece| {
                *bytes_left = bytes_left.saturating_sub(piece.len().min(WRITE_BYTES));
                connection.send(piece, limit)
            });
            match sent {
                Ok(()) => delivered += delivery.frame_count,
                Err(reason) => closed.push((to, reason)),
            }
            if connection.enters_writes() {
                self.writes.push_back(to);
            }
        }
        let took = took + began.elapsed();
        if delivery.shares.is_empty() {
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

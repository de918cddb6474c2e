//! Delivery of a round: one write per member, and more for long output.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Shard;
use super::closing::ShardError;
use super::outbox::WRITE_BYTES;
use super::rooms::{PendingDelivery, RoomKey};
use crate::live::output_memory::OutputMemory;
use crate::room::Delivery;

/// Number of members of a room that are served before the shard reads its sockets again, so that a room of ten thousand does not
/// block the others.
const MEMBERS_PER_SLICE: usize = 1_024;
/// Bytes of images and layers that are written to members of a room before the shard reads its sockets again, so that they do not
/// block the others.
const LONG_BYTES_PER_SLICE: usize = 128 * 1024;
/// As [`LONG_BYTES_PER_SLICE`], for all rooms together.
const LONG_BYTES_PER_ROUND: usize = 512 * 1024;
/// Size of the largest frame of a round from which it is cut by its bytes. A round of many short frames is not: that would only
/// delay its members, and rate limits bound it.
const LONG_FRAME: usize = 32 * 1024;

/// Counts the memory of the frames until they are written.
fn tracked(delivery: Delivery, output: &OutputMemory) -> Delivery {
    let Delivery { broadcast, frame_count, largest_frame, mut shares } = delivery;
    for (_, frames) in shares.iter_mut().flat_map(|share| &mut share.direct) {
        *frames = output.track(std::mem::take(frames));
    }
    Delivery { broadcast: broadcast.map(|frames| output.track(frames)), frame_count, largest_frame, shares }
}

impl Shard {
    /// Ends the round of each dirty room and delivers it, or one slice of it if there is much to write.
    pub(super) fn deliver(&mut self, now: Instant) {
        let mut long_bytes = 0;
        for _ in 0..self.rooms.dirty_len() {
            if long_bytes >= LONG_BYTES_PER_ROUND {
                break;
            }
            let Some(room) = self.rooms.take_dirty() else { break };
            long_bytes += self.deliver_slice(room, MEMBERS_PER_SLICE, LONG_BYTES_PER_SLICE, now).unwrap_or(0);
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
        while self.deliver_slice(room, usize::MAX, usize::MAX, now).is_some() {}
    }

    /// Delivers the next slice of a room's round, to at most `max_members` members, until `max_long_bytes` of long rounds are
    /// written or queued. Starts a round if there is none. Returns the number of these bytes; `None` if there was no output.
    fn deliver_slice(
        &mut self,
        room: RoomKey,
        max_members: usize,
        max_long_bytes: usize,
        now: Instant,
    ) -> Option<usize> {
        let local = self.rooms.local_mut(room)?;
        let start = |delivery| {
            let delivery = tracked(delivery, &self.live.output);
            PendingDelivery { delivery, delivered: 0, took: Duration::ZERO }
        };
        let pending = local.delivery.take().or_else(|| local.room.end_round(now).map(start));
        let PendingDelivery { mut delivery, mut delivered, took } = pending?;
        let began = Instant::now();
        let limit = self.live.config.outbox_bytes;
        let has_long = delivery.largest_frame >= LONG_FRAME;
        // Pieces of a member alone, such as the last messages, may be long as well.
        let is_long = |piece: &Bytes| has_long || piece.len() >= WRITE_BYTES;
        let (mut long_bytes, mut closed) = (0, Vec::new());
        for _ in 0..max_members {
            if long_bytes >= max_long_bytes {
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
                if is_long(&piece) {
                    long_bytes += piece.len().min(WRITE_BYTES);
                }
                connection.send(piece, limit)
            });
            match sent {
                Ok(()) => delivered += delivery.frame_count,
                Err(reason) => closed.push((to, reason)),
            }
            self.writes.add(connection);
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
        Some(long_bytes)
    }
}

//! Writes outboxes, as far as their sockets take them.

use std::collections::VecDeque;
use std::time::Instant;

use super::Shard;
use super::connection::Connection;
use crate::model::ConnectionId;

/// Bytes that are written from short outboxes in a round, and from long ones.
const ROUND_BYTES: usize = 512 * 1024;
/// Size of an outbox from which it is long.
const LONG_OUTBOX: usize = 64 * 1024;

/// Connections whose sockets may take more of their outboxes, in the order of their turns.
#[derive(Debug, Default)]
pub(super) struct Writes {
    /// Short outboxes come first, so that a chat line does not wait for images of others.
    short: VecDeque<ConnectionId>,
    long: VecDeque<ConnectionId>,
}

impl Writes {
    pub(super) fn is_empty(&self) -> bool {
        self.short.is_empty() && self.long.is_empty()
    }

    /// Adds a connection if its socket may take more of its outbox, at most once, so that all outboxes get equal turns.
    pub(super) fn add(&mut self, connection: &mut Connection) {
        if connection.mark_write_queued() {
            let is_long = connection.queued_bytes() > LONG_OUTBOX;
            let queue = if is_long { &mut self.long } else { &mut self.short };
            queue.push_back(connection.id);
        }
    }
}

impl Shard {
    /// Queues the outbox of a connection if its socket may take more.
    pub(super) fn queue_write(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get(id) {
            self.writes.add(connection);
        }
    }

    /// Writes outboxes in their turns. A round goes on where the last one ended.
    pub(super) fn write_outboxes(&mut self, now: Instant) {
        self.write_queue(|writes| &mut writes.short, now);
        self.write_queue(|writes| &mut writes.long, now);
    }

    fn write_queue(&mut self, queue: fn(&mut Writes) -> &mut VecDeque<ConnectionId>, now: Instant) {
        let mut left = ROUND_BYTES;
        for _ in 0..queue(&mut self.writes).len() {
            if left == 0 {
                break;
            }
            let Some(id) = queue(&mut self.writes).pop_front() else { break };
            let Some(connection) = self.connections.get(id) else { continue };
            connection.unmark_write_queued();
            match connection.write_outbox() {
                Ok(written) => left -= written.min(left),
                Err(reason) => {
                    self.close_connection(id, reason, now);
                    continue;
                }
            }
            self.writes.add(connection);
            if connection.is_closing() && !connection.has_unsent() {
                self.queue_read(id);
            } else if let Some(payload) = connection.take_due_ping() {
                self.on_ping(id, &payload, now);
            }
        }
    }
}

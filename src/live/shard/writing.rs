//! Writes outboxes, as far as their sockets take them.

use std::time::Instant;

use super::Shard;
use super::connection::Connection;
use crate::model::ConnectionId;

/// Bytes that are written from outboxes in a round.
const ROUND_BYTES: usize = 512 * 1024;

impl Shard {
    /// Queues the outbox of a connection if its socket may take more, at most once, so that all outboxes get equal turns.
    pub(super) fn queue_write(&mut self, id: ConnectionId) {
        if self.connections.get(id).is_some_and(Connection::mark_write_queued) {
            self.writes.push_back(id);
        }
    }

    /// Writes outboxes in their turns. A round goes on where the last one ended.
    pub(super) fn write_outboxes(&mut self, now: Instant) {
        let mut left = ROUND_BYTES;
        for _ in 0..self.writes.len() {
            if left == 0 {
                break;
            }
            let Some(id) = self.writes.pop_front() else { break };
            let Some(connection) = self.connections.get(id) else { continue };
            match connection.write_outbox() {
                Ok(written) => left -= written.min(left),
                Err(reason) => {
                    self.close_connection(id, reason, now);
                    continue;
                }
            }
            if connection.is_closing() && !connection.has_unsent() {
                self.queue_read(id);
            }
            self.queue_write(id);
        }
    }
}

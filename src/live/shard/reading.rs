//! Reads connections when it is their turn.

use std::time::Instant;

use super::{Shard, micros};
use crate::model::ConnectionId;

impl Shard {
    /// Reads a connection once. Further data is read in the next round, so that a busy client does not starve others.
    pub(super) fn read_connection(&mut self, id: ConnectionId, now: Instant) {
        let Some(connection) = self.connections.get(id) else { return };
        if connection.reads_paused() {
            connection.queued = false;
            return;
        }
        let address = connection.address;
        if self.turns.defer(id, address) {
            return;
        }
        connection.queued = false;
        let (limits, micros) = (self.live.input_limits(), micros(self.started, now));
        if let Some(pause) = limits.and_then(|limits| connection.budget.read_pause(limits, micros)) {
            connection.is_over_budget = true;
            let check_at = connection.next_check.min(now + pause);
            return self.schedule_check(id, check_at, now);
        }
        self.turns.begin_reading();
        if let Some(initial) = connection.take_initial_bytes() {
            if let Some(limits) = limits {
                connection.budget.charge_bytes(limits, initial.len(), micros);
            }
            // An event of the socket may have come meanwhile.
            self.queue_read(id);
            self.process_bytes(id, &initial, now);
            return self.turns.charge(address, initial.len());
        }
        let (mut buffer, mut bytes) = (std::mem::take(&mut self.read_buffer), 0);
        match connection.read(&mut buffer, now) {
            Ok(0) => {}
            Ok(n) => {
                if let Some(limits) = limits {
                    connection.budget.charge_bytes(limits, n, micros);
                }
                // A short read means that the socket is empty (epoll(7)), and new data causes a new event. The end of
                // the stream may have been part of the last event, though.
                let hung_up = connection.hung_up;
                let awaiting_reclaim = std::mem::take(&mut connection.awaiting_reclaim);
                if n == buffer.len() {
                    connection.queued = true;
                    self.turns.push_more(id);
                } else if hung_up {
                    self.queue_read(id);
                }
                if awaiting_reclaim {
                    self.resolve_claims_on(id, now);
                }
                self.process_bytes(id, buffer.get(..n).unwrap_or_default(), now);
                bytes = n;
            }
            Err(reason) => self.close_connection(id, reason, now),
        }
        self.turns.charge(address, bytes);
        self.read_buffer = buffer;
    }

    /// Queues a connection for reading in the next round, at most once, so that all connections get equal turns.
    pub(super) fn queue_read(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get(id)
            && !std::mem::replace(&mut connection.queued, true)
        {
            self.turns.push(id);
        }
    }
}

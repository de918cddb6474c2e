//! Relief when the output of all connections takes too much memory.

use std::collections::HashMap;
use std::time::Instant;

use super::Shard;
use super::closing::CloseReason;
use crate::model::{Address, ConnectionId};

/// Most connections that are closed in a round. Their memory is free at the end of it.
const MAX_CLOSED: usize = 8;

/// The outboxes of an address.
#[derive(Default)]
struct AddressOutboxes {
    bytes: usize,
    largest: usize,
    largest_of: Option<ConnectionId>,
}

impl Shard {
    /// Closes connections as too slow while the output of all connections exceeds its limit: of the address whose
    /// outboxes hold most, the one with the largest.
    pub(super) fn relieve_outboxes(&mut self, now: Instant) {
        for _ in 0..MAX_CLOSED {
            if self.live.output.bytes() <= self.live.config.max_outbox_bytes {
                return;
            }
            let mut by_address: HashMap<Address, AddressOutboxes> = HashMap::new();
            for (id, address, bytes) in self.connections.blocked() {
                let outboxes = by_address.entry(address).or_default();
                outboxes.bytes += bytes;
                if bytes > outboxes.largest {
                    (outboxes.largest, outboxes.largest_of) = (bytes, Some(id));
                }
            }
            let greediest = by_address.into_values().max_by_key(|outboxes| outboxes.bytes);
            let Some(id) = greediest.and_then(|outboxes| outboxes.largest_of) else { return };
            self.close_connection(id, CloseReason::SlowReader, now);
        }
    }
}

//! Identifies senders by hashes.

/// Hashes that identify a sender. Two keys match when the address and name are the same, the connection is the same, or
/// neither has a connection and the address is the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct SenderKey {
    pub(super) connection: Option<u64>,
    pub(super) address: u64,
    /// Hash of address and name.
    pub(super) name: u64,
}

impl SenderKey {
    pub(super) fn matches(&self, other: &Self) -> bool {
        self.name == other.name
            || match (self.connection, other.connection) {
                (None, None) => self.address == other.address,
                (own, others) => own == others,
            }
    }

    /// Returns the key for counting different senders: the connection, or the address without one.
    pub(super) fn distinct_id(&self) -> u64 {
        self.connection.unwrap_or(self.address)
    }
}

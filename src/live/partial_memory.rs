//! The memory of incomplete messages of all connections, and the share of each address.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::model::Address;

/// Number of slots. Addresses in the same slot share its part of the memory.
const SLOTS: usize = 1_024;
/// An address may use one part in this many, or one message that is larger.
const SHARES: usize = 4;

/// Counts the bytes of incomplete messages, in a table of fixed size without locks.
pub(super) struct PartialMemory {
    max_bytes: usize,
    all: AtomicUsize,
    by_address: Box<[AtomicUsize]>,
    hasher: RandomState,
}

impl std::fmt::Debug for PartialMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartialMemory")
            .field("max_bytes", &self.max_bytes)
            .field("all", &self.all)
            .finish_non_exhaustive()
    }
}

impl PartialMemory {
    pub(super) fn new(max_bytes: usize) -> Self {
        let by_address = (0..SLOTS).map(|_| AtomicUsize::new(0)).collect();
        Self { max_bytes, all: AtomicUsize::new(0), by_address, hasher: RandomState::new() }
    }

    /// Accounts for the change of the size of a message; `false` when a limit is exceeded. A message that has the whole
    /// share of its address to itself may exceed it.
    pub(super) fn change(&self, address: Address, before: usize, now: usize) -> bool {
        let slot = usize::try_from(self.hasher.hash_one(address) % SLOTS as u64).unwrap_or(0);
        let Some(own) = self.by_address.get(slot) else { return false };
        if now <= before {
            self.all.fetch_sub(before - now, Ordering::Relaxed);
            own.fetch_sub(before - now, Ordering::Relaxed);
            return true;
        }
        let grown = now - before;
        let all = self.all.fetch_add(grown, Ordering::Relaxed) + grown;
        let own = own.fetch_add(grown, Ordering::Relaxed) + grown;
        all <= self.max_bytes && (own <= self.max_bytes / SHARES || own == now)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn address(last: u8) -> Address {
        Address::from(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)))
    }

    #[test]
    fn an_address_may_use_a_quarter_of_the_memory() {
        let memory = PartialMemory::new(100);
        assert!(memory.change(address(1), 0, 20) && memory.change(address(1), 0, 5));
        assert!(!memory.change(address(1), 0, 1));
        assert!(memory.change(address(1), 20, 0));
        assert!(memory.change(address(1), 0, 10));
    }

    #[test]
    fn a_single_message_may_be_larger_than_the_share_of_its_address() {
        let memory = PartialMemory::new(100);
        assert!(memory.change(address(1), 0, 20) && memory.change(address(1), 20, 90));
        assert!(!memory.change(address(1), 0, 1));
        assert!(!memory.change(address(2), 0, 50), "the memory of all");
    }
}

//! The IDs of the latest messages of a room.

use std::collections::{HashSet, VecDeque};

use uuid::Uuid;

/// Number of IDs.
const CAPACITY: usize = 1_024;

/// The IDs of the latest messages. Clients choose IDs, so the hash is seeded.
#[derive(Debug, Default)]
pub(super) struct RecentIds {
    in_order: VecDeque<Uuid>,
    set: HashSet<Uuid, foldhash::fast::RandomState>,
}

impl RecentIds {
    /// Adds an ID, and forgets the oldest one.
    pub(super) fn add(&mut self, id: Uuid) {
        if !self.set.insert(id) {
            return;
        }
        self.in_order.push_back(id);
        if self.in_order.len() > CAPACITY
            && let Some(oldest) = self.in_order.pop_front()
        {
            self.set.remove(&oldest);
        }
    }

    pub(super) fn contains(&self, id: Uuid) -> bool {
        self.set.contains(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_id_is_forgotten() {
        let mut recent = RecentIds::default();
        let id = |number: usize| Uuid::from_u128(number as u128);
        (0..=CAPACITY).for_each(|number| recent.add(id(number)));
        assert!(!recent.contains(id(0)) && recent.contains(id(1)) && recent.contains(id(CAPACITY)));
        recent.add(id(1));
        assert_eq!((recent.in_order.len(), recent.set.len()), (CAPACITY, CAPACITY));
    }
}

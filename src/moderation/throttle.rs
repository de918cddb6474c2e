//! Limits how many refusals of a source are recorded, so that a flood of refused messages hides nothing else and fills no
//! disk.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::model::Address;

/// Refusals of a source that are recorded in each window.
const RECORDED: u32 = 5;
/// Length of a window.
const WINDOW_SECONDS: u64 = 10;
/// Number of slots. Sources whose addresses fall into the same slot share their limit; with a thousand active sources, that
/// is one in four.
const SLOTS: usize = 4_096;

/// Counts refusals by source, in a table of fixed size without locks.
pub(super) struct RefusalThrottle {
    /// In each slot, the number of the window in the upper half, and the refusals in it in the lower half.
    slots: Box<[AtomicU64]>,
    hasher: RandomState,
    /// Refusals that were not recorded since they were last taken.
    omitted: AtomicU32,
}

impl std::fmt::Debug for RefusalThrottle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RefusalThrottle").field("omitted", &self.omitted).finish_non_exhaustive()
    }
}

impl Default for RefusalThrottle {
    fn default() -> Self {
        Self {
            slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
            omitted: AtomicU32::new(0),
        }
    }
}

impl RefusalThrottle {
    /// Counts a refusal at the time `since_start`, and returns whether to record it.
    pub(super) fn admits(&self, source: Address, since_start: Duration) -> bool {
        let window = u32::try_from(since_start.as_secs() / WINDOW_SECONDS).unwrap_or(u32::MAX);
        let index = usize::try_from(self.hasher.hash_one(source) % SLOTS as u64).unwrap_or(0);
        let Some(slot) = self.slots.get(index) else { return true };
        let count_in = |slot: u64| if slot >> 32 == u64::from(window) { slot & u64::from(u32::MAX) } else { 0 };
        let counted = |slot: u64| Some(u64::from(window) << 32 | (count_in(slot) + 1).min(u64::from(u32::MAX)));
        let before = slot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, counted).unwrap_or_default();
        let is_recorded = count_in(before) < u64::from(RECORDED);
        if !is_recorded {
            self.omitted.fetch_add(1, Ordering::Relaxed);
        }
        is_recorded
    }

    /// Returns the number of refusals that were not recorded since the last call.
    pub(super) fn take_omitted(&self) -> u32 {
        self.omitted.swap(0, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn source(last: u8) -> Address {
        Address::from(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)))
    }

    #[test]
    fn the_first_refusals_of_a_source_in_a_window_are_recorded() {
        let throttle = RefusalThrottle::default();
        let at = |seconds| (0..8).filter(|_| throttle.admits(source(1), Duration::from_secs(seconds))).count();
        assert_eq!((at(0), at(9), at(10), at(35)), (5, 0, 5, 5));
        assert_eq!((throttle.take_omitted(), throttle.take_omitted()), (3 + 8 + 3 + 3, 0));
    }

    #[test]
    fn a_source_does_not_use_up_the_limit_of_another() {
        let throttle = RefusalThrottle::default();
        for _ in 0..100 {
            throttle.admits(source(1), Duration::ZERO);
        }
        // Two of them may share a slot with the first.
        let others = (2..=50).filter(|last| throttle.admits(source(*last), Duration::ZERO)).count();
        assert!(others >= 46, "{others}");
    }
}

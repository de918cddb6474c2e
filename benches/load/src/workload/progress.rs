//! Detects when nothing arrives any more.

use std::time::{Duration, Instant};

/// Messages that are due count as lost when nothing arrives for this long.
const STALL: Duration = Duration::from_secs(5);

/// Detects when a count stops growing.
#[derive(Debug)]
pub(super) struct Progress {
    count: u64,
    since: Instant,
}

impl Progress {
    /// Starts with a count of zero.
    pub(super) fn new() -> Self {
        Self { count: 0, since: Instant::now() }
    }

    /// Whether `count` has been the same for [`STALL`].
    pub(super) fn is_stalled(&mut self, count: u64) -> bool {
        if count != self.count {
            *self = Self { count, since: Instant::now() };
        }
        self.since.elapsed() > STALL
    }
}

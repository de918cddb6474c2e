//! Notices when nothing comes any more.

use std::time::{Duration, Instant};

/// A room in which nothing arrives for this long, although something is due, has lost it.
const STALL: Duration = Duration::from_secs(5);

/// Notices when a count stands still.
#[derive(Debug)]
pub(super) struct Progress {
    count: u64,
    since: Instant,
}

impl Progress {
    /// Counting starts at nothing, now.
    pub(super) fn new() -> Self {
        Self { count: 0, since: Instant::now() }
    }

    /// Whether `count` has been the same for [`STALL`].
    pub(super) fn stalled(&mut self, count: u64) -> bool {
        if count != self.count {
            *self = Self { count, since: Instant::now() };
        }
        self.since.elapsed() > STALL
    }
}

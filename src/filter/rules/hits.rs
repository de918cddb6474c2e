//! What rules have hit so far.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::Timestamp;

use crate::model::Mode;

/// What one rule has hit since it was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleFigures<'r> {
    /// Its id.
    pub id: &'r str,
    /// File and line.
    pub source: &'r str,
    /// Whether it acts.
    pub mode: Mode,
    /// Messages that it hit.
    pub hits: u64,
    /// When the last one came, to the millisecond.
    pub last_hit: Option<Timestamp>,
}

/// Counts hits, from many threads at once.
#[derive(Debug, Default)]
pub(super) struct Hits {
    count: AtomicU64,
    /// Milliseconds since 1970 of the last one.
    last: AtomicI64,
}

impl Hits {
    /// Counts a message that came at that time.
    pub(super) fn count(&self, at: Timestamp) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.last.fetch_max(at.as_millisecond(), Ordering::Relaxed);
    }

    /// How many there were, and when the last one was.
    pub(super) fn read(&self) -> (u64, Option<Timestamp>) {
        let count = self.count.load(Ordering::Relaxed);
        let last = Timestamp::from_millisecond(self.last.load(Ordering::Relaxed)).ok();
        (count, last.filter(|_| count > 0))
    }
}

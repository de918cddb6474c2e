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
    /// Messages that it hit, those of exempt senders aside.
    pub hits: u64,
    /// Messages of senders on whom it does not act. Many of them mean that it may be wrong.
    pub exempt_hits: u64,
    /// When the last one came, to the millisecond.
    pub last_hit: Option<Timestamp>,
}

/// Counts hits, from many threads at once.
#[derive(Debug, Default)]
pub(super) struct Hits {
    count: AtomicU64,
    exempt: AtomicU64,
    /// Milliseconds since 1970 of the last one.
    last: AtomicI64,
}

impl Hits {
    /// Counts a message that came at that time.
    pub(super) fn count(&self, at: Timestamp, exempt: bool) {
        let count = if exempt { &self.exempt } else { &self.count };
        count.fetch_add(1, Ordering::Relaxed);
        self.last.fetch_max(at.as_millisecond(), Ordering::Relaxed);
    }

    /// How many there were, how many of them exempt, and when the last one was.
    pub(super) fn read(&self) -> (u64, u64, Option<Timestamp>) {
        let (count, exempt) = (self.count.load(Ordering::Relaxed), self.exempt.load(Ordering::Relaxed));
        let last = Timestamp::from_millisecond(self.last.load(Ordering::Relaxed)).ok();
        (count, exempt, last.filter(|_| count + exempt > 0))
    }
}

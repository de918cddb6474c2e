//! Hit counters of rules.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::Timestamp;

use crate::model::Mode;

/// The hits of one rule since it was last changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleStats<'r> {
    /// Its id.
    pub id: &'r str,
    /// File and line.
    pub source: &'r str,
    /// The mode in force.
    pub mode: Mode,
    /// When its breaker tripped because it refused too much. It only observes since then.
    pub tripped_at: Option<Timestamp>,
    /// Number of messages hit, except those of exempt senders.
    pub hits: u64,
    /// Number of messages hit of exempt senders. Many of them suggest false positives.
    pub exempt_hits: u64,
    /// Number of messages hit of trusted senders, exempt or not. They are probably false positives.
    pub trusted_hits: u64,
    /// Number of messages that the rule did not check because they triggered too many regexes. Counted for rules that
    /// cannot reject.
    pub skipped: u64,
    /// Time of the last hit, to the millisecond.
    pub last_hit: Option<Timestamp>,
}

impl RuleStats<'_> {
    /// Returns the share of trusted senders in all hits, in per cent; `None` without hits. A high share suggests false
    /// positives.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a percentage needs no such precision")]
    pub fn trusted_percent(&self) -> Option<f64> {
        let all = self.hits.saturating_add(self.exempt_hits);
        (all > 0).then(|| self.trusted_hits as f64 * 100.0 / all as f64)
    }
}

/// Counts hits. May be used by several threads at once.
#[derive(Debug, Default)]
pub(super) struct HitCounters {
    count: AtomicU64,
    exempt: AtomicU64,
    trusted: AtomicU64,
    skipped: AtomicU64,
    /// Time of the last hit, in milliseconds since 1970.
    last: AtomicI64,
}

impl HitCounters {
    /// Counts a message received at `at`.
    pub(super) fn record(&self, at: Timestamp, exempt: bool, trusted: bool) {
        let count = if exempt { &self.exempt } else { &self.count };
        count.fetch_add(1, Ordering::Relaxed);
        if trusted {
            self.trusted.fetch_add(1, Ordering::Relaxed);
        }
        self.last.fetch_max(at.as_millisecond(), Ordering::Relaxed);
    }

    /// Counts a message that was not checked.
    pub(super) fn record_skipped(&self) {
        self.skipped.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of messages that were not checked.
    pub(super) fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    /// Returns the hits, the exempt hits, the trusted hits among both, and the time of the last one.
    pub(super) fn read(&self) -> (u64, u64, u64, Option<Timestamp>) {
        let [count, exempt, trusted] =
            [&self.count, &self.exempt, &self.trusted].map(|count| count.load(Ordering::Relaxed));
        let last = Timestamp::from_millisecond(self.last.load(Ordering::Relaxed)).ok();
        (count, exempt, trusted, last.filter(|_| count + exempt > 0))
    }
}

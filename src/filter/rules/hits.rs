//! What rules have hit so far.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::Timestamp;

use crate::model::Mode;

/// What one rule has hit since it was written as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleFigures<'r> {
    /// Its id.
    pub id: &'r str,
    /// File and line.
    pub source: &'r str,
    /// Whether it acts now.
    pub mode: Mode,
    /// Since when it only observes, though it is written to act: it refused too much.
    pub braked: Option<Timestamp>,
    /// Messages that it hit, those of exempt senders aside.
    pub hits: u64,
    /// Messages of senders on whom it does not act. Many of them mean that it may be wrong.
    pub exempt_hits: u64,
    /// Messages of trusted senders among all of these, whether or not it acts on them. They hardly ever mean harm.
    pub trusted_hits: u64,
    /// When the last one came, to the millisecond.
    pub last_hit: Option<Timestamp>,
}

impl RuleFigures<'_> {
    /// How many of a hundred messages that it hit were of trusted senders; `None` when it has hit nothing. The higher,
    /// the more it may be wrong.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share is not worth that many digits")]
    pub fn trusted_percent(&self) -> Option<f64> {
        let all = self.hits.saturating_add(self.exempt_hits);
        (all > 0).then(|| self.trusted_hits as f64 * 100.0 / all as f64)
    }
}

/// Counts hits, from many threads at once.
#[derive(Debug, Default)]
pub(super) struct Hits {
    count: AtomicU64,
    exempt: AtomicU64,
    trusted: AtomicU64,
    /// Milliseconds since 1970 of the last one.
    last: AtomicI64,
}

impl Hits {
    /// Counts a message that came at that time.
    pub(super) fn count(&self, at: Timestamp, exempt: bool, trusted: bool) {
        let count = if exempt { &self.exempt } else { &self.count };
        count.fetch_add(1, Ordering::Relaxed);
        if trusted {
            self.trusted.fetch_add(1, Ordering::Relaxed);
        }
        self.last.fetch_max(at.as_millisecond(), Ordering::Relaxed);
    }

    /// How many there were, how many of exempt ones, how many of trusted ones among both, and when the last one was.
    pub(super) fn read(&self) -> (u64, u64, u64, Option<Timestamp>) {
        let [count, exempt, trusted] =
            [&self.count, &self.exempt, &self.trusted].map(|count| count.load(Ordering::Relaxed));
        let last = Timestamp::from_millisecond(self.last.load(Ordering::Relaxed)).ok();
        (count, exempt, trusted, last.filter(|_| count + exempt > 0))
    }
}

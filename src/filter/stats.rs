//! Statistics of filters.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::FilterParts;
use crate::model::Outcome;
use crate::telemetry::Quantiles;

/// The statistics of one filter since the start.
#[derive(Clone, Debug)]
pub struct FilterStats {
    /// The name of the filter.
    pub filter: &'static str,
    /// Number of verdicts: pass, replace, hold, shadow, reject.
    pub verdicts: [u64; 5],
    /// Median latency.
    pub median: Option<Duration>,
    /// p99 latency.
    pub p99: Option<Duration>,
    /// Its parts.
    pub parts: FilterParts,
}

/// Counters of a filter, updated concurrently by many threads.
#[derive(Debug, Default)]
pub(super) struct FilterCounters {
    verdicts: [AtomicU64; 5],
    times: Quantiles,
}

impl FilterCounters {
    /// Records a message.
    pub(super) fn record(&self, outcome: Outcome, took: Duration) {
        if let Some(count) = self.verdicts.get(outcome.index()) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.times.record(took);
    }

    /// Returns a snapshot under the name of the filter.
    pub(super) fn snapshot(&self, filter: &'static str, parts: FilterParts) -> FilterStats {
        FilterStats {
            filter,
            verdicts: self.verdicts.each_ref().map(|count| count.load(Ordering::Relaxed)),
            median: self.times.quantile(0.5),
            p99: self.times.quantile(0.99),
            parts,
        }
    }
}

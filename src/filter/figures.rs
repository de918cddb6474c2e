//! What filters have done so far, in figures.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::rules::{Refused, Rules};
use crate::model::Outcome;
use crate::sandbox::Catalog;
use crate::telemetry::Quantiles;

/// What one filter has done so far.
#[derive(Clone, Debug)]
pub struct FilterFigures {
    /// Its name.
    pub filter: &'static str,
    /// How often it wanted what: pass, replace, hold, shadow, reject.
    pub verdicts: [u64; 5],
    /// Half of all messages took it no longer than that.
    pub median: Option<Duration>,
    /// Of a hundred messages, 99 took it no longer than that.
    pub p99: Option<Duration>,
    /// What it consists of.
    pub parts: Parts,
}

/// What a filter consists of.
#[derive(Clone, Debug)]
pub enum Parts {
    /// Nothing that has figures of its own.
    None,
    /// Plugins, in the order in which they are asked.
    Plugins(Arc<Catalog>),
    /// Rules.
    Rules {
        /// Those in force, in the order of their file.
        set: Arc<Rules>,
        /// Why those of the newest files are not.
        refused: Option<Arc<Refused>>,
    },
}

/// Counts what a filter does, from many threads at once.
#[derive(Debug, Default)]
pub(super) struct Work {
    verdicts: [AtomicU64; 5],
    times: Quantiles,
}

impl Work {
    /// Counts a message.
    pub(super) fn note(&self, outcome: Outcome, took: Duration) {
        let place = match outcome {
            Outcome::Pass => 0,
            Outcome::Replace => 1,
            Outcome::Hold => 2,
            Outcome::Shadow => 3,
            Outcome::Reject => 4,
        };
        if let Some(count) = self.verdicts.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.times.record(took);
    }

    /// All of it, under the filter's name.
    pub(super) fn figures(&self, filter: &'static str, parts: Parts) -> FilterFigures {
        FilterFigures {
            filter,
            verdicts: self.verdicts.each_ref().map(|count| count.load(Ordering::Relaxed)),
            median: self.times.quantile(0.5),
            p99: self.times.quantile(0.99),
            parts,
        }
    }
}

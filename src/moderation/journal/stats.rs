//! Counts of decisions per minute.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use crate::model::Decision;

/// Minutes kept: one day.
pub const MAX_MINUTES: usize = 1_440;

/// The decisions of one minute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MinuteCounts {
    /// Minutes since 1970.
    pub minute: i64,
    /// Messages per outcome: pass, replace, hold, shadow, reject.
    pub outcomes: [u64; 5],
    /// Messages that did not pass unchanged, per deciding filter.
    pub by: BTreeMap<&'static str, u64>,
}

/// The minutes with at least one decision, oldest first.
#[derive(Debug, Default)]
pub(super) struct OutcomeHistory(VecDeque<MinuteCounts>);

impl OutcomeHistory {
    /// Counts a decision in the minute in which its message arrived.
    pub(super) fn note(&mut self, decision: &Decision) {
        let minute = decision.message.at.as_second().div_euclid(60);
        // A message that waited for a filter may belong to an earlier minute than the last one.
        let place = self.0.partition_point(|kept| kept.minute < minute);
        if self.0.get(place).is_none_or(|kept| kept.minute != minute) {
            self.0.insert(place, MinuteCounts { minute, ..MinuteCounts::default() });
        }
        if let Some(kept) = self.0.get_mut(place) {
            if let Some(count) = kept.outcomes.get_mut(decision.outcome.index()) {
                *count += 1;
            }
            if let Some(by) = decision.decided_by {
                *kept.by.entry(by).or_default() += 1;
            }
        }
        while self.0.len() > MAX_MINUTES {
            self.0.pop_front();
        }
    }

    /// Returns the last `minutes` up to `now`, including those without decisions.
    pub(super) fn last(&self, minutes: usize, now: Timestamp) -> Vec<MinuteCounts> {
        let end = now.as_second().div_euclid(60);
        let count = i64::try_from(minutes.clamp(1, MAX_MINUTES)).unwrap_or(1);
        let kept =
            |minute: i64| self.0.binary_search_by_key(&minute, |kept| kept.minute).ok().and_then(|at| self.0.get(at));
        let one = |minute| kept(minute).cloned().unwrap_or(MinuteCounts { minute, ..MinuteCounts::default() });
        (end - count + 1..=end).map(one).collect()
    }
}

//! What was decided, minute by minute.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use crate::model::{Decision, Outcome};

/// Minutes that are kept: a day.
pub const MAX_MINUTES: usize = 1_440;

/// What was decided in one minute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Minute {
    /// Minutes since 1970.
    pub minute: i64,
    /// Messages by outcome: pass, replace, hold, shadow, reject.
    pub outcomes: [u64; 5],
    /// Messages that did not pass as they came, by the filter that decided.
    pub by: BTreeMap<&'static str, u64>,
}

/// The minutes in which something was decided, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Stats(VecDeque<Minute>);

impl Stats {
    /// Counts a decision in the minute in which its message came.
    pub(super) fn note(&mut self, decision: &Decision) {
        let minute = decision.message.at.as_second().div_euclid(60);
        // A message that a filter answered late belongs to an earlier minute than the last one.
        let place = self.0.partition_point(|kept| kept.minute < minute);
        if self.0.get(place).is_none_or(|kept| kept.minute != minute) {
            self.0.insert(place, Minute { minute, ..Minute::default() });
        }
        if let Some(kept) = self.0.get_mut(place) {
            if let Some(count) = kept.outcomes.get_mut(place_of(decision.outcome)) {
                *count += 1;
            }
            if let Some(by) = decision.by {
                *kept.by.entry(by).or_default() += 1;
            }
        }
        while self.0.len() > MAX_MINUTES {
            self.0.pop_front();
        }
    }

    /// The last `minutes` up to `now`, those without any decision included.
    pub(super) fn last(&self, minutes: usize, now: Timestamp) -> Vec<Minute> {
        let end = now.as_second().div_euclid(60);
        let count = i64::try_from(minutes.clamp(1, MAX_MINUTES)).unwrap_or(1);
        let kept =
            |minute: i64| self.0.binary_search_by_key(&minute, |kept| kept.minute).ok().and_then(|at| self.0.get(at));
        let one = |minute| kept(minute).cloned().unwrap_or(Minute { minute, ..Minute::default() });
        (end - count + 1..=end).map(one).collect()
    }
}

fn place_of(outcome: Outcome) -> usize {
    match outcome {
        Outcome::Pass => 0,
        Outcome::Replace => 1,
        Outcome::Hold => 2,
        Outcome::Shadow => 3,
        Outcome::Reject => 4,
    }
}

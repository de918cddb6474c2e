//! The user count that each member last received.
//!
//! A server may announce counts as often and as late as it likes. Only the last count of each member must be right, and
//! its arrival is timed.

use std::time::Instant;

/// Stands for a member without a count.
const NO_COUNT: u32 = u32::MAX;

/// The last received and the expected user counts.
#[derive(Debug, Default)]
pub(crate) struct PresenceTracker {
    received: Vec<u32>,
    expected: Vec<u32>,
    correct: usize,
    complete_since: Option<Instant>,
}

impl PresenceTracker {
    /// Adds a member whose room has `expected` members in the end.
    pub(crate) fn add(&mut self, expected: usize) {
        self.received.push(NO_COUNT);
        self.expected.push(u32::try_from(expected).unwrap_or(NO_COUNT - 1));
        self.complete_since = None;
    }

    /// Records that `member` received the count `count`.
    pub(crate) fn record(&mut self, member: usize, count: u32) {
        let (received, expected) = (&mut self.received[member], self.expected[member]);
        self.correct = self.correct - usize::from(*received == expected) + usize::from(count == expected);
        *received = count;
        self.complete_since = match self.complete_since {
            _ if !self.is_complete() => None,
            None => Some(Instant::now()),
            since => since,
        };
    }

    /// Members whose last count is wrong or missing.
    pub(crate) fn incorrect(&self) -> usize {
        self.expected.len() - self.correct
    }

    /// Whether the last count of every member is right.
    pub(crate) fn is_complete(&self) -> bool {
        self.correct == self.expected.len()
    }

    /// When the last member received the right count, unless one received a wrong one since.
    pub(crate) fn complete_since(&self) -> Option<Instant> {
        self.complete_since
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_count_matters() {
        let mut tracker = PresenceTracker::default();
        tracker.add(2);
        tracker.add(2);
        assert_eq!(tracker.incorrect(), 2);
        for (member, number, wrong) in [(0, 1, 2), (0, 2, 1), (0, 2, 1), (1, 2, 0), (0, 3, 1), (0, 2, 0)] {
            tracker.record(member, number);
            assert_eq!(
                (tracker.incorrect(), tracker.complete_since().is_some()),
                (wrong, wrong == 0),
                "{member} received {number}"
            );
        }
    }

    #[test]
    fn a_repeated_count_does_not_move_the_time() {
        let mut tracker = PresenceTracker::default();
        tracker.add(1);
        tracker.record(0, 1);
        let since = tracker.complete_since();
        tracker.record(0, 1);
        assert_eq!(tracker.complete_since(), since);
    }
}

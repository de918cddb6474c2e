//! A limit on alerts per minute.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_mins(1);

/// A sliding-window rate limiter.
#[derive(Debug)]
pub(super) struct RateLimiter {
    limit: usize,
    /// The times of the last permits, oldest first; at most `limit`.
    last: VecDeque<Instant>,
}

impl RateLimiter {
    /// Creates a limiter of `limit` permits within any minute.
    pub(super) fn new(limit: u32) -> Self {
        Self { limit: usize::try_from(limit).unwrap_or(usize::MAX), last: VecDeque::new() }
    }

    /// Takes a permit, if one is available at `now`.
    pub(super) fn try_acquire(&mut self, now: Instant) -> bool {
        while self.last.front().is_some_and(|first| now.saturating_duration_since(*first) >= WINDOW) {
            self.last.pop_front();
        }
        let is_allowed = self.last.len() < self.limit;
        if is_allowed {
            self.last.push_back(now);
        }
        is_allowed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_permit_is_available_again_after_a_minute() {
        let (mut limiter, begin) = (RateLimiter::new(2), Instant::now());
        let mut taken = |second| limiter.try_acquire(begin + Duration::from_secs(second));
        let all = [0, 10, 20, 59, 60, 61, 70, 71].map(|second| (second, taken(second)));
        let wanted =
            [(0, true), (10, true), (20, false), (59, false), (60, true), (61, false), (70, true), (71, false)];
        assert_eq!(all, wanted);
    }

    proptest! {
        #[test]
        fn every_minute_gets_exactly_the_allowed_number(
            most in 1_u32..8, waits in proptest::collection::vec(0_u64..40, 0..80)
        ) {
            let (mut limiter, begin) = (RateLimiter::new(most), Instant::now());
            let (mut at, mut sent) = (0, Vec::new());
            for wait in waits {
                at += wait;
                let recent = sent.iter().filter(|one| at - **one < 60).count();
                let may = limiter.try_acquire(begin + Duration::from_secs(at));
                prop_assert_eq!(may, recent < most as usize);
                if may {
                    sent.push(at);
                }
            }
        }
    }
}

//! How many alerts may go out within a minute.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_mins(1);

/// When the last alerts went out.
#[derive(Debug)]
pub(super) struct Pace {
    most: usize,
    /// At most so many, the oldest first.
    last: VecDeque<Instant>,
}

impl Pace {
    /// At most so many within any minute.
    pub(super) fn of(most: u32) -> Self {
        Self { most: usize::try_from(most).unwrap_or(usize::MAX), last: VecDeque::new() }
    }

    /// Whether one more may go out now; then it counts.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        while self.last.front().is_some_and(|first| now.saturating_duration_since(*first) >= WINDOW) {
            self.last.pop_front();
        }
        let may = self.last.len() < self.most;
        if may {
            self.last.push_back(now);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_more_may_go_when_the_first_is_a_minute_old() {
        let (mut pace, begin) = (Pace::of(2), Instant::now());
        let mut taken = |second| pace.take(begin + Duration::from_secs(second));
        let all = [0, 10, 20, 59, 60, 61, 70, 71].map(|second| (second, taken(second)));
        let wanted =
            [(0, true), (10, true), (20, false), (59, false), (60, true), (61, false), (70, true), (71, false)];
        assert_eq!(all, wanted);
    }

    proptest! {
        #[test]
        fn no_minute_has_more_than_the_most_and_none_is_refused_without_need(
            most in 1_u32..8, waits in proptest::collection::vec(0_u64..40, 0..80)
        ) {
            let (mut pace, begin) = (Pace::of(most), Instant::now());
            let (mut at, mut sent) = (0, Vec::new());
            for wait in waits {
                at += wait;
                let recent = sent.iter().filter(|one| at - **one < 60).count();
                let may = pace.take(begin + Duration::from_secs(at));
                prop_assert_eq!(may, recent < most as usize);
                if may {
                    sent.push(at);
                }
            }
        }
    }
}

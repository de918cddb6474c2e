//! Repeated log lines.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lets a log line pass at most once per interval, and counts those in between.
#[derive(Debug)]
pub struct LogGate {
    interval: Duration,
    /// The time of the last line, and the number since.
    last: Mutex<(Option<Instant>, u64)>,
}

impl LogGate {
    /// Creates a gate that lets the first line pass.
    #[must_use]
    pub const fn new(interval: Duration) -> Self {
        Self { interval, last: Mutex::new((None, 0)) }
    }

    /// Returns how many lines were suppressed since the last one; `None` if this one is suppressed too.
    #[must_use]
    pub fn pass(&self, now: Instant) -> Option<u64> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, suppressed) = &mut *last;
        if at.is_some_and(|at| now.saturating_duration_since(at) < self.interval) {
            *suppressed = suppressed.saturating_add(1);
            return None;
        }
        *at = Some(now);
        Some(std::mem::take(suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_passes_per_interval_with_the_number_of_those_between() {
        let (gate, begin) = (LogGate::new(Duration::from_mins(1)), Instant::now());
        let at = |second| gate.pass(begin + Duration::from_secs(second));
        assert_eq!([at(0), at(1), at(59), at(60), at(61), at(200)], [Some(0), None, None, Some(2), None, Some(1)]);
    }
}

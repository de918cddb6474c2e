//! Detects that the wall clock was set.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// How far the wall clock may move away from the monotonic clock between two readings.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(1);

/// Compares the wall clock with the monotonic clock from reading to reading.
#[derive(Debug, Default)]
pub struct ClockWatch {
    /// The last reading: both clocks.
    last: Option<(Timestamp, Duration)>,
    /// When the wall clock was set, or first read, on the monotonic clock.
    stands_since: Duration,
}

impl ClockWatch {
    /// Records a reading of both clocks. Returns how far the wall clock has jumped since the last one, if it has.
    pub fn read(&mut self, at: Timestamp, since_start: Duration) -> Option<SignedDuration> {
        let Some((last_at, last_since)) = self.last.replace((at, since_start)) else {
            self.stands_since = since_start;
            return None;
        };
        let passed = SignedDuration::try_from(since_start.saturating_sub(last_since)).unwrap_or(SignedDuration::MAX);
        let jump = at.duration_since(last_at).saturating_sub(passed);
        if jump.abs() <= TOLERANCE {
            return None;
        }
        self.stands_since = since_start;
        Some(jump)
    }

    /// Returns for how long the wall clock has not been set.
    #[must_use]
    pub fn stands_for(&self, since_start: Duration) -> Duration {
        since_start.saturating_sub(self.stands_since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::at;

    #[test]
    fn only_a_clock_that_was_set_has_jumped() {
        let mut watch = ClockWatch::default();
        let mut read = |second, since_start| {
            let jump = watch.read(at(second), Duration::from_secs(since_start)).map(|jump| jump.as_secs());
            (jump, watch.stands_for(Duration::from_secs(since_start)).as_secs())
        };
        assert_eq!(read(1_000, 5), (None, 0), "the first reading");
        assert_eq!(read(1_130, 75), (None, 70), "within the tolerance");
        assert_eq!(read(1_300, 80), (Some(165), 0));
        assert_eq!(read(1_400, 180), (None, 100));
        assert_eq!(read(400, 190), (Some(-1_010), 0), "set back");
    }
}

//! How long something takes: its median, its 99th percentile, without keeping each time.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Parts of each doubling. What is told is at most a sixteenth too much or too little.
const PARTS: usize = 8;
/// Doublings from a nanosecond on: the last ends after an hour, and whatever takes longer counts as that.
const DOUBLINGS: usize = 42;
const BUCKETS: usize = PARTS * (DOUBLINGS + 1);

/// Counts durations by size, from many threads at once, in 3 KiB.
pub struct Quantiles {
    buckets: Box<[AtomicU64; BUCKETS]>,
}

impl Default for Quantiles {
    fn default() -> Self {
        Self { buckets: Box::new([const { AtomicU64::new(0) }; BUCKETS]) }
    }
}

impl fmt::Debug for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quantiles").field("count", &self.count()).finish_non_exhaustive()
    }
}

impl Quantiles {
    /// Counts one.
    pub fn record(&self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get(place(nanos)).or(self.buckets.last()) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum()
    }

    /// The duration that the share `quantile` of all, from 0 to 1, does not exceed; `None` when there are none yet.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> Option<Duration> {
        let counts: Vec<u64> = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
        let all: u64 = counts.iter().sum();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank"
        )]
        let rank = ((all as f64 * quantile.clamp(0.0, 1.0)).ceil() as u64).max(1);
        let mut seen = 0;
        let at = counts.iter().position(|count| {
            seen += count;
            seen >= rank
        })?;
        Some(Duration::from_nanos(middle(at)))
    }
}

/// The bucket of a duration: which doubling, and which part of it.
#[expect(clippy::cast_possible_truncation, reason = "the first is cut to three bits, the second below eight")]
fn place(nanos: u64) -> usize {
    match nanos.checked_ilog2() {
        // The three bits behind the first one say which part.
        Some(doubling @ 3..) => (doubling as usize - 2) * PARTS + (nanos >> (doubling - 3)) as usize % PARTS,
        _ => nanos as usize,
    }
}

/// The duration in the middle of a bucket, in nanoseconds.
fn middle(place: usize) -> u64 {
    let (doubling, part) = (place / PARTS, place % PARTS);
    if doubling == 0 {
        return part as u64;
    }
    let width = 1 << (doubling - 1);
    (PARTS + part) as u64 * width + width / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_told_to_a_sixteenth() {
        for nanos in (0..64).chain([1_000, 3_333, 20_000_000, 999_999_999, 3_000_000_000_000]) {
            let quantiles = Quantiles::default();
            quantiles.record(Duration::from_nanos(nanos));
            let told = u64::try_from(quantiles.quantile(0.5).unwrap().as_nanos()).unwrap();
            assert!(told.abs_diff(nanos) <= nanos / 16, "{nanos} is told as {told}");
        }
    }

    #[test]
    fn quantiles_are_those_of_the_ranks() {
        let quantiles = Quantiles::default();
        for micros in 1..=100 {
            quantiles.record(Duration::from_micros(micros));
        }
        for (share, micros) in [(0.0, 1), (0.5, 50), (0.99, 99), (1.0, 100)] {
            let told = quantiles.quantile(share).unwrap().as_nanos();
            assert!(told.abs_diff(micros * 1_000) <= micros * 1_000 / 16, "{share}: {told} ns");
        }
        assert_eq!(quantiles.count(), 100);
    }

    #[test]
    fn of_nothing_there_is_no_quantile() {
        assert_eq!(Quantiles::default().quantile(0.5), None);
    }

    #[test]
    fn what_takes_longer_than_an_hour_counts_as_the_longest() {
        let quantiles = Quantiles::default();
        quantiles.record(Duration::MAX);
        assert!(quantiles.quantile(0.99).unwrap() > Duration::from_hours(1));
    }
}

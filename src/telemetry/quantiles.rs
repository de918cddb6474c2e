//! Quantiles of durations, such as the median and p99, from a fixed-size histogram.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Buckets per doubling. Results are accurate to 1/16.
const PARTS: usize = 8;
/// Doublings, starting at one nanosecond. The last ends after more than an hour; longer durations count in the last
/// bucket.
const DOUBLINGS: usize = 42;
const BUCKETS: usize = PARTS * (DOUBLINGS + 1);

/// A concurrent histogram of durations that takes 3 KiB.
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
    /// Records a duration.
    pub fn record(&self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get(bucket_index(nanos)).or(self.buckets.last()) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns the number of recorded durations.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum()
    }

    /// Returns the given quantile, from 0 to 1, accurate to 1/16; `None` if nothing is recorded.
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
        Some(Duration::from_nanos(bucket_midpoint(at)))
    }
}

/// Returns the bucket index of a duration.
#[expect(clippy::cast_possible_truncation, reason = "the first is cut to three bits, the second below eight")]
fn bucket_index(nanos: u64) -> usize {
    match nanos.checked_ilog2() {
        // The three bits after the leading one select the bucket within the doubling.
        Some(doubling @ 3..) => (doubling as usize - 2) * PARTS + (nanos >> (doubling - 3)) as usize % PARTS,
        _ => nanos as usize,
    }
}

/// Returns the midpoint of a bucket, in nanoseconds.
fn bucket_midpoint(place: usize) -> u64 {
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
    fn a_quantile_is_accurate_to_a_sixteenth() {
        for nanos in (0..64).chain([1_000, 3_333, 20_000_000, 999_999_999, 3_000_000_000_000]) {
            let quantiles = Quantiles::default();
            quantiles.record(Duration::from_nanos(nanos));
            let reported = u64::try_from(quantiles.quantile(0.5).unwrap().as_nanos()).unwrap();
            assert!(reported.abs_diff(nanos) <= nanos / 16, "{nanos} is reported as {reported}");
        }
    }

    #[test]
    fn quantiles_correspond_to_ranks() {
        let quantiles = Quantiles::default();
        for micros in 1..=100 {
            quantiles.record(Duration::from_micros(micros));
        }
        for (share, micros) in [(0.0, 1), (0.5, 50), (0.99, 99), (1.0, 100)] {
            let reported = quantiles.quantile(share).unwrap().as_nanos();
            assert!(reported.abs_diff(micros * 1_000) <= micros * 1_000 / 16, "{share}: {reported} ns");
        }
        assert_eq!(quantiles.count(), 100);
    }

    #[test]
    fn an_empty_histogram_has_no_quantiles() {
        assert_eq!(Quantiles::default().quantile(0.5), None);
    }

    #[test]
    fn durations_over_an_hour_count_in_the_last_bucket() {
        let quantiles = Quantiles::default();
        quantiles.record(Duration::MAX);
        assert!(quantiles.quantile(0.99).unwrap() > Duration::from_hours(1));
    }
}

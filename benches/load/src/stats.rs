//! Percentiles, medians and ratios.

/// The nearest-rank percentile: the smallest value that at least `percent` of the `sorted` ones do
/// not exceed. `None` without values.
///
/// No interpolation: every latency reported is one that was measured.
pub(crate) fn percentile(sorted: &[u64], percent: f64) -> Option<u64> {
    let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).or(sorted.last()).copied()
}

/// The median, minimum and maximum of some runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    /// The middle value, or the mean of the two middle ones.
    pub(crate) median: f64,
    /// The least value.
    pub(crate) min: f64,
    /// The greatest value.
    pub(crate) max: f64,
}

/// Returns the spread of `values`; `None` if there are none.
pub(crate) fn spread(values: &[f64]) -> Option<Spread> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (min, max) = (*sorted.first()?, *sorted.last()?);
    let half = sorted.len() / 2;
    let median = if sorted.len() % 2 == 1 { sorted[half] } else { f64::midpoint(sorted[half - 1], sorted[half]) };
    Some(Spread { median, min, max })
}

/// Returns `ours` divided by `theirs`, pair by pair. Incomplete pairs and those without a finite ratio are left out.
///
/// Load on the machine affects two consecutive runs alike, so the median of these ratios is more reliable than the ratio
/// of two medians.
pub(crate) fn ratios(ours: &[Option<f64>], theirs: &[Option<f64>]) -> Vec<f64> {
    let pairs = ours.iter().zip(theirs).filter_map(|(ours, theirs)| Some((*ours)? / (*theirs)?));
    pairs.filter(|ratio| ratio.is_finite()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let hundred: Vec<u64> = (1..=100).collect();
        let cases = [(0.0, 1), (1.0, 1), (50.0, 50), (50.1, 51), (99.0, 99), (99.9, 100), (100.0, 100)];
        for (percent, expected) in cases {
            assert_eq!(percentile(&hundred, percent), Some(expected), "{percent}");
        }
        assert_eq!(percentile(&[15, 20, 35, 40, 50], 40.0), Some(20));
        assert_eq!(percentile(&[7], 99.0), Some(7));
        assert_eq!(percentile(&[], 50.0), None);
    }

    #[test]
    fn the_median_of_an_even_number_is_the_mean_of_the_middle() {
        assert_eq!(spread(&[4.0, 1.0, 3.0, 2.0]), Some(Spread { median: 2.5, min: 1.0, max: 4.0 }));
        assert_eq!(spread(&[3.0, 1.0, 2.0]), Some(Spread { median: 2.0, min: 1.0, max: 3.0 }));
        assert_eq!(spread(&[]), None);
    }

    #[test]
    fn ratios_are_taken_of_pairs() {
        let ratios = |ours: &[f64], theirs: &[f64]| -> Vec<f64> {
            let some =
                |values: &[f64]| values.iter().map(|value| value.is_finite().then_some(*value)).collect::<Vec<_>>();
            super::ratios(&some(ours), &some(theirs))
        };
        assert_eq!(ratios(&[1.0, 20.0, 3.0], &[1.0, 10.0, 2.0]), [1.0, 2.0, 1.5]);
        assert_eq!(ratios(&[1.0, f64::NAN, 3.0], &[f64::NAN, 1.0, 2.0]), [1.5]);
        assert!(ratios(&[1.0, 0.0], &[0.0, 0.0]).is_empty());
    }
}

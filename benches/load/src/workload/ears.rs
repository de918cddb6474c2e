//! Members at which arrival is timed.

use std::time::Instant;

use crate::stats::percentile;

/// Some members, spread evenly over all, since a server may serve the first ones first.
#[derive(Debug)]
pub(super) struct Ears {
    /// By member.
    sampled: Vec<bool>,
    /// Nanoseconds.
    latencies: Vec<u64>,
    /// Messages sent from then on are timed.
    from: Option<Instant>,
}

impl Ears {
    /// Ears for `sample` of `members`; nothing is timed before [`Self::start`].
    pub(super) fn new(members: usize, sample: usize) -> Self {
        let sample = sample.clamp(1, members);
        let mut sampled = vec![false; members];
        for at in 0..sample {
            sampled[at * members / sample] = true;
        }
        Self { sampled, latencies: Vec::new(), from: None }
    }

    /// Times the messages sent from now on.
    pub(super) fn start(&mut self) {
        self.from = Some(Instant::now());
    }

    /// Whether `member` is among them.
    #[inline]
    pub(super) fn has(&self, member: usize) -> bool {
        self.sampled[member]
    }

    /// One of them has received what was sent at `sent`.
    pub(super) fn hear(&mut self, sent: Instant) {
        if self.from.is_some_and(|from| sent >= from) {
            self.latencies.push(sent.elapsed().as_nanos() as u64);
        }
    }

    /// The latencies at these percentiles. Milliseconds; not a number if nothing was timed.
    pub(super) fn latencies<const N: usize>(mut self, percents: [f64; N]) -> [f64; N] {
        self.latencies.sort_unstable();
        percents.map(|percent| percentile(&self.latencies, percent).map_or(f64::NAN, |nanos| nanos as f64 / 1e6))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ears_are_spread_evenly_and_never_more_than_members() {
        let at = |members, sample| -> Vec<usize> {
            let ears = Ears::new(members, sample);
            (0..members).filter(|member| ears.has(*member)).collect()
        };
        assert_eq!(at(10, 3), [0, 3, 6]);
        assert_eq!(at(2, 16), [0, 1]);
    }

    #[test]
    fn only_messages_after_the_start_are_timed() {
        let mut ears = Ears::new(1, 1);
        let before = Instant::now();
        ears.hear(before);
        ears.start();
        ears.hear(before);
        assert!(ears.latencies.is_empty());
        ears.hear(Instant::now());
        assert_eq!(ears.latencies.len(), 1);
    }
}

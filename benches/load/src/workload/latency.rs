//! Latency at a sample of the members.

use std::time::Instant;

use crate::layout::Layout;
use crate::stats::percentile;

/// Measures latency at some members, spread evenly over all, since a server may serve the first ones first.
#[derive(Debug)]
pub(super) struct LatencySampler {
    layout: Layout,
    /// Whether each member is sampled.
    sampled: Vec<bool>,
    /// Nanoseconds, by room.
    latencies: Vec<Vec<u64>>,
    /// Messages sent from this time on are measured.
    from: Option<Instant>,
}

impl LatencySampler {
    /// Samples `sample` of the members. Nothing is measured before [`Self::start`].
    pub(super) fn new(layout: Layout, sample: usize) -> Self {
        let members = layout.members();
        let sample = sample.clamp(1, members);
        let mut sampled = vec![false; members];
        for at in 0..sample {
            sampled[at * members / sample] = true;
        }
        Self { layout, sampled, latencies: vec![Vec::new(); layout.rooms()], from: None }
    }

    /// Measures the messages sent from now on.
    pub(super) fn start(&mut self) {
        self.from = Some(Instant::now());
    }

    /// Whether `member` is sampled.
    #[inline]
    pub(super) fn samples(&self, member: usize) -> bool {
        self.sampled[member]
    }

    /// Records that the sampled `member` received a message that was sent at `sent`.
    pub(super) fn record(&mut self, member: usize, sent: Instant) {
        if self.from.is_some_and(|from| sent >= from) {
            self.latencies[self.layout.room_of(member)].push(sent.elapsed().as_nanos() as u64);
        }
    }

    /// The latencies at these percentiles. Milliseconds; NaN if nothing was measured.
    pub(super) fn latencies<const N: usize>(&self, percents: [f64; N]) -> [f64; N] {
        millis(self.latencies.concat(), percents)
    }

    /// The latencies of one room at these percentiles.
    pub(super) fn of_room<const N: usize>(&self, room: usize, percents: [f64; N]) -> [f64; N] {
        millis(self.latencies[room].clone(), percents)
    }
}

fn millis<const N: usize>(mut nanos: Vec<u64>, percents: [f64; N]) -> [f64; N] {
    nanos.sort_unstable();
    percents.map(|percent| percentile(&nanos, percent).map_or(f64::NAN, |nanos| nanos as f64 / 1e6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sampled_members_are_spread_evenly_and_not_more_than_all() {
        let at = |members, sample| -> Vec<usize> {
            let sampler = LatencySampler::new(Layout::new(members, 1, 1), sample);
            (0..members).filter(|member| sampler.samples(*member)).collect()
        };
        assert_eq!(at(10, 3), [0, 3, 6]);
        assert_eq!(at(2, 16), [0, 1]);
    }

    #[test]
    fn only_messages_after_the_start_are_measured() {
        let mut sampler = LatencySampler::new(Layout::new(1, 1, 1), 1);
        let before = Instant::now();
        sampler.record(0, before);
        sampler.start();
        sampler.record(0, before);
        assert!(sampler.latencies[0].is_empty());
        sampler.record(0, Instant::now());
        assert_eq!(sampler.latencies[0].len(), 1);
    }

    #[test]
    fn a_room_has_the_latencies_of_its_members() {
        let mut sampler = LatencySampler::new(Layout::new(4, 2, 1), 4);
        sampler.start();
        sampler.record(1, Instant::now());
        assert!(sampler.of_room(0, [99.0])[0].is_nan());
        assert!(!sampler.of_room(1, [99.0])[0].is_nan());
    }
}

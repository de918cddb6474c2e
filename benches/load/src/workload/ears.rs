//! Members at which arrival is timed.

use std::time::Instant;

use crate::layout::Layout;
use crate::stats::percentile;

/// Some members, spread evenly over all, since a server may serve the first ones first.
#[derive(Debug)]
pub(super) struct Ears {
    layout: Layout,
    /// By member.
    sampled: Vec<bool>,
    /// Nanoseconds, by room.
    latencies: Vec<Vec<u64>>,
    /// Messages sent from then on are timed.
    from: Option<Instant>,
}

impl Ears {
    /// Ears for `sample` of the members; nothing is timed before [`Self::start`].
    pub(super) fn new(layout: Layout, sample: usize) -> Self {
        let members = layout.members();
        let sample = sample.clamp(1, members);
        let mut sampled = vec![false; members];
        for at in 0..sample {
            sampled[at * members / sample] = true;
        }
        Self { layout, sampled, latencies: vec![Vec::new(); layout.rooms()], from: None }
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

    /// `member`, one of them, has received what was sent at `sent`.
    pub(super) fn hear(&mut self, member: usize, sent: Instant) {
        if self.from.is_some_and(|from| sent >= from) {
            self.latencies[self.layout.room_of(member)].push(sent.elapsed().as_nanos() as u64);
        }
    }

    /// The latencies at these percentiles. Milliseconds; not a number if nothing was timed.
    pub(super) fn latencies<const N: usize>(&self, percents: [f64; N]) -> [f64; N] {
        millis(self.latencies.concat(), percents)
    }

    /// The same of one room.
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
    fn ears_are_spread_evenly_and_never_more_than_members() {
        let at = |members, sample| -> Vec<usize> {
            let ears = Ears::new(Layout::new(members, 1, 1), sample);
            (0..members).filter(|member| ears.has(*member)).collect()
        };
        assert_eq!(at(10, 3), [0, 3, 6]);
        assert_eq!(at(2, 16), [0, 1]);
    }

    #[test]
    fn only_messages_after_the_start_are_timed() {
        let mut ears = Ears::new(Layout::new(1, 1, 1), 1);
        let before = Instant::now();
        ears.hear(0, before);
        ears.start();
        ears.hear(0, before);
        assert!(ears.latencies[0].is_empty());
        ears.hear(0, Instant::now());
        assert_eq!(ears.latencies[0].len(), 1);
    }

    #[test]
    fn a_room_has_the_latencies_of_its_members() {
        let mut ears = Ears::new(Layout::new(4, 2, 1), 4);
        ears.start();
        ears.hear(1, Instant::now());
        assert!(ears.of_room(0, [99.0])[0].is_nan());
        assert!(!ears.of_room(1, [99.0])[0].is_nan());
    }
}

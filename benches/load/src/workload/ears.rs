//! Members at which arrival is timed and order is checked.

use std::time::Instant;

use crate::frames;
use crate::stats::percentile;

/// Some members, spread evenly over the room, since a relay may serve the first ones first.
#[derive(Debug)]
pub(super) struct Ears {
    /// By message number.
    sent_at: Vec<Instant>,
    /// By member.
    sampled: Vec<bool>,
    /// The number due next, by member.
    due: Vec<usize>,
    /// Nanoseconds.
    latencies: Vec<u64>,
    /// Messages from here on are timed.
    timed_from: usize,
    disordered: u64,
}

impl Ears {
    /// Ears for `sample` of `members`; nothing is timed before [`Self::start`].
    pub(super) fn new(members: usize, sample: usize) -> Self {
        let sample = sample.clamp(1, members);
        let mut sampled = vec![false; members];
        for at in 0..sample {
            sampled[at * members / sample] = true;
        }
        Self {
            sent_at: Vec::new(),
            sampled,
            due: vec![0; members],
            latencies: Vec::new(),
            timed_from: usize::MAX,
            disordered: 0,
        }
    }

    /// Times the messages sent from now on.
    pub(super) fn start(&mut self) {
        self.timed_from = self.sent();
    }

    /// Messages sent so far.
    pub(super) fn sent(&self) -> usize {
        self.sent_at.len()
    }

    /// The next message is about to be sent.
    pub(super) fn sending(&mut self) {
        self.sent_at.push(Instant::now());
    }

    /// Whether `member` is among them.
    pub(super) fn has(&self, member: usize) -> bool {
        self.sampled[member]
    }

    /// `member` has received the chat message `text`.
    #[inline]
    pub(super) fn hear(&mut self, member: usize, text: &[u8]) {
        if self.sampled[member] {
            self.arrived(member, frames::sequence(text), Instant::now());
        }
    }

    fn arrived(&mut self, member: usize, number: Option<usize>, now: Instant) {
        let number = number.filter(|number| *number < self.sent());
        if number != Some(self.due[member]) {
            self.disordered += 1;
        }
        let Some(number) = number else { return };
        self.due[member] = number + 1;
        if number >= self.timed_from {
            self.latencies.push((now - self.sent_at[number]).as_nanos() as u64);
        }
    }

    /// Messages that came early, late, twice or without a number.
    pub(super) fn disordered(&self) -> u64 {
        self.disordered
    }

    /// The latencies at these percentiles. Milliseconds; not a number if nothing was timed.
    pub(super) fn latencies<const N: usize>(mut self, percents: [f64; N]) -> [f64; N] {
        self.latencies.sort_unstable();
        percents.map(|percent| percentile(&self.latencies, percent).map_or(f64::NAN, |nanos| nanos as f64 / 1e6))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn ears_are_spread_evenly_and_never_more_than_members() {
        let at = |members, sample| -> Vec<usize> {
            let ears = Ears::new(members, sample);
            (0..members).filter(|member| ears.sampled[*member]).collect()
        };
        assert_eq!(at(10, 3), [0, 3, 6]);
        assert_eq!(at(2, 16), [0, 1]);
    }

    #[test]
    fn only_messages_after_the_start_are_timed() {
        let mut ears = Ears::new(1, 1);
        ears.sending();
        ears.start();
        ears.sending();
        let later = ears.sent_at[1] + Duration::from_millis(3);
        ears.arrived(0, Some(0), later);
        ears.arrived(0, Some(1), later);
        assert_eq!(ears.disordered(), 0);
        assert_eq!(ears.latencies, [3_000_000]);
    }

    #[test]
    fn gaps_copies_and_unknown_numbers_are_out_of_order() {
        let mut ears = Ears::new(1, 1);
        (0..4).for_each(|_| ears.sending());
        let now = Instant::now();
        for (number, disordered) in [(Some(0), 0), (Some(2), 1), (Some(2), 2), (Some(9), 3), (None, 4), (Some(3), 4)] {
            ears.arrived(0, number, now);
            assert_eq!(ears.disordered(), disordered, "{number:?}");
        }
    }
}

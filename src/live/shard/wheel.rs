//! When each connection is to be looked at next: a timer wheel, so that ten thousand connections cost as many numbers
//! and no timer each.

use std::ops::Range;
use std::time::{Duration, Instant};

use crate::model::SenderId;

/// How exact the wheel is.
const TICK: Duration = Duration::from_millis(50);
/// Ticks of a whole turn: 51 s. What is due later is put at the end and must be put again from there.
const SLOTS: usize = 1_024;

/// Slots whose bits share a word.
const WORD: usize = u64::BITS as usize;

/// Connections by the time at which they are to be looked at.
#[derive(Debug)]
pub(super) struct Wheel {
    slots: Vec<Vec<SenderId>>,
    /// A bit for each slot in which somebody is: the next one is asked for before every sleep.
    occupied: [u64; SLOTS / WORD],
    /// The slot that is looked at next, and when.
    at: usize,
    due: Instant,
    scheduled: usize,
}

impl Wheel {
    pub(super) fn new(now: Instant) -> Self {
        Self { slots: vec![Vec::new(); SLOTS], occupied: [0; SLOTS / WORD], at: 0, due: now + TICK, scheduled: 0 }
    }

    /// Has `id` looked at once, at `when` or up to a tick later; earlier when that is more than a turn away.
    pub(super) fn schedule(&mut self, id: SenderId, when: Instant) {
        // In nanoseconds: a slot a fraction of a millisecond too early would be one in which nothing is due yet.
        let ticks = when.saturating_duration_since(self.due).as_nanos().div_ceil(TICK.as_nanos());
        let ahead = usize::try_from(ticks).unwrap_or(SLOTS).min(SLOTS - 1);
        let place = (self.at + ahead) % SLOTS;
        if let (Some(slot), Some(word)) = (self.slots.get_mut(place), self.occupied.get_mut(place / WORD)) {
            slot.push(id);
            *word |= 1 << (place % WORD);
            self.scheduled += 1;
        }
    }

    /// Moves on to `now` and gives those whose time has come.
    pub(super) fn advance(&mut self, now: Instant) -> Vec<SenderId> {
        let mut come = Vec::new();
        if self.scheduled == 0 && self.due <= now {
            // Nobody waits: a long sleep is not gone through tick by tick.
            self.due = now + TICK;
            return come;
        }
        while self.due <= now {
            if let Some(slot) = self.slots.get_mut(self.at) {
                come.append(slot);
                // A slot that was crowded once does not keep the memory for that.
                slot.shrink_to(64);
            }
            if let Some(word) = self.occupied.get_mut(self.at / WORD) {
                *word &= !(1 << (self.at % WORD));
            }
            self.at = (self.at + 1) % SLOTS;
            self.due += TICK;
        }
        self.scheduled -= come.len();
        come
    }

    /// When somebody's time comes next.
    pub(super) fn next(&self) -> Option<Instant> {
        let ahead = self.first_occupied(self.at..SLOTS).or_else(|| self.first_occupied(0..self.at))?;
        let ticks = (ahead + SLOTS - self.at) % SLOTS;
        Some(self.due + TICK * u32::try_from(ticks).unwrap_or(0))
    }

    /// The first slot of `range` in which somebody is.
    fn first_occupied(&self, range: Range<usize>) -> Option<usize> {
        let words = self.occupied.iter().enumerate().skip(range.start / WORD);
        let mut slots = words.filter_map(|(n, word)| {
            let before = range.start.saturating_sub(n * WORD);
            let rest = word >> before << before;
            (rest != 0).then(|| n * WORD + rest.trailing_zeros() as usize)
        });
        slots.next().filter(|slot| range.contains(slot))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: SenderId = SenderId(1);
    const TWO: SenderId = SenderId(2);

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn nobody_is_looked_at_before_the_time_and_everybody_a_tick_after_it() {
        let start = Instant::now();
        let mut wheel = Wheel::new(start);
        wheel.schedule(ONE, start + seconds(1));
        wheel.schedule(TWO, start + seconds(20));
        assert_eq!(wheel.advance(start + Duration::from_millis(999)), []);
        assert_eq!(wheel.advance(start + seconds(1) + TICK), [ONE]);
        assert_eq!(wheel.advance(start + Duration::from_millis(19_999)), []);
        assert_eq!(wheel.advance(start + seconds(20) + TICK), [TWO]);
        assert_eq!(wheel.advance(start + seconds(1_000)), []);
    }

    #[test]
    fn nobody_comes_even_a_fraction_of_a_millisecond_early() {
        let start = Instant::now();
        for nanos in [1, 400_000, 999_999] {
            let mut wheel = Wheel::new(start);
            let almost = start + seconds(1) + Duration::from_nanos(nanos - 1);
            let when = almost + Duration::from_nanos(1);
            wheel.schedule(ONE, when);
            assert!(wheel.next().is_some_and(|next| next >= when), "{nanos} ns");
            assert_eq!(wheel.advance(almost), [], "{nanos} ns");
        }
    }

    #[test]
    fn the_next_time_is_known_wherever_the_wheel_stands() {
        let start = Instant::now();
        for turned in [1, 2, 63, 64, 700, 1_023] {
            for ahead in [0, 1, 62, 63, 64, 500, 1_022] {
                let mut wheel = Wheel::new(start);
                let now = start + TICK * turned;
                wheel.schedule(ONE, start);
                wheel.advance(now);
                wheel.schedule(TWO, now + TICK * (1 + ahead));
                assert_eq!(wheel.next(), Some(now + TICK * (1 + ahead)), "{turned} ticks, and {ahead}");
            }
        }
    }

    #[test]
    fn the_next_time_is_known() {
        let start = Instant::now();
        let mut wheel = Wheel::new(start);
        assert_eq!(wheel.next(), None);
        wheel.schedule(ONE, start + seconds(20));
        wheel.schedule(TWO, start + seconds(10));
        let next = wheel.next().unwrap();
        assert!(next >= start + seconds(10) && next <= start + seconds(10) + TICK, "{:?}", next - start);
    }

    #[test]
    fn what_is_more_than_a_turn_away_comes_early() {
        let start = Instant::now();
        let mut wheel = Wheel::new(start);
        wheel.schedule(ONE, start + seconds(3_600));
        assert_eq!(wheel.advance(start + seconds(60)), [ONE]);
    }

    #[test]
    fn a_long_sleep_brings_nobodys_time_forward() {
        let start = Instant::now();
        let mut wheel = Wheel::new(start);
        let woken = start + seconds(3_600);
        assert_eq!(wheel.advance(woken), []);
        wheel.schedule(ONE, woken + seconds(20));
        assert_eq!(wheel.advance(woken + Duration::from_millis(19_999)), []);
        assert_eq!(wheel.advance(woken + seconds(20) + TICK), [ONE]);
    }

    #[test]
    fn what_is_due_already_comes_with_the_next_tick() {
        let start = Instant::now();
        let mut wheel = Wheel::new(start);
        wheel.schedule(ONE, start);
        assert_eq!(wheel.advance(start + TICK), [ONE]);
    }
}

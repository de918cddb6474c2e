//! A timer wheel that schedules checks of connections. Each costs one entry, instead of one timer.

use std::ops::Range;
use std::time::{Duration, Instant};

use crate::model::ConnectionId;

/// The resolution of the wheel.
const TICK: Duration = Duration::from_millis(50);
/// Number of ticks per revolution (51 s). Later times are put into the last slot and must be rescheduled.
const SLOTS: usize = 1_024;

/// Number of slots per bitmap word.
const WORD: usize = u64::BITS as usize;

/// Connections by the time of their next check.
#[derive(Debug)]
pub(super) struct TimerWheel {
    slots: Vec<Vec<ConnectionId>>,
    /// A bit for each non-empty slot, for a fast search before every sleep.
    occupied: [u64; SLOTS / WORD],
    /// The next slot to expire, and its time.
    cursor: usize,
    next_tick: Instant,
    scheduled: usize,
}

impl TimerWheel {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            slots: vec![Vec::new(); SLOTS],
            occupied: [0; SLOTS / WORD],
            cursor: 0,
            next_tick: now + TICK,
            scheduled: 0,
        }
    }

    /// Schedules a check of `id` at `when` or up to one tick later; earlier if `when` is more than a revolution ahead.
    pub(super) fn schedule(&mut self, id: ConnectionId, when: Instant) {
        // In nanoseconds: rounding would select a slot that expires a fraction of a millisecond too early.
        let ticks = when.saturating_duration_since(self.next_tick).as_nanos().div_ceil(TICK.as_nanos());
        let ahead = usize::try_from(ticks).unwrap_or(SLOTS).min(SLOTS - 1);
        let place = (self.cursor + ahead) % SLOTS;
        if let (Some(slot), Some(word)) = (self.slots.get_mut(place), self.occupied.get_mut(place / WORD)) {
            slot.push(id);
            *word |= 1 << (place % WORD);
            self.scheduled += 1;
        }
    }

    /// Advances to `now` and returns the expired connections.
    pub(super) fn advance(&mut self, now: Instant) -> Vec<ConnectionId> {
        let mut expired = Vec::new();
        if self.scheduled == 0 && self.next_tick <= now {
            // Skip the ticks of a long sleep.
            self.next_tick = now + TICK;
            return expired;
        }
        while self.next_tick <= now {
            if let Some(slot) = self.slots.get_mut(self.cursor) {
                expired.append(slot);
                // Release the memory of a slot that was crowded once.
                slot.shrink_to(64);
            }
            if let Some(word) = self.occupied.get_mut(self.cursor / WORD) {
                *word &= !(1 << (self.cursor % WORD));
            }
            self.cursor = (self.cursor + 1) % SLOTS;
            self.next_tick += TICK;
        }
        self.scheduled -= expired.len();
        expired
    }

    /// Returns the next time at which a slot expires.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        let ahead = self.first_occupied(self.cursor..SLOTS).or_else(|| self.first_occupied(0..self.cursor))?;
        let ticks = (ahead + SLOTS - self.cursor) % SLOTS;
        Some(self.next_tick + TICK * u32::try_from(ticks).unwrap_or(0))
    }

    /// Returns the first non-empty slot in `range`.
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

    const ONE: ConnectionId = ConnectionId(1);
    const TWO: ConnectionId = ConnectionId(2);

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn timers_expire_within_a_tick_after_their_time() {
        let start = Instant::now();
        let mut wheel = TimerWheel::new(start);
        wheel.schedule(ONE, start + seconds(1));
        wheel.schedule(TWO, start + seconds(20));
        assert_eq!(wheel.advance(start + Duration::from_millis(999)), []);
        assert_eq!(wheel.advance(start + seconds(1) + TICK), [ONE]);
        assert_eq!(wheel.advance(start + Duration::from_millis(19_999)), []);
        assert_eq!(wheel.advance(start + seconds(20) + TICK), [TWO]);
        assert_eq!(wheel.advance(start + seconds(1_000)), []);
    }

    #[test]
    fn timers_do_not_expire_a_fraction_of_a_millisecond_early() {
        let start = Instant::now();
        for nanos in [1, 400_000, 999_999] {
            let mut wheel = TimerWheel::new(start);
            let almost = start + seconds(1) + Duration::from_nanos(nanos - 1);
            let when = almost + Duration::from_nanos(1);
            wheel.schedule(ONE, when);
            assert!(wheel.next_expiry().is_some_and(|next| next >= when), "{nanos} ns");
            assert_eq!(wheel.advance(almost), [], "{nanos} ns");
        }
    }

    #[test]
    fn the_next_expiry_is_exact_at_any_position() {
        let start = Instant::now();
        for turned in [1, 2, 63, 64, 700, 1_023] {
            for ahead in [0, 1, 62, 63, 64, 500, 1_022] {
                let mut wheel = TimerWheel::new(start);
                let now = start + TICK * turned;
                wheel.schedule(ONE, start);
                wheel.advance(now);
                wheel.schedule(TWO, now + TICK * (1 + ahead));
                assert_eq!(wheel.next_expiry(), Some(now + TICK * (1 + ahead)), "{turned} ticks, and {ahead}");
            }
        }
    }

    #[test]
    fn the_next_expiry_is_the_earliest_timer() {
        let start = Instant::now();
        let mut wheel = TimerWheel::new(start);
        assert_eq!(wheel.next_expiry(), None);
        wheel.schedule(ONE, start + seconds(20));
        wheel.schedule(TWO, start + seconds(10));
        let next = wheel.next_expiry().unwrap();
        assert!(next >= start + seconds(10) && next <= start + seconds(10) + TICK, "{:?}", next - start);
    }

    #[test]
    fn a_timer_beyond_one_revolution_expires_early() {
        let start = Instant::now();
        let mut wheel = TimerWheel::new(start);
        wheel.schedule(ONE, start + seconds(3_600));
        assert_eq!(wheel.advance(start + seconds(60)), [ONE]);
    }

    #[test]
    fn a_long_sleep_does_not_advance_later_timers() {
        let start = Instant::now();
        let mut wheel = TimerWheel::new(start);
        let woken = start + seconds(3_600);
        assert_eq!(wheel.advance(woken), []);
        wheel.schedule(ONE, woken + seconds(20));
        assert_eq!(wheel.advance(woken + Duration::from_millis(19_999)), []);
        assert_eq!(wheel.advance(woken + seconds(20) + TICK), [ONE]);
    }

    #[test]
    fn an_overdue_timer_expires_with_the_next_tick() {
        let start = Instant::now();
        let mut wheel = TimerWheel::new(start);
        wheel.schedule(ONE, start);
        assert_eq!(wheel.advance(start + TICK), [ONE]);
    }
}

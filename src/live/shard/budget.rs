//! Budgets of a connection, charged for everything it sends, before any of it is parsed.
//!
//! Rate limits charge messages that filters accept for judging. Messages that are refused earlier, pings and bytes cost the relay
//! work as well. A connection that sends too many bytes is read later. One that sends too many frames has further ones dropped,
//! and is closed if it goes on.

use std::time::Duration;

use crate::settings::{Section, Setting};

/// Frames without budget after which a connection is closed.
const MAX_DROPPED: u8 = 200;
/// Time without budget after which a connection is closed. Microseconds.
const MAX_TIME_OVER: u64 = 5_000_000;

/// How much a connection may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputLimits {
    /// Sustained rate. Frames per second.
    pub frames_per_second: u32,
    /// Frames at once after a pause.
    pub frames_burst: u32,
    /// Sustained rate. KiB per second.
    pub kib_per_second: u32,
    /// KiB at once after a pause.
    pub kib_burst: u32,
}

impl InputLimits {
    /// Reads them from a section of their own.
    pub fn declare(section: &mut Section<'_>) -> Self {
        let mut number =
            |key, default: u32, doc| section.read(Setting::new(key, default).doc(doc).within(1..=1_000_000));
        Self {
            frames_per_second: number("frames_per_second", 50, "Sustained rate of frames, per second."),
            frames_burst: number("frames_burst", 200, "Number of frames that may arrive at once after a pause."),
            kib_per_second: number("kib_per_second", 4_096, "Sustained rate of bytes, in KiB per second."),
            kib_burst: number("kib_burst", 32_768, "Number of KiB that may arrive at once after a pause."),
        }
    }
}

/// The budget of a connection: two buckets (GCRA), and how long the first has been empty. Times are microseconds since the
/// shard started.
#[derive(Clone, Copy, Debug, Default)]
pub struct Budget {
    /// When the bucket of frames is full again.
    frames_full_at: u64,
    /// When the bucket of bytes is full again.
    bytes_full_at: u64,
    /// Since when frames have been dropped without the bucket being full in between; 0 if none were.
    over_since: u64,
    /// Frames dropped since then.
    dropped: u8,
}

/// The result of charging a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameCharge {
    /// There is budget for it.
    Paid,
    /// There is no budget for it.
    Dropped {
        /// Whether the frame before it was paid.
        is_first: bool,
    },
    /// There has been no budget for too many frames or too long.
    Exhausted,
}

impl Budget {
    /// Charges a frame that arrives at `now`.
    pub fn charge_frame(&mut self, limits: &InputLimits, now: u64) -> FrameCharge {
        if self.frames_full_at <= now {
            (self.over_since, self.dropped) = (0, 0);
        }
        let interval = 1_000_000 / u64::from(limits.frames_per_second);
        let full_at = self.frames_full_at.max(now) + interval;
        if full_at <= now + interval * u64::from(limits.frames_burst) {
            self.frames_full_at = full_at;
            return FrameCharge::Paid;
        }
        let is_first = self.over_since == 0;
        if is_first {
            self.over_since = now.max(1);
        }
        self.dropped = self.dropped.saturating_add(1);
        if self.dropped >= MAX_DROPPED || now - self.over_since.min(now) >= MAX_TIME_OVER {
            FrameCharge::Exhausted
        } else {
            FrameCharge::Dropped { is_first }
        }
    }

    /// Charges bytes that were read at `now`.
    pub fn charge_bytes(&mut self, limits: &InputLimits, bytes: usize, now: u64) {
        let micros = bytes as u64 * 1_000_000 / (u64::from(limits.kib_per_second) * 1_024);
        self.bytes_full_at = self.bytes_full_at.max(now) + micros;
    }

    /// Returns how long to wait before the connection is read again; `None` if it may be read now.
    #[must_use]
    pub fn read_pause(&self, limits: &InputLimits, now: u64) -> Option<Duration> {
        let burst = u64::from(limits.kib_burst) * 1_000_000 / u64::from(limits.kib_per_second);
        let ready_at = self.bytes_full_at.checked_sub(burst)?;
        ready_at.checked_sub(now).filter(|wait| *wait > 0).map(Duration::from_micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: InputLimits =
        InputLimits { frames_per_second: 50, frames_burst: 200, kib_per_second: 4_096, kib_burst: 32_768 };
    const SECOND: u64 = 1_000_000;

    fn charge(budget: &mut Budget, frames: usize, now: u64) -> Vec<FrameCharge> {
        (0..frames).map(|_| budget.charge_frame(&LIMITS, now)).collect()
    }

    #[test]
    fn a_burst_is_paid_and_the_frames_after_it_are_dropped_until_too_many_were() {
        let mut budget = Budget::default();
        let charges = charge(&mut budget, 401, SECOND);
        assert!(charges[..200].iter().all(|charge| *charge == FrameCharge::Paid));
        assert_eq!(charges[200], FrameCharge::Dropped { is_first: true });
        assert!(charges[201..399].iter().all(|charge| *charge == FrameCharge::Dropped { is_first: false }));
        assert_eq!(charges[399], FrameCharge::Exhausted);
    }

    #[test]
    fn a_connection_at_the_sustained_rate_is_never_dropped() {
        let mut budget = Budget::default();
        for n in 0..10_000 {
            assert_eq!(budget.charge_frame(&LIMITS, SECOND + n * 20_000), FrameCharge::Paid, "{n}");
        }
    }

    #[test]
    fn a_connection_slightly_above_the_rate_is_closed_after_five_seconds_without_a_pause() {
        let mut budget = Budget::default();
        let mut dropped_at = None;
        for n in 0_u64.. {
            let now = SECOND + n * 16_000;
            match budget.charge_frame(&LIMITS, now) {
                FrameCharge::Paid => {}
                FrameCharge::Dropped { .. } => dropped_at = dropped_at.or(Some(now)),
                FrameCharge::Exhausted => {
                    let over = now - dropped_at.unwrap();
                    assert!((5 * SECOND..5 * SECOND + 100_000).contains(&over), "{over}");
                    return;
                }
            }
        }
    }

    #[test]
    fn a_pause_forgives() {
        let mut budget = Budget::default();
        charge(&mut budget, 300, SECOND);
        let later = charge(&mut budget, 201, 10 * SECOND);
        assert_eq!(later[199..], [FrameCharge::Paid, FrameCharge::Dropped { is_first: true }]);
    }

    #[test]
    fn a_layer_of_the_largest_size_is_read_without_a_pause_and_a_stream_of_them_is_not() {
        let mut budget = Budget::default();
        budget.charge_bytes(&LIMITS, 16 << 20, SECOND);
        assert_eq!(budget.read_pause(&LIMITS, SECOND), None);
        budget.charge_bytes(&LIMITS, 16 << 20, SECOND);
        assert_eq!(budget.read_pause(&LIMITS, SECOND), None);
        budget.charge_bytes(&LIMITS, 4 << 20, SECOND);
        assert_eq!(budget.read_pause(&LIMITS, SECOND), Some(Duration::from_secs(1)));
        assert_eq!(budget.read_pause(&LIMITS, 2 * SECOND), None);
    }
}

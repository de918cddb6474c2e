//! What takes a rule or plugin out of force that was changed lately and refuses too much.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Mode;

/// What stands for not having been pulled.
const NOT_PULLED: i64 = i64::MIN;

/// The brake of one rule or plugin as it was written at one time: one that is written otherwise has another one.
///
/// Many threads may ask it while another one pulls it. Who judges a message asks it once, so that the message is judged
/// by one mode.
#[derive(Debug)]
pub struct Brake {
    changed: Timestamp,
    since: Timestamp,
    /// Milliseconds since 1970.
    pulled: AtomicI64,
}

impl Brake {
    /// The brake of something that was changed at `changed` and is in force since `since`, which may be later.
    #[must_use]
    pub fn new(changed: Timestamp, since: Timestamp) -> Self {
        Self { changed, since, pulled: AtomicI64::new(NOT_PULLED) }
    }

    /// Since when it is in force here: messages that came before were judged by what was there before.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// When it was changed. What was changed before anybody can know counts from 1970.
    #[must_use]
    pub fn changed(&self) -> Timestamp {
        self.changed
    }

    /// Whether it was changed less than `within` before `now`. A change that lies ahead, by a clock that was set, counts
    /// as one of just now.
    #[must_use]
    pub fn is_new(&self, now: Timestamp, within: Duration) -> bool {
        now.duration_since(self.changed) < SignedDuration::try_from(within).unwrap_or(SignedDuration::MAX)
    }

    /// The mode in force of what is written to run in the mode `written`.
    #[must_use]
    pub fn mode(&self, written: Mode) -> Mode {
        if self.pulled().is_some() { Mode::Observe } else { written }
    }

    /// When it was pulled, to the millisecond; `None` when it is not.
    #[must_use]
    pub fn pulled(&self) -> Option<Timestamp> {
        let at = self.pulled.load(Ordering::Relaxed);
        if at == NOT_PULLED { None } else { Timestamp::from_millisecond(at).ok() }
    }

    /// Pulls it; `false` when it is pulled already.
    pub fn pull(&self, now: Timestamp) -> bool {
        let now = now.as_millisecond();
        self.pulled.compare_exchange(NOT_PULLED, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Releases it; `false` when it is not pulled.
    pub fn release(&self) -> bool {
        self.pulled.swap(NOT_PULLED, Ordering::Relaxed) != NOT_PULLED
    }
}

/// Of something that was never changed.
impl Default for Brake {
    fn default() -> Self {
        Self::new(Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_is_written_to_act_observes_while_the_brake_is_pulled() {
        let brake = Brake::default();
        assert_eq!((brake.mode(Mode::Enforce), brake.pulled()), (Mode::Enforce, None));
        assert!(brake.pull(at(7)));
        assert!(!brake.pull(at(8)), "only the first one pulls it");
        assert_eq!((brake.mode(Mode::Enforce), brake.pulled()), (Mode::Observe, Some(at(7))));
        assert!(brake.release());
        assert!(!brake.release());
        assert_eq!((brake.mode(Mode::Enforce), brake.mode(Mode::Observe)), (Mode::Enforce, Mode::Observe));
    }

    #[test]
    fn a_change_is_new_for_exactly_so_long() {
        let brake = Brake::new(at(100), at(200));
        let within = Duration::from_secs(10);
        assert!(brake.is_new(at(109), within) && !brake.is_new(at(110), within));
        assert!(brake.is_new(at(50), within), "the clock was set back");
        assert!(brake.is_new(at(1_000_000), Duration::MAX));
        assert!(!Brake::default().is_new(at(86_400), Duration::from_hours(24)));
    }
}

//! Circuit breaker for a recently changed rule or plugin that refuses too much.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Mode;

/// The value of `Breaker::tripped_at` while the breaker is closed.
const CLOSED: i64 = i64::MIN;

/// The circuit breaker of one version of a rule or plugin. A changed rule or plugin gets a new breaker.
///
/// A breaker is closed or tripped. Threads may read it while another one trips it. A filter reads it once per message,
/// so that one mode applies to the whole message.
#[derive(Debug)]
pub struct Breaker {
    changed: Timestamp,
    since: Timestamp,
    /// Milliseconds since 1970, or [`CLOSED`].
    tripped_at: AtomicI64,
}

impl Breaker {
    /// Returns a closed breaker for a rule or plugin that was changed at `changed` and in force here from `since` on.
    #[must_use]
    pub fn new(changed: Timestamp, since: Timestamp) -> Self {
        Self { changed, since, tripped_at: AtomicI64::new(CLOSED) }
    }

    /// When this version came into force here. An earlier version judged the messages before that.
    #[must_use]
    pub fn in_force_since(&self) -> Timestamp {
        self.since
    }

    /// When it was changed; 1970 when that is unknown.
    #[must_use]
    pub fn changed_at(&self) -> Timestamp {
        self.changed
    }

    /// Whether it was changed less than `within` before `now`. A change in the future, after the clock was set back,
    /// counts as new.
    #[must_use]
    pub fn is_new(&self, now: Timestamp, within: Duration) -> bool {
        now.duration_since(self.changed) < SignedDuration::try_from(within).unwrap_or(SignedDuration::MAX)
    }

    /// The mode in force: `written`, or [`Mode::Observe`] while the breaker is tripped.
    #[must_use]
    pub fn effective_mode(&self, written: Mode) -> Mode {
        if self.tripped_at().is_some() { Mode::Observe } else { written }
    }

    /// When it was tripped, to the millisecond; `None` while it is closed.
    #[must_use]
    pub fn tripped_at(&self) -> Option<Timestamp> {
        let at = self.tripped_at.load(Ordering::Relaxed);
        if at == CLOSED { None } else { Timestamp::from_millisecond(at).ok() }
    }

    /// Closes it. Returns `false` if it was closed already.
    pub fn reset(&self) -> bool {
        self.tripped_at.swap(CLOSED, Ordering::Relaxed) != CLOSED
    }

    /// Trips it. Returns `false` if it was tripped already.
    pub fn trip(&self, now: Timestamp) -> bool {
        let now = now.as_millisecond();
        self.tripped_at.compare_exchange(CLOSED, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// For a rule or plugin that was never changed.
impl Default for Breaker {
    fn default() -> Self {
        Self::new(Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::at;

    #[test]
    fn a_tripped_breaker_turns_enforce_into_observe() {
        let breaker = Breaker::default();
        assert_eq!((breaker.effective_mode(Mode::Enforce), breaker.tripped_at()), (Mode::Enforce, None));
        assert!(breaker.trip(at(7)));
        assert!(!breaker.trip(at(8)), "only the first call trips it");
        assert_eq!((breaker.effective_mode(Mode::Enforce), breaker.tripped_at()), (Mode::Observe, Some(at(7))));
        assert_eq!(breaker.effective_mode(Mode::Observe), Mode::Observe);
        assert!(breaker.reset() && !breaker.reset());
        assert_eq!(breaker.effective_mode(Mode::Enforce), Mode::Enforce);
    }

    #[test]
    fn a_change_is_new_for_exactly_the_given_time() {
        let breaker = Breaker::new(at(100), at(200));
        let within = Duration::from_secs(10);
        assert!(breaker.is_new(at(109), within) && !breaker.is_new(at(110), within));
        assert!(breaker.is_new(at(50), within), "the clock was set back");
        assert!(breaker.is_new(at(1_000_000), Duration::MAX));
        assert!(!Breaker::default().is_new(at(86_400), Duration::from_hours(24)));
    }
}

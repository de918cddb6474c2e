//! Whether a plugin is well: failures within a minute set it aside for a while, longer each time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Failures within [`WINDOW`] that set a plugin aside.
const FAILURES: usize = 5;
const WINDOW: Duration = Duration::from_mins(1);
/// How long a plugin is set aside at first; twice as long each further time.
const FIRST_REST: Duration = Duration::from_secs(5);
const LONGEST_REST: Duration = Duration::from_mins(5);

/// How a plugin is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It is asked.
    Well,
    /// It was set aside, and is asked to see whether it is well again.
    OnTrial,
    /// It is not asked, for that long from now.
    SetAside(Duration),
}

/// The health of one plugin.
#[derive(Debug, Default)]
pub(super) struct Health {
    failures: VecDeque<Instant>,
    /// Set aside until then.
    rests_until: Option<Instant>,
    /// How long it was set aside the last time, and when that ended.
    rest: Duration,
    rested_until: Option<Instant>,
}

impl Health {
    /// Whether it may be called. After a rest it is tried again.
    pub(super) fn may_run(&mut self, now: Instant) -> bool {
        self.rests_until.is_none_or(|until| now >= until)
    }

    /// How it is.
    pub(super) fn condition(&self, now: Instant) -> Condition {
        match self.rests_until {
            None => Condition::Well,
            Some(until) if now >= until => Condition::OnTrial,
            Some(until) => Condition::SetAside(until.saturating_duration_since(now)),
        }
    }

    /// A call came back; says whether the plugin is well again by that. One that had begun before a rest does not end it.
    pub(super) fn succeeded(&mut self, now: Instant) -> bool {
        let ends_rest = self.rests_until.take_if(|until| now >= *until).is_some();
        if ends_rest {
            self.failures.clear();
        }
        ends_rest
    }

    /// A call failed; gives how long the plugin is set aside now, when it is.
    pub(super) fn failed(&mut self, now: Instant) -> Option<Duration> {
        while self.failures.front().is_some_and(|first| now.saturating_duration_since(*first) > WINDOW) {
            self.failures.pop_front();
        }
        self.failures.push_back(now);
        let on_trial = self.rests_until.is_some_and(|until| now >= until);
        if !on_trial && (self.failures.len() < FAILURES || self.rests_until.is_some()) {
            return None;
        }
        self.failures.clear();
        // Who has been well for a while begins anew; who only answers now and then does not.
        if self.rested_until.is_some_and(|until| now.saturating_duration_since(until) > LONGEST_REST) {
            self.rest = Duration::ZERO;
        }
        self.rest = (self.rest * 2).clamp(FIRST_REST, LONGEST_REST);
        self.rests_until = Some(now + self.rest);
        self.rested_until = self.rests_until;
        Some(self.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn five_failures_within_a_minute_set_a_plugin_aside() {
        let now = Instant::now();
        let mut health = Health::default();
        for n in 0..4 {
            assert_eq!(health.failed(now + seconds(n)), None);
        }
        assert!(health.may_run(now + seconds(4)));
        assert_eq!(health.failed(now + seconds(4)), Some(seconds(5)));
        assert!(!health.may_run(now + seconds(8)));
        assert_eq!(health.condition(now + seconds(8)), Condition::SetAside(seconds(1)));
        assert!(health.may_run(now + seconds(9)));
        assert_eq!(health.condition(now + seconds(9)), Condition::OnTrial);
    }

    #[test]
    fn failures_far_apart_do_not() {
        let now = Instant::now();
        let mut health = Health::default();
        for n in 0..20 {
            assert_eq!(health.failed(now + seconds(16 * n)), None);
        }
    }

    #[test]
    fn who_fails_on_trial_rests_twice_as_long_and_never_longer_than_five_minutes() {
        let mut now = Instant::now();
        let mut health = Health::default();
        let mut rests = Vec::new();
        while rests.len() < 8 {
            if let Some(rest) = health.failed(now) {
                rests.push(rest.as_secs());
                now += rest;
            }
        }
        assert_eq!(rests, [5, 10, 20, 40, 80, 160, 300, 300]);
    }

    #[test]
    fn who_has_been_well_for_a_while_starts_anew_and_who_answers_now_and_then_does_not() {
        let mut now = Instant::now();
        let mut health = Health::default();
        for _ in 0..5 {
            health.failed(now);
        }
        assert!(!health.succeeded(now), "a call that was under way does not end the rest");
        now += seconds(5);
        assert!(health.succeeded(now));
        assert_eq!(health.condition(now), Condition::Well);
        let mut five_failures = |now| (0..5).find_map(|_| health.failed(now));
        assert_eq!(five_failures(now + seconds(1)), Some(seconds(10)));
        health.succeeded(now + seconds(11));
        let mut five_failures = |now| (0..5).find_map(|_| health.failed(now));
        assert_eq!(five_failures(now + seconds(312)), Some(seconds(5)));
    }
}

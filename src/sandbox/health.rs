//! The health of a plugin: repeated failures suspend it, with exponential backoff.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Number of failures within [`FAILURE_WINDOW`] that suspends a plugin.
const MAX_FAILURES: usize = 5;
const FAILURE_WINDOW: Duration = Duration::from_mins(1);
/// First suspension of a plugin. Each further one is twice as long.
const MIN_SUSPENSION: Duration = Duration::from_secs(5);
/// Longest suspension. A plugin that has not been suspended for that long starts again with the first.
const MAX_SUSPENSION: Duration = Duration::from_mins(5);

/// The state of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthState {
    /// It is called.
    Healthy,
    /// Its suspension has ended; the next call decides.
    Probing,
    /// It is not called, for this long from now.
    Suspended(Duration),
}

/// The health of one plugin.
#[derive(Debug, Default)]
pub(super) struct PluginHealth {
    failures: VecDeque<Instant>,
    /// The end of the current suspension, until a call succeeds.
    suspended_until: Option<Instant>,
    /// The length of the last suspension.
    suspension: Duration,
    last_suspension_end: Option<Instant>,
}

impl PluginHealth {
    /// Whether the plugin may be called.
    pub(super) fn may_run(&self, now: Instant) -> bool {
        self.suspended_until.is_none_or(|until| now >= until)
    }

    /// The current state.
    pub(super) fn state(&self, now: Instant) -> HealthState {
        match self.suspended_until {
            None => HealthState::Healthy,
            Some(until) if now >= until => HealthState::Probing,
            Some(until) => HealthState::Suspended(until.saturating_duration_since(now)),
        }
    }

    /// Records a successful call. Returns whether that ends a suspension; a call that started before it does not.
    pub(super) fn record_success(&mut self, now: Instant) -> bool {
        let ends_suspension = self.suspended_until.take_if(|until| now >= *until).is_some();
        if ends_suspension {
            self.failures.clear();
        }
        ends_suspension
    }

    /// Records a failed call. Returns the length of the suspension if this starts one.
    pub(super) fn record_failure(&mut self, now: Instant) -> Option<Duration> {
        while self.failures.front().is_some_and(|first| now.saturating_duration_since(*first) > FAILURE_WINDOW) {
            self.failures.pop_front();
        }
        self.failures.push_back(now);
        let is_probing = self.suspended_until.is_some_and(|until| now >= until);
        if !is_probing && (self.failures.len() < MAX_FAILURES || self.suspended_until.is_some()) {
            return None;
        }
        self.failures.clear();
        // Backoff resets only after a sustained healthy period.
        if self.last_suspension_end.is_some_and(|until| now.saturating_duration_since(until) > MAX_SUSPENSION) {
            self.suspension = Duration::ZERO;
        }
        self.suspension = (self.suspension * 2).clamp(MIN_SUSPENSION, MAX_SUSPENSION);
        self.suspended_until = Some(now + self.suspension);
        self.last_suspension_end = self.suspended_until;
        Some(self.suspension)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn five_failures_within_a_minute_suspend_a_plugin() {
        let now = Instant::now();
        let mut health = PluginHealth::default();
        for n in 0..4 {
            assert_eq!(health.record_failure(now + seconds(n)), None);
        }
        assert!(health.may_run(now + seconds(4)));
        assert_eq!(health.record_failure(now + seconds(4)), Some(seconds(5)));
        assert!(!health.may_run(now + seconds(8)));
        assert_eq!(health.state(now + seconds(8)), HealthState::Suspended(seconds(1)));
        assert!(health.may_run(now + seconds(9)));
        assert_eq!(health.state(now + seconds(9)), HealthState::Probing);
    }

    #[test]
    fn failures_far_apart_do_not_suspend_a_plugin() {
        let now = Instant::now();
        let mut health = PluginHealth::default();
        for n in 0..20 {
            assert_eq!(health.record_failure(now + seconds(16 * n)), None);
        }
    }

    #[test]
    fn a_failed_probe_doubles_the_suspension_up_to_five_minutes() {
        let mut now = Instant::now();
        let mut health = PluginHealth::default();
        let mut suspensions = Vec::new();
        while suspensions.len() < 8 {
            if let Some(suspension) = health.record_failure(now) {
                suspensions.push(suspension.as_secs());
                now += suspension;
            }
        }
        assert_eq!(suspensions, [5, 10, 20, 40, 80, 160, 300, 300]);
    }

    #[test]
    fn backoff_resets_only_after_a_sustained_healthy_period() {
        let mut now = Instant::now();
        let mut health = PluginHealth::default();
        for _ in 0..5 {
            health.record_failure(now);
        }
        assert!(!health.record_success(now), "a call that started earlier does not end the suspension");
        now += seconds(5);
        assert!(health.record_success(now));
        assert_eq!(health.state(now), HealthState::Healthy);
        let mut five_failures = |now| (0..5).find_map(|_| health.record_failure(now));
        assert_eq!(five_failures(now + seconds(1)), Some(seconds(10)));
        health.record_success(now + seconds(11));
        let mut five_failures = |now| (0..5).find_map(|_| health.record_failure(now));
        assert_eq!(five_failures(now + seconds(312)), Some(seconds(5)));
    }
}

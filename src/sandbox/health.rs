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
#[derive(Debug)]
pub(super) enum PluginHealth {
    /// It is called.
    Healthy {
        /// Failures within [`FAILURE_WINDOW`].
        failures: VecDeque<Instant>,
        /// The last suspension, if any.
        last: Option<Suspension>,
    },
    /// It is not called before the end of the suspension. After that it is probed: the next result decides.
    Suspended(Suspension),
}

/// A suspension of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Suspension {
    length: Duration,
    until: Instant,
}

impl Suspension {
    /// Starts a suspension. Each is twice as long as the last, until the plugin stays healthy for a sustained period.
    fn start(last: Option<Self>, now: Instant) -> Self {
        let recent = last.filter(|last| now.saturating_duration_since(last.until) <= MAX_SUSPENSION);
        let length = recent.map_or(MIN_SUSPENSION, |last| (last.length * 2).min(MAX_SUSPENSION));
        Self { length, until: now + length }
    }
}

impl Default for PluginHealth {
    fn default() -> Self {
        Self::Healthy { failures: VecDeque::new(), last: None }
    }
}

impl PluginHealth {
    /// Whether the plugin may be called.
    pub(super) fn may_run(&self, now: Instant) -> bool {
        !matches!(self.state(now), HealthState::Suspended(_))
    }

    /// The current state.
    pub(super) fn state(&self, now: Instant) -> HealthState {
        match self {
            Self::Healthy { .. } => HealthState::Healthy,
            Self::Suspended(Suspension { until, .. }) if now >= *until => HealthState::Probing,
            Self::Suspended(Suspension { until, .. }) => HealthState::Suspended(until.saturating_duration_since(now)),
        }
    }

    /// Records a successful call. Returns whether that ends a suspension; a call that started before it does not.
    pub(super) fn record_success(&mut self, now: Instant) -> bool {
        match *self {
            Self::Suspended(last) if now >= last.until => {
                *self = Self::Healthy { failures: VecDeque::new(), last: Some(last) };
                true
            }
            Self::Suspended(_) | Self::Healthy { .. } => false,
        }
    }

    /// Records a failed call. Returns the length of the suspension if this starts one; a call that started before a
    /// suspension does not.
    pub(super) fn record_failure(&mut self, now: Instant) -> Option<Duration> {
        let last = match self {
            Self::Healthy { failures, last } => {
                while failures.front().is_some_and(|first| now.saturating_duration_since(*first) > FAILURE_WINDOW) {
                    failures.pop_front();
                }
                failures.push_back(now);
                if failures.len() < MAX_FAILURES {
                    return None;
                }
                *last
            }
            Self::Suspended(suspension) if now < suspension.until => return None,
            Self::Suspended(suspension) => Some(*suspension),
        };
        let suspension = Suspension::start(last, now);
        *self = Self::Suspended(suspension);
        Some(suspension.length)
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

    #[test]
    fn every_result_leads_to_the_state_in_the_table() {
        // An instant cannot lie before the start of the machine.
        let now = Instant::now() + seconds(600);
        let healthy = |failures: &[u64], last| PluginHealth::Healthy {
            failures: failures.iter().map(|ago| now.checked_sub(seconds(*ago)).unwrap()).collect(),
            last,
        };
        let ended =
            |ago: u64, length| Suspension { length: seconds(length), until: now.checked_sub(seconds(ago)).unwrap() };
        let suspended = || PluginHealth::Suspended(Suspension { length: seconds(40), until: now + seconds(30) });
        let probing = |ago| PluginHealth::Suspended(ended(ago, 40));
        let (fails, succeeds) = (true, false);
        for (case, (mut health, fails, state)) in [
            (healthy(&[], None), succeeds, HealthState::Healthy),
            (healthy(&[], None), fails, HealthState::Healthy),
            (healthy(&[4, 3, 2, 1], None), succeeds, HealthState::Healthy),
            (healthy(&[61, 3, 2, 1], None), fails, HealthState::Healthy),
            (healthy(&[60, 3, 2, 1], None), fails, HealthState::Suspended(seconds(5))),
            (healthy(&[4, 3, 2, 1], Some(ended(300, 20))), fails, HealthState::Suspended(seconds(40))),
            (healthy(&[4, 3, 2, 1], Some(ended(301, 20))), fails, HealthState::Suspended(seconds(5))),
            (suspended(), succeeds, HealthState::Suspended(seconds(30))),
            (suspended(), fails, HealthState::Suspended(seconds(30))),
            (probing(0), succeeds, HealthState::Healthy),
            (probing(0), fails, HealthState::Suspended(seconds(80))),
            (probing(301), fails, HealthState::Suspended(seconds(5))),
        ]
        .into_iter()
        .enumerate()
        {
            if fails {
                health.record_failure(now);
            } else {
                health.record_success(now);
            }
            assert_eq!(health.state(now), state, "case {case}");
        }
    }
}

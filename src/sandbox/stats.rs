//! Statistics and health of a plugin, shared by all its instances, and the events about plugins.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use super::contract::Action;
use super::failure::PluginFailure;
use super::health::{HealthState, PluginHealth};
use super::shared::lock;
use crate::telemetry::Quantiles;

/// Number of consecutive preemptions that counts as a failure.
const MAX_PREEMPTIONS: u32 = 3;
/// Longest text of a failure to keep, in characters.
const MAX_FAILURE_CHARS: usize = 500;

/// An event about a plugin, for moderators.
#[derive(Clone, Debug)]
pub struct PluginEvent {
    /// The plugin's name.
    pub plugin: Arc<str>,
    /// The kind of event.
    pub kind: PluginEventKind,
}

/// A kind of event about a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PluginEventKind {
    /// It was loaded.
    Loaded,
    /// It could not be loaded, for this reason. The previous version, if any, keeps running.
    LoadFailed(String),
    /// It was removed.
    Removed,
    /// It failed too often and was suspended.
    Suspended {
        /// The length of the suspension.
        duration: Duration,
        /// The last failure.
        failure: String,
    },
    /// It answers again after a suspension.
    Recovered,
}

/// The sender of events. A slow receiver misses the oldest.
pub(super) type Events = broadcast::Sender<PluginEvent>;

/// A snapshot of a plugin's statistics.
#[derive(Clone, Debug, Default)]
pub struct PluginStatsSnapshot {
    /// Answers by action: pass, replace, hold, shadow, reject.
    pub answers: [u64; 5],
    /// Failed calls and failed creations of instances.
    pub failures: u64,
    /// Calls skipped or cut off because the plugin was suspended, all its instances were busy, or memory or CPU time
    /// was short.
    pub skipped: u64,
    /// The median latency of answers.
    pub median: Option<Duration>,
    /// The 99th percentile of the latency of answers.
    pub p99: Option<Duration>,
    /// The time and text of the last failure.
    pub last_failure: Option<(jiff::Timestamp, String)>,
}

/// The statistics of one plugin.
#[derive(Debug)]
pub(super) struct PluginStats {
    plugin: Arc<str>,
    events: Events,
    health: Mutex<PluginHealth>,
    answers: [AtomicU64; 5],
    failures: AtomicU64,
    skipped: AtomicU64,
    /// Consecutive preemptions.
    preemptions: AtomicU32,
    latencies: Quantiles,
    last_failure: Mutex<Option<(jiff::Timestamp, String)>>,
}

impl PluginStats {
    /// Creates the statistics of a new plugin.
    pub(super) fn new(plugin: &str, events: Events) -> Self {
        Self {
            plugin: Arc::from(plugin),
            events,
            health: Mutex::default(),
            answers: Default::default(),
            failures: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            preemptions: AtomicU32::new(0),
            latencies: Quantiles::default(),
            last_failure: Mutex::default(),
        }
    }

    /// Whether the plugin may be called now.
    pub(super) fn may_run(&self) -> bool {
        lock(&self.health).may_run(Instant::now())
    }

    /// The plugin's health.
    pub(super) fn health(&self) -> HealthState {
        lock(&self.health).state(Instant::now())
    }

    /// Records an answer.
    pub(super) fn record_answer(&self, action: &Action, latency: Duration) {
        if let Some(count) = self.answers.get(action.outcome().index()) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.latencies.record(latency);
        self.preemptions.store(0, Ordering::Relaxed);
        if lock(&self.health).record_success(Instant::now()) {
            tracing::info!(plugin = %self.plugin, "plugin healthy again");
            self.emit(PluginEventKind::Recovered);
        }
    }

    /// Records a call that was skipped, or cut off for lack of CPU time. Repeated preemption without an answer in
    /// between counts as a failure.
    pub(super) fn record_skipped(&self, reason: &PluginFailure) {
        self.skipped.fetch_add(1, Ordering::Relaxed);
        if *reason == PluginFailure::Preempted
            && self.preemptions.fetch_add(1, Ordering::Relaxed) + 1 >= MAX_PREEMPTIONS
        {
            self.preemptions.store(0, Ordering::Relaxed);
            self.record_failure(reason);
        }
    }

    /// Records a failure.
    pub(super) fn record_failure(&self, failure: &PluginFailure) {
        let plugin = &self.plugin;
        self.failures.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(%plugin, %failure, "plugin failed");
        let text: String = failure.to_string().chars().take(MAX_FAILURE_CHARS).collect();
        *lock(&self.last_failure) = Some((jiff::Timestamp::now(), text.clone()));
        let suspension = lock(&self.health).record_failure(Instant::now());
        if let Some(duration) = suspension {
            tracing::error!(%plugin, seconds = duration.as_secs(), "plugin suspended: it failed too often");
            self.emit(PluginEventKind::Suspended { duration, failure: text });
        }
    }

    fn emit(&self, kind: PluginEventKind) {
        // There may be no receiver.
        let _ignored = self.events.send(PluginEvent { plugin: Arc::clone(&self.plugin), kind });
    }

    /// Returns a snapshot of the statistics.
    pub(super) fn snapshot(&self) -> PluginStatsSnapshot {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        PluginStatsSnapshot {
            answers: std::array::from_fn(|at| self.answers.get(at).map_or(0, read)),
            failures: read(&self.failures),
            skipped: read(&self.skipped),
            median: self.latencies.quantile(0.5),
            p99: self.latencies.quantile(0.99),
            last_failure: lock(&self.last_failure).clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::budget::BudgetExhausted;
    use super::*;

    fn new_stats() -> PluginStats {
        PluginStats::new("mine", Events::new(4))
    }

    #[test]
    fn busy_instances_and_exhausted_memory_are_not_failures() {
        let stats = new_stats();
        for _ in 0..100 {
            stats.record_skipped(&PluginFailure::Busy);
            stats.record_skipped(&PluginFailure::MemoryExhausted(BudgetExhausted { mib: 1 }));
        }
        assert_eq!((stats.snapshot().skipped, stats.snapshot().failures), (200, 0));
        assert_eq!(stats.health(), HealthState::Healthy);
    }

    #[test]
    fn consecutive_preemptions_count_as_a_failure() {
        let stats = new_stats();
        stats.record_skipped(&PluginFailure::Preempted);
        stats.record_skipped(&PluginFailure::Preempted);
        stats.record_answer(&Action::Pass, Duration::ZERO);
        stats.record_skipped(&PluginFailure::Preempted);
        stats.record_skipped(&PluginFailure::Preempted);
        assert_eq!(stats.snapshot().failures, 0);
        stats.record_skipped(&PluginFailure::Preempted);
        assert_eq!(stats.snapshot().failures, 1);
    }

    #[test]
    fn a_suspension_sends_an_event() {
        let events = Events::new(4);
        let mut receiver = events.subscribe();
        let stats = PluginStats::new("mine", events);
        for _ in 0..5 {
            stats.record_failure(&PluginFailure::Failed("it crashed".to_owned()));
        }
        let Ok(PluginEvent { plugin, kind: PluginEventKind::Suspended { failure, .. } }) = receiver.try_recv() else {
            panic!("no event")
        };
        assert_eq!((&*plugin, failure.as_str()), ("mine", "it crashed"));
        assert!(receiver.try_recv().is_err());
    }
}

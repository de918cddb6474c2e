//! How a plugin stands: what it was asked, how it answered, whether it is well. All its instances add to it.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use super::contract::Action;
use super::failure::Failure;
use super::health::{Condition, Health};
use super::shared::lock;
use crate::telemetry::Quantiles;

/// To be cut short so often, without an answer in between, counts as a failure.
const IN_A_ROW: u32 = 3;
/// Longest text of a failure that is kept, in characters.
const MAX_FAILURE: usize = 500;

/// Something that moderators should know of a plugin.
#[derive(Clone, Debug)]
pub struct Event {
    /// The plugin's name.
    pub plugin: Arc<str>,
    /// What has happened.
    pub what: What,
}

/// What has happened to a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It is in force.
    Loaded,
    /// It cannot be loaded, for this reason. One that ran before goes on.
    NotLoaded(String),
    /// It is no longer there.
    Gone,
    /// It failed too often and is not asked for that long.
    SetAside {
        /// For how long.
        rest: Duration,
        /// What it failed with last.
        failure: String,
    },
    /// It answers again after having been set aside.
    WellAgain,
}

/// Where events go. Who is too slow to read them misses the oldest.
pub(super) type Events = broadcast::Sender<Event>;

/// How often a plugin answered in which way, and how it is.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Answers by what they asked for: pass, replace, hold, shadow, reject.
    pub answers: [u64; 5],
    /// How often it failed: over a question, or when one more instance was to take its settings.
    pub failures: u64,
    /// Questions without an answer, because it was set aside, all its instances were busy, or memory was short.
    pub unasked: u64,
    /// Half of all answers took no longer than that.
    pub median: Option<Duration>,
    /// Of a hundred answers, 99 took no longer than that.
    pub p99: Option<Duration>,
    /// What it failed with last, and when.
    pub last_failure: Option<(jiff::Timestamp, String)>,
}

/// The standing of one plugin.
#[derive(Debug)]
pub(super) struct Standing {
    plugin: Arc<str>,
    events: Events,
    health: Mutex<Health>,
    answers: [AtomicU64; 5],
    failures: AtomicU64,
    unasked: AtomicU64,
    /// How often it was cut short since its last answer.
    cut_short: AtomicU32,
    times: Quantiles,
    last_failure: Mutex<Option<(jiff::Timestamp, String)>>,
}

impl Standing {
    /// Of a plugin that has not been asked yet.
    pub(super) fn new(plugin: &str, events: Events) -> Self {
        Self {
            plugin: Arc::from(plugin),
            events,
            health: Mutex::default(),
            answers: Default::default(),
            failures: AtomicU64::new(0),
            unasked: AtomicU64::new(0),
            cut_short: AtomicU32::new(0),
            times: Quantiles::default(),
            last_failure: Mutex::default(),
        }
    }

    /// Whether the plugin may be asked now.
    pub(super) fn may_run(&self) -> bool {
        lock(&self.health).may_run(Instant::now())
    }

    /// How it is.
    pub(super) fn condition(&self) -> Condition {
        lock(&self.health).condition(Instant::now())
    }

    /// It has answered.
    pub(super) fn answered(&self, action: &Action, took: Duration) {
        if let Some(count) = self.answers.get(place(action)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.times.record(took);
        self.cut_short.store(0, Ordering::Relaxed);
        if lock(&self.health).succeeded(Instant::now()) {
            tracing::info!(plugin = %self.plugin, "a plugin is well again");
            self.tell(What::WellAgain);
        }
    }

    /// It has not been asked, or could not be, or had too little of the processors to answer in time. When that happens
    /// again and again and it never answers, it is more than that.
    pub(super) fn passed_over(&self, why: &Failure) {
        self.unasked.fetch_add(1, Ordering::Relaxed);
        if *why == Failure::CutShort && self.cut_short.fetch_add(1, Ordering::Relaxed) + 1 >= IN_A_ROW {
            self.cut_short.store(0, Ordering::Relaxed);
            self.failed(why);
        }
    }

    /// It has failed.
    pub(super) fn failed(&self, failure: &Failure) {
        let plugin = &self.plugin;
        self.failures.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(%plugin, %failure, "a plugin has failed");
        let text: String = failure.to_string().chars().take(MAX_FAILURE).collect();
        *lock(&self.last_failure) = Some((jiff::Timestamp::now(), text.clone()));
        let rest = lock(&self.health).failed(Instant::now());
        if let Some(rest) = rest {
            tracing::error!(%plugin, seconds = rest.as_secs(), "a plugin is set aside: it failed too often");
            self.tell(What::SetAside { rest, failure: text });
        }
    }

    fn tell(&self, what: What) {
        // There may be nobody who wants to know.
        let _nobody = self.events.send(Event { plugin: Arc::clone(&self.plugin), what });
    }

    /// All of it in figures.
    pub(super) fn stats(&self) -> Stats {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Stats {
            answers: std::array::from_fn(|at| self.answers.get(at).map_or(0, read)),
            failures: read(&self.failures),
            unasked: read(&self.unasked),
            median: self.times.quantile(0.5),
            p99: self.times.quantile(0.99),
            last_failure: lock(&self.last_failure).clone(),
        }
    }
}

/// The place of an answer among the counts.
fn place(action: &Action) -> usize {
    match action {
        Action::Pass => 0,
        Action::Replace(_) => 1,
        Action::Hold => 2,
        Action::Shadow => 3,
        Action::Reject => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing() -> Standing {
        Standing::new("mine", Events::new(4))
    }

    #[test]
    fn who_is_busy_or_short_of_memory_has_not_failed() {
        let standing = standing();
        for _ in 0..100 {
            standing.passed_over(&Failure::Busy);
            standing.passed_over(&Failure::Starved);
        }
        assert_eq!((standing.stats().unasked, standing.stats().failures), (200, 0));
        assert_eq!(standing.condition(), Condition::Well);
    }

    #[test]
    fn to_be_cut_short_again_and_again_without_an_answer_is_a_failure() {
        let standing = standing();
        standing.passed_over(&Failure::CutShort);
        standing.passed_over(&Failure::CutShort);
        standing.answered(&Action::Pass, Duration::ZERO);
        standing.passed_over(&Failure::CutShort);
        standing.passed_over(&Failure::CutShort);
        assert_eq!(standing.stats().failures, 0);
        standing.passed_over(&Failure::CutShort);
        assert_eq!(standing.stats().failures, 1);
    }

    #[test]
    fn moderators_hear_of_a_rest_and_of_its_end() {
        let events = Events::new(4);
        let mut heard = events.subscribe();
        let standing = Standing::new("mine", events);
        for _ in 0..5 {
            standing.failed(&Failure::Trap("it fell".to_owned()));
        }
        let Ok(Event { plugin, what: What::SetAside { failure, .. } }) = heard.try_recv() else { panic!("no event") };
        assert_eq!((&*plugin, failure.as_str()), ("mine", "it fell"));
        assert!(heard.try_recv().is_err());
    }
}

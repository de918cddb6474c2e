//! A filter that repeats recorded answers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::past_decision::DecisionSummary;
use crate::filter::{Filter, FilterAnswer, Finding, Purpose};
use crate::model::{Basis, Match, Message, Mode, Outcome, Reason, ReasonCode, Replacement, Sender, TraceStep, Verdict};

/// The recorded decision on the message that is being judged, shared with the [`RecordedFilter`]s.
#[derive(Debug, Default)]
pub struct Playback {
    expected: Mutex<Option<Arc<DecisionSummary>>>,
    answers: AtomicU64,
    not_asked: AtomicU64,
}

impl Playback {
    /// Sets the recorded decision on the next message.
    pub(super) fn set(&self, expected: &Arc<DecisionSummary>) {
        *self.expected.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(expected));
    }

    /// Returns how many recorded plugin answers were repeated, and how often plugins would be called that were not then.
    pub(super) fn count(&self) -> (u64, u64) {
        (self.answers.load(Ordering::Relaxed), self.not_asked.load(Ordering::Relaxed))
    }
}

/// A filter that repeats the recorded answer of the filter of its name. If that one was not called then, because an
/// earlier filter had decided, it passes the message.
#[derive(Debug)]
pub struct RecordedFilter {
    name: &'static str,
    playback: Arc<Playback>,
    counts_answers: bool,
}

impl RecordedFilter {
    /// Creates a replacement for the filter called `name`.
    #[must_use]
    pub fn new(name: &'static str, playback: &Arc<Playback>) -> Self {
        Self { name, playback: Arc::clone(playback), counts_answers: true }
    }

    /// Leaves the answers of this filter out of [`Playback`]'s counts.
    #[must_use]
    pub fn without_counting(self) -> Self {
        Self { counts_answers: false, ..self }
    }
}

impl Filter for RecordedFilter {
    fn name(&self) -> &'static str {
        self.name
    }

    fn examine(&self, message: &Message, _: &Sender, _: Purpose) -> FilterAnswer {
        let expected = self.playback.expected.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(expected) = expected else { return FilterAnswer::Ready(Finding::PASS) };
        let steps: Vec<&TraceStep> = expected.trace.iter().filter(|step| step.filter == self.name).collect();
        if self.counts_answers && self.name == "plugin" {
            let is_plugin = |matched: &Match| matches!(matched.basis, Basis::Plugin { .. });
            let named = steps.iter().any(|step| step.matched.as_ref().is_some_and(is_plugin));
            let ended = matches!(expected.outcome, Outcome::Hold | Outcome::Shadow | Outcome::Reject);
            self.playback.answers.fetch_add(u64::from(named), Ordering::Relaxed);
            self.playback.not_asked.fetch_add(u64::from(steps.is_empty() && ended), Ordering::Relaxed);
        }
        if steps.is_empty() {
            return FilterAnswer::Ready(Finding::PASS);
        }
        // Other filters than plugins and sanctions are not repeated.
        let matches = steps.iter().filter_map(|step| step.matched.clone());
        let matches = matches.filter(|matched| !matches!(matched.basis, Basis::Rule { .. })).collect();
        FilterAnswer::Ready(Finding { verdict: self.verdict(&expected, &steps, message), matches })
    }
}

impl RecordedFilter {
    fn verdict(&self, expected: &DecisionSummary, steps: &[&TraceStep], message: &Message) -> Verdict {
        let reason = || Reason::new(ReasonCode::Plugin, expected.reason.clone().unwrap_or_default());
        let acts = |step: &&TraceStep| {
            let is_observed = step.matched.as_ref().is_some_and(|matched| matched.mode == Mode::Observe);
            step.verdict == Outcome::Replace && !is_observed
        };
        if expected.by.as_deref() == Some(self.name) {
            let is_failed_hold = expected.code == Some(ReasonCode::HoldUnavailable);
            match expected.outcome {
                Outcome::Reject if is_failed_hold => return Verdict::Hold(reason()),
                Outcome::Reject => return Verdict::Reject(reason()),
                Outcome::Hold => return Verdict::Hold(reason()),
                Outcome::Shadow => return Verdict::Shadow(reason()),
                Outcome::Pass | Outcome::Replace => {}
            }
        }
        // The last replacement is the text that was sent.
        let replaced = steps.iter().any(acts);
        match &expected.sent {
            Some(sent) if replaced && message.text() != Some(sent) => Verdict::Replace(Replacement::Text(sent.clone())),
            _ => Verdict::Pass,
        }
    }
}

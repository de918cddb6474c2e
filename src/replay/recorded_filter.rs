//! A filter that repeats recorded answers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::past_decision::DecisionSummary;
use crate::filter::{Filter, FilterAnswer, Finding, Purpose};
use crate::model::{Basis, Match, Message, Mode, Outcome, Penalty, Reason, ReasonCode, Sender, Span, Verdict};

/// The reason code of a message that should have been held and could not be.
const HOLD_UNAVAILABLE: &str = "hold_unavailable";

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
        let steps = expected.trace.iter().filter(|step| text(step, "filter") == Some(self.name));
        let steps: Vec<&Value> = steps.collect();
        if self.counts_answers && self.name == "plugin" {
            let named = steps.iter().any(|step| text(step, "plugin").is_some());
            let ended = matches!(expected.outcome, Outcome::Hold | Outcome::Shadow | Outcome::Reject);
            self.playback.answers.fetch_add(u64::from(named), Ordering::Relaxed);
            self.playback.not_asked.fetch_add(u64::from(steps.is_empty() && ended), Ordering::Relaxed);
        }
        if steps.is_empty() {
            return FilterAnswer::Ready(Finding::PASS);
        }
        let matches = steps.iter().filter_map(|step| parse_match(step)).collect();
        FilterAnswer::Ready(Finding { verdict: self.verdict(&expected, &steps, message), matches })
    }
}

impl RecordedFilter {
    fn verdict(&self, expected: &DecisionSummary, steps: &[&Value], message: &Message) -> Verdict {
        let reason = || Reason::new(ReasonCode::Plugin, expected.reason.clone().unwrap_or_default());
        let acts = |step: &&&Value, asked: Outcome| {
            text(step, "verdict") == Some(asked.as_str()) && text(step, "mode") != Some("observe")
        };
        if expected.by.as_deref() == Some(self.name) {
            let is_failed_hold = expected.code.as_deref() == Some(HOLD_UNAVAILABLE);
            match expected.outcome {
                Outcome::Reject if is_failed_hold => return Verdict::Hold(reason()),
                Outcome::Reject => return Verdict::Reject(reason()),
                Outcome::Hold => return Verdict::Hold(reason()),
                Outcome::Shadow => return Verdict::Shadow(reason()),
                Outcome::Pass | Outcome::Replace => {}
            }
        }
        // The last replacement is the text that was sent.
        let replaced = steps.iter().any(|step| acts(&step, Outcome::Replace));
        match &expected.sent {
            Some(sent) if replaced && message.text() != Some(sent) => Verdict::Replace(sent.clone()),
            _ => Verdict::Pass,
        }
    }
}

fn text<'v>(step: &'v Value, key: &str) -> Option<&'v str> {
    step.get(key).and_then(Value::as_str)
}

/// Returns the match of a step of a plugin or a sanction; `None` for other filters.
fn parse_match(step: &Value) -> Option<Match> {
    let basis = match (text(step, "plugin"), step.get("sanction_id").and_then(Value::as_u64)) {
        (Some(name), _) => Basis::Plugin {
            name: name.into(),
            took: Duration::ZERO,
            failure: text(step, "failure").map(Into::into),
            sanction: parse_penalty(step),
        },
        (None, Some(id)) => Basis::Sanction { id },
        (None, None) => return None,
    };
    let labels = step.get("labels").and_then(Value::as_array);
    Some(Match {
        requested: parse_outcome(text(step, "verdict")?)?,
        mode: if text(step, "mode") == Some("observe") { Mode::Observe } else { Mode::Enforce },
        exempt: step.get("exempt").is_some(),
        basis,
        field: None,
        span: parse_span(step),
        labels: labels.into_iter().flatten().filter_map(Value::as_str).map(Into::into).collect(),
    })
}

fn parse_outcome(name: &str) -> Option<Outcome> {
    let all = [Outcome::Pass, Outcome::Replace, Outcome::Hold, Outcome::Shadow, Outcome::Reject];
    all.into_iter().find(|outcome| outcome.as_str() == name)
}

fn parse_penalty(step: &Value) -> Option<Penalty> {
    let sanction = step.get("sanction")?;
    let seconds = sanction.get("seconds").and_then(Value::as_u64).filter(|seconds| *seconds > 0);
    Penalty::from_name(text(sanction, "kind")?, seconds.map(Duration::from_secs))
}

fn parse_span(step: &Value) -> Option<Span> {
    let span = step.get("span")?.as_array()?;
    let place = |at: usize| span.get(at).and_then(Value::as_u64).and_then(|place| usize::try_from(place).ok());
    Some(Span(place(0)?, place(1)?))
}

//! What a filter answered then, in place of the filter.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::past::Was;
use crate::filter::{Answer, Filter, Finding, Purpose};
use crate::model::{Basis, Code, Match, Message, Mode, Outcome, Penalty, Reason, Sender, Span, Verdict};

/// The code of what should have been held, and could not be.
const HOLD_UNAVAILABLE: &str = "hold_unavailable";

/// What became of the message that is judged now.
#[derive(Debug, Default)]
pub struct Prompt {
    was: Mutex<Option<Arc<Was>>>,
    answered: AtomicU64,
    not_asked: AtomicU64,
}

impl Prompt {
    /// From now on it is this message that is judged.
    pub(super) fn set(&self, was: &Arc<Was>) {
        *self.was.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(was));
    }

    /// How many answers of plugins were given again, and how many would have been asked for that were not then.
    pub(super) fn count(&self) -> (u64, u64) {
        (self.answered.load(Ordering::Relaxed), self.not_asked.load(Ordering::Relaxed))
    }
}

/// A filter that says what one of this name said of the same message then. Where that was not asked, because one before
/// it had decided, it has no objection.
#[derive(Debug)]
pub struct Echo {
    name: &'static str,
    prompt: Arc<Prompt>,
    counts: bool,
}

impl Echo {
    /// In place of the filter of this name.
    #[must_use]
    pub fn of(name: &'static str, prompt: &Arc<Prompt>) -> Self {
        Self { name, prompt: Arc::clone(prompt), counts: true }
    }

    /// One that is not counted.
    #[must_use]
    pub fn uncounted(self) -> Self {
        Self { counts: false, ..self }
    }
}

impl Filter for Echo {
    fn name(&self) -> &'static str {
        self.name
    }

    fn examine(&self, message: &Message, _: &Sender, _: Purpose) -> Answer {
        let was = self.prompt.was.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(was) = was else { return Answer::Now(Finding::PASS) };
        let steps = was.trace.iter().filter(|step| text(step, "filter") == Some(self.name));
        let steps: Vec<&Value> = steps.collect();
        if self.counts && self.name == "plugin" {
            let named = steps.iter().any(|step| text(step, "plugin").is_some());
            let ended = matches!(was.outcome, Outcome::Hold | Outcome::Shadow | Outcome::Reject);
            self.prompt.answered.fetch_add(u64::from(named), Ordering::Relaxed);
            self.prompt.not_asked.fetch_add(u64::from(steps.is_empty() && ended), Ordering::Relaxed);
        }
        if steps.is_empty() {
            return Answer::Now(Finding::PASS);
        }
        let matches = steps.iter().filter_map(|step| matched(step)).collect();
        Answer::Now(Finding { verdict: self.verdict(&was, &steps, message), matches })
    }
}

impl Echo {
    fn verdict(&self, was: &Was, steps: &[&Value], message: &Message) -> Verdict {
        let reason = || Reason::new(Code::Plugin, was.reason.clone().unwrap_or_default());
        let acts = |step: &&&Value, asked: Outcome| {
            text(step, "verdict") == Some(asked.as_str()) && text(step, "mode") != Some("observe")
        };
        if was.by.as_deref() == Some(self.name) {
            let could_not_be_held = was.code.as_deref() == Some(HOLD_UNAVAILABLE);
            match was.outcome {
                Outcome::Reject if could_not_be_held => return Verdict::Hold(reason()),
                Outcome::Reject => return Verdict::Reject(reason()),
                Outcome::Hold => return Verdict::Hold(reason()),
                Outcome::Shadow => return Verdict::Shadow(reason()),
                Outcome::Pass | Outcome::Replace => {}
            }
        }
        // The last text that was put in place of another is the one that was heard.
        let replaced = steps.iter().any(|step| acts(&step, Outcome::Replace));
        match &was.sent {
            Some(sent) if replaced && message.text() != Some(sent) => Verdict::Replace(sent.clone()),
            _ => Verdict::Pass,
        }
    }
}

fn text<'v>(step: &'v Value, key: &str) -> Option<&'v str> {
    step.get(key).and_then(Value::as_str)
}

/// The match of a step of a plugin or a sanction; none for a filter that names none.
fn matched(step: &Value) -> Option<Match> {
    let basis = match (text(step, "plugin"), step.get("sanction_id").and_then(Value::as_u64)) {
        (Some(name), _) => Basis::Plugin {
            name: name.into(),
            took: Duration::ZERO,
            failure: text(step, "failure").map(Into::into),
            sanction: penalty(step),
        },
        (None, Some(id)) => Basis::Sanction { id },
        (None, None) => return None,
    };
    let labels = step.get("labels").and_then(Value::as_array);
    Some(Match {
        asked: outcome(text(step, "verdict")?)?,
        mode: if text(step, "mode") == Some("observe") { Mode::Observe } else { Mode::Enforce },
        exempt: step.get("exempt").is_some(),
        basis,
        field: None,
        span: span(step),
        labels: labels.into_iter().flatten().filter_map(Value::as_str).map(Into::into).collect(),
    })
}

fn outcome(name: &str) -> Option<Outcome> {
    let all = [Outcome::Pass, Outcome::Replace, Outcome::Hold, Outcome::Shadow, Outcome::Reject];
    all.into_iter().find(|outcome| outcome.as_str() == name)
}

fn penalty(step: &Value) -> Option<Penalty> {
    let sanction = step.get("sanction")?;
    let seconds = sanction.get("seconds").and_then(Value::as_u64).filter(|seconds| *seconds > 0);
    Penalty::of_name(text(sanction, "kind")?, seconds.map(Duration::from_secs))
}

fn span(step: &Value) -> Option<Span> {
    let span = step.get("span")?.as_array()?;
    let place = |at: usize| span.get(at).and_then(Value::as_u64).and_then(|place| usize::try_from(place).ok());
    Some(Span(place(0)?, place(1)?))
}

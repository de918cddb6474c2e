//! Compares two decisions on the same message.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::past_decision::DecisionSummary;
use crate::model::{Basis, Decision, MessageKind, Outcome, Reason, ReasonCode, TraceStep, deciding_match};

/// The result of a decision, before or after the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportedOutcome {
    /// The outcome.
    pub outcome: Outcome,
    /// The filter, rule or plugin that decided; `None` if all passed the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<DecisionSource>,
    /// The replacement text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// The filter, rule or plugin that decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DecisionSource {
    /// The filter.
    pub filter: String,
    /// The rule of the filter, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The plugin of the filter, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
}

impl fmt::Display for DecisionSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { rule: Some(rule), .. } => write!(f, "rule {rule}"),
            Self { plugin: Some(plugin), .. } => write!(f, "plugin {plugin}"),
            Self { filter, .. } => f.write_str(filter),
        }
    }
}

/// Summarises a replayed decision for comparison with the recorded one.
pub(super) fn summarize(decision: &Decision) -> DecisionSummary {
    let Decision { message, original, outcome, reason, decided_by: by, trace } = decision;
    // A nickname cannot be held.
    let outcome = match (outcome, &message.kind) {
        (Outcome::Hold, MessageKind::Newcomer) => Outcome::Reject,
        (outcome, _) => *outcome,
    };
    DecisionSummary {
        outcome,
        by: by.map(Into::into),
        code: reason.as_ref().map(|reason| reason.code),
        reason: reason.as_ref().map(|Reason { text, .. }| text.to_string()),
        sent: original.as_ref().and_then(|_| message.text().map(str::to_owned)),
        trace: trace.clone(),
        is_complete: true,
    }
}

/// How two decisions differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// The message has another audience or another text.
    pub(super) flips: bool,
    /// The outcome is the same, but another filter, rule or plugin decided.
    pub(super) source_differs: bool,
    /// The outcome is the same, but traces or reasons differ, and no failure of a plugin explains that.
    pub(super) trace_differs: bool,
}

/// Compares the recorded decision with the replayed one.
pub(super) fn compare(expected: &DecisionSummary, actual: &DecisionSummary) -> Difference {
    let text_differs = expected.is_complete && expected.sent != actual.sent;
    let flips = expected.outcome != actual.outcome && !is_failed_hold(expected, actual) || text_differs;
    let source_differs = !flips && decision_source(expected) != decision_source(actual);
    let failed = |summary: &DecisionSummary| summary.trace.iter().any(has_failed);
    let reason_differs = expected.outcome == actual.outcome && expected.reason != actual.reason;
    let trace_differs = !flips
        && expected.is_complete
        && !failed(expected)
        && !failed(actual)
        && (reason_differs || !same_traces(&expected.trace, &actual.trace));
    Difference { flips, source_differs, trace_differs }
}

/// Returns whether the filter decided the same, but the message could not be held then: too many messages were held, or
/// it was a nickname.
fn is_failed_hold(expected: &DecisionSummary, actual: &DecisionSummary) -> bool {
    expected.code == Some(ReasonCode::HoldUnavailable)
        && expected.outcome == Outcome::Reject
        && actual.outcome == Outcome::Hold
}

/// Returns whether a plugin failed to answer.
fn has_failed(step: &TraceStep) -> bool {
    let basis = step.matched.as_ref().map(|matched| &matched.basis);
    matches!(basis, Some(Basis::Plugin { failure: Some(_), .. }))
}

/// Returns whether two traces are equal apart from durations and the ids of sanctions, which differ in a replay.
fn same_traces(one: &[TraceStep], other: &[TraceStep]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| reproducible(one) == reproducible(other))
}

/// Returns a step without its durations and the id of a sanction.
fn reproducible(step: &TraceStep) -> TraceStep {
    let mut step = TraceStep { took: Duration::ZERO, ..step.clone() };
    match step.matched.as_mut().map(|matched| &mut matched.basis) {
        Some(Basis::Plugin { took, .. }) => *took = Duration::ZERO,
        Some(Basis::Sanction { id }) => *id = 0,
        Some(Basis::Rule { .. }) | None => {}
    }
    step
}

/// Returns a decision as the report shows it.
pub(super) fn reported_outcome(summary: &DecisionSummary) -> ReportedOutcome {
    ReportedOutcome { outcome: summary.outcome, by: decision_source(summary), text: summary.sent.clone() }
}

/// Returns the filter, rule or plugin that decided; `None` if all passed the message.
fn decision_source(summary: &DecisionSummary) -> Option<DecisionSource> {
    let filter = summary.by.as_deref()?;
    let decider = deciding_match(&summary.trace, filter, summary.code);
    let (rule, plugin) = match decider.map(|matched| &matched.basis) {
        Some(Basis::Rule { id, .. }) => (Some(id.to_string()), None),
        Some(Basis::Plugin { name, .. }) => (None, Some(name.to_string())),
        Some(Basis::Sanction { .. }) | None => (None, None),
    };
    Some(DecisionSource { filter: filter.to_owned(), rule, plugin })
}

//! Compares two decisions on the same message.

use serde_json::{Map, Value};

use super::past_decision::DecisionSummary;
use super::report::{DecisionSource, ReportedOutcome};
use crate::model::{Decision, Kind, Outcome, Reason};

/// The reason code of a message that should have been held and could not be.
const HOLD_UNAVAILABLE: &str = "hold_unavailable";

/// Summarises a replayed decision for comparison with the recorded one.
pub(super) fn summarize(decision: &Decision) -> DecisionSummary {
    let Decision { message, original, outcome, reason, decided_by: by, trace } = decision;
    // A nickname cannot be held.
    let outcome = match (outcome, &message.kind) {
        (Outcome::Hold, Kind::Newcomer) => Outcome::Reject,
        (outcome, _) => *outcome,
    };
    DecisionSummary {
        outcome,
        by: by.map(str::to_owned),
        code: reason.as_ref().map(|reason| reason.code.as_str().to_owned()),
        reason: reason.as_ref().map(|Reason { text, .. }| text.to_string()),
        sent: original.as_ref().and_then(|_| message.text().map(str::to_owned)),
        trace: trace.iter().map(|step| serde_json::to_value(step).unwrap_or_default()).collect(),
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
    let failed = |summary: &DecisionSummary| summary.trace.iter().any(|step| step.get("failure").is_some());
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
    expected.code.as_deref() == Some(HOLD_UNAVAILABLE)
        && expected.outcome == Outcome::Reject
        && actual.outcome == Outcome::Hold
}

/// Returns whether two traces are equal apart from durations and the ids of sanctions, which differ in a replay.
fn same_traces(one: &[Value], other: &[Value]) -> bool {
    let is_compared = |key: &str| !matches!(key, "micros" | "sanction_id");
    let holds = |one: &Map<String, Value>, other: &Map<String, Value>| {
        one.iter().filter(|(key, _)| is_compared(key)).all(|(key, value)| other.get(key) == Some(value))
    };
    one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| match (one, other) {
            (Value::Object(one), Value::Object(other)) => holds(one, other) && holds(other, one),
            _ => one == other,
        })
}

/// Returns a decision as the report shows it.
pub(super) fn reported_outcome(summary: &DecisionSummary) -> ReportedOutcome {
    ReportedOutcome { outcome: summary.outcome, by: decision_source(summary), text: summary.sent.clone() }
}

/// Returns the filter, rule or plugin that decided; `None` if all passed the message.
fn decision_source(summary: &DecisionSummary) -> Option<DecisionSource> {
    let step = deciding_step(summary);
    let name = |key| step.and_then(|step| step.get(key)).and_then(Value::as_str).map(str::to_owned);
    summary.by.clone().map(|filter| DecisionSource { filter, rule: name("rule"), plugin: name("plugin") })
}

/// Returns the first step of the deciding filter that asked for the outcome.
fn deciding_step(summary: &DecisionSummary) -> Option<&Value> {
    let by = summary.by.as_deref()?;
    let held = summary.code.as_deref() == Some(HOLD_UNAVAILABLE);
    let asked = if held { Outcome::Hold } else { summary.outcome }.as_str();
    let text = |step: &Value, key: &str, wanted: &str| step.get(key).and_then(Value::as_str) == Some(wanted);
    summary.trace.iter().find(|step| {
        text(step, "filter", by)
            && text(step, "verdict", asked)
            && text(step, "mode", "enforce")
            && step.get("exempt").is_none()
    })
}

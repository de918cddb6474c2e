//! Two decisions on the same message, side by side.

use serde_json::{Map, Value};

use super::past::Was;
use super::report::{Grounds, Side};
use crate::model::{Decision, Kind, Outcome, Reason};

/// The code of what should have been held, and could not be.
const HOLD_UNAVAILABLE: &str = "hold_unavailable";

/// What a replay has come to, in the form of what was.
pub(super) fn now(decision: &Decision) -> Was {
    let Decision { message, original, outcome, reason, by, trace } = decision;
    // A nickname cannot be held.
    let outcome = match (outcome, &message.kind) {
        (Outcome::Hold, Kind::Newcomer) => Outcome::Reject,
        (outcome, _) => *outcome,
    };
    Was {
        outcome,
        by: by.map(str::to_owned),
        code: reason.as_ref().map(|reason| reason.code.as_str().to_owned()),
        reason: reason.as_ref().map(|Reason { text, .. }| text.to_string()),
        sent: original.as_ref().and_then(|_| message.text().map(str::to_owned)),
        trace: trace.iter().map(|step| serde_json::to_value(step).unwrap_or_default()).collect(),
        whole: true,
    }
}

/// How two decisions differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// Others hear the message, or hear another text.
    pub(super) flips: bool,
    /// The outcome is the same, and somebody else's doing.
    pub(super) grounds: bool,
    /// It does not flip, and something else differs in the traces or the reasons, which no plugin's failure accounts for.
    pub(super) trace: bool,
}

/// Compares what was with what would be.
pub(super) fn compare(was: &Was, now: &Was) -> Difference {
    let sent = was.whole && was.sent != now.sent;
    let flips = was.outcome != now.outcome && !could_not_be_held(was, now) || sent;
    let other_grounds = !flips && grounds(was) != grounds(now);
    let failed = |side: &Was| side.trace.iter().any(|step| step.get("failure").is_some());
    let reason = was.outcome == now.outcome && was.reason != now.reason;
    let trace = !flips && was.whole && !failed(was) && !failed(now) && (reason || !same_traces(&was.trace, &now.trace));
    Difference { flips, grounds: other_grounds, trace }
}

/// Too many messages waited for a moderator then, or it was a nickname: the filter's doing is the same.
fn could_not_be_held(was: &Was, now: &Was) -> bool {
    was.code.as_deref() == Some(HOLD_UNAVAILABLE) && was.outcome == Outcome::Reject && now.outcome == Outcome::Hold
}

/// Whether two traces say the same, but for how long it took, and for the numbers of sanctions, which go on from those
/// that were imposed since.
fn same_traces(one: &[Value], other: &[Value]) -> bool {
    let differ = |key: &str| !matches!(key, "micros" | "sanction_id");
    let holds = |one: &Map<String, Value>, other: &Map<String, Value>| {
        one.iter().filter(|(key, _)| differ(key)).all(|(key, value)| other.get(key) == Some(value))
    };
    one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| match (one, other) {
            (Value::Object(one), Value::Object(other)) => holds(one, other) && holds(other, one),
            _ => one == other,
        })
}

/// One side of a flip.
pub(super) fn side(was: &Was) -> Side {
    Side { outcome: was.outcome, by: grounds(was), text: was.sent.clone() }
}

/// Whose doing it was; nobody's where all let it pass.
fn grounds(was: &Was) -> Option<Grounds> {
    let step = decisive(was);
    let name = |key| step.and_then(|step| step.get(key)).and_then(Value::as_str).map(str::to_owned);
    was.by.clone().map(|filter| Grounds { filter, rule: name("rule"), plugin: name("plugin") })
}

/// What asked for that which was done: the first step of the filter that decided.
fn decisive(was: &Was) -> Option<&Value> {
    let by = was.by.as_deref()?;
    let held = was.code.as_deref() == Some(HOLD_UNAVAILABLE);
    let asked = if held { Outcome::Hold } else { was.outcome }.as_str();
    let text = |step: &Value, key: &str, wanted: &str| step.get(key).and_then(Value::as_str) == Some(wanted);
    was.trace.iter().find(|step| {
        text(step, "filter", by)
            && text(step, "verdict", asked)
            && text(step, "mode", "enforce")
            && step.get("exempt").is_none()
    })
}

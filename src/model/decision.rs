//! The outcome for one message, with the trace that explains it.

use std::sync::Arc;
use std::time::Duration;

use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::{Actor, Message, Outcome, Penalty, Reason, RoomName};

/// Whether a rule or plugin takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It takes effect.
    Enforce,
    /// It runs and appears in traces, but has no effect.
    Observe,
}

impl Mode {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Observe => "observe",
        }
    }
}

/// A range of code points of the original text, end exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Span(pub usize, pub usize);

/// One match of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The outcome that this match requested.
    pub requested: Outcome,
    /// Whether the match could take effect.
    pub mode: Mode,
    /// Whether the sender is exempt from the rule or plugin.
    pub exempt: bool,
    /// The source of the match.
    pub basis: Basis,
    /// The field that matched; `None` for the text.
    pub field: Option<&'static str>,
    /// The range within the field; `None` if the match has no single place.
    pub span: Option<Span>,
    /// Labels added to the message.
    pub labels: Vec<Arc<str>>,
}

/// The source of a match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basis {
    /// A rule of the rules file.
    Rule {
        /// Its id.
        id: Arc<str>,
        /// File and line.
        source: Arc<str>,
        /// The penalty requested for the sender.
        sanction: Option<Penalty>,
    },
    /// A sanction in force on the sender.
    Sanction {
        /// Its ID.
        id: u64,
    },
    /// The answer of a plugin, including a pass.
    Plugin {
        /// Its name.
        name: Arc<str>,
        /// Duration of the call.
        took: Duration,
        /// Why the plugin failed to answer.
        failure: Option<Arc<str>>,
        /// The penalty requested for the sender.
        sanction: Option<Penalty>,
    },
}

impl Basis {
    /// The penalty requested for the sender.
    #[must_use]
    pub fn penalty(&self) -> Option<Penalty> {
        match self {
            Self::Rule { sanction, .. } | Self::Plugin { sanction, .. } => *sanction,
            Self::Sanction { .. } => None,
        }
    }

    /// The rule or plugin responsible, if any.
    #[must_use]
    pub fn actor(&self) -> Option<Actor> {
        match self {
            Self::Rule { id, .. } => Some(Actor::Rule(Arc::clone(id))),
            Self::Plugin { name, .. } => Some(Actor::Plugin(Arc::clone(name))),
            Self::Sanction { .. } => None,
        }
    }
}

/// One step of a trace: the answer of one filter.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceStep {
    /// The filter's name.
    pub filter: &'static str,
    /// The filter's answer.
    pub verdict: Outcome,
    /// The filter's match, if any.
    pub matched: Option<Match>,
    /// Duration of the step.
    pub took: Duration,
}

impl Serialize for TraceStep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("filter", self.filter)?;
        let mut took = self.took;
        if let Some(Match { basis: Basis::Plugin { name, .. }, .. }) = &self.matched {
            map.serialize_entry("plugin", name)?;
        }
        map.serialize_entry("verdict", &self.verdict)?;
        if let Some(matched) = &self.matched {
            if !matches!(matched.basis, Basis::Sanction { .. }) {
                map.serialize_entry("mode", &matched.mode)?;
            }
            if matched.exempt {
                map.serialize_entry("exempt", &true)?;
            }
            match &matched.basis {
                Basis::Sanction { id } => map.serialize_entry("sanction_id", id)?,
                Basis::Rule { id, source, .. } => {
                    map.serialize_entry("rule", id)?;
                    map.serialize_entry("source", source)?;
                }
                Basis::Plugin { took: own, failure, .. } => {
                    took = *own;
                    if let Some(failure) = failure {
                        map.serialize_entry("failure", failure)?;
                    }
                }
            }
            if let Some(penalty) = matched.basis.penalty() {
                let json = PenaltyJson { kind: penalty.as_str(), seconds: penalty.duration().as_secs() };
                map.serialize_entry("sanction", &json)?;
            }
            if let Some(field) = matched.field {
                map.serialize_entry("field", field)?;
            }
            if let Some(span) = matched.span {
                map.serialize_entry("span", &span)?;
            }
            if !matched.labels.is_empty() {
                map.serialize_entry("labels", &matched.labels)?;
            }
        }
        // The clock is no finer than a tenth of a microsecond.
        let micros = (took.as_secs_f64() * 1e7).round() / 10.0;
        map.serialize_entry("micros", &micros)?;
        map.end()
    }
}

#[derive(Serialize)]
struct PenaltyJson {
    kind: &'static str,
    seconds: u64,
}

/// The decision of the chain on one message.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The message as broadcast, with the replaced text if there is one.
    pub message: Message,
    /// The text as sent, if it was replaced.
    pub original: Option<String>,
    /// The outcome.
    pub outcome: Outcome,
    /// Why, unless it passes unchanged.
    pub reason: Option<Reason>,
    /// The filter that decided; `None` if every filter let it pass.
    pub decided_by: Option<&'static str>,
    /// The answers of the filters, in order.
    pub trace: Vec<TraceStep>,
}

/// The part of a decision that its sender learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SenderNotice<'a> {
    /// The message is broadcast, or appears so to its sender.
    Accepted,
    /// The message waits for a moderator.
    Held(&'a Reason),
    /// The message is refused.
    Refused(&'a Reason),
}

/// A decision holds or rejects a message without a reason, which is a bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message was held or rejected without a reason")]
pub struct MissingReason;

impl Decision {
    /// Returns the part that the sender learns.
    ///
    /// # Errors
    /// [`MissingReason`] if the decision has no reason but needs one.
    pub fn sender_notice(&self) -> Result<SenderNotice<'_>, MissingReason> {
        match (self.outcome, &self.reason) {
            (Outcome::Pass | Outcome::Replace | Outcome::Shadow, _) => Ok(SenderNotice::Accepted),
            (Outcome::Hold, Some(reason)) => Ok(SenderNotice::Held(reason)),
            (Outcome::Reject, Some(reason)) => Ok(SenderNotice::Refused(reason)),
            (Outcome::Hold | Outcome::Reject, None) => Err(MissingReason),
        }
    }

    /// Returns the text as sent.
    #[must_use]
    pub fn original_text(&self) -> Option<&str> {
        self.original.as_deref().or_else(|| self.message.text())
    }

    /// Returns the JSON form used in logs, streams and commands.
    #[must_use]
    pub fn to_json<'a>(&'a self, room: &'a RoomName) -> DecisionJson<'a> {
        DecisionJson { decision: self, room }
    }
}

/// A [`Decision`] and its room, serialized as one JSON object.
#[derive(Debug)]
pub struct DecisionJson<'a> {
    decision: &'a Decision,
    room: &'a RoomName,
}

impl Serialize for DecisionJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Decision { message, outcome, reason, trace, .. } = self.decision;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &message.id)?;
        map.serialize_entry("at", &format_args!("{:.3}", message.at))?;
        map.serialize_entry("room", self.room.as_str())?;
        map.serialize_entry("author", &message.author)?;
        map.serialize_entry("kind", message.kind.as_str())?;
        map.serialize_entry("outcome", outcome)?;
        if let Some(reason) = reason {
            map.serialize_entry("reason", &ReasonJson { code: reason.code.as_str(), text: &reason.text })?;
        }
        if let Some(text) = self.decision.original_text() {
            map.serialize_entry("text", text)?;
        }
        if self.decision.original.is_some() {
            map.serialize_entry("sent", &message.text())?;
        }
        map.serialize_entry("trace", trace)?;
        map.end()
    }
}

#[derive(Serialize)]
struct ReasonJson<'a> {
    code: &'static str,
    text: &'a str,
}

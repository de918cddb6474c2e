//! The outcome for one message, with the trace that explains it.

use std::sync::Arc;
use std::time::Duration;

use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::{Cause, Message, Penalty, Reason, RoomName};

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Broadcast as it came.
    Pass,
    /// Broadcast with another text.
    Replace,
    /// Kept back.
    Hold,
    /// Shown to its sender alone.
    Shadow,
    /// Refused.
    Reject,
}

impl Outcome {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Replace => "replace",
            Self::Hold => "hold",
            Self::Shadow => "shadow",
            Self::Reject => "reject",
        }
    }

    /// Of several rules that hit, the one that asks for the strongest outcome decides: the higher, the stronger.
    #[must_use]
    pub fn strength(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Replace => 1,
            Self::Shadow => 2,
            Self::Hold => 3,
            Self::Reject => 4,
        }
    }
}

/// Whether a rule or plugin acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It acts.
    Enforce,
    /// It runs and shows in traces, but never acts.
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

/// What a filter matched, and where that is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// What this match asked for.
    pub asked: Outcome,
    /// Whether it could act.
    pub mode: Mode,
    /// Whether the sender is one on whom it does not act.
    pub exempt: bool,
    /// What it is a match of.
    pub basis: Basis,
    /// Where it is a match, unless that is the text.
    pub field: Option<&'static str>,
    /// Where in the field; `None` when the match is no single place.
    pub span: Option<Span>,
    /// Labels that it puts on the message.
    pub labels: Vec<Arc<str>>,
}

/// What a match rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basis {
    /// A rule of the rules file.
    Rule {
        /// Its id.
        id: Arc<str>,
        /// File and line.
        source: Arc<str>,
        /// The consequence for the sender that it asks for.
        sanction: Option<Penalty>,
    },
    /// A sanction on the sender.
    Sanction {
        /// Its number.
        id: u64,
    },
    /// The answer of a plugin, also one that lets the message pass.
    Plugin {
        /// Its name.
        name: Arc<str>,
        /// How long it took.
        took: Duration,
        /// Why it gave no answer.
        failure: Option<Arc<str>>,
        /// The consequence for the sender that it asks for.
        sanction: Option<Penalty>,
    },
}

impl Basis {
    /// The consequence for the sender that it asks for.
    #[must_use]
    pub fn penalty(&self) -> Option<Penalty> {
        match self {
            Self::Rule { sanction, .. } | Self::Plugin { sanction, .. } => *sanction,
            Self::Sanction { .. } => None,
        }
    }

    /// Whose doing it is, where that is a rule's or a plugin's.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        match self {
            Self::Rule { id, .. } => Some(Cause::Rule(Arc::clone(id))),
            Self::Plugin { name, .. } => Some(Cause::Plugin(Arc::clone(name))),
            Self::Sanction { .. } => None,
        }
    }
}

/// One step of a trace: what one filter answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The filter's name.
    pub filter: &'static str,
    /// What it answered.
    pub verdict: Outcome,
    /// What it matched.
    pub matched: Option<Match>,
    /// How long it took.
    pub took: Duration,
}

impl Serialize for Step {
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
        // A tenth of a microsecond is as fine as the clock is worth.
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

/// What the chain made of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The message as it may be broadcast: with the replaced text, if one was.
    pub message: Message,
    /// The text as it was sent, when another stands in its place now.
    pub original: Option<String>,
    /// What becomes of it.
    pub outcome: Outcome,
    /// Why, unless it passes as it came.
    pub reason: Option<Reason>,
    /// The filter that decided; `None` when all let it pass.
    pub by: Option<&'static str>,
    /// What each filter answered, in order.
    pub trace: Vec<Step>,
}

impl Decision {
    /// The text as it was sent.
    #[must_use]
    pub fn original_text(&self) -> Option<&str> {
        self.original.as_deref().or_else(|| self.message.text())
    }

    /// The decision in the form that logs, streams and commands show.
    #[must_use]
    pub fn record<'a>(&'a self, room: &'a RoomName) -> Record<'a> {
        Record { decision: self, room }
    }
}

/// A [`Decision`] with its room, written as one JSON object.
#[derive(Debug)]
pub struct Record<'a> {
    decision: &'a Decision,
    room: &'a RoomName,
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Decision { message, outcome, reason, trace, .. } = self.decision;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &message.id)?;
        map.serialize_entry("at", &format_args!("{:.3}", message.at))?;
        map.serialize_entry("room", self.room.as_str())?;
        map.serialize_entry("author", &message.author)?;
        map.serialize_entry("kind", message.kind.name())?;
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

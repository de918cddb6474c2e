//! A decision in the file, whole: what was said stands in it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::offence::PenaltyRecord;
use super::{RecordError, intern, parse};
use crate::model::{Basis, Decision, Kind, Match, Message, Mode, Outcome, Reason, ReasonCode, Span, TraceStep};

#[derive(Serialize, Deserialize)]
pub(super) struct DecisionRecord {
    id: Uuid,
    at: String,
    author: String,
    kind: KindRecord,
    original: Option<String>,
    outcome: Outcome,
    reason: Option<ReasonRecord>,
    by: Option<String>,
    trace: Vec<StepRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KindRecord {
    Text { avatar: Option<String>, text: String },
    Like { liked: String, text: String },
    Newcomer,
}

/// Why something was not let through.
#[derive(Serialize, Deserialize)]
pub(super) struct ReasonRecord {
    code: String,
    text: String,
    retry_after: Option<Duration>,
}

#[derive(Serialize, Deserialize)]
struct StepRecord {
    filter: String,
    verdict: Outcome,
    took: Duration,
    matched: Option<MatchRecord>,
}

#[derive(Serialize, Deserialize)]
struct MatchRecord {
    asked: Outcome,
    mode: Mode,
    exempt: bool,
    basis: BasisRecord,
    field: Option<String>,
    span: Option<(usize, usize)>,
    labels: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum BasisRecord {
    Rule { id: String, source: String, sanction: Option<PenaltyRecord> },
    Sanction { id: u64 },
    Plugin { name: String, took: Duration, failure: Option<String>, sanction: Option<PenaltyRecord> },
}

impl From<&Decision> for DecisionRecord {
    fn from(decision: &Decision) -> Self {
        let Decision { message, original, outcome, reason, decided_by: by, trace } = decision;
        let Message { id, at, author, kind } = message;
        Self {
            id: *id,
            at: at.to_string(),
            author: author.clone(),
            kind: match kind {
                Kind::Text { avatar, text } => KindRecord::Text { avatar: avatar.clone(), text: text.clone() },
                Kind::Like { liked, text } => KindRecord::Like { liked: liked.clone(), text: text.clone() },
                Kind::Newcomer => KindRecord::Newcomer,
            },
            original: original.clone(),
            outcome: *outcome,
            reason: reason.as_ref().map(Into::into),
            by: by.map(str::to_owned),
            trace: trace.iter().map(Into::into).collect(),
        }
    }
}

impl DecisionRecord {
    pub(super) fn read(self) -> Result<Decision, RecordError> {
        let kind = match self.kind {
            KindRecord::Text { avatar, text } => Kind::Text { avatar, text },
            KindRecord::Like { liked, text } => Kind::Like { liked, text },
            KindRecord::Newcomer => Kind::Newcomer,
        };
        Ok(Decision {
            message: Message { id: self.id, at: parse("time", &self.at)?, author: self.author, kind },
            original: self.original,
            outcome: self.outcome,
            reason: self.reason.map(ReasonRecord::read),
            decided_by: self.by.as_deref().map(intern),
            trace: self.trace.into_iter().map(StepRecord::read).collect::<Result<_, _>>()?,
        })
    }
}

impl From<&Reason> for ReasonRecord {
    fn from(Reason { code, text, retry_after }: &Reason) -> Self {
        Self { code: code.as_str().to_owned(), text: text.clone().into_owned(), retry_after: *retry_after }
    }
}

impl ReasonRecord {
    pub(super) fn read(self) -> Reason {
        // A code of another version is no reason to lose the message.
        let code = ReasonCode::from_name(&self.code).unwrap_or(ReasonCode::Held);
        Reason { code, text: self.text.into(), retry_after: self.retry_after }
    }
}

impl From<&TraceStep> for StepRecord {
    fn from(TraceStep { filter, verdict, matched, took }: &TraceStep) -> Self {
        let matched = matched.as_ref().map(Into::into);
        Self { filter: (*filter).to_owned(), verdict: *verdict, took: *took, matched }
    }
}

impl StepRecord {
    fn read(self) -> Result<TraceStep, RecordError> {
        let matched = self.matched.map(MatchRecord::read).transpose()?;
        Ok(TraceStep { filter: intern(&self.filter), verdict: self.verdict, matched, took: self.took })
    }
}

impl From<&Match> for MatchRecord {
    fn from(matched: &Match) -> Self {
        let Match { requested: asked, mode, exempt, basis, field, span, labels } = matched;
        let basis = match basis {
            Basis::Rule { id, source, sanction } => {
                BasisRecord::Rule { id: id.to_string(), source: source.to_string(), sanction: sanction.map(Into::into) }
            }
            Basis::Sanction { id } => BasisRecord::Sanction { id: *id },
            Basis::Plugin { name, took, failure, sanction } => BasisRecord::Plugin {
                name: name.to_string(),
                took: *took,
                failure: failure.as_deref().map(str::to_owned),
                sanction: sanction.map(Into::into),
            },
        };
        Self {
            asked: *asked,
            mode: *mode,
            exempt: *exempt,
            basis,
            field: field.map(str::to_owned),
            span: span.map(|Span(start, end)| (start, end)),
            labels: labels.iter().map(ToString::to_string).collect(),
        }
    }
}

impl MatchRecord {
    fn read(self) -> Result<Match, RecordError> {
        let penalty = |record: Option<PenaltyRecord>| record.map(PenaltyRecord::read).transpose();
        let basis = match self.basis {
            BasisRecord::Rule { id, source, sanction } => {
                Basis::Rule { id: id.into(), source: source.into(), sanction: penalty(sanction)? }
            }
            BasisRecord::Sanction { id } => Basis::Sanction { id },
            BasisRecord::Plugin { name, took, failure, sanction } => {
                let (name, failure) = (name.into(), failure.map(Into::into));
                Basis::Plugin { name, took, failure, sanction: penalty(sanction)? }
            }
        };
        Ok(Match {
            requested: self.asked,
            mode: self.mode,
            exempt: self.exempt,
            basis,
            field: self.field.as_deref().map(intern),
            span: self.span.map(|(start, end)| Span(start, end)),
            labels: self.labels.into_iter().map(Into::into).collect(),
        })
    }
}

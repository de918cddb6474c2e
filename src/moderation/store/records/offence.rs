//! An offence in the file.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{CauseRecord, RecordError, TargetRecord, invalid, parse, room};
use crate::model::{Penalty, SanctionKind};
use crate::moderation::sanctions::{Consequence, Lift, Offence, OffenceEntry, PenaltyRequest};

/// An offence, and what followed from it.
#[derive(Serialize, Deserialize)]
pub(in crate::moderation::store) struct OffenceRecord {
    at: String,
    asked: PenaltyRecord,
    target: TargetRecord,
    room: Option<String>,
    reason: Option<String>,
    cause: CauseRecord,
    lifted: Option<LiftedRecord>,
    effect: EffectRecord,
}

/// A penalty by name, with how long it lasts.
#[derive(Serialize, Deserialize)]
pub(super) struct PenaltyRecord {
    kind: String,
    lasts: Option<Duration>,
}

#[derive(Serialize, Deserialize)]
struct LiftedRecord {
    at: String,
    before: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum EffectRecord {
    Absorbed { by: u64 },
    Sanction { kind: String, until: Option<String>, step: Option<usize> },
}

impl From<Penalty> for PenaltyRecord {
    fn from(penalty: Penalty) -> Self {
        let lasts = if let Penalty::Fixed(_, lasts) = penalty { lasts } else { None };
        Self { kind: penalty.as_str().to_owned(), lasts }
    }
}

impl PenaltyRecord {
    pub(super) fn read(self) -> Result<Penalty, RecordError> {
        let penalty = Penalty::from_name(&self.kind, self.lasts);
        penalty.ok_or_else(|| invalid("penalty"))
    }
}

impl From<&OffenceEntry> for OffenceRecord {
    fn from(OffenceEntry { offence, consequence: effect }: &OffenceEntry) -> Self {
        let Offence { at, request: order, lifted, .. } = offence;
        let PenaltyRequest { penalty, target, room, reason, actor: cause } = order;
        Self {
            at: at.to_string(),
            asked: (*penalty).into(),
            target: target.into(),
            room: room.as_ref().map(|room| room.as_str().to_owned()),
            reason: reason.as_deref().map(str::to_owned),
            cause: cause.into(),
            lifted: lifted.map(|lifted| LiftedRecord { at: lifted.at.to_string(), before: lifted.before }),
            effect: match effect {
                Consequence::Absorbed(by) => EffectRecord::Absorbed { by: *by },
                Consequence::Sanction { kind, until, step } => EffectRecord::Sanction {
                    kind: kind.as_str().to_owned(),
                    until: until.map(|until| until.to_string()),
                    step: *step,
                },
            },
        }
    }
}

impl OffenceRecord {
    pub(in crate::moderation::store) fn read(self, id: u64) -> Result<OffenceEntry, RecordError> {
        let order = PenaltyRequest {
            penalty: self.asked.read()?,
            target: self.target.read()?,
            room: self.room.map(|name| room(&name)).transpose()?,
            reason: self.reason.map(Into::into),
            actor: self.cause.into(),
        };
        let lifted = match self.lifted {
            Some(LiftedRecord { at, before }) => Some(Lift { at: parse("time", &at)?, before }),
            None => None,
        };
        let effect = match self.effect {
            EffectRecord::Absorbed { by } => Consequence::Absorbed(by),
            EffectRecord::Sanction { kind, until, step } => Consequence::Sanction {
                kind: SanctionKind::from_name(&kind).ok_or_else(|| invalid("kind"))?,
                until: until.map(|until| parse("time", &until)).transpose()?,
                step,
            },
        };
        Ok(OffenceEntry {
            offence: Offence { id, at: parse("time", &self.at)?, request: order, lifted },
            consequence: effect,
        })
    }
}

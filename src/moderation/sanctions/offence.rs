//! Offences and their consequences.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ladder::Ladder;
use super::scope::share_skeleton;
use crate::model::{Actor, Nickname, Penalty, RoomName, Sanction, SanctionKind, Target, plain_target};
use crate::moderation::time;
use crate::store::Record;

/// A request to penalize a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PenaltyRequest {
    /// The penalty.
    #[serde(rename = "asked")]
    pub penalty: Penalty,
    /// The target.
    #[serde(with = "plain_target")]
    pub target: Target,
    /// The room; `None` for all rooms.
    pub room: Option<RoomName>,
    /// The reason shown to the target, truncated to 1 000 bytes; `None` for the default of the kind.
    pub reason: Option<Arc<str>>,
    /// The moderator, rule or plugin that requests it.
    #[serde(rename = "cause")]
    pub actor: Actor,
}

/// A [`PenaltyRequest`] that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offence {
    /// The number of the offence and of its sanction, which is the key of the record. Numbers give the order of offences;
    /// times do not, since the clock may be set back.
    #[serde(skip)]
    pub id: u64,
    pub at: Timestamp,
    #[serde(flatten)]
    pub request: PenaltyRequest,
    pub lifted: Option<Lift>,
}

/// The lifting of a sanction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lift {
    pub at: Timestamp,
    /// The first number assigned afterwards.
    pub before: u64,
}

/// The consequence of an offence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Consequence {
    /// None: the sanction with this number was in force.
    Absorbed { by: u64 },
    /// A sanction.
    Sanction { kind: SanctionKind, until: Option<Timestamp>, step: Option<usize> },
}

/// An offence with its consequence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffenceEntry {
    #[serde(flatten)]
    pub offence: Offence,
    #[serde(rename = "effect")]
    pub consequence: Consequence,
}

impl Record for OffenceEntry {
    const TABLE: &'static str = "offences";
    const NAME: &'static str = "offence";
    const VERSION: u32 = 2;
    const NEXT_KEY: Option<&'static str> = Some("next_id");
}

impl Offence {
    /// Whether it had not been lifted yet when offence `id` happened.
    fn is_unlifted_at(&self, id: u64) -> bool {
        self.lifted.is_none_or(|lifted| lifted.before > id)
    }

    /// Whether a moderator decided on it. Rules and plugins do not know what has happened since they saw the message.
    fn is_by_moderator(&self) -> bool {
        matches!(self.request.actor, Actor::Moderator(_))
    }

    /// Returns the sanction with these terms. A lifted sanction ends when it was lifted.
    fn sanction(&self, kind: SanctionKind, until: Option<Timestamp>, step: Option<usize>) -> Sanction {
        let Self { id, at, request, lifted } = self;
        let PenaltyRequest { target, room, reason, actor, .. } = request;
        let until = match lifted {
            Some(lifted) if kind.has_duration() => Some(until.map_or(lifted.at, |until| until.min(lifted.at))),
            _ => until,
        };
        let reason = reason.clone().unwrap_or_else(|| default_reason(kind).into());
        let (target, room, actor) = (target.clone(), room.clone(), actor.clone());
        Sanction { id: *id, kind, target, room, at: *at, until, reason, actor, step }
    }
}

impl OffenceEntry {
    /// Returns the sanction; `None` if the offence was absorbed. A lifted sanction ends when it was lifted.
    pub(super) fn sanction(&self) -> Option<Sanction> {
        match self.consequence {
            Consequence::Sanction { kind, until, step } => Some(self.offence.sanction(kind, until, step)),
            Consequence::Absorbed { .. } => None,
        }
    }

    /// Whether it imposed a mute or ban that was not lifted, ended or not.
    pub(super) fn is_lasting(&self) -> bool {
        matches!(self.consequence, Consequence::Sanction { kind, .. } if kind.has_duration())
            && self.offence.lifted.is_none()
    }

    /// Whether its mute or ban is in force at `now`.
    pub(super) fn is_in_force(&self, now: Timestamp) -> bool {
        let Consequence::Sanction { until, .. } = self.consequence else { return false };
        self.is_lasting() && until.is_none_or(|until| now < until)
    }

    /// Whether it is a ladder step that was not lifted. The step may have decayed.
    pub(super) fn is_ladder_step(&self) -> bool {
        matches!(self.consequence, Consequence::Sanction { step: Some(_), .. }) && self.offence.lifted.is_none()
    }

    /// Whether it is a ladder step that counts for a later offence of the same target.
    fn counts_for(&self, later: &Offence) -> bool {
        matches!(self.consequence, Consequence::Sanction { step: Some(_), .. })
            && self.offence.is_unlifted_at(later.id)
            && self.offence.request.room == later.request.room
    }

    /// Returns its sanction if that absorbs a later offence of the same target.
    ///
    /// Requests of rules and plugins may come from messages sent before the sanction took effect. A ladder sanction in
    /// force absorbs ladder requests, and each rule or plugin gets the same fixed penalty once. A fixed penalty
    /// stronger than the sanction in force is not absorbed.
    fn absorbing_sanction(&self, later: &Offence) -> Option<Sanction> {
        let Consequence::Sanction { kind, until, step } = self.consequence else { return None };
        let in_force =
            kind.has_duration() && self.offence.is_unlifted_at(later.id) && until.is_none_or(|until| later.at < until);
        let room = &self.offence.request.room;
        let there = room.is_none() || *room == later.request.room;
        let enough = match later.request.penalty {
            Penalty::Ladder => step.is_some(),
            Penalty::Fixed(asked, _) => {
                kind >= asked && (step.is_some() || self.offence.request.actor == later.request.actor)
            }
        };
        let covers = covers(&self.offence.request.target, &later.request.target);
        let absorbs = covers && !later.is_by_moderator() && in_force && there && enough;
        absorbs.then(|| self.offence.sanction(kind, until, step))
    }
}

/// Whether a sanction on one target, in force, refuses the messages of another target that has a key of it.
fn covers(target: &Target, other: &Target) -> bool {
    match (target, other) {
        (Target::Nickname(_) | Target::Address(_), _) => true,
        (Target::Sender { nickname, .. }, Target::Sender { nickname: other, .. }) => {
            nickname == other || share_skeleton(&nickname.skeletons(), &other.skeletons())
        }
        (Target::Connection { id, .. }, Target::Connection { id: other, .. }) => id == other,
        (Target::Sender { .. } | Target::Connection { .. }, _) => false,
    }
}

/// Returns the consequence of an offence and the sanction in force because of it, given the earlier offences of the same target in order. Depends on nothing
/// else.
pub(super) fn consequence_of<'a>(
    ladder: &Ladder,
    offence: &Offence,
    earlier: impl Iterator<Item = &'a OffenceEntry> + Clone,
) -> (Consequence, Sanction) {
    if let Some(in_force) = earlier.clone().find_map(|entry| entry.absorbing_sanction(offence)) {
        return (Consequence::Absorbed { by: in_force.id }, in_force);
    }
    let (kind, lasts, step) = match offence.request.penalty {
        Penalty::Fixed(kind, lasts) => (kind, lasts, None),
        Penalty::Ladder => {
            let steps = earlier.filter(|entry| entry.counts_for(offence)).map(|entry| entry.offence.at);
            let (at, step) = ladder.step_after(ladder.steps_taken(steps, offence.at));
            (step.kind, step.duration, Some(at))
        }
    };
    let until =
        if kind.has_duration() { lasts.map(|lasts| time::saturating_add(offence.at, lasts)) } else { Some(offence.at) };
    (Consequence::Sanction { kind, until, step }, offence.sanction(kind, until, step))
}

fn default_reason(kind: SanctionKind) -> &'static str {
    match kind {
        SanctionKind::Warn => "Please mind the rules of this instance.",
        SanctionKind::Mute => "You may not speak here for now.",
        SanctionKind::Kick => "You were removed from this room.",
        SanctionKind::Ban => "You may not join for now.",
    }
}

/// Returns a key shared by all nicknames that are connected by look-alikes: if two nicknames share a skeleton, they
/// have the same key, and this is transitive.
pub(super) fn family_key(nickname: &Nickname) -> String {
    // A capital M looks like a small one, which looks like `rn`; a capital I like an l, but a small one like none.
    nickname.skeletons().iter().next().unwrap_or_default().replace('i', "l").replace('m', "rn")
}

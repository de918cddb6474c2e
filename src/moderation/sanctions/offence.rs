//! What was done wrong, and what followed from it.

use std::sync::Arc;

use jiff::Timestamp;

use super::ladder::Ladder;
use crate::model::{Cause, Nickname, Penalty, RoomName, Sanction, SanctionKind, Target};
use crate::moderation::time;

/// Something that somebody is to be sanctioned for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// How.
    pub penalty: Penalty,
    /// Who.
    pub target: Target,
    /// Where; everywhere when `None`.
    pub room: Option<RoomName>,
    /// For the one it is on. Without one there is a sentence for each kind; more than 1 000 bytes are cut.
    pub reason: Option<Arc<str>>,
    /// Who or what asks for it.
    pub cause: Cause,
}

/// An [`Order`] that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::moderation) struct Offence {
    /// Its number, which is that of the sanction too. The order of numbers is the order in which things happened: that
    /// of times is not, since clocks are set back.
    pub(in crate::moderation) id: u64,
    pub(in crate::moderation) at: Timestamp,
    pub(in crate::moderation) order: Order,
    pub(in crate::moderation) lifted: Option<Lifted>,
}

/// That a sanction was lifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::moderation) struct Lifted {
    pub(in crate::moderation) at: Timestamp,
    /// The first number that was given after that.
    pub(in crate::moderation) before: u64,
}

/// What followed from an offence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::moderation) enum Effect {
    /// Nothing: the sanction of this number was in force.
    Absorbed(u64),
    /// A sanction.
    Sanction { kind: SanctionKind, until: Option<Timestamp>, step: Option<usize> },
}

/// An offence and what followed from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::moderation) struct Entry {
    pub(in crate::moderation) offence: Offence,
    pub(in crate::moderation) effect: Effect,
}

impl Offence {
    /// Whether it was not lifted yet when the one of this number happened.
    fn stood(&self, id: u64) -> bool {
        self.lifted.is_none_or(|lifted| lifted.before > id)
    }

    /// Whether somebody has decided on it. A rule or plugin may not know what has happened since it saw the message.
    fn is_deliberate(&self) -> bool {
        matches!(self.order.cause, Cause::Moderator(_))
    }
}

impl Entry {
    /// The sanction; `None` when nothing followed. One that was lifted ended then.
    pub(super) fn sanction(&self) -> Option<Sanction> {
        let Effect::Sanction { kind, until, step } = self.effect else { return None };
        let Offence { id, at, order, lifted } = &self.offence;
        let Order { target, room, reason, cause, .. } = order;
        let until = match lifted {
            Some(lifted) if kind.lasts() => Some(until.map_or(lifted.at, |until| until.min(lifted.at))),
            _ => until,
        };
        let reason = reason.clone().unwrap_or_else(|| default_reason(kind).into());
        let (target, room, cause) = (target.clone(), room.clone(), cause.clone());
        Some(Sanction { id: *id, kind, target, room, at: *at, until, reason, cause, step })
    }

    /// Whether a sanction goes on because of it, unless its time is up.
    pub(super) fn lasts(&self) -> bool {
        matches!(self.effect, Effect::Sanction { kind, .. } if kind.lasts()) && self.offence.lifted.is_none()
    }

    /// Whether a sanction is in force because of it.
    pub(super) fn holds(&self, now: Timestamp) -> bool {
        let Effect::Sanction { until, .. } = self.effect else { return false };
        self.lasts() && until.is_none_or(|until| now < until)
    }

    /// Whether a step of the ladder was taken because of it, which may not have been taken back.
    pub(super) fn is_step(&self) -> bool {
        matches!(self.effect, Effect::Sanction { step: Some(_), .. }) && self.offence.lifted.is_none()
    }

    /// Whether it is a step of the ladder that counts for a later offence of the same target.
    fn counts_for(&self, later: &Offence) -> bool {
        matches!(self.effect, Effect::Sanction { step: Some(_), .. })
            && self.offence.stood(later.id)
            && self.offence.order.room == later.order.room
    }

    /// Whether nothing is to follow from a later offence of the same target, because of the sanction that was in force.
    ///
    /// What rules and plugins ask for may rest on messages that came before that sanction, so that what it refuses was
    /// not refused yet. They get what the ladder has given already, and each of them gets the same thing once. What a
    /// rule or plugin names itself, and is more than what is in force, is done.
    fn absorbs(&self, later: &Offence) -> bool {
        let Effect::Sanction { kind, until, step } = self.effect else { return false };
        let in_force = kind.lasts() && self.offence.stood(later.id) && until.is_none_or(|until| later.at < until);
        let room = &self.offence.order.room;
        let there = room.is_none() || *room == later.order.room;
        let enough = match later.order.penalty {
            Penalty::Ladder => step.is_some(),
            Penalty::Fixed(asked, _) => {
                kind >= asked && (step.is_some() || self.offence.order.cause == later.order.cause)
            }
        };
        !later.is_deliberate() && in_force && there && enough
    }
}

/// What follows from an offence, given what the same target did before, in the order of numbers. Depends on nothing
/// else.
pub(super) fn effect<'a>(
    ladder: &Ladder,
    offence: &Offence,
    earlier: impl Iterator<Item = &'a Entry> + Clone,
) -> Effect {
    if let Some(in_force) = earlier.clone().find(|entry| entry.absorbs(offence)) {
        return Effect::Absorbed(in_force.offence.id);
    }
    let (kind, lasts, step) = match offence.order.penalty {
        Penalty::Fixed(kind, lasts) => (kind, lasts, None),
        Penalty::Ladder => {
            let steps = earlier.filter(|entry| entry.counts_for(offence)).map(|entry| entry.offence.at);
            let (at, step) = ladder.next(ladder.taken(steps, offence.at));
            (step.kind, step.lasts, Some(at))
        }
    };
    let until = if kind.lasts() { lasts.map(|lasts| time::after(offence.at, lasts)) } else { Some(offence.at) };
    Effect::Sanction { kind, until, step }
}

fn default_reason(kind: SanctionKind) -> &'static str {
    match kind {
        SanctionKind::Warn => "Please mind the rules of this instance.",
        SanctionKind::Mute => "You may not speak here for now.",
        SanctionKind::Kick => "You were sent out of this room.",
        SanctionKind::Ban => "You may not come in here for now.",
    }
}

/// What names that may be taken for each other have in common: one text for all of them. Where looks of names are
/// shared by some, this is shared by those, and those who share with them.
pub(super) fn family(nickname: &Nickname) -> String {
    // A capital M looks like a small one, which looks like `rn`; a capital I like an l, but a small one like none.
    nickname.looks().iter().next().unwrap_or_default().replace('i', "l").replace('m', "rn")
}

//! Sanctions and levels during a replay. Acts of moderators are repeated at their time; sanctions that rules and plugins
//! ask for follow from the replayed decisions.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::past_decision::address_from_hash;
use crate::audit::{FileHead, LoggedAct, LoggedSanction};
use crate::model::{ActKind, ActiveLevel, Actor, JudgedMessage, ModerationLevel, Penalty, RoomName, Sanction, Target};
use crate::moderation::{Config, PenaltyRequest, State, elapsed, penalty_requests};
use crate::store;

/// The sanctions and levels of a run.
#[derive(Debug)]
pub(super) struct ReplayState {
    state: Arc<State>,
    /// Ids of sanctions in this replay by their logged ids.
    ids: HashMap<u64, u64>,
    /// The last sanction of each rule or plugin by target and room.
    automatic: HashMap<(Actor, Target, Option<RoomName>), u64>,
}

impl ReplayState {
    /// Restores the state at the beginning of a run, which started at `started_at`.
    ///
    /// # Errors
    /// A description of why the state cannot be created.
    pub(super) fn from_head(config: &Config, head: Option<&FileHead>, started_at: Timestamp) -> Result<Self, String> {
        // Do not touch the relay's own store.
        let state = State::open(config, &store::Config::default(), started_at).map_err(|error| error.to_string())?;
        let (ids, automatic) = (HashMap::new(), HashMap::new());
        let restored = Self { state: Arc::new(state), ids, automatic };
        if let Some(head) = head {
            for sanction in &head.sanctions {
                restored.state.sanctions().restore(with_address(sanction.clone()));
            }
            for ActiveLevel { room, level, until } in &head.levels {
                restored.set_level(room.clone(), *level, *until);
            }
        }
        Ok(restored)
    }

    /// Returns the state that filters read.
    pub(super) fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// Imposes the sanctions that rules and plugins ask for in a decision.
    pub(super) fn apply_decision(&mut self, recorded: &JudgedMessage) {
        for order in penalty_requests(recorded) {
            let (actor, room) = (order.actor.clone(), order.room.clone());
            let sender = &recorded.sender;
            let at = self.state.time_at(sender.context.since_start);
            // At the limit of sanctions it failed then, too.
            if let Ok(sanction) = self.state.sanctions().impose_on_sender(order, sender, at) {
                self.automatic.insert((actor, sanction.target, room), sanction.id);
            }
        }
    }

    /// Repeats a logged act.
    pub(super) fn apply_act(&mut self, LoggedAct { since_start, act, .. }: &LoggedAct) {
        let at = self.state.time_at(*since_start);
        match &act.kind {
            ActKind::Sanctioned { sanction } => {
                self.apply_sanction(&act.actor, with_address(sanction.clone()), at);
            }
            // A sanction that was not imposed in this replay needs no lifting.
            ActKind::Lifted { sanction } => drop(self.state.sanctions().lift(self.current_id(sanction.id), at)),
            ActKind::Undone { actor, since, .. } => drop(self.state.sanctions().undo(actor, *since, at)),
            ActKind::Level { level, until } => self.set_level(act.room.clone(), *level, *until),
            ActKind::Kicked { .. }
            | ActKind::Released { .. }
            | ActKind::Refused { .. }
            | ActKind::Preset { .. }
            | ActKind::Trusted { .. }
            | ActKind::Retracted { .. }
            | ActKind::Reloaded
            | ActKind::BreakerTripped { .. }
            | ActKind::RefusalsOmitted { .. }
            | ActKind::BreakerReset { .. } => {}
        }
    }

    /// Imposes a moderator's sanction again. A sanction of a rule or plugin follows from replayed decisions, if at all.
    fn apply_sanction(&mut self, by: &Actor, logged: Sanction, at: Timestamp) -> Option<()> {
        let Sanction { id, kind, target, room, at: began, until, reason, actor: cause, step } = logged;
        let current = if matches!(by, Actor::Moderator(_)) {
            let lasts = until.filter(|_| kind.has_duration()).map(|until| elapsed(began, until));
            let penalty = if step.is_some() { Penalty::Ladder } else { Penalty::Fixed(kind, lasts) };
            let order = PenaltyRequest { penalty, target, room, reason: Some(reason), actor: cause };
            self.state.sanctions().impose(order, at).ok()?.id
        } else {
            *self.automatic.get(&(cause, target, room))?
        };
        self.ids.insert(id, current);
        Some(())
    }

    fn current_id(&self, logged: u64) -> u64 {
        self.ids.get(&logged).copied().unwrap_or(logged)
    }

    fn set_level(&self, room: Option<RoomName>, level: ModerationLevel, until: Option<Timestamp>) {
        match (level, until) {
            (ModerationLevel::Normal, None) => self.state.levels().clear(room.as_ref()),
            (level, until) => self.state.levels().set(room, level, until),
        }
    }
}

/// Returns a logged sanction with an address that stands for the hashed one.
fn with_address(logged: LoggedSanction) -> Sanction {
    let LoggedSanction { id, kind, target, room, at, until, reason, actor, step } = logged;
    let (target, reason) = (target.map_address(address_from_hash), reason.unwrap_or_default());
    Sanction { id, kind, target, room, at, until, reason, actor, step }
}

//! Imposing, lifting and undoing sanctions.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::{ActionError, Actions};
use crate::model::{ActKind, Actor, Sanction};
use crate::moderation::{HeldMessage, PenaltyRequest, SanctionEvent, UndoResult};

/// The result of an undo.
#[derive(Clone, Debug, PartialEq)]
pub struct Undone {
    /// The sanctions that were lifted.
    pub lifted: Vec<Sanction>,
    /// Other sanctions that became milder, because an earlier step of the ladder was undone.
    pub changed: Vec<Sanction>,
    /// Ids of the held messages that were released, in their order.
    pub released: Vec<Uuid>,
}

impl Actions {
    /// Imposes a sanction as of `now`.
    ///
    /// # Errors
    /// [`ActionError::Full`], [`ActionError::NotPersisted`].
    pub async fn impose(self: &Arc<Self>, request: PenaltyRequest, now: Timestamp) -> Result<Sanction, ActionError> {
        let sanction = self.take_turn(|this| async move { this.impose_now(request, now).await }).await?;
        self.persist().await?;
        Ok(sanction)
    }

    async fn impose_now(&self, request: PenaltyRequest, now: Timestamp) -> Result<Sanction, ActionError> {
        let sanctions = self.moderation.state().sanctions();
        if let Some(foreseen) = sanctions.preview(&request, now) {
            let (actor, room) = (request.actor.clone(), foreseen.room.clone());
            self.moderation.record(actor, room, ActKind::Sanctioned { sanction: foreseen }).await;
        }
        let sanction = sanctions.impose(request, now)?;
        self.rooms.enforce(SanctionEvent::Imposed(sanction.clone())).await;
        self.moderation.refuse_held_of(&sanction, None);
        Ok(sanction)
    }

    /// Lifts a sanction before its end.
    ///
    /// # Errors
    /// [`ActionError::NoSuchSanction`], [`ActionError::NotPersisted`].
    pub async fn lift(self: &Arc<Self>, actor: Actor, id: u64) -> Result<Sanction, ActionError> {
        let lifted = self.take_turn(|this| async move { this.lift_now(actor, id).await }).await?;
        self.persist().await?;
        Ok(lifted)
    }

    async fn lift_now(&self, actor: Actor, id: u64) -> Result<Sanction, ActionError> {
        let sanctions = self.moderation.state().sanctions();
        let sanction = sanctions.get(id).ok_or(ActionError::NoSuchSanction(id))?;
        let room = sanction.room.clone();
        self.moderation.record(actor, room, ActKind::Lifted { sanction }).await;
        let lifted = sanctions.lift(id, self.moderation.now()).ok_or(ActionError::NoSuchSanction(id))?;
        self.rooms.enforce(SanctionEvent::Lifted(lifted.clone())).await;
        Ok(lifted)
    }

    /// Undoes the acts of `target` since a time: lifts its sanctions and releases the messages that it held.
    ///
    /// # Errors
    /// [`ActionError::Room`], [`ActionError::NotPersisted`].
    pub async fn undo(self: &Arc<Self>, actor: Actor, target: Actor, since: Timestamp) -> Result<Undone, ActionError> {
        let undone = self.take_turn(|this| async move { this.undo_now(actor, target, since).await }).await?;
        self.persist().await?;
        Ok(undone)
    }

    async fn undo_now(&self, actor: Actor, target: Actor, since: Timestamp) -> Result<Undone, ActionError> {
        let (state, now) = (self.moderation.state(), self.moderation.now());
        let is_affected = |sanction: &&Sanction| sanction.actor == target && sanction.at >= since;
        let lifted = state.sanctions().in_force(now).iter().filter(is_affected).map(|sanction| sanction.id).collect();
        let held = state.held().list();
        let held = held.iter().filter(|held| held.held_by.as_ref() == Some(&target) && held.held_at >= since);
        let released = held.map(HeldMessage::id).collect();
        let act = ActKind::Undone { actor: target.clone(), since, lifted, released };
        self.moderation.record(actor, None, act).await;

        let UndoResult { lifted, changed } = state.sanctions().undo(&target, since, now);
        for sanction in &lifted {
            self.rooms.enforce(SanctionEvent::Lifted(sanction.clone())).await;
        }
        let held = state.held().undo(&target, since);
        let released = held.iter().map(HeldMessage::id).collect();
        for held in held {
            self.deliver(held).await?;
        }
        Ok(Undone { lifted, changed, released })
    }
}

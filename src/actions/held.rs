//! Releasing and refusing held messages.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::{ActionError, Actions};
use crate::live::rooms::RoomUnavailable;
use crate::model::{ActKind, Actor, Notice, Reason, ReasonCode};
use crate::moderation::{ExpiryAction, HeldMessage};

impl Actions {
    /// Releases a held message to its room.
    ///
    /// # Errors
    /// [`ActionError::NotHeld`], [`ActionError::Room`], [`ActionError::NotPersisted`].
    pub async fn release(self: &Arc<Self>, actor: Actor, message: Uuid) -> Result<HeldMessage, ActionError> {
        let released = self.take_turn(|this| async move {
            let held = this.take_held(actor, message, ActKind::Released { message }).await?;
            this.deliver(held.clone()).await?;
            Ok(held)
        });
        let released = released.await?;
        self.persist().await?;
        Ok(released)
    }

    /// Refuses a held message. Its sender, if still connected, learns `reason`.
    ///
    /// # Errors
    /// [`ActionError::NotHeld`], [`ActionError::NotPersisted`].
    pub async fn refuse(
        self: &Arc<Self>,
        actor: Actor,
        message: Uuid,
        reason: Option<String>,
    ) -> Result<HeldMessage, ActionError> {
        let refused = self.take_turn(|this| async move {
            let held = this.take_held(actor, message, ActKind::Refused { message }).await?;
            this.notify_refused(&held, reason.map_or("a moderator has refused your message".into(), Cow::from)).await;
            Ok(held)
        });
        let refused = refused.await?;
        self.persist().await?;
        Ok(refused)
    }

    /// Takes a message from the queue after it has recorded what happens to it.
    async fn take_held(&self, actor: Actor, message: Uuid, act: ActKind) -> Result<HeldMessage, ActionError> {
        let queue = self.moderation.state().held();
        let held = queue.get(message).filter(|held| Timestamp::now() < held.expires_at);
        let room = held.ok_or(ActionError::NotHeld(message))?.recorded.sender.room.clone();
        self.moderation.record(actor, Some(room), act).await;
        queue.take(message).ok_or(ActionError::NotHeld(message))
    }

    /// Releases or drops, as `unanswered` says, the held messages that no moderator has reviewed in time. A message whose
    /// author was muted or banned in the meantime is dropped.
    pub async fn resolve_expired(self: &Arc<Self>, unanswered: ExpiryAction) {
        for held in self.moderation.state().held().expired(Timestamp::now()) {
            // Fails if the relay is shutting down: nobody is left to receive the message.
            let _ended = self.take_turn(|this| async move { this.resolve(held, unanswered).await }).await;
        }
    }

    async fn resolve(&self, held: HeldMessage, unanswered: ExpiryAction) -> Result<(), ActionError> {
        let (judged, message) = (&held.recorded, held.id());
        let (room, author) = (judged.sender.room.clone(), &judged.decision.message.author);
        let sanctions = self.moderation.state().sanctions();
        let is_sanctioned = sanctions.strongest(&room, author, judged.sender.address, Timestamp::now()).is_some();
        match if is_sanctioned { ExpiryAction::Drop } else { unanswered } {
            ExpiryAction::Release => {
                self.moderation.record_detached(Actor::Relay, Some(room), ActKind::Released { message });
                self.deliver(held).await
            }
            ExpiryAction::Drop => {
                self.moderation.record_detached(Actor::Relay, Some(room), ActKind::Refused { message });
                self.notify_refused(&held, "no moderator reviewed your message in time; it was not sent".into()).await;
                Ok(())
            }
        }
    }

    /// Delivers a message to its room, unless the room was removed from the configuration in the meantime.
    pub(super) async fn deliver(&self, HeldMessage { recorded: judged, .. }: HeldMessage) -> Result<(), ActionError> {
        let name = judged.sender.room.clone();
        let delivered = match self.rooms.find(name.as_str()) {
            Some(room) => room.release(judged).await,
            None => Err(RoomUnavailable::Removed(name)),
        };
        match delivered {
            Err(RoomUnavailable::Removed(room)) => {
                tracing::warn!(%room, "room of a released message no longer exists");
                Ok(())
            }
            other => Ok(other?),
        }
    }

    async fn notify_refused(&self, held: &HeldMessage, text: Cow<'static, str>) {
        if let Some(member) = held.recorded.sender.connection {
            self.rooms.notify(member, Notice::Refused(Reason::new(ReasonCode::HeldRefused, text))).await;
        }
    }
}

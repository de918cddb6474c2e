//! Releasing and refusing held messages.

use std::borrow::Cow;
use std::sync::Arc;

use uuid::Uuid;

use super::{ActionError, Actions};
use crate::live::rooms::RoomUnavailable;
use crate::model::{ActKind, Actor, Notice, Reason, ReasonCode};
use crate::moderation::{ExpiryAction, HeldMessage, is_exempt};

/// Messages that are released or refused at a time: the audit log has space for as many acts, whatever else it holds.
const BATCH: usize = 200;
/// Shown to the sender of a refused message.
const REFUSED: &str = "a moderator has refused your message";

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
            this.notify_refused(&held, reason.map_or(REFUSED.into(), Cow::from)).await;
            Ok(held)
        });
        let refused = refused.await?;
        self.persist().await?;
        Ok(refused)
    }

    /// Releases all held messages that `is_selected` accepts, oldest first. Returns those that were released.
    ///
    /// # Errors
    /// [`ActionError::Room`], [`ActionError::NotPersisted`]. Messages released before the error stay released.
    pub async fn release_all(
        self: &Arc<Self>,
        actor: Actor,
        is_selected: impl Fn(&HeldMessage) -> bool + Send + Sync + 'static,
    ) -> Result<Vec<HeldMessage>, ActionError> {
        let released = self.take_turn(|this| async move {
            let mut released = Vec::new();
            for batch in this.select_held(is_selected).chunks(BATCH) {
                for held in this.take_batch(&actor, batch, |message| ActKind::Released { message }).await {
                    this.deliver(held.clone()).await?;
                    released.push(held);
                }
            }
            Ok(released)
        });
        let released = released.await?;
        self.persist().await?;
        Ok(released)
    }

    /// Refuses all held messages that `is_selected` accepts, oldest first. Their senders, if still connected, learn
    /// `reason`. Returns the refused messages.
    ///
    /// # Errors
    /// [`ActionError::NotPersisted`].
    pub async fn refuse_all(
        self: &Arc<Self>,
        actor: Actor,
        is_selected: impl Fn(&HeldMessage) -> bool + Send + Sync + 'static,
        reason: Option<String>,
    ) -> Result<Vec<HeldMessage>, ActionError> {
        let refused = self.take_turn(|this| async move {
            let text = reason.map_or(Cow::from(REFUSED), Cow::from);
            let mut refused = Vec::new();
            for batch in this.select_held(is_selected).chunks(BATCH) {
                for held in this.take_batch(&actor, batch, |message| ActKind::Refused { message }).await {
                    this.notify_refused(&held, text.clone()).await;
                    refused.push(held);
                }
            }
            Ok(refused)
        });
        let refused = refused.await?;
        self.persist().await?;
        Ok(refused)
    }

    fn select_held(&self, is_selected: impl Fn(&HeldMessage) -> bool) -> Vec<HeldMessage> {
        let now = self.moderation.now();
        let mut held = self.moderation.state().held().list();
        held.retain(|held| now < held.expires_at && is_selected(held));
        held
    }

    /// Takes these messages from the queue, without those that have left it, after it has recorded what happens to them.
    async fn take_batch(
        &self,
        actor: &Actor,
        batch: &[HeldMessage],
        act: impl Fn(Uuid) -> ActKind + Send,
    ) -> Vec<HeldMessage> {
        let queue = self.moderation.state().held();
        let waiting: Vec<_> = batch.iter().filter(|held| queue.get(held.id()).is_some()).collect();
        let acts: Vec<_> = waiting.iter().map(|held| (held.recorded.sender.room.clone(), act(held.id()))).collect();
        self.moderation.record_all(actor, acts).await;
        waiting.into_iter().filter_map(|held| queue.take(held.id())).collect()
    }

    /// Takes a message from the queue after it has recorded what happens to it.
    async fn take_held(&self, actor: Actor, message: Uuid, act: ActKind) -> Result<HeldMessage, ActionError> {
        let (queue, now) = (self.moderation.state().held(), self.moderation.now());
        let held = queue.get(message).filter(|held| now < held.expires_at);
        let room = held.ok_or(ActionError::NotHeld(message))?.recorded.sender.room.clone();
        self.moderation.record(actor, Some(room), act).await;
        queue.take(message).ok_or(ActionError::NotHeld(message))
    }

    /// Releases or drops, as `unanswered` says, the held messages that no moderator has reviewed in time. A message whose
    /// author was muted or banned in the meantime is dropped.
    pub async fn resolve_expired(self: &Arc<Self>, unanswered: ExpiryAction) {
        for held in self.moderation.state().held().expired(self.moderation.now()) {
            // Fails if the relay is shutting down: nobody is left to receive the message.
            let _ended = self.take_turn(|this| async move { this.resolve(held, unanswered).await }).await;
        }
    }

    async fn resolve(&self, held: HeldMessage, unanswered: ExpiryAction) -> Result<(), ActionError> {
        let (judged, message) = (&held.recorded, held.id());
        let (room, author) = (judged.sender.room.clone(), &judged.decision.message.author);
        let sanctions = self.moderation.state().sanctions();
        let strongest = sanctions.strongest(&room, author, &judged.sender, self.moderation.now());
        let is_sanctioned = strongest.is_some_and(|sanction| !is_exempt(&sanction, &judged.sender));
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

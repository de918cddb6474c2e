//! Kicking and trusting members.

use std::sync::Arc;

use super::{ActionError, Actions};
use crate::model::{ActKind, Actor, ConnectionId, Notice, Reason, ReasonCode, RoomName};
use crate::room::MemberView;

impl Actions {
    /// Closes the connection of a member, which learns `reason` and may come back. Returns the member as it was before.
    ///
    /// # Errors
    /// [`ActionError::NoSuchMember`], [`ActionError::ShuttingDown`].
    pub async fn kick(
        self: &Arc<Self>,
        actor: Actor,
        member: ConnectionId,
        reason: Option<String>,
    ) -> Result<MemberView, ActionError> {
        let kicked = self.take_turn(|this| async move {
            let (room, view) = this.find_member(member).await?;
            let act = ActKind::Kicked { member, nickname: view.nickname.clone() };
            this.moderation.record(actor, Some(room), act).await;
            let text = match reason {
                Some(reason) => format!("You are removed from this room; you may come back: {reason}"),
                None => "You are removed from this room; you may come back".to_owned(),
            };
            this.rooms.kick(member, Notice::Moderation(Reason::new(ReasonCode::Kicked, text))).await;
            Ok(view)
        });
        kicked.await
    }

    /// Trusts a member until its connection closes, or stops trusting it. Returns the member as it is after that.
    ///
    /// # Errors
    /// [`ActionError::NoSuchMember`], [`ActionError::ShuttingDown`].
    pub async fn set_trusted(
        self: &Arc<Self>,
        actor: Actor,
        member: ConnectionId,
        is_trusted: bool,
    ) -> Result<MemberView, ActionError> {
        let trusted = self.take_turn(|this| async move {
            let (room, view) = this.find_member(member).await?;
            let act = ActKind::Trusted { member, nickname: view.nickname, is_trusted };
            this.moderation.record(actor, Some(room), act).await;
            this.rooms.set_trusted(member, is_trusted).await?.ok_or(ActionError::NoSuchMember)
        });
        trusted.await
    }

    async fn find_member(&self, member: ConnectionId) -> Result<(RoomName, MemberView), ActionError> {
        self.rooms.member(member).await?.ok_or(ActionError::NoSuchMember)
    }
}

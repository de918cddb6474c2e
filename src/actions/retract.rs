//! Taking back one of the last messages of a room.

use std::sync::Arc;

use uuid::Uuid;

use super::{ActionError, Actions};
use crate::live::rooms::{RoomHandle, RoomUnavailable};
use crate::model::{ActKind, Actor, RoomName};

impl Actions {
    /// Takes back a message: clients that join later do not receive it, and those that understand it remove it.
    ///
    /// # Errors
    /// [`ActionError::NotKept`], [`ActionError::Room`].
    pub async fn retract(self: &Arc<Self>, actor: Actor, room: RoomName, message: Uuid) -> Result<(), ActionError> {
        let retracted = self.take_turn(|this| async move {
            let handle = this.rooms.find(room.as_str()).ok_or_else(|| RoomUnavailable::Removed(room.clone()))?;
            // The act is recorded first, and there is none if there is nothing to take back.
            if !is_kept(&handle, message).await? {
                return Err(ActionError::NotKept(message));
            }
            this.moderation.record(actor, Some(room), ActKind::Retracted { message }).await;
            // Newer messages may have displaced it since.
            handle.retract(message).await?;
            Ok(())
        });
        retracted.await
    }
}

async fn is_kept(room: &RoomHandle, message: Uuid) -> Result<bool, RoomUnavailable> {
    Ok(room.last_messages().await?.iter().any(|kept| kept.id == message))
}

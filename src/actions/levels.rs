//! Moderation levels.

use std::sync::Arc;

use jiff::Timestamp;

use super::{ActionError, Actions};
use crate::model::{ActKind, Actor, ModerationLevel, RoomName};

impl Actions {
    /// Sets the level of a room, or of all rooms, until a time or until it is changed.
    ///
    /// # Errors
    /// [`ActionError::NotPersisted`].
    pub async fn set_level(
        self: &Arc<Self>,
        actor: Actor,
        room: Option<RoomName>,
        level: ModerationLevel,
        until: Option<Timestamp>,
    ) -> Result<(), ActionError> {
        let set = self.take_turn(|this| async move {
            this.moderation.record(actor, room.clone(), ActKind::Level { level, until }).await;
            let levels = this.moderation.state().levels();
            match (level, until) {
                (ModerationLevel::Normal, None) => levels.clear(room.as_ref()),
                _ => levels.set(room, level, until),
            }
            Ok(())
        });
        set.await?;
        self.persist().await
    }
}

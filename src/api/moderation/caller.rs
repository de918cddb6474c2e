//! The moderator who makes a call, and the rooms that the token is valid for.

use std::sync::Arc;

use crate::api::Api;
use crate::api::error::ApiError;
use crate::auth::{Moderator, Moderators};
use crate::model::{Actor, RoomName};

/// The authenticated moderator of a request.
#[derive(Clone, Debug)]
pub(in crate::api) struct Caller(pub(super) Moderator);

impl Caller {
    /// The name.
    pub(super) fn name(&self) -> Arc<str> {
        Arc::from(self.0.name())
    }

    /// The moderator as the actor of an act.
    pub(super) fn actor(&self) -> Actor {
        Actor::Moderator(self.name())
    }

    /// Whether the moderator can see what concerns `room`, or all rooms if it is `None`.
    pub(super) fn can_see(&self, room: Option<&RoomName>) -> bool {
        room.is_none_or(|room| self.0.covers(room))
    }

    /// Whether the token is still valid, with the same rights.
    pub(super) fn is_still_admitted(&self, moderators: &Moderators) -> bool {
        moderators.is_still_valid(&self.0)
    }

    /// Returns an error unless the token is valid for `room`, or for all rooms if it is `None`.
    pub(super) fn require_room(&self, room: Option<&RoomName>) -> Result<(), ApiError> {
        match room {
            None => self.require_all_rooms(),
            Some(room) if self.0.covers(room) => Ok(()),
            Some(room) => Err(ApiError::Forbidden(format!("this token is not valid for room {room}"))),
        }
    }

    /// Returns an error unless the token is valid for all rooms.
    pub(super) fn require_all_rooms(&self) -> Result<(), ApiError> {
        if self.0.covers_all_rooms() {
            return Ok(());
        }
        Err(ApiError::Forbidden(
            "this call concerns all rooms, but the token is limited to some; name one of them".to_owned(),
        ))
    }

    /// Finds the room of this name and checks that the token is valid for it. Returns `None` if `name` is `None`.
    pub(super) fn resolve_room(&self, api: &Api, name: Option<&str>) -> Result<Option<RoomName>, ApiError> {
        let Some(name) = name else { return Ok(None) };
        let room = api.rooms.find(name).ok_or_else(|| ApiError::UnknownRoom(name.to_owned()))?.name().clone();
        self.require_room(Some(&room))?;
        Ok(Some(room))
    }
}

//! The moderator who makes a call, and how far that one may go.

use std::sync::Arc;

use crate::api::Api;
use crate::api::error::ApiError;
use crate::model::RoomName;
use crate::moderation::{Moderator, Moderators};

/// The moderator who makes a call.
#[derive(Clone, Debug)]
pub(in crate::api) struct Caller(pub(super) Moderator);

impl Caller {
    /// The name.
    pub(super) fn name(&self) -> Arc<str> {
        Arc::from(self.0.name())
    }

    /// Whether something that is about this room, or about all of them, is shown.
    pub(super) fn may_see(&self, room: Option<&RoomName>) -> bool {
        room.is_none_or(|room| self.0.may_in(room))
    }

    /// Whether the token is still good for the same, after a while.
    pub(super) fn is_still_admitted(&self, moderators: &Moderators) -> bool {
        moderators.still_admits(&self.0)
    }

    /// Lets through who may act in this room, or everywhere where it is none.
    pub(super) fn check_place(&self, room: Option<&RoomName>) -> Result<(), ApiError> {
        match room {
            None => self.check_everywhere(),
            Some(room) if self.0.may_in(room) => Ok(()),
            Some(room) => Err(ApiError::NotForYou(format!("this token is not for the room {room}"))),
        }
    }

    /// Lets through who may act in all rooms.
    pub(super) fn check_everywhere(&self) -> Result<(), ApiError> {
        if self.0.everywhere() {
            return Ok(());
        }
        Err(ApiError::NotForYou(
            "this is about all rooms, and this token is for some only: name one of them".to_owned(),
        ))
    }

    /// The room of this name, if the caller may act there; nothing where none is named.
    pub(super) fn check_room_named(&self, api: &Api, name: Option<&str>) -> Result<Option<RoomName>, ApiError> {
        let Some(name) = name else { return Ok(None) };
        let room = api.rooms.find(name).ok_or_else(|| ApiError::UnknownRoom(name.to_owned()))?.name().clone();
        self.check_place(Some(&room))?;
        Ok(Some(room))
    }
}

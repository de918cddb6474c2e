//! The errors of actions.

use uuid::Uuid;

use crate::filter::rules::PresetError;
use crate::live::rooms::RoomUnavailable;
use crate::live::shard::ShuttingDown;
use crate::model::Actor;
use crate::moderation::InsertError;
use crate::store::StoreError;

/// Why an action was not carried out, or not completely.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// There is no sanction with this id in force.
    #[error("no sanction {0} in force")]
    NoSuchSanction(u64),
    /// No message with this id is held.
    #[error("no held message {0}")]
    NotHeld(Uuid),
    /// No message with this id is among the last messages of the room.
    #[error("no such message: {0}")]
    NotKept(Uuid),
    /// The breaker of this rule or plugin has not tripped, or there is no such rule or plugin.
    #[error("{0}: there is no tripped breaker")]
    NotTripped(Actor),
    /// There is no such member.
    #[error("no such member")]
    NoSuchMember,
    /// The sanction cannot be added.
    #[error(transparent)]
    Full(#[from] InsertError),
    /// The preset stays as it was.
    #[error(transparent)]
    Preset(#[from] PresetError),
    /// The room is not available.
    #[error(transparent)]
    Room(#[from] RoomUnavailable),
    /// The relay is shutting down.
    #[error(transparent)]
    ShuttingDown(#[from] ShuttingDown),
    /// The action is in effect, but not persisted: a restart could lose it.
    #[error(transparent)]
    NotPersisted(#[from] StoreError),
    /// A bug, which is logged.
    #[error("the action failed; the log of the relay has the reason")]
    Failed,
}

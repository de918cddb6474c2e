//! The error of an item that cannot be added to the moderation state.

use uuid::Uuid;

/// Why a sanction or held message cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InsertError {
    /// Too many offences in total.
    #[error("too many offences; the limit is {limit} and none has ended: lift sanctions that are no longer needed")]
    OffencesFull {
        /// The limit.
        limit: usize,
    },
    /// Too many offences of one target.
    #[error("too many sanctions on this target; the limit is {limit} and none has ended: lift some first")]
    TargetFull {
        /// The limit.
        limit: usize,
    },
    /// Too many held messages.
    #[error("too many held messages; the limit is {limit} (moderation.held.capacity)")]
    HeldFull {
        /// The limit.
        limit: usize,
    },
    /// The held messages are too large together.
    #[error("the held messages are too large; the limit is {limit} bytes (moderation.held.max_bytes)")]
    HeldBytesFull {
        /// The limit in bytes.
        limit: usize,
    },
    /// A message with this id is already held.
    #[error("a message with the id {id} is already held")]
    DuplicateId {
        /// The id.
        id: Uuid,
    },
}

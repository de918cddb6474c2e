//! That there is no room for something.

use uuid::Uuid;

/// Why something is not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// All sanctions together are as many as are kept.
    #[error("{limit} offences are kept, and none of them has ended: lift sanctions that are no longer needed")]
    All {
        /// How many are kept.
        limit: usize,
    },
    /// One target has as many sanctions as are kept.
    #[error("{limit} sanctions are on this target, and none of them has ended: lift some first")]
    Target {
        /// How many are kept.
        limit: usize,
    },
    /// As many messages are held as may be.
    #[error("{limit} messages are held, which is the limit (moderation.held.capacity)")]
    Held {
        /// How many may be held.
        limit: usize,
    },
    /// A message with this id is held already.
    #[error("a message with the id {id} is held already")]
    SameId {
        /// The id.
        id: Uuid,
    },
}

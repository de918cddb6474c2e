//! Why a plugin gave no answer.

use std::time::{Duration, Instant};

use super::contract::OutOfBounds;

/// Longest text that is told of a plugin, in characters.
const MAX_TOLD: usize = 800;

/// Why a plugin gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Its time was up.
    #[error("it took longer than {} ms", .0.as_millis())]
    Deadline(Duration),
    /// All its instances were at work all the time.
    #[error("all its instances were busy")]
    Busy,
    /// Its time was up, but most of that others had the processors.
    #[error("it had too little of the processors to answer in time")]
    CutShort,
    /// All plugins together use all the memory that they may.
    #[error("all plugins together use all their memory")]
    Starved,
    /// It could not be loaded, or not yet.
    #[error("it is not loaded")]
    NotLoaded,
    /// It is set aside because it failed too often.
    #[error("it is set aside after several failures")]
    SetAside,
    /// It ended in a trap, or used more than it may. The words may be the plugin's own.
    #[error("{}", told(.0))]
    Trap(String),
    /// Its answer is out of bounds.
    #[error(transparent)]
    OutOfBounds(#[from] OutOfBounds),
}

/// A text that may be somebody else's, as a part of one line that can still be read.
pub(super) fn told(text: &str) -> String {
    text.trim().chars().take(MAX_TOLD).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// What came of a call: whatever ended it, at the deadline that is the reason.
pub(super) fn in_time<T>(
    called: Result<Result<T, Failure>, tokio::time::error::Elapsed>,
    limit: Duration,
    deadline: Instant,
) -> Result<T, Failure> {
    match called {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(Failure::Busy)) => Err(Failure::Busy),
        Ok(Err(failure)) if Instant::now() < deadline => Err(failure),
        _ => Err(Failure::Deadline(limit)),
    }
}

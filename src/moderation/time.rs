//! Infallible arithmetic on timestamps.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Returns the time between two timestamps; zero if the second is not later.
#[must_use]
pub fn elapsed(from: Timestamp, to: Timestamp) -> Duration {
    to.duration_since(from).try_into().unwrap_or_default()
}

/// Adds a duration, saturating at [`Timestamp::MAX`].
pub(super) fn saturating_add(from: Timestamp, lasts: Duration) -> Timestamp {
    let sum = SignedDuration::try_from(lasts).ok().and_then(|lasts| from.checked_add(lasts).ok());
    sum.unwrap_or(Timestamp::MAX)
}

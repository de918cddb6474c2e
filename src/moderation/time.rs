//! Sums of times that cannot fail.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// How long it is from one time to a later one; zero when that is not later.
pub(super) fn between(from: Timestamp, to: Timestamp) -> Duration {
    to.duration_since(from).try_into().unwrap_or_default()
}

/// The time so long after another one; the last there is when it would be later than that.
pub(super) fn after(from: Timestamp, lasts: Duration) -> Timestamp {
    let sum = SignedDuration::try_from(lasts).ok().and_then(|lasts| from.checked_add(lasts).ok());
    sum.unwrap_or(Timestamp::MAX)
}

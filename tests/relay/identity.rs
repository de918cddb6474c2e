//! Whose nickname it is.

mod impostors;
mod reclaim;
mod reserved;

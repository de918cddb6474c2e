//! Nickname ownership.

mod impostors;
mod reclaim;
mod reserved;

//! Nickname ownership.

mod impostors;
mod proven;
mod reclaim;
mod reserved;

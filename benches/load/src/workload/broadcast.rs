//! `w1`: how many deliveries a second, and what one costs.
//!
//! A closed loop with a window: the relay is never idle, and its queues never hold more than the
//! window, so that a relay is measured and not its way of dropping slow readers.

use anyhow::Result;

use super::room::Room;
use crate::args::Sizes;
use crate::report::Run;
use crate::server::Server;

/// One run.
///
/// # Errors
/// As [`Room`]'s.
pub(super) fn run(sizes: &Sizes, members: usize, server: &Server) -> Result<Run> {
    let mut room = Room::open(sizes, members, server)?;
    room.exchange(sizes.messages(), sizes.window)?;
    room.close()
}

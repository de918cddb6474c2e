//! Closed loops: how many deliveries a second, and what one costs.
//!
//! With a window of messages under way the server is never idle, and its queues never hold more than the window, so
//! that a server is measured and not its way of dropping slow readers.

use std::time::Duration;

use anyhow::Result;

use super::Window;
use super::venue::Venue;
use crate::layout::Layout;
use crate::report::Run;
use crate::server::Server;
use crate::sizes::Sizes;

/// One run.
///
/// # Errors
/// As [`Venue`]'s.
pub(super) fn run(sizes: &Sizes, layout: Layout, window: Window, duration: Duration, server: &Server) -> Result<Run> {
    let mut venue = Venue::open(sizes, layout, server)?;
    venue.exchange(window, sizes.warmup())?;
    venue.start()?;
    venue.exchange(window, duration)?;
    venue.close()
}

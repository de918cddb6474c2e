//! Closed loops: deliveries a second, and the cost of a delivery.
//!
//! With a window of messages in flight the server is never idle, and its queues never hold more than the window. So the
//! server is measured, and not the way it drops slow readers.

use std::time::Duration;

use anyhow::Result;

use super::Window;
use super::session::Session;
use crate::layout::Layout;
use crate::report::Run;
use crate::server::Server;
use crate::sizes::Sizes;

/// One run.
///
/// # Errors
/// As [`Session`]'s.
pub(super) fn run(sizes: &Sizes, layout: Layout, window: Window, duration: Duration, server: &Server) -> Result<Run> {
    let mut session = Session::open(sizes, layout, server)?;
    session.exchange(window, sizes.warmup())?;
    session.start()?;
    session.exchange(window, duration)?;
    session.close()
}

//! `idle`: what a connection costs that says nothing.

use anyhow::Result;

use super::QUIET;
use crate::args::Sizes;
use crate::memory;
use crate::report::{Figure, Run};
use crate::server::Server;
use crate::swarm::Swarm;

/// One run.
///
/// Processor time is given twice: until the last handshake, and until the announcements of presence
/// have settled too, since a relay may put them off.
///
/// # Errors
/// If a connection fails or the room does not become quiet.
pub(super) fn run(sizes: &Sizes, connections: usize, server: &Server) -> Result<Run> {
    let meter = server.meter;
    let mut swarm = Swarm::new(server.address)?;
    let before = memory::resident(meter.pid)?;
    let start = meter.read()?;
    let connecting = swarm.connect(connections, sizes.parallel, sizes.limit())?;
    let connected = start.until(&meter.read()?);
    let settling = swarm.settle(QUIET, sizes.limit())?;
    let settled = start.until(&meter.read()?);
    let after = memory::resident(meter.pid)?;

    let count = connections as f64;
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let mut figures = vec![
        Figure::new("connects", "1/s", count / connecting.as_secs_f64()),
        Figure::new("relay CPU per connect", "us", connected.relay.as_secs_f64() * 1e6 / count),
        Figure::new("relay CPU per connect settled", "us", settled.relay.as_secs_f64() * 1e6 / count),
        Figure::new("resident before", "MiB", mebibytes(before)),
        Figure::new("resident after", "MiB", mebibytes(after)),
        Figure::new("memory per connection", "B", after.saturating_sub(before) as f64 / count),
        Figure::new("settled after", "s", settling.as_secs_f64()),
        Figure::new("presence frames each", "", swarm.crowd().tally().presence as f64 / count),
    ];
    figures.extend(Figure::of_usage(&connected));
    let problems = swarm.crowd().problems();
    swarm.leave();
    Ok(Run { figures, problems })
}

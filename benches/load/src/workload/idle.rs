//! The cost of an idle connection.

use anyhow::Result;

use crate::layout::Layout;
use crate::memory;
use crate::report::{CONNECT_CPU, Figure, MEMORY_EACH, Run};
use crate::server::Server;
use crate::sizes::Sizes;
use crate::swarm::Swarm;

/// One run.
///
/// CPU time is reported twice: until the last handshake, and until all members have the right user count and no text
/// arrives, since a server may delay its announcements.
///
/// # Errors
/// If a connection fails or the room does not become quiet.
pub(super) fn run(sizes: &Sizes, connections: usize, server: &Server) -> Result<Run> {
    let meter = server.meter;
    let mut swarm = Swarm::new(server)?;
    let before = memory::resident(meter.pid)?;
    let start = meter.read()?;
    let connecting = swarm.connect(Layout::new(connections, 1, 1), sizes.parallel, sizes.limit())?;
    let connected = start.until(&meter.read()?);
    swarm.settle(sizes.quiet(), sizes.limit())?;
    let settled = start.until(&meter.read()?);
    let after = memory::resident(meter.pid)?;

    let count = connections as f64;
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let mut figures = vec![
        Figure::new(MEMORY_EACH, "B", after.saturating_sub(before) as f64 / count),
        Figure::new(CONNECT_CPU, "us", settled.server.as_secs_f64() * 1e6 / count),
        Figure::new("of which in handshakes", "us", connected.server.as_secs_f64() * 1e6 / count),
        Figure::new("connects", "1/s", count / connecting.as_secs_f64()),
        Figure::new("resident before", "MiB", mebibytes(before)),
        Figure::new("resident after", "MiB", mebibytes(after)),
        Figure::new("presence frames each", "", swarm.clients().tally().presence as f64 / count),
    ];
    figures.extend(Figure::cpu_figures(&connected));
    let problems = swarm.problems();
    swarm.close();
    Ok(Run { figures, problems })
}

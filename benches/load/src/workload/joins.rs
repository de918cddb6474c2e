//! Many connections join one room: how long until all have the right user count.
//!
//! For comparison, the same number of connections join a room each, where there is nobody to notify. One server does
//! both, separate rooms first, after a warm-up that is not measured.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::cpu::Usage;
use crate::layout::Layout;
use crate::report::{Figure, JOIN_CPU_ALONE, JOINS_ALONE, JOINS_MORE, JOINS_TOLD, Run};
use crate::server::Server;
use crate::sizes::Sizes;
use crate::swarm::Swarm;

/// The measurement of a set of joins.
struct JoinResult {
    /// From the first connect to the last right user count, or to the last handshake if counts are not announced.
    duration: Duration,
    usage: Usage,
    /// Presence frames.
    frames: u64,
    problems: Vec<String>,
}

/// One run.
///
/// # Errors
/// If a connection fails or a member never receives the right user count.
pub(super) fn run(sizes: &Sizes, connections: usize, server: &Server) -> Result<Run> {
    join(sizes, Layout::alone(connections.div_ceil(10)), server)?;
    let alone = join(sizes, Layout::alone(connections), server)?;
    let together = join(sizes, Layout::new(connections, 1, 1), server)?;

    let count = connections as f64;
    let each = |usage: &Usage| usage.server.as_secs_f64() * 1e6 / count;
    let millis = |duration: Duration| duration.as_secs_f64() * 1e3;
    let mut figures = vec![
        Figure::new(JOINS_TOLD, "ms", millis(together.duration)),
        Figure::new(JOINS_ALONE, "ms", millis(alone.duration)),
        Figure::new(JOINS_MORE, "ms", millis(together.duration) - millis(alone.duration)),
        Figure::new("server CPU per join", "us", each(&together.usage)),
        Figure::new(JOIN_CPU_ALONE, "us", each(&alone.usage)),
        Figure::new("presence frames each", "", together.frames as f64 / count),
    ];
    figures.extend(Figure::cpu_figures(&together.usage));
    let problems = alone.problems.into_iter().chain(together.problems).collect();
    Ok(Run { figures, problems })
}

/// Connects all members of `layout`, waits for their user counts, and closes them.
fn join(sizes: &Sizes, layout: Layout, server: &Server) -> Result<JoinResult> {
    let mut swarm = Swarm::new(server)?;
    let (start, started) = (server.meter.read()?, Instant::now());
    let connecting = swarm.connect(layout, sizes.parallel, sizes.limit())?;
    let last = swarm.settle(sizes.quiet(), sizes.limit())?;
    let joined = JoinResult {
        duration: if server.announces { connecting.max(last - started) } else { connecting },
        usage: start.until(&server.meter.read()?),
        frames: swarm.clients().tally().presence,
        problems: swarm.problems(),
    };
    swarm.close();
    // All members must have left the room before others are counted there.
    server.meter.wait_until_idle()?;
    Ok(joined)
}

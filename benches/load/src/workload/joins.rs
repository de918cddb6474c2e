//! Many join one room at once: how long until all know how many they are.
//!
//! The same joins, each into a room of its own, are what joining costs when there is nobody to tell. One server does
//! both, that one first, after some joins that nobody counts.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::cpu::Usage;
use crate::layout::Layout;
use crate::report::{Figure, JOIN_CPU_ALONE, JOINS_ALONE, JOINS_MORE, JOINS_TOLD, Run};
use crate::server::Server;
use crate::sizes::Sizes;
use crate::swarm::Swarm;

/// What a crowd of joins gave.
struct Joined {
    /// From the first connect to the last right number, or to the last handshake where nothing is announced.
    told: Duration,
    usage: Usage,
    /// Presence frames.
    frames: u64,
    problems: Vec<String>,
}

/// One run.
///
/// # Errors
/// If a connection fails or somebody never learns the right number.
pub(super) fn run(sizes: &Sizes, connections: usize, server: &Server) -> Result<Run> {
    join(sizes, Layout::alone(connections.div_ceil(10)), server)?;
    let alone = join(sizes, Layout::alone(connections), server)?;
    let together = join(sizes, Layout::new(connections, 1, 1), server)?;

    let count = connections as f64;
    let each = |usage: &Usage| usage.server.as_secs_f64() * 1e6 / count;
    let millis = |duration: Duration| duration.as_secs_f64() * 1e3;
    let mut figures = vec![
        Figure::new(JOINS_TOLD, "ms", millis(together.told)),
        Figure::new(JOINS_ALONE, "ms", millis(alone.told)),
        Figure::new(JOINS_MORE, "ms", millis(together.told) - millis(alone.told)),
        Figure::new("server CPU per join", "us", each(&together.usage)),
        Figure::new(JOIN_CPU_ALONE, "us", each(&alone.usage)),
        Figure::new("presence frames each", "", together.frames as f64 / count),
    ];
    figures.extend(Figure::of_usage(&together.usage));
    let problems = alone.problems.into_iter().chain(together.problems).collect();
    Ok(Run { figures, problems })
}

/// All members of `layout` come, are told, and leave.
fn join(sizes: &Sizes, layout: Layout, server: &Server) -> Result<Joined> {
    let mut swarm = Swarm::new(server)?;
    let (start, started) = (server.meter.read()?, Instant::now());
    let connecting = swarm.connect(layout, sizes.parallel, sizes.limit())?;
    let last = swarm.settle(sizes.quiet(), sizes.limit())?;
    let joined = Joined {
        told: if server.announces { connecting.max(last - started) } else { connecting },
        usage: start.until(&server.meter.read()?),
        frames: swarm.crowd().tally().presence,
        problems: swarm.problems(),
    };
    swarm.leave();
    // Who has left must be gone from the room before others are counted there.
    server.meter.wait_for_rest()?;
    Ok(joined)
}

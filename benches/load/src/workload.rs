//! The workloads, each a file of its own, and what they share.
//!
//! Owns the choice of a workload and its sizes. A workload gets a relay and sizes, and gives
//! figures and problems; it prints nothing.

mod broadcast;
mod ears;
mod idle;
mod paced;
mod progress;
mod room;

use std::time::Duration;

use anyhow::Result;
use clap::ValueEnum;
use serde_json::{Value, json};

use crate::args::Sizes;
use crate::report::Run;
use crate::server::Server;

/// A room is taken for settled when nothing has come for this long.
const QUIET: Duration = Duration::from_secs(1);

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// One sender, a thousand members, as fast as the sender's echoes come back.
    W1,
    /// A hundred members, fifty messages a second: latency without a queue.
    Paced,
    /// Ten thousand connections that say nothing: cost of a connection.
    Idle,
}

impl Workload {
    /// The name on the command line and in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::W1 => "w1",
            Self::Paced => "paced",
            Self::Idle => "idle",
        }
    }

    /// Members or connections, unless `sizes` has another number.
    pub(crate) fn connections(self, sizes: &Sizes) -> usize {
        match self {
            Self::W1 => sizes.members.unwrap_or(1_000),
            Self::Paced => sizes.members.unwrap_or(100),
            Self::Idle => sizes.connections.unwrap_or(if sizes.quick { 500 } else { 10_000 }),
        }
    }

    /// One run against `server`.
    ///
    /// # Errors
    /// If there are no figures to report at all. Lost messages and closed connections are problems
    /// of the run and no errors.
    pub(crate) fn run(self, sizes: &Sizes, server: &Server) -> Result<Run> {
        let connections = self.connections(sizes);
        match self {
            Self::W1 => broadcast::run(sizes, connections, server),
            Self::Paced => paced::run(sizes, connections, server),
            Self::Idle => idle::run(sizes, connections, server),
        }
    }

    /// The sizes that matter to this workload, for the report.
    pub(crate) fn settings(self, sizes: &Sizes) -> Value {
        let connections = self.connections(sizes);
        match self {
            Self::W1 => json!({
                "members": connections, "messages": sizes.messages(),
                "warmup_messages": sizes.warmup, "window": sizes.window,
                "message_bytes": sizes.size,
                "latency_members": sizes.sample.min(connections), "turn_ms": sizes.turn,
            }),
            Self::Paced => json!({
                "members": connections, "messages_per_s": sizes.rate,
                "seconds": sizes.seconds(), "warmup_messages": sizes.warmup,
                "message_bytes": sizes.size,
                "latency_members": sizes.sample.min(connections), "turn_ms": sizes.turn,
            }),
            Self::Idle => {
                json!({ "connections": connections, "parallel_handshakes": sizes.parallel })
            }
        }
    }
}

//! One measurement: its load, and how it is run.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use super::{Workload, closed, idle, images, joins, layers, paced, photos, stuck};
use crate::chains::Chain;
use crate::layer;
use crate::layout::Layout;
use crate::report::Run;
use crate::server::Server;
use crate::sizes::Sizes;
use crate::variant::Variant;

/// One measurement: a workload, or one point of a workload with several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) workload: Workload,
    /// The point on the workload's axis, if it has one; for `rules`, the number of the workload w1 to w4.
    pub(crate) at: Option<usize>,
    pub(super) load: Load,
}

/// The load of a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Load {
    Closed { layout: Layout, window: Window, duration: Duration },
    Paced { layout: Layout, rate: u32, duration: Duration },
    WithStuck { layout: Layout, rate: u32, duration: Duration },
    Idle { connections: usize },
    Joins { connections: usize },
    Layers { layout: Layout, shares: usize },
    WithPhotos { layout: Layout, rate: u32, duration: Duration },
}

/// How many messages are in flight, each from its sending to its echo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Window {
    /// For each sender.
    PerSender(usize),
    /// For all senders together, which send in turn.
    Shared(usize),
}

impl Case {
    /// The name of the workload, with the point if there are several.
    pub(crate) fn name(&self) -> String {
        let name = self.workload.name();
        let like = if self.workload == Workload::Rules { "w" } else { "" };
        self.at.map_or_else(|| name.to_owned(), |at| format!("{name} {like}{at}"))
    }

    /// The number of connections.
    pub(crate) fn connections(&self) -> usize {
        match self.load {
            Load::Closed { layout, .. } | Load::Paced { layout, .. } | Load::Layers { layout, .. } => layout.members(),
            Load::WithPhotos { layout, .. } => layout.members() + photos::SENDERS,
            Load::WithStuck { layout, .. } => layout.members() + stuck::SENDERS,
            Load::Idle { connections } | Load::Joins { connections } => connections,
        }
    }

    /// The number of rooms that the server needs.
    pub(crate) fn rooms(&self) -> usize {
        match self.load {
            Load::Closed { layout, .. } | Load::Paced { layout, .. } | Load::Layers { layout, .. } => layout.rooms(),
            Load::WithPhotos { .. } => photos::room() + 1,
            Load::WithStuck { layout, .. } => layout.rooms() + 1,
            Load::Idle { .. } => 1,
            Load::Joins { connections } => connections,
        }
    }

    /// Whether the figures are so small that server and tool need a CPU each.
    pub(crate) fn is_delicate(&self) -> bool {
        matches!(self.load, Load::Paced { .. })
    }

    /// Whether the announcement of user counts is measured.
    pub(crate) fn is_about_presence(&self) -> bool {
        matches!(self.load, Load::Joins { .. })
    }

    /// One run of a `variant` of the load against `server`.
    ///
    /// # Errors
    /// If there are no figures at all. Lost messages and closed connections are problems of the run, not errors.
    pub(crate) fn run(&self, sizes: &Sizes, server: &Server, variant: Option<Variant>) -> Result<Run> {
        let of_variant = |layout: Layout| variant.map_or(layout, |variant| layout.with(variant.generations()));
        match self.load {
            Load::Closed { layout, window, duration } => {
                closed::run(sizes, of_variant(layout), window, duration, server)
            }
            Load::Paced { layout, rate, duration } => paced::run(sizes, layout, rate, duration, server),
            Load::WithStuck { layout, rate, duration } => {
                let is_stuck = variant == Some(Variant::Chain(Chain::StuckBusy));
                stuck::run(sizes, layout, rate, duration, is_stuck, server)
            }
            Load::Idle { connections } => idle::run(sizes, connections, server),
            Load::Joins { connections } => joins::run(sizes, connections, server),
            Load::Layers { layout, shares } => layers::run(sizes, of_variant(layout), shares, server),
            Load::WithPhotos { layout, rate, duration } => {
                let with_photos = variant == Some(Variant::WithPhotos);
                images::run(sizes, layout, rate, duration, with_photos, server)
            }
        }
    }

    /// The relevant sizes, for the report.
    pub(crate) fn settings(&self, sizes: &Sizes) -> Value {
        let sending = |layout: Layout, duration: Duration| {
            json!({
                "members": layout.members(), "rooms": layout.rooms(), "senders_a_room": layout.senders(),
                "seconds": duration.as_secs_f64(), "warmup_seconds": sizes.warmup().as_secs_f64(),
                "message_bytes": sizes.size, "latency_members": sizes.sample.min(layout.members()),
                "turn_ms": sizes.turn(layout.members()).unwrap_or_default().as_millis(),
            })
        };
        let with = |mut settings: Value, name: &str, value: Value| {
            settings[name] = value;
            settings
        };
        match self.load {
            Load::Closed { layout, window: Window::PerSender(window), duration } => {
                with(sending(layout, duration), "window", window.into())
            }
            Load::Closed { layout, window: Window::Shared(window), duration } => {
                with(sending(layout, duration), "window_of_all_rooms", window.into())
            }
            Load::Paced { layout, rate, duration } | Load::WithStuck { layout, rate, duration } => {
                with(sending(layout, duration), "messages_per_s", rate.into())
            }
            Load::Idle { connections } | Load::Joins { connections } => {
                json!({ "connections": connections, "parallel_handshakes": sizes.parallel })
            }
            Load::Layers { layout, shares } => {
                json!({ "members": layout.members(), "features": layer::FEATURES, "shares": shares })
            }
            Load::WithPhotos { layout, rate, duration } => {
                let settings = with(sending(layout, duration), "messages_per_s", rate.into());
                with(settings, "photo_senders", photos::SENDERS.into())
            }
        }
    }
}

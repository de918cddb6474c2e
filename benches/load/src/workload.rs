//! The workloads, with a file for each kind, and what they share.
//!
//! Chooses a workload and its sizes. A workload takes a server and sizes, and returns figures and problems; it prints
//! nothing.

mod closed;
mod idle;
mod joins;
mod latency;
mod ledger;
mod paced;
mod progress;
mod session;
mod stuck;

use std::time::Duration;

use anyhow::Result;
use clap::ValueEnum;
use serde_json::{Value, json};

use crate::chains::Chain;
use crate::layout::Layout;
use crate::report::Run;
use crate::server::Server;
use crate::sizes::Sizes;

/// A workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// A thousand members, one of which sends as fast as its echoes return.
    W1,
    /// Ten thousand members, one of which sends as fast as its echoes return.
    W2,
    /// Two hundred members, twenty of which send as fast as their echoes return.
    W3,
    /// A hundred members, fifty messages a second: latency without a queue.
    #[value(alias = "paced")]
    W4,
    /// Ten thousand idle connections: the cost of a connection.
    #[value(alias = "idle")]
    W5,
    /// A thousand joins: the time until all have the right user count.
    Joins,
    /// A thousand members in one room to a thousand rooms.
    Rooms,
    /// Ten to ten thousand members of one room.
    Members,
    /// Twenty members that all send as fast as their echoes return, with no plugins, some in Rust, or one in Python.
    Plugins,
    /// Like w4, without plugins and with three.
    Delivery,
    /// Two rooms with fifty messages a second, while the plugins of another room are stuck.
    Stuck,
    /// Like w1 to w4, without rules and with the starter rules.
    Rules,
}

/// One measurement: a workload, or one point of a workload with several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) workload: Workload,
    /// The point on the workload's axis, if it has one; for `rules`, the number of the workload w1 to w4.
    pub(crate) at: Option<usize>,
    load: Load,
}

/// Rooms other than that of the stuck plugins: one with another plugin, one without plugins.
const UNSTUCK_ROOMS: usize = 2;

/// The load of a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Load {
    Closed { layout: Layout, window: Window, duration: Duration },
    Paced { layout: Layout, rate: u32, duration: Duration },
    WithStuck { layout: Layout, rate: u32, duration: Duration },
    Idle { connections: usize },
    Joins { connections: usize },
}

/// How many messages are in flight, each from its sending to its echo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Window {
    /// For each sender.
    PerSender(usize),
    /// For all senders together, which send in turn.
    Shared(usize),
}

impl Workload {
    /// The name on the command line and in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::W1 => "w1",
            Self::W2 => "w2",
            Self::W3 => "w3",
            Self::W4 => "w4",
            Self::W5 => "w5",
            Self::Joins => "joins",
            Self::Rooms => "rooms",
            Self::Members => "members",
            Self::Plugins => "plugins",
            Self::Delivery => "delivery",
            Self::Stuck => "stuck",
            Self::Rules => "rules",
        }
    }

    /// The chains to compare, if plugins or rules are compared. The relay is measured alone then.
    pub(crate) fn chains(self) -> &'static [Chain] {
        match self {
            Self::Plugins => &[Chain::NoPlugins, Chain::One, Chain::Three, Chain::Python],
            Self::Delivery => &[Chain::NoPlugins, Chain::Three],
            Self::Stuck => &[Chain::StuckIdle, Chain::StuckBusy],
            Self::Rules => &[Chain::NoRules, Chain::StarterRules],
            _ => &[],
        }
    }

    /// Whether it is measured at many points, to be plotted.
    pub(crate) fn is_curve(self) -> bool {
        matches!(self, Self::Rooms | Self::Members)
    }

    /// The points of the workload; most have one.
    pub(crate) fn cases(self, sizes: &Sizes) -> Vec<Case> {
        let members = |whole, little| sizes.members.unwrap_or(sizes.either(whole, little));
        let connections = |whole, little| sizes.connections.unwrap_or(sizes.either(whole, little));
        let duration = |whole| sizes.seconds.unwrap_or(sizes.either(whole, Duration::from_millis(200)));
        let window = |whole| sizes.window.unwrap_or(whole);
        let case = |at, load| Case { workload: self, at, load };
        let closed = |layout, window, seconds| {
            let duration = duration(Duration::from_secs(seconds));
            Load::Closed { layout, window, duration }
        };
        let load = match self {
            Self::W1 => closed(Layout::new(members(1_000, 100), 1, 1), Window::PerSender(window(16)), 4),
            Self::W2 => closed(Layout::new(members(10_000, 500), 1, 1), Window::PerSender(window(4)), 4),
            Self::W3 => closed(Layout::new(members(200, 50), 1, sizes.either(20, 5)), Window::PerSender(window(16)), 4),
            Self::W4 | Self::Delivery => Load::Paced {
                layout: Layout::new(members(100, 20), 1, 1),
                rate: sizes.rate,
                duration: duration(Duration::from_secs(10)),
            },
            Self::Plugins => closed(Layout::new(members(20, 8), 1, usize::MAX), Window::PerSender(window(16)), 4),
            Self::Stuck => Load::WithStuck {
                layout: Layout::new(members(40, 8), UNSTUCK_ROOMS, 1),
                rate: sizes.rate,
                duration: duration(Duration::from_secs(10)),
            },
            Self::Rules => {
                let like = [Self::W1, Self::W2, Self::W3, Self::W4].into_iter().flat_map(|like| like.cases(sizes));
                return (1..).zip(like).map(|(at, like)| case(Some(at), like.load)).collect();
            }
            Self::W5 => Load::Idle { connections: connections(10_000, 500) },
            Self::Joins => Load::Joins { connections: connections(1_000, 100) },
            Self::Rooms => {
                let members = members(1_000, 60);
                let points = points(sizes.either(&[1, 3, 10, 30, 100, 300, 1_000], &[1, 8, 60]), members);
                let load = |rooms| closed(Layout::new(members, rooms, 1), Window::Shared(window(16)), 2);
                return points.map(|rooms| case(Some(rooms), load(rooms))).collect();
            }
            Self::Members => {
                let points = points(sizes.either(&[10, 30, 100, 300, 1_000, 3_000, 10_000], &[10, 100, 300]), 10_000);
                let load = |members| closed(Layout::new(members, 1, 1), Window::PerSender(window(16)), 2);
                return points.map(|members| case(Some(members), load(members))).collect();
            }
        };
        vec![case(None, load)]
    }
}

/// The points up to `most`.
fn points(all: &[usize], most: usize) -> impl Iterator<Item = usize> {
    all.iter().copied().filter(move |point| *point <= most)
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
            Load::Closed { layout, .. } | Load::Paced { layout, .. } => layout.members(),
            Load::WithStuck { layout, .. } => layout.members() + stuck::SENDERS,
            Load::Idle { connections } | Load::Joins { connections } => connections,
        }
    }

    /// The number of rooms that the server needs.
    pub(crate) fn rooms(&self) -> usize {
        match self.load {
            Load::Closed { layout, .. } | Load::Paced { layout, .. } => layout.rooms(),
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

    /// One run against `server`, which has the plugins of `chain`.
    ///
    /// # Errors
    /// If there are no figures at all. Lost messages and closed connections are problems of the run, not errors.
    pub(crate) fn run(&self, sizes: &Sizes, server: &Server, chain: Chain) -> Result<Run> {
        match self.load {
            Load::Closed { layout, window, duration } => closed::run(sizes, layout, window, duration, server),
            Load::Paced { layout, rate, duration } => paced::run(sizes, layout, rate, duration, server),
            Load::WithStuck { layout, rate, duration } => {
                stuck::run(sizes, layout, rate, duration, chain == Chain::StuckBusy, server)
            }
            Load::Idle { connections } => idle::run(sizes, connections, server),
            Load::Joins { connections } => joins::run(sizes, connections, server),
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
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        sizes: Sizes,
    }

    fn cases(workload: Workload, line: &str) -> Vec<Case> {
        workload.cases(&Line::parse_from(format!("x {line}").split_whitespace()).sizes)
    }

    #[test]
    fn curves_and_rules_have_several_cases_and_other_workloads_have_one() {
        for workload in Workload::value_variants() {
            for line in ["", "--quick", "--members 50"] {
                let cases = cases(*workload, line);
                assert!(cases.iter().all(|case| case.rooms() <= case.connections()), "{cases:?}");
                let has_many = workload.is_curve() || *workload == Workload::Rules;
                assert_eq!(cases.iter().all(|case| case.at.is_some()), has_many);
                assert_eq!(cases.len() > 1, has_many);
            }
        }
        assert_eq!(cases(Workload::Rooms, "")[6].rooms(), 1_000);
        assert_eq!(cases(Workload::Members, "")[6].connections(), 10_000);
    }

    #[test]
    fn the_first_point_of_rooms_is_w1() {
        let w1 = &cases(Workload::W1, "")[0];
        let rooms = &cases(Workload::Rooms, "")[0];
        assert_eq!((w1.connections(), w1.rooms()), (rooms.connections(), rooms.rooms()));
    }

    #[test]
    fn rules_are_measured_with_the_first_four_workloads() {
        let rules = cases(Workload::Rules, "");
        let names: Vec<String> = rules.iter().map(Case::name).collect();
        assert_eq!(names, ["rules w1", "rules w2", "rules w3", "rules w4"]);
        for (rules, like) in rules.iter().zip([Workload::W1, Workload::W2, Workload::W3, Workload::W4]) {
            assert_eq!(rules.load, cases(like, "")[0].load);
        }
    }

    #[test]
    fn sizes_of_the_command_line_take_precedence() {
        assert_eq!(cases(Workload::W2, "--quick --members 70")[0].connections(), 70);
        assert_eq!(cases(Workload::W5, "--connections 80")[0].connections(), 80);
    }
}

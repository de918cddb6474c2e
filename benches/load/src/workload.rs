//! The workloads, with a file for each kind, and what they share.
//!
//! Chooses a workload and its sizes. A workload takes a server and sizes, and returns figures and problems; it prints
//! nothing.

mod case;
mod closed;
mod idle;
mod images;
mod joins;
mod latency;
mod layers;
mod ledger;
mod paced;
mod photos;
mod progress;
mod receipts;
mod session;
mod stuck;
mod traffic;

use std::time::Duration;

use clap::ValueEnum;

use self::case::Load;
pub(crate) use self::case::{Case, Window};
use crate::generation::{Generation, Generations};
use crate::layout::Layout;
use crate::sizes::Sizes;
use crate::variant::Variant;

/// Rooms other than that of the stuck plugins: one with another plugin, one without plugins.
const UNSTUCK_ROOMS: usize = 2;

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
    /// Like w1 with three senders, with members of v1 and of all generations.
    Generations,
    /// A layer for a thousand members of all generations: the time until all have it, and the memory it takes.
    Layer,
    /// Like w4, without and with photos in another room.
    Images,
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
            Self::Generations => "generations",
            Self::Layer => "layer",
            Self::Images => "images",
        }
    }

    /// The variants to compare, if the relay is compared with itself. It is measured alone then.
    pub(crate) fn variants(self) -> &'static [Variant] {
        use crate::chains::Chain::{NoPlugins, NoRules, One, Python, StarterRules, StuckBusy, StuckIdle, Three};
        use Generations::{All, Mixed};
        use Variant::{Chain, Members, WithPhotos, WithoutPhotos};
        match self {
            Self::Plugins => &[Chain(NoPlugins), Chain(One), Chain(Three), Chain(Python)],
            Self::Delivery => &[Chain(NoPlugins), Chain(Three)],
            Self::Stuck => &[Chain(StuckIdle), Chain(StuckBusy)],
            Self::Rules => &[Chain(NoRules), Chain(StarterRules)],
            Self::Generations => &[Members(All(Generation::V1)), Members(Mixed)],
            Self::Layer => &[Members(Mixed)],
            Self::Images => &[WithoutPhotos, WithPhotos],
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
            Self::Generations => closed(Layout::new(members(1_000, 99), 1, 3), Window::Shared(window(16)), 4),
            Self::Layer => Load::Layers {
                // At least one of each generation: v1 cannot share layers.
                layout: Layout::new(members(1_000, 99).max(3), 1, 3),
                shares: sizes.either(5, 2),
            },
            Self::Images => Load::WithPhotos {
                layout: Layout::new(members(100, 20), 1, 1),
                rate: sizes.rate,
                duration: duration(Duration::from_secs(10)),
            },
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
    fn generations_are_measured_like_w1() {
        let (w1, generations) = (&cases(Workload::W1, "")[0], &cases(Workload::Generations, "")[0]);
        assert_eq!((w1.connections(), w1.rooms()), (generations.connections(), generations.rooms()));
    }

    #[test]
    fn sizes_of_the_command_line_take_precedence() {
        assert_eq!(cases(Workload::W2, "--quick --members 70")[0].connections(), 70);
        assert_eq!(cases(Workload::W5, "--connections 80")[0].connections(), 80);
    }
}

//! The goals of the relay, and whether it meets them.
//!
//! Defines the lines of the table in `PERFORMANCE.md`: the figures of each workload that are shown, and their goals.

use crate::entrants::{Rival, ServerKind};
use crate::report::{
    CONNECT_CPU, DELIVERY_CPU, FIRST_LAYER_TOLD, JOIN_CPU_ALONE, JOINS_MORE, JOINS_TOLD, LAYER_CPU, LAYER_TOLD,
    MEMORY_EACH, MEMORY_GROWTH, MESSAGE_CPU, MESSAGES, P99_ANOTHER, P99_BARE, PHOTO_TOLD, PHOTOS, number,
};
use crate::section::Section;
use crate::stats::spread;
use crate::workload::Workload;

/// The greatest factor by which the ratio to the floor may differ between two points of a curve.
pub(crate) const MAX_STEEPNESS: f64 = 1.5;

/// A line of a table.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) workload: Workload,
    pub(crate) figure: &'static str,
    /// The column of the history, if it has one.
    pub(crate) history: Option<&'static str>,
    goals: &'static [Goal],
}

/// A goal for a figure. Less is better.
#[derive(Debug, Clone, Copy)]
enum Goal {
    /// At most this many times the rival's figure.
    AtMostTimesRival(f64, Rival),
    /// At most this value.
    AtMost(f64),
    /// Less than the figure of uWebSockets.
    BetterThanUws,
    /// In the last column at most this many times the figure of the first column.
    AtMostTimesFirst(f64),
}

const fn line(workload: Workload, figure: &'static str, history: Option<&'static str>, goals: &'static [Goal]) -> Line {
    Line { workload, figure, history, goals }
}

/// The lines of the main table.
pub(crate) const LINES: &[Line] = {
    use Goal::{AtMost, AtMostTimesRival, BetterThanUws};
    use Rival::{Coalescing, Sends};
    use Workload::{Joins, W1, W2, W3, W4, W5};
    &[
        line(W1, DELIVERY_CPU, Some("W1"), &[AtMostTimesRival(1.1, Coalescing), BetterThanUws]),
        line(W1, "deliveries", None, &[]),
        line(W1, "latency p99", None, &[]),
        line(W2, DELIVERY_CPU, Some("W2"), &[AtMostTimesRival(1.1, Coalescing), BetterThanUws]),
        line(W2, "deliveries", None, &[]),
        line(W2, "latency p99", None, &[]),
        line(W3, DELIVERY_CPU, Some("W3"), &[AtMostTimesRival(1.25, Coalescing), BetterThanUws]),
        line(W3, "deliveries", None, &[]),
        line(W3, "latency p99", None, &[]),
        line(W4, DELIVERY_CPU, Some("W4"), &[AtMostTimesRival(1.2, Sends), BetterThanUws]),
        line(W4, "latency p50", None, &[]),
        line(W4, "latency p99", None, &[]),
        line(W5, MEMORY_EACH, Some("idle"), &[AtMost(600.0), BetterThanUws]),
        line(W5, CONNECT_CPU, Some("connect"), &[AtMost(30.0), BetterThanUws]),
        line(W5, "connects", None, &[]),
        line(Joins, JOINS_TOLD, None, &[BetterThanUws]),
        line(Joins, JOIN_CPU_ALONE, None, &[]),
        line(Joins, JOINS_MORE, Some("joins"), &[AtMost(100.0)]),
    ]
};

/// The lines of the tables in which the relay is compared with itself.
pub(crate) const VARIANT_LINES: &[Line] = {
    use Goal::AtMostTimesFirst;
    use Workload::{Delivery, Generations, Images, Layer, Plugins, Stuck};
    &[
        line(Plugins, MESSAGES, None, &[]),
        line(Plugins, MESSAGE_CPU, None, &[]),
        line(Plugins, "latency p99", None, &[]),
        line(Delivery, DELIVERY_CPU, None, &[AtMostTimesFirst(1.1)]),
        line(Delivery, "latency p50", None, &[]),
        line(Delivery, "latency p99", None, &[]),
        line(Stuck, P99_BARE, None, &[AtMostTimesFirst(2.0)]),
        line(Stuck, P99_ANOTHER, None, &[AtMostTimesFirst(2.0)]),
        line(Generations, DELIVERY_CPU, None, &[AtMostTimesFirst(1.5)]),
        line(Generations, "deliveries", None, &[]),
        line(Generations, "latency p99", None, &[]),
        line(Layer, FIRST_LAYER_TOLD, None, &[]),
        line(Layer, LAYER_TOLD, None, &[]),
        line(Layer, LAYER_CPU, None, &[]),
        line(Layer, MEMORY_GROWTH, None, &[]),
        line(Images, "latency p50", None, &[]),
        line(Images, "latency p99", None, &[AtMostTimesFirst(2.0)]),
        line(Images, PHOTOS, None, &[]),
        line(Images, PHOTO_TOLD, None, &[]),
    ]
};

/// The lines of the table of rules, with the number of the workload. Rules must not slow down a delivery measurably:
/// pairs of runs differ by 5 % anyway, and by 10 % for small figures.
pub(crate) const RULES_LINES: &[(usize, Line)] = {
    use Goal::AtMostTimesFirst;
    use Workload::Rules;
    &[
        (1, line(Rules, DELIVERY_CPU, None, &[AtMostTimesFirst(1.05)])),
        (1, line(Rules, MESSAGE_CPU, None, &[])),
        (2, line(Rules, DELIVERY_CPU, None, &[AtMostTimesFirst(1.05)])),
        (2, line(Rules, MESSAGE_CPU, None, &[])),
        (3, line(Rules, DELIVERY_CPU, None, &[])),
        (3, line(Rules, MESSAGE_CPU, None, &[])),
        (4, line(Rules, DELIVERY_CPU, None, &[AtMostTimesFirst(1.1)])),
        (4, line(Rules, MESSAGE_CPU, None, &[])),
    ]
};

impl Line {
    /// Describes the goals and whether they are met; empty without goals. A comparison with uWebSockets is left out if it
    /// was not measured.
    pub(crate) fn verdict(&self, section: &Section) -> String {
        let verdicts: Vec<String> = self.goals.iter().filter_map(|goal| goal.verdict(section, self.figure)).collect();
        verdicts.join("; ")
    }
}

impl Goal {
    fn verdict(self, section: &Section, figure: &str) -> Option<String> {
        let ratio = |rival| section.ratio(rival, figure).map(|ratio| ratio.median);
        let (goal, met) = match self {
            Self::AtMostTimesRival(most, rival) => {
                (format!("≤ {} × {}", number(most, 3), rival.title()), ratio(rival).map(|ratio| ratio <= most))
            }
            Self::AtMost(most) => {
                let unit = section.unit(figure).unwrap_or_default();
                let value = section.median(ServerKind::Relay, figure);
                (format!("≤ {} {}", number(most, 3), readable(unit)), value.map(|value| value <= most))
            }
            Self::AtMostTimesFirst(most) => {
                let [first, .., last] = &section.columns[..] else { return None };
                let ratio = section.comparison(last.kind, figure);
                let goal = format!("{} ≤ {} × {}", last.kind.title(), number(most, 3), first.kind.title());
                (goal, ratio.map(|ratio| ratio.median <= most))
            }
            Self::BetterThanUws => {
                let ratio = ratio(Rival::Uwebsockets)?;
                (format!("< {}", Rival::Uwebsockets.title()), Some(ratio < 1.0))
            }
        };
        Some(format!("{goal}: {}", yes_or_no(met)))
    }
}

/// Formats whether a goal is met. Missed goals are bold.
pub(crate) fn yes_or_no(met: Option<bool>) -> &'static str {
    match met {
        Some(true) => "yes",
        Some(false) => "**no**",
        None => "not measured",
    }
}

/// Returns a unit as it is written in documents.
pub(crate) fn readable(unit: &str) -> &str {
    if unit == "us" { "µs" } else { unit }
}

/// Returns by how much the ratio of the relay's cost to the coalescing floor's differs along a curve: the greatest ratio
/// divided by the least. `None` if fewer than two points have a ratio.
pub(crate) fn steepness<'a>(curve: impl Iterator<Item = &'a Section>) -> Option<f64> {
    let ratios = curve.filter_map(|point| Some(point.ratio(Rival::Coalescing, DELIVERY_CPU)?.median));
    let ratios: Vec<f64> = ratios.collect();
    let spread = spread(&ratios).filter(|_| ratios.len() > 1)?;
    Some(spread.max / spread.min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chains::Chain;
    use crate::section::tests::{relay_with, section_of};

    fn verdict(line: usize, columns: &[(ServerKind, f64)]) -> String {
        let columns: Vec<(ServerKind, [f64; 1])> = columns.iter().map(|(kind, value)| (*kind, [*value])).collect();
        let columns: Vec<(ServerKind, &[f64])> = columns.iter().map(|(kind, values)| (*kind, &values[..])).collect();
        let line = &LINES[line];
        line.verdict(&section_of(line.workload, 0, line.figure, &columns))
    }

    #[test]
    fn goals_are_met_or_missed_or_not_measured() {
        let [floor, uws] = [ServerKind::Rival(Rival::Coalescing), ServerKind::Rival(Rival::Uwebsockets)];
        assert_eq!(verdict(0, &[(ServerKind::Relay, 1.1), (floor, 1.0)]), "≤ 1.10 × coalescing floor: yes");
        assert_eq!(
            verdict(0, &[(ServerKind::Relay, 1.2), (floor, 1.0), (uws, 1.2)]),
            "≤ 1.10 × coalescing floor: **no**; < uWebSockets: **no**"
        );
        assert_eq!(verdict(0, &[(ServerKind::Relay, 1.2)]), "≤ 1.10 × coalescing floor: not measured");
        assert_eq!(verdict(1, &[(ServerKind::Relay, 1.2)]), "");
    }

    #[test]
    fn plugins_are_compared_with_no_plugins() {
        let line = VARIANT_LINES.iter().find(|line| line.figure == DELIVERY_CPU).expect("the line exists");
        let [bare, three] = [Chain::NoPlugins, Chain::Three].map(relay_with);
        let section = section_of(line.workload, 0, line.figure, &[(bare, &[2.0]), (three, &[2.1])]);
        assert_eq!(line.verdict(&section), "3 in Rust ≤ 1.10 × no plugins: yes");
        let section = section_of(line.workload, 0, line.figure, &[(bare, &[2.0])]);
        assert_eq!(line.verdict(&section), "");
    }

    #[test]
    fn a_limit_applies_to_the_median_only() {
        let line = LINES.iter().position(|line| line.figure == CONNECT_CPU).expect("the line exists");
        assert_eq!(verdict(line, &[(ServerKind::Relay, 30.0)]), "≤ 30 µs: yes");
        assert_eq!(verdict(line, &[(ServerKind::Relay, 30.1)]), "≤ 30 µs: **no**");
    }

    #[test]
    fn the_steepness_of_a_curve_is_the_range_of_its_ratios() {
        let point = |at, ours: f64, theirs: f64| {
            let columns = [(ServerKind::Relay, &[ours][..]), (ServerKind::Rival(Rival::Coalescing), &[theirs][..])];
            section_of(Workload::Rooms, at, DELIVERY_CPU, &columns)
        };
        let curve = [point(0, 1.0, 1.0), point(1, 6.0, 5.0), point(2, 8.0, 4.0)];
        assert_eq!(steepness(curve.iter()), Some(2.0));
        assert_eq!(steepness(curve[..1].iter()), None);
    }
}

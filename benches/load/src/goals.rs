//! What the relay is to reach, and whether it does.
//!
//! Owns the lines of the table in `PERFORMANCE.md`: which figures of which workload are shown, and what is asked of
//! them.

use crate::entrants::{Rival, Who};
use crate::report::{
    CONNECT_CPU, DELIVERY_CPU, JOIN_CPU_ALONE, JOINS_MORE, JOINS_TOLD, MEMORY_EACH, MESSAGE_CPU, MESSAGES, P99_ANOTHER,
    P99_BARE, number,
};
use crate::section::Section;
use crate::stats::spread;
use crate::workload::Workload;

/// The most that the ratio to the floor may differ between two points of a curve.
pub(crate) const FLAT: f64 = 1.5;

/// A figure worth a line.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) workload: Workload,
    pub(crate) figure: &'static str,
    /// The column of the history that it has, if it has one.
    pub(crate) history: Option<&'static str>,
    goals: &'static [Goal],
}

/// What is asked of a figure of which less is better.
#[derive(Debug, Clone, Copy)]
enum Goal {
    /// At most so many times a rival's.
    Times(f64, Rival),
    /// At most so much.
    AtMost(f64),
    /// Less than uWebSockets'.
    Ahead,
    /// In the last column at most so many times what it is in the first.
    Beside(f64),
}

const fn line(workload: Workload, figure: &'static str, history: Option<&'static str>, goals: &'static [Goal]) -> Line {
    Line { workload, figure, history, goals }
}

/// The table's lines.
pub(crate) const LINES: &[Line] = {
    use Goal::{Ahead, AtMost, Times};
    use Rival::{Coalescing, Sends};
    use Workload::{Joins, W1, W2, W3, W4, W5};
    &[
        line(W1, DELIVERY_CPU, Some("W1"), &[Times(1.1, Coalescing), Ahead]),
        line(W1, "deliveries", None, &[]),
        line(W1, "latency p99", None, &[]),
        line(W2, DELIVERY_CPU, Some("W2"), &[Times(1.1, Coalescing), Ahead]),
        line(W2, "deliveries", None, &[]),
        line(W2, "latency p99", None, &[]),
        line(W3, DELIVERY_CPU, Some("W3"), &[Times(1.25, Coalescing), Ahead]),
        line(W3, "deliveries", None, &[]),
        line(W3, "latency p99", None, &[]),
        line(W4, DELIVERY_CPU, Some("W4"), &[Times(1.2, Sends), Ahead]),
        line(W4, "latency p50", None, &[]),
        line(W4, "latency p99", None, &[]),
        line(W5, MEMORY_EACH, Some("idle"), &[AtMost(600.0), Ahead]),
        line(W5, CONNECT_CPU, Some("connect"), &[AtMost(30.0), Ahead]),
        line(W5, "connects", None, &[]),
        line(Joins, JOINS_TOLD, None, &[Ahead]),
        line(Joins, JOIN_CPU_ALONE, None, &[]),
        line(Joins, JOINS_MORE, Some("joins"), &[AtMost(100.0)]),
    ]
};

/// The lines of the tables of plugins.
pub(crate) const CHAIN_LINES: &[Line] = {
    use Goal::Beside;
    use Workload::{Delivery, Plugins, Stuck};
    &[
        line(Plugins, MESSAGES, None, &[]),
        line(Plugins, MESSAGE_CPU, None, &[]),
        line(Plugins, "latency p99", None, &[]),
        line(Delivery, DELIVERY_CPU, None, &[Beside(1.1)]),
        line(Delivery, "latency p50", None, &[]),
        line(Delivery, "latency p99", None, &[]),
        line(Stuck, P99_BARE, None, &[Beside(2.0)]),
        line(Stuck, P99_ANOTHER, None, &[Beside(2.0)]),
    ]
};

/// The lines of the table of rules, by the place of the workload in it. Where a message goes to many, a delivery must
/// not feel them: by a twentieth, and where little is measured by a tenth, pairs of runs differ anyway.
pub(crate) const RULES_LINES: &[(usize, Line)] = {
    use Goal::Beside;
    use Workload::Rules;
    &[
        (1, line(Rules, DELIVERY_CPU, None, &[Beside(1.05)])),
        (1, line(Rules, MESSAGE_CPU, None, &[])),
        (2, line(Rules, DELIVERY_CPU, None, &[Beside(1.05)])),
        (2, line(Rules, MESSAGE_CPU, None, &[])),
        (3, line(Rules, DELIVERY_CPU, None, &[])),
        (3, line(Rules, MESSAGE_CPU, None, &[])),
        (4, line(Rules, DELIVERY_CPU, None, &[Beside(1.1)])),
        (4, line(Rules, MESSAGE_CPU, None, &[])),
    ]
};

impl Line {
    /// What is asked and whether it is so, in words; nothing if nothing is asked. Where uWebSockets was not measured,
    /// nobody is asked to be ahead of it.
    pub(crate) fn verdict(&self, section: &Section) -> String {
        let verdicts: Vec<String> = self.goals.iter().filter_map(|goal| goal.verdict(section, self.figure)).collect();
        verdicts.join("; ")
    }
}

impl Goal {
    fn verdict(self, section: &Section, figure: &str) -> Option<String> {
        let ratio = |rival| section.ratio(rival, figure).map(|ratio| ratio.median);
        let (asked, met) = match self {
            Self::Times(most, rival) => {
                (format!("≤ {} × {}", number(most, 3), rival.title()), ratio(rival).map(|ratio| ratio <= most))
            }
            Self::AtMost(most) => {
                let unit = section.unit(figure).unwrap_or_default();
                let value = section.median(Who::Relay, figure);
                (format!("≤ {} {}", number(most, 3), readable(unit)), value.map(|value| value <= most))
            }
            Self::Beside(most) => {
                let [first, .., last] = &section.columns[..] else { return None };
                let ratio = section.beside(last.who, figure);
                let asked = format!("{} ≤ {} × {}", last.who.title(), number(most, 3), first.who.title());
                (asked, ratio.map(|ratio| ratio.median <= most))
            }
            Self::Ahead => {
                let ratio = ratio(Rival::Uwebsockets)?;
                (format!("< {}", Rival::Uwebsockets.title()), Some(ratio < 1.0))
            }
        };
        Some(format!("{asked}: {}", answer(met)))
    }
}

/// Whether something is reached, for people who look for what is not.
pub(crate) fn answer(met: Option<bool>) -> &'static str {
    match met {
        Some(true) => "yes",
        Some(false) => "**no**",
        None => "not measured",
    }
}

/// A unit as people write it.
pub(crate) fn readable(unit: &str) -> &str {
    if unit == "us" { "µs" } else { unit }
}

/// By how much the relay's cost beside the coalescing floor's differs along a curve: the greatest ratio by the least.
/// `None` if less than two points have one.
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
    use crate::section::tests::made_up;

    fn verdict(line: usize, columns: &[(Who, f64)]) -> String {
        let columns: Vec<(Who, [f64; 1])> = columns.iter().map(|(who, value)| (*who, [*value])).collect();
        let columns: Vec<(Who, &[f64])> = columns.iter().map(|(who, values)| (*who, &values[..])).collect();
        let line = &LINES[line];
        line.verdict(&made_up(line.workload, 0, line.figure, &columns))
    }

    #[test]
    fn goals_are_reached_or_not_or_not_measured() {
        let [floor, uws] = [Who::Rival(Rival::Coalescing), Who::Rival(Rival::Uwebsockets)];
        assert_eq!(verdict(0, &[(Who::Relay, 1.1), (floor, 1.0)]), "≤ 1.10 × coalescing floor: yes");
        assert_eq!(
            verdict(0, &[(Who::Relay, 1.2), (floor, 1.0), (uws, 1.2)]),
            "≤ 1.10 × coalescing floor: **no**; < uWebSockets: **no**"
        );
        assert_eq!(verdict(0, &[(Who::Relay, 1.2)]), "≤ 1.10 × coalescing floor: not measured");
        assert_eq!(verdict(1, &[(Who::Relay, 1.2)]), "");
    }

    #[test]
    fn plugins_are_held_against_none() {
        let line = CHAIN_LINES.iter().find(|line| line.figure == DELIVERY_CPU).expect("asked for");
        let [bare, three] = [Chain::Bare, Chain::Three].map(Who::With);
        let section = made_up(line.workload, 0, line.figure, &[(bare, &[2.0]), (three, &[2.1])]);
        assert_eq!(line.verdict(&section), "3 in Rust ≤ 1.10 × no plugins: yes");
        let section = made_up(line.workload, 0, line.figure, &[(bare, &[2.0])]);
        assert_eq!(line.verdict(&section), "");
    }

    #[test]
    fn a_limit_is_held_against_the_median_alone() {
        let line = LINES.iter().position(|line| line.figure == CONNECT_CPU).expect("asked for");
        assert_eq!(verdict(line, &[(Who::Relay, 30.0)]), "≤ 30 µs: yes");
        assert_eq!(verdict(line, &[(Who::Relay, 30.1)]), "≤ 30 µs: **no**");
    }

    #[test]
    fn a_curve_is_as_steep_as_its_ratios_differ() {
        let point = |at, ours: f64, theirs: f64| {
            let columns = [(Who::Relay, &[ours][..]), (Who::Rival(Rival::Coalescing), &[theirs][..])];
            made_up(Workload::Rooms, at, DELIVERY_CPU, &columns)
        };
        let curve = [point(0, 1.0, 1.0), point(1, 6.0, 5.0), point(2, 8.0, 4.0)];
        assert_eq!(steepness(curve.iter()), Some(2.0));
        assert_eq!(steepness(curve[..1].iter()), None);
    }
}

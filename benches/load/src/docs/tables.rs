//! The contents of `PERFORMANCE.md`: tables, plots and the line of the history.

use serde_json::Value;

use super::Results;
use crate::entrants::{Entrant, Rival, ServerKind};
use crate::goals::{self, LINES, RULES_LINES, VARIANT_LINES};
use crate::plot::{Curve, Plot};
use crate::report::{DELIVERY_CPU, FOREIGN_CPU, TOOL_CPU, number};
use crate::section::Section;
use crate::stats::Spread;
use crate::workload::Workload;

impl Results<'_> {
    fn fact(&self, name: &str) -> String {
        match &self.facts[name] {
            Value::String(text) => text.clone(),
            Value::Null => "unknown".to_owned(),
            other => other.to_string(),
        }
    }

    fn section(&self, workload: Workload) -> Option<&Section> {
        self.sections.iter().find(|section| section.case.workload == workload)
    }

    fn curve(&self, workload: Workload) -> impl Iterator<Item = &Section> {
        self.sections.iter().filter(move |section| section.case.workload == workload)
    }

    /// The text between the first marks, see [`super::FIGURES`].
    pub(super) fn figures(&self) -> String {
        let versions: Vec<String> =
            self.entrants.iter().filter_map(|e| Some(format!("{} by {}.", e.title(), e.version.as_ref()?))).collect();
        let mut parts = vec![
            format!(
                "`{}` at commit {}, {}. {}, {} cores, {}, Linux {}. Servers in turn, {} pairs: medians, and the \
                 ratio of the relay's figure to the other's (×), pair by pair, with its range. {}",
                self.fact("command"),
                self.fact("commit"),
                self.fact("date"),
                self.fact("cpu"),
                self.fact("cores"),
                self.fact("memory"),
                self.fact("kernel"),
                self.runs,
                versions.join(" "),
            )
            .trim_end()
            .to_owned(),
            self.table(),
            self.disturbance(),
        ];
        for workload in [Workload::Members, Workload::Rooms] {
            parts.push(self.curve_table(workload));
        }
        for workload in [Workload::Generations, Workload::Layer, Workload::Images] {
            parts.extend(self.section(workload).map(variant_table));
        }
        for workload in [Workload::Plugins, Workload::Delivery, Workload::Stuck] {
            parts.extend(self.section(workload).map(variant_table));
        }
        parts.extend(self.rules_table());
        let problems: Vec<String> = self
            .sections
            .iter()
            .flat_map(|section| {
                section.problems().into_iter().map(|problem| format!("- {}: {problem}", section.case.name()))
            })
            .collect();
        parts.push(if problems.is_empty() {
            "No message was lost, duplicated or out of order in any run of any server.".to_owned()
        } else {
            format!("Problems:\n\n{}", problems.join("\n"))
        });
        parts.join("\n\n")
    }

    fn table(&self) -> String {
        let rivals = self.rivals();
        let titles = rivals.iter().map(|rival| rival.title());
        let mut lines = vec![
            row(["workload", "figure", "gischat-relay"].into_iter().chain(titles).chain(["goal"])),
            row(std::iter::repeat_n("---", rivals.len() + 4)),
        ];
        for line in LINES {
            let Some(section) = self.section(line.workload) else { continue };
            let unit = section.unit(line.figure).unwrap_or_default();
            let mut cells = vec![
                line.workload.name().to_uppercase(),
                format!("{}, {}", line.figure, goals::readable(unit)),
                ours(section, line.figure),
            ];
            cells.extend(rivals.iter().map(|rival| cell(section, ServerKind::Rival(*rival), line.figure)));
            cells.push(line.verdict(section));
            lines.push(row(cells.iter().map(String::as_str)));
        }
        lines.join("\n")
    }

    fn rivals(&self) -> Vec<Rival> {
        let rival = |entrant: &Entrant| match entrant.kind {
            ServerKind::Relay | ServerKind::RelayWith(_) => None,
            ServerKind::Rival(rival) => Some(rival),
        };
        self.entrants.iter().filter_map(rival).collect()
    }

    /// Describes how much other processes and the tool interfered.
    fn disturbance(&self) -> String {
        let most = |figure| {
            let most = |section: &Section| Some((section.maximum(figure)?, section.case.name()));
            let most = self.sections.iter().filter_map(most).reduce(|a, b| if a.0 > b.0 { a } else { b });
            most.map_or_else(|| "-".to_owned(), |(value, name)| format!("{} % ({name})", number(value, 2)))
        };
        format!(
            "Maximum of any run, in percent of one core: other processes {}, load tool {}.",
            most(FOREIGN_CPU),
            most(TOOL_CPU)
        )
    }

    fn curve_table(&self, workload: Workload) -> String {
        let name = workload.name();
        let floors = [Rival::Coalescing, Rival::Sends];
        let titles: Vec<&str> = floors.iter().map(|floor| floor.title()).collect();
        let mut lines = vec![
            format!("![{}](performance/{name}.svg)\n", title(workload)),
            format!("| {name} | gischat-relay, µs | {} |", titles.join(" | ")),
            "|---|---|---|---|".to_owned(),
        ];
        for section in self.curve(workload) {
            let at = number(section.case.at.unwrap_or_default() as f64, 1);
            let cells = floors.map(|floor| cell(section, ServerKind::Rival(floor), DELIVERY_CPU));
            lines.push(format!("| {at} | {} | {} |", ours(section, DELIVERY_CPU), cells.join(" | ")));
        }
        let steepness = goals::steepness(self.curve(workload));
        lines.push(format!(
            "\nCompared with the coalescing floor, the ratio differs by a factor of {} over all {name}; \
             goal ≤ {}: {}.",
            steepness.map_or_else(|| "-".to_owned(), |steepness| number(steepness, 3)),
            goals::MAX_STEEPNESS,
            goals::yes_or_no(steepness.map(|steepness| steepness <= goals::MAX_STEEPNESS)),
        ));
        lines.join("\n")
    }

    /// The table of the cost of rules.
    fn rules_table(&self) -> Option<String> {
        let sections: Vec<&Section> = self.curve(Workload::Rules).collect();
        let titles = sections.first()?.columns.iter().map(|column| column.kind.title());
        let mut lines = vec![
            row(["rules", "figure"].into_iter().chain(titles).chain(["more", "goal"])),
            row(std::iter::repeat_n("---", sections.first()?.columns.len() + 4)),
        ];
        for section in sections {
            for (_, line) in RULES_LINES.iter().filter(|(at, _)| Some(*at) == section.case.at) {
                let unit = goals::readable(section.unit(line.figure).unwrap_or_default());
                let like = section.case.at.map_or_else(String::new, |at| format!("W{at}"));
                let mut cells = vec![like, format!("{}, {unit}", line.figure)];
                cells.extend(section.columns.iter().map(|column| cell(section, column.kind, line.figure)));
                cells.push(section.difference(line.figure).map_or_else(
                    || "-".to_owned(),
                    |Spread { median, min, max }| {
                        format!("{} ({}–{})", number(median, 2), number(min, 2), number(max, 2))
                    },
                ));
                cells.push(line.verdict(section));
                lines.push(row(cells.iter().map(String::as_str)));
            }
        }
        Some(lines.join("\n"))
    }

    /// One line of the history: the relay's medians, with ratios to the floor of the workload's goal.
    pub(super) fn history(&self) -> String {
        let day = self.fact("date").chars().take(10).collect::<String>();
        let mut cells = vec![day, self.fact("commit"), format!("{}, {} cores", self.fact("cpu"), self.fact("cores"))];
        for line in LINES.iter().filter(|line| line.history.is_some()) {
            let Some(section) = self.section(line.workload) else { continue };
            let rival = if line.workload == Workload::W4 { Rival::Sends } else { Rival::Coalescing };
            let ratio = section.ratio(rival, line.figure).filter(|_| line.figure == DELIVERY_CPU);
            let ratio = ratio.map(|ratio| format!(" (×{})", number(ratio.median, 3))).unwrap_or_default();
            cells.push(format!("{}{ratio}", ours(section, line.figure)));
        }
        row(cells.iter().map(String::as_str))
    }

    /// The plot of a curve.
    pub(super) fn plot(&self, workload: Workload) -> Plot<'static> {
        let curve = |entrant: &Entrant| {
            let point = |section: &Section| {
                let cost = section.median(entrant.kind, DELIVERY_CPU).filter(|cost| *cost > 0.0)?;
                Some((section.case.at? as f64, cost))
            };
            Curve { name: entrant.title().to_owned(), points: self.curve(workload).filter_map(point).collect() }
        };
        Plot {
            title: title(workload),
            x_label: if workload == Workload::Rooms { "rooms, same number of members" } else { "members of the room" },
            y_label: "server CPU per delivery, µs",
            curves: self.entrants.iter().map(curve).filter(|curve| !curve.points.is_empty()).collect(),
        }
    }
}

fn title(workload: Workload) -> &'static str {
    match workload {
        Workload::Rooms => "Cost of a delivery by number of rooms",
        _ => "Cost of a delivery by number of members",
    }
}

/// Formats a line of a table.
fn row<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
}

/// The table of a section in which the relay is compared with itself, with notes on what is left out.
fn variant_table(section: &Section) -> String {
    let name = section.case.workload.name();
    let titles = section.columns.iter().map(|column| column.kind.title());
    let mut lines = vec![
        row([name].into_iter().chain(titles).chain(["goal"])),
        row(std::iter::repeat_n("---", section.columns.len() + 2)),
    ];
    for line in VARIANT_LINES.iter().filter(|line| line.workload == section.case.workload) {
        let unit = section.unit(line.figure).unwrap_or_default();
        let mut cells = vec![format!("{}, {}", line.figure, goals::readable(unit))];
        cells.extend(section.columns.iter().map(|column| cell(section, column.kind, line.figure)));
        cells.push(line.verdict(section));
        lines.push(row(cells.iter().map(String::as_str)));
    }
    let notes: Vec<String> = section.notes.iter().map(|note| format!("\n\n{note}")).collect();
    format!("{}{}", lines.join("\n"), notes.concat())
}

/// The relay's median.
fn ours(section: &Section, figure: &str) -> String {
    section.median(ServerKind::Relay, figure).map_or_else(|| "-".to_owned(), |value| number(value, 3))
}

/// The median of a column, with its ratio.
fn cell(section: &Section, kind: ServerKind, figure: &str) -> String {
    let Some(median) = section.median(kind, figure) else { return "-".to_owned() };
    let ratio = section
        .comparison(kind, figure)
        .map(|ratio| format!(" · ×{} ({}–{})", number(ratio.median, 3), number(ratio.min, 3), number(ratio.max, 3)));
    format!("{}{}", number(median, 3), ratio.unwrap_or_default())
}

#[cfg(test)]
#[path = "tables_tests.rs"]
mod tests;

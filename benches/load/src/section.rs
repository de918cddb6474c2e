//! All runs of one case, by server, as a table and as JSON.

use serde_json::{Map, Value, json};

use crate::chains::Chain;
use crate::entrants::{Rival, ServerKind};
use crate::report::{DELIVERY_CPU, FOREIGN_CPU, JOINS_MORE, MESSAGE_CPU, Run, TOOL_CPU, number};
use crate::stats::{Spread, ratios, spread};
use crate::variant::Variant;
use crate::workload::Case;

/// Figures that cast doubt on the others when they exceed a percentage, with a note.
const WARNINGS: [(&str, f64, &str); 2] = [
    (TOOL_CPU, 90.0, "the load tool was busy: rates are limited by the tool"),
    (FOREIGN_CPU, 10.0, "other processes used the CPUs: measure again when they are idle"),
];

/// All runs of one case.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) case: Case,
    /// Its sizes.
    pub(crate) settings: Value,
    /// The servers, the relay first.
    pub(crate) columns: Vec<Column>,
    /// Notes on what is left out, and why.
    pub(crate) notes: Vec<String>,
}

/// All runs of one server.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) kind: ServerKind,
    /// In order of time. Runs of the same index in two columns are a pair.
    pub(crate) runs: Vec<Run>,
}

impl Column {
    /// The value of a figure, by run.
    fn values(&self, figure: &str) -> Vec<Option<f64>> {
        self.runs.iter().map(|run| run.value(figure)).collect()
    }

    /// A figure over all runs that have it.
    fn spread(&self, figure: &str) -> Option<Spread> {
        spread(&self.values(figure).into_iter().flatten().collect::<Vec<_>>())
    }

    /// Names and units of the figures, in their order.
    fn figures(&self) -> Vec<(&'static str, &'static str)> {
        let pattern = self.runs.iter().find(|run| !run.figures.is_empty());
        pattern.into_iter().flat_map(|run| &run.figures).map(|figure| (figure.name, figure.unit)).collect()
    }

    fn json(&self) -> Value {
        let figure = |(name, unit): (&'static str, _)| {
            let Spread { median, min, max } = self.spread(name)?;
            let value = json!({ "unit": unit, "median": median, "min": min, "max": max, "runs": self.values(name) });
            Some((key(name), value))
        };
        let figures: Map<String, Value> = self.figures().into_iter().filter_map(figure).collect();
        let problems: Vec<&[String]> = self.runs.iter().map(|run| run.problems.as_slice()).collect();
        json!({ "server": self.kind.title(), "figures": figures, "problems": problems })
    }
}

impl Section {
    /// Whether every run was good.
    pub(crate) fn is_good(&self) -> bool {
        self.columns.iter().flat_map(|column| &column.runs).all(|run| run.problems.is_empty())
    }

    /// Problems, with server and run.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for Column { kind, runs } in &self.columns {
            let title = kind.title();
            for (at, run) in runs.iter().enumerate() {
                problems.extend(run.problems.iter().map(|problem| format!("{title}, run {}: {problem}", at + 1)));
            }
        }
        problems
    }

    fn column(&self, kind: ServerKind) -> Option<&Column> {
        self.columns.iter().find(|column| column.kind == kind)
    }

    /// The median of a figure.
    pub(crate) fn median(&self, kind: ServerKind, figure: &str) -> Option<f64> {
        self.column(kind)?.spread(figure).map(|spread| spread.median)
    }

    /// The ratio of the relay's figure to a rival's, pair by pair. `None` for a difference, which may be zero or negative.
    pub(crate) fn ratio(&self, rival: Rival, figure: &str) -> Option<Spread> {
        if figure == JOINS_MORE {
            return None;
        }
        let (ours, theirs) = (self.column(ServerKind::Relay)?, self.column(ServerKind::Rival(rival))?);
        spread(&ratios(&ours.values(figure), &theirs.values(figure)))
    }

    /// The ratio that is shown next to a figure. For a rival, the relay's figure divided by the rival's; for the relay
    /// compared with itself, the figure divided by that of the first column.
    pub(crate) fn comparison(&self, kind: ServerKind, figure: &str) -> Option<Spread> {
        match kind {
            ServerKind::Relay => None,
            ServerKind::Rival(rival) => self.ratio(rival, figure),
            ServerKind::RelayWith(_) => {
                let (first, this) = (self.columns.first()?, self.column(kind)?);
                let ratios = || ratios(&this.values(figure), &first.values(figure));
                spread(&(first.kind != kind).then(ratios)?)
            }
        }
    }

    /// The increase of a figure by rules, pair by pair. It may be negative when other processes interfere.
    pub(crate) fn difference(&self, figure: &str) -> Option<Spread> {
        let [without, with] = &self.columns[..] else { return None };
        if without.kind != ServerKind::RelayWith(Variant::Chain(Chain::NoRules)) {
            return None;
        }
        let pairs = with.values(figure).into_iter().zip(without.values(figure));
        spread(&pairs.filter_map(|(with, without)| Some(with? - without?)).collect::<Vec<_>>())
    }

    /// Whether the relay is compared with itself.
    fn is_of_variants(&self) -> bool {
        self.columns.iter().any(|column| matches!(column.kind, ServerKind::RelayWith(_)))
    }

    /// The maximum of a figure in any run of any server.
    pub(crate) fn maximum(&self, figure: &str) -> Option<f64> {
        self.columns.iter().filter_map(|column| column.spread(figure)).map(|spread| spread.max).reduce(f64::max)
    }

    /// The unit of a figure.
    pub(crate) fn unit(&self, figure: &str) -> Option<&'static str> {
        let mut figures = self.columns.iter().flat_map(Column::figures);
        figures.find(|(name, _)| *name == figure).map(|(_, unit)| unit)
    }

    /// The table, problems included. Medians of a single server are shown with their range, those of rivals with ratios.
    pub(crate) fn table(&self) -> String {
        let settings =
            self.settings.as_object().map(|settings| settings.iter().map(|(name, value)| format!("{name} {value}")));
        let settings: Vec<String> = settings.into_iter().flatten().collect();
        let runs = self.columns.first().map_or(0, |column| column.runs.len());
        let mut lines = vec![format!("{}: {} ({runs} runs)", self.case.name(), settings.join(", ").replace('_', " "))];
        if self.columns.len() > 1 {
            let title = |column: &Column| format!("{:>18}      ", column.kind.title());
            let titles: Vec<String> = self.columns.iter().map(title).collect();
            let by = if self.is_of_variants() { "by the first" } else { "ours by theirs" };
            lines.push(format!("{:38}{}  (×: {by})", "", titles.concat()));
        }
        let pattern = self.columns.iter().map(Column::figures).find(|figures| !figures.is_empty());
        lines.extend(pattern.unwrap_or_default().into_iter().map(|(name, unit)| self.row(name, unit)));
        lines.extend([DELIVERY_CPU, MESSAGE_CPU].into_iter().filter_map(|figure| {
            let Spread { median, min, max } = self.difference(figure)?;
            let [median, min, max] = [median, min, max].map(|value| number(value, 3));
            Some(format!("  with rules more {figure}: {median} us ({min} – {max})"))
        }));
        let warnings =
            WARNINGS.iter().filter(|(name, most, _)| self.maximum(name).is_some_and(|percent| percent > *most));
        lines.extend(warnings.map(|(_, _, why)| format!("  note: {why}")));
        lines.extend(self.notes.iter().map(|note| format!("  note: {note}")));
        lines.extend(self.problems().iter().map(|problem| format!("  FAILED: {problem}")));
        lines.push(String::new());
        lines.join("\n")
    }

    fn row(&self, name: &'static str, unit: &str) -> String {
        let mut row = format!("  {name:<30} {unit:<5}");
        for Column { kind, .. } in &self.columns {
            let median = self.median(*kind, name).map_or_else(|| "-".to_owned(), |value| number(value, 4));
            let ratio = self.comparison(*kind, name).map(|ratio| format!(" ×{}", number(ratio.median, 3)));
            row.extend([format!("{median:>18}"), format!("{:<6}", ratio.unwrap_or_default())]);
        }
        if let [alone] = &self.columns[..]
            && let Some(Spread { min, max, .. }) = alone.spread(name)
        {
            row.extend([number(min, 4), " – ".to_owned(), number(max, 4)]);
        }
        row.trim_end().to_owned()
    }

    /// All figures of all runs.
    pub(crate) fn json(&self) -> Value {
        let ratios = |column: &Column| {
            let figure = |(name, _): (&'static str, _)| {
                let Spread { median, min, max } = self.comparison(column.kind, name)?;
                Some((key(name), json!({ "median": median, "min": min, "max": max })))
            };
            let figures: Map<String, Value> = column.figures().into_iter().filter_map(figure).collect();
            (key(column.kind.title()), Value::Object(figures))
        };
        let ratios: Map<String, Value> = self.columns.iter().skip(1).map(ratios).collect();
        let by = if self.is_of_variants() { "by_first" } else { "relay_by" };
        json!({
            "workload": self.case.workload.name(),
            "at": self.case.at,
            "settings": self.settings,
            "servers": self.columns.iter().map(Column::json).collect::<Vec<_>>(),
            by: ratios,
            "left_out": self.notes,
        })
    }
}

/// Converts a name to a JSON key.
fn key(name: &str) -> String {
    name.to_lowercase().replace([' ', '-'], "_")
}

#[cfg(test)]
#[path = "section_tests.rs"]
pub(crate) mod tests;

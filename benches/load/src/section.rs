//! All runs of one case, by server: the table for people and the JSON for everybody else.

use serde_json::{Map, Value, json};

use crate::chains::Chain;
use crate::entrants::{Rival, Who};
use crate::report::{DELIVERY_CPU, FOREIGN_CPU, JOINS_MORE, MESSAGE_CPU, Run, TOOL_CPU, number};
use crate::stats::{Spread, ratios, spread};
use crate::workload::Case;

/// Figures that cast doubt on the others above a number of percent, and why.
const DOUBTS: [(&str, f64, &str); 2] = [
    (TOOL_CPU, 90.0, "the load tool was busy: rates are what it could take"),
    (FOREIGN_CPU, 10.0, "others used the processors too: measure again when they rest"),
];

/// All runs of one case.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) case: Case,
    /// Its sizes.
    pub(crate) settings: Value,
    /// The servers, the relay first.
    pub(crate) columns: Vec<Column>,
    /// What is left out, and why.
    pub(crate) notes: Vec<String>,
}

/// All runs of one server.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) who: Who,
    /// In the order of time; those of the same place in two columns are a pair.
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
        json!({ "server": self.who.title(), "figures": figures, "problems": problems })
    }
}

impl Section {
    /// Whether every run was good.
    pub(crate) fn is_good(&self) -> bool {
        self.columns.iter().flat_map(|column| &column.runs).all(|run| run.problems.is_empty())
    }

    /// What went wrong, with server and run.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for Column { who, runs } in &self.columns {
            let title = who.title();
            for (at, run) in runs.iter().enumerate() {
                problems.extend(run.problems.iter().map(|problem| format!("{title}, run {}: {problem}", at + 1)));
            }
        }
        problems
    }

    fn column(&self, who: Who) -> Option<&Column> {
        self.columns.iter().find(|column| column.who == who)
    }

    /// The median of a figure.
    pub(crate) fn median(&self, who: Who, figure: &str) -> Option<f64> {
        self.column(who)?.spread(figure).map(|spread| spread.median)
    }

    /// The relay's figure by a rival's, pair by pair. A difference, which may be nothing or less, has no ratio.
    pub(crate) fn ratio(&self, rival: Rival, figure: &str) -> Option<Spread> {
        if figure == JOINS_MORE {
            return None;
        }
        let (ours, theirs) = (self.column(Who::Relay)?, self.column(Who::Rival(rival))?);
        spread(&ratios(&ours.values(figure), &theirs.values(figure)))
    }

    /// What stands beside a figure: where it is a rival's, the relay's by it; where it is of the relay with plugins or
    /// rules, it by that of the first column.
    pub(crate) fn beside(&self, who: Who, figure: &str) -> Option<Spread> {
        match who {
            Who::Relay => None,
            Who::Rival(rival) => self.ratio(rival, figure),
            Who::With(_) => {
                let (first, this) = (self.columns.first()?, self.column(who)?);
                let ratios = || ratios(&this.values(figure), &first.values(figure));
                spread(&(first.who != who).then(ratios)?)
            }
        }
    }

    /// What rules add to a figure, pair by pair; it may be less than nothing where others disturb.
    pub(crate) fn more(&self, figure: &str) -> Option<Spread> {
        let [without, with] = &self.columns[..] else { return None };
        if without.who != Who::With(Chain::Unruled) {
            return None;
        }
        let pairs = with.values(figure).into_iter().zip(without.values(figure));
        spread(&pairs.filter_map(|(with, without)| Some(with? - without?)).collect::<Vec<_>>())
    }

    /// Whether the columns are the relay with different plugins or rules.
    fn is_of_chains(&self) -> bool {
        self.columns.iter().any(|column| matches!(column.who, Who::With(_)))
    }

    /// The most of a figure in any run of any server.
    pub(crate) fn most(&self, figure: &str) -> Option<f64> {
        self.columns.iter().filter_map(|column| column.spread(figure)).map(|spread| spread.max).reduce(f64::max)
    }

    /// The unit of a figure.
    pub(crate) fn unit(&self, figure: &str) -> Option<&'static str> {
        let mut figures = self.columns.iter().flat_map(Column::figures);
        figures.find(|(name, _)| *name == figure).map(|(_, unit)| unit)
    }

    /// The table, problems included. A lone server's medians stand beside their range; where there are rivals, theirs
    /// stand beside the relay's figure by theirs.
    pub(crate) fn table(&self) -> String {
        let settings =
            self.settings.as_object().map(|settings| settings.iter().map(|(name, value)| format!("{name} {value}")));
        let settings: Vec<String> = settings.into_iter().flatten().collect();
        let runs = self.columns.first().map_or(0, |column| column.runs.len());
        let mut lines = vec![format!("{}: {} ({runs} runs)", self.case.name(), settings.join(", ").replace('_', " "))];
        if self.columns.len() > 1 {
            let title = |column: &Column| format!("{:>18}      ", column.who.title());
            let titles: Vec<String> = self.columns.iter().map(title).collect();
            let by = if self.is_of_chains() { "by the first" } else { "ours by theirs" };
            lines.push(format!("{:38}{}  (×: {by})", "", titles.concat()));
        }
        let pattern = self.columns.iter().map(Column::figures).find(|figures| !figures.is_empty());
        lines.extend(pattern.unwrap_or_default().into_iter().map(|(name, unit)| self.row(name, unit)));
        lines.extend([DELIVERY_CPU, MESSAGE_CPU].into_iter().filter_map(|figure| {
            let Spread { median, min, max } = self.more(figure)?;
            let [median, min, max] = [median, min, max].map(|value| number(value, 3));
            Some(format!("  with rules more {figure}: {median} us ({min} – {max})"))
        }));
        let doubts = DOUBTS.iter().filter(|(name, most, _)| self.most(name).is_some_and(|percent| percent > *most));
        lines.extend(doubts.map(|(_, _, why)| format!("  note: {why}")));
        lines.extend(self.notes.iter().map(|note| format!("  note: {note}")));
        lines.extend(self.problems().iter().map(|problem| format!("  FAILED: {problem}")));
        lines.push(String::new());
        lines.join("\n")
    }

    fn row(&self, name: &'static str, unit: &str) -> String {
        let mut row = format!("  {name:<30} {unit:<5}");
        for Column { who, .. } in &self.columns {
            let median = self.median(*who, name).map_or_else(|| "-".to_owned(), |value| number(value, 4));
            let beside = self.beside(*who, name).map(|ratio| format!(" ×{}", number(ratio.median, 3)));
            row.extend([format!("{median:>18}"), format!("{:<6}", beside.unwrap_or_default())]);
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
        let beside = |column: &Column| {
            let figure = |(name, _): (&'static str, _)| {
                let Spread { median, min, max } = self.beside(column.who, name)?;
                Some((key(name), json!({ "median": median, "min": min, "max": max })))
            };
            let figures: Map<String, Value> = column.figures().into_iter().filter_map(figure).collect();
            (key(column.who.title()), Value::Object(figures))
        };
        let ratios: Map<String, Value> = self.columns.iter().skip(1).map(beside).collect();
        let by = if self.is_of_chains() { "by_first" } else { "relay_by" };
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

/// A name as a key.
fn key(name: &str) -> String {
    name.to_lowercase().replace([' ', '-'], "_")
}

#[cfg(test)]
#[path = "section_tests.rs"]
pub(crate) mod tests;

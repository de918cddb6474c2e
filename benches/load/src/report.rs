//! Figures of the runs, as a table for people and as JSON for everybody else.

use anyhow::Error;
use serde_json::{Map, Value, json};

use crate::cpu::Usage;
use crate::stats::{Spread, spread};

const TOOL_CPU: &str = "load tool CPU";
const FOREIGN_CPU: &str = "foreign CPU";

/// Figures that cast doubt on the others above a number of percent, and why.
const DOUBTS: [(&str, f64, &str); 2] = [
    (TOOL_CPU, 90.0, "the load tool was busy: rates are what it could take"),
    (FOREIGN_CPU, 10.0, "others used the processors too: measure again when they rest"),
];

/// One measured value.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    name: &'static str,
    unit: &'static str,
    value: f64,
}

impl Figure {
    /// A `value` in `unit`; the unit is empty for a plain count.
    pub(crate) fn new(name: &'static str, unit: &'static str, value: f64) -> Self {
        Self { name, unit, value }
    }

    /// Who used the processor. Percent of one core.
    pub(crate) fn of_usage(usage: &Usage) -> [Self; 5] {
        let wall = usage.wall.as_secs_f64();
        let percent = |name, time: std::time::Duration| Self::new(name, "%", time.as_secs_f64() * 100.0 / wall);
        [
            Self::new("measured time", "s", wall),
            percent("relay CPU", usage.relay),
            percent(TOOL_CPU, usage.own),
            percent(FOREIGN_CPU, usage.foreign),
            percent("stolen CPU", usage.stolen),
        ]
    }
}

/// What one run gave.
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// The same names in each run of a workload.
    pub(crate) figures: Vec<Figure>,
    /// What went wrong; empty in a good run.
    pub(crate) problems: Vec<String>,
}

impl Run {
    /// A run without figures.
    pub(crate) fn failed(error: &Error) -> Self {
        Self { figures: Vec::new(), problems: vec![format!("{error:#}")] }
    }
}

/// All runs of one workload.
#[derive(Debug)]
pub(crate) struct Section {
    /// The workload.
    pub(crate) name: &'static str,
    /// Its sizes.
    pub(crate) settings: Value,
    /// What its runs gave.
    pub(crate) runs: Vec<Run>,
}

/// One figure over all runs.
#[derive(Debug)]
struct Row {
    name: &'static str,
    unit: &'static str,
    values: Vec<f64>,
    spread: Spread,
}

impl Section {
    /// Whether every run was good.
    pub(crate) fn is_good(&self) -> bool {
        self.runs.iter().all(|run| run.problems.is_empty())
    }

    fn rows(&self) -> Vec<Row> {
        let Some(pattern) = self.runs.iter().find(|run| !run.figures.is_empty()) else {
            return Vec::new();
        };
        let row = |figure: &Figure| {
            let values: Vec<f64> = self
                .runs
                .iter()
                .flat_map(|run| &run.figures)
                .filter(|f| f.name == figure.name)
                .map(|f| f.value)
                .collect();
            Some(Row { name: figure.name, unit: figure.unit, spread: spread(&values)?, values })
        };
        pattern.figures.iter().filter_map(row).collect()
    }

    /// The table, problems included.
    pub(crate) fn table(&self) -> String {
        let settings =
            self.settings.as_object().map(|settings| settings.iter().map(|(name, value)| format!("{name} {value}")));
        let settings: Vec<String> = settings.into_iter().flatten().collect();
        let rows = self.rows();
        let mut lines =
            vec![format!("{}: {} ({} runs)", self.name, settings.join(", ").replace('_', " "), self.runs.len())];
        for Row { name, unit, spread: Spread { median, min, max }, .. } in &rows {
            lines.push(format!("  {name:<30}{:>12} {unit:<5} {} – {}", number(*median), number(*min), number(*max)));
        }
        let doubts =
            DOUBTS.iter().filter(|(name, most, _)| rows.iter().any(|row| row.name == *name && row.spread.max > *most));
        lines.extend(doubts.map(|(_, _, why)| format!("  note: {why}")));
        for (at, run) in self.runs.iter().enumerate() {
            lines.extend(run.problems.iter().map(|problem| format!("  FAILED in run {}: {problem}", at + 1)));
        }
        lines.join("\n")
    }

    /// All figures of all runs.
    pub(crate) fn json(&self) -> Value {
        let figure = |row: Row| {
            let Row { name, unit, values, spread: Spread { median, min, max } } = row;
            (
                name.to_lowercase().replace(' ', "_"),
                json!({ "unit": unit, "median": median, "min": min, "max": max, "runs": values }),
            )
        };
        let figures: Map<String, Value> = self.rows().into_iter().map(figure).collect();
        let problems: Vec<&[String]> = self.runs.iter().map(|run| run.problems.as_slice()).collect();
        json!({
            "workload": self.name,
            "settings": self.settings,
            "figures": figures,
            "problems": problems,
        })
    }
}

/// Four significant digits or whole thousands with spaces: 0.01235, 12.35, 1 234 567.
fn number(value: f64) -> String {
    if !value.is_finite() {
        return "-".to_owned();
    }
    if value.fract() == 0.0 || value.abs() >= 1_000.0 {
        return grouped(value);
    }
    let whole = value.abs().log10().floor().max(-4.0) as i32;
    format!("{value:.*}", usize::try_from(3 - whole).unwrap_or(0))
}

fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) && !text.ends_with('-') {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;

//! Outlines of rules, and measured costs of their patterns.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::RuleSet;
use super::matcher::RuleRegex;
use crate::model::{Mode, Outcome};

/// Typical texts of about a hundred bytes.
const TYPICAL_TEXTS: [&str; 4] = [
    "Has anybody tried the new layer of parcels in EPSG:2154 with the tiles of last week? It loads very slowly here.",
    "Bonjour, je cherche les orthophotos de la Bretagne en téléchargement libre, quelqu'un a-t-il une bonne adresse ?",
    "Ich bekomme beim Öffnen von gemeinden_2024.gpkg eine Fehlermeldung, die Datei ist aber in Ordnung. Was tun?",
    "Подскажите, пожалуйста, как правильно перевести координаты из СК-42 в WGS 84 без потери точности?",
];
/// Number of runs on each text. The fastest counts, as other programs use the machine as well.
const RUNS: u32 = 50;

/// An overview of a rule: its patterns and conditions.
#[derive(Clone, Debug)]
pub struct RuleOutline<'r> {
    /// Its id.
    pub id: &'r str,
    /// File and line.
    pub source: &'r str,
    /// Whether it enforces.
    pub mode: Mode,
    /// The outcome it asks for; [`Outcome::Pass`] for a rule that only labels.
    pub outcome: Outcome,
    /// Number of words, including those of its words file. One automaton finds the words of all rules.
    pub words: usize,
    /// Number of its test cases. All of them passed when the rule was loaded.
    pub cases: usize,
    /// Its regular expressions.
    pub patterns: Vec<PatternCost<'r>>,
}

/// A regular expression and its measured cost.
#[derive(Clone, Debug)]
pub struct PatternCost<'r> {
    /// As in the file.
    pub pattern: &'r str,
    /// Literals of which a text must contain one for it to run. If empty, it runs on every message.
    pub required: &'r [String],
    /// Time on a typical text of about a hundred bytes.
    pub typical: Duration,
    /// Time on a worst-case text of 2 kB, eight times the longest message.
    pub worst_case: Duration,
}

impl RuleSet {
    /// Returns an outline of each rule in order. Takes some milliseconds per pattern.
    pub fn outline(&self) -> impl Iterator<Item = RuleOutline<'_>> {
        self.rules.iter().map(|rule| {
            let matcher = self.matcher(rule.field);
            let patterns = &rule.patterns;
            let regexes = [&patterns.any, &patterns.all, &patterns.none].into_iter().cloned().flatten();
            RuleOutline {
                id: &rule.id,
                source: &rule.source,
                mode: rule.mode(),
                outcome: rule.outcome,
                words: patterns.word_count,
                cases: rule.case_count,
                patterns: regexes.filter_map(|regex| matcher.regexes.get(regex)).map(cost).collect(),
            }
        })
    }
}

fn cost(RuleRegex { pattern, .. }: &RuleRegex) -> PatternCost<'_> {
    let once = |text: &str| {
        let began = Instant::now();
        black_box(pattern.find(black_box(text)));
        began.elapsed()
    };
    let fastest = |text| (0..RUNS).map(|_| once(text)).min().unwrap_or_default();
    PatternCost {
        pattern: pattern.as_str(),
        required: pattern.required().unwrap_or_default(),
        typical: TYPICAL_TEXTS.into_iter().map(fastest).max().unwrap_or_default(),
        worst_case: pattern.worst_case_time(),
    }
}

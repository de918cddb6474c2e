//! What rules consist of, and what each pattern costs: for whoever writes them.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::Rules;
use super::matcher::Regex;
use crate::model::{Mode, Outcome};

/// Ordinary texts of some hundred bytes, as people write them who speak of maps.
const ORDINARY: [&str; 4] = [
    "Has anybody tried the new layer of parcels in EPSG:2154 with the tiles of last week? It loads very slowly here.",
    "Bonjour, je cherche les orthophotos de la Bretagne en téléchargement libre, quelqu'un a-t-il une bonne adresse ?",
    "Ich bekomme beim Öffnen von gemeinden_2024.gpkg eine Fehlermeldung, die Datei ist aber in Ordnung. Was tun?",
    "Подскажите, пожалуйста, как правильно перевести координаты из СК-42 в WGS 84 без потери точности?",
];
/// How often a pattern runs on each, of which the fastest counts: others use the machine as well.
const TRIES: u32 = 50;

/// One rule, as it is written.
#[derive(Clone, Debug)]
pub struct RuleOutline<'r> {
    /// Its id.
    pub id: &'r str,
    /// File and line.
    pub source: &'r str,
    /// Whether it acts.
    pub mode: Mode,
    /// What it asks for; [`Outcome::Pass`] if only for labels.
    pub asked: Outcome,
    /// How many words it looks for, those of its file included. All words of all rules are found at once.
    pub words: usize,
    /// How many cases of its own it was tried with when it was loaded. They all hold.
    pub cases: usize,
    /// Its regular expressions.
    pub patterns: Vec<PatternCost<'r>>,
}

/// A regular expression, and how long it takes here and now.
#[derive(Clone, Debug)]
pub struct PatternCost<'r> {
    /// As it is written.
    pub pattern: &'r str,
    /// It runs only on texts that hold one of these; on every message if there are none and it sets its rule off.
    pub needs: &'r [String],
    /// On an ordinary text of some hundred bytes.
    pub ordinary: Duration,
    /// On two kilobytes that are made to be hard for it: the worst case, of which the longest message is an eighth.
    pub hostile: Duration,
}

impl Rules {
    /// What each rule consists of, in their order. Takes some milliseconds for each pattern.
    pub fn outline(&self) -> impl Iterator<Item = RuleOutline<'_>> {
        self.rules.iter().map(|rule| {
            let matcher = self.matcher(rule.field);
            let patterns = &rule.patterns;
            let regexes = [&patterns.any, &patterns.all, &patterns.none].into_iter().cloned().flatten();
            RuleOutline {
                id: &rule.id,
                source: &rule.source,
                mode: rule.mode(),
                asked: rule.asked,
                words: patterns.words,
                cases: rule.cases,
                patterns: regexes.filter_map(|regex| matcher.regexes.get(regex)).map(cost).collect(),
            }
        })
    }
}

fn cost(Regex { pattern, .. }: &Regex) -> PatternCost<'_> {
    let once = |text: &str| {
        let began = Instant::now();
        black_box(pattern.find(black_box(text)));
        began.elapsed()
    };
    let fastest = |text| (0..TRIES).map(|_| once(text)).min().unwrap_or_default();
    PatternCost {
        pattern: pattern.as_str(),
        needs: pattern.required().unwrap_or_default(),
        ordinary: ORDINARY.into_iter().map(fastest).max().unwrap_or_default(),
        hostile: pattern.trial(),
    }
}

//! Counts matching texts, by rule.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Number of examples that a failed test shows.
const EXAMPLES: usize = 5;
/// Number of text parts per rule that [`Tally::most`] shows.
const SHOWN: usize = 4;
/// Longest text part shown, in code points.
const SHOWN_CHARS: usize = 24;

/// A match of a rule in a text.
#[derive(Clone, Debug)]
pub(super) struct Hit {
    /// The id of the rule.
    pub(super) rule: Arc<str>,
    /// The matched part, if any.
    pub(super) part: Option<String>,
}

/// Matches in a number of texts.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Number of texts examined.
    pub(super) texts: usize,
    /// Number of texts that match.
    pub(super) hit: usize,
    /// The first matching texts, with the rules.
    pub(super) examples: Vec<(String, Vec<Arc<str>>)>,
    /// Matches by rule and lower-case part.
    parts: BTreeMap<(Arc<str>, String), usize>,
}

impl Tally {
    /// Applies `hits` to each text, on all processors.
    pub(super) fn count(texts: &[&str], hits: &(dyn Fn(&str) -> Vec<Hit> + Sync)) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = texts.len().div_ceil(threads).max(1);
        std::thread::scope(|scope| {
            // Spawn all threads before joining the first.
            let counts: Vec<_> =
                texts.chunks(share).map(|texts| scope.spawn(|| Self::count_chunk(texts, hits))).collect();
            counts.into_iter().fold(Self::default(), |all, some| all.merge(some.join().unwrap()))
        })
    }

    fn count_chunk(texts: &[&str], hits: &(dyn Fn(&str) -> Vec<Hit> + Sync)) -> Self {
        let mut tally = Self { texts: texts.len(), ..Self::default() };
        for text in texts {
            let hits = hits(text);
            if hits.is_empty() {
                continue;
            }
            tally.hit += 1;
            if tally.examples.len() < EXAMPLES {
                tally.examples.push(((*text).to_owned(), hits.iter().map(|hit| hit.rule.clone()).collect()));
            }
            for hit in hits {
                let part = hit.part.unwrap_or_default().to_lowercase();
                *tally.parts.entry((hit.rule, part)).or_default() += 1;
            }
        }
        tally
    }

    /// Merges `next`, which continues this tally.
    fn merge(mut self, next: Self) -> Self {
        self.texts += next.texts;
        self.hit += next.hit;
        self.examples.extend(next.examples);
        self.examples.truncate(EXAMPLES);
        for (part, times) in next.parts {
            *self.parts.entry(part).or_default() += times;
        }
        self
    }

    /// The percentage of matching texts, rounded up, so that it is 0 only if there are none.
    pub(super) fn share(&self) -> String {
        let thousandths_of_percent = (self.hit * 100_000).div_ceil(self.texts.max(1));
        match thousandths_of_percent {
            0 => "0 %".to_owned(),
            some => format!("{}.{:03} %", some / 1000, some % 1000),
        }
    }

    /// A table cell: each rule with its number of matches and its most frequent parts, never whole sentences.
    pub(super) fn top_hits(&self) -> String {
        let mut rules: BTreeMap<&str, Vec<(usize, &str)>> = BTreeMap::new();
        for ((rule, part), times) in &self.parts {
            rules.entry(rule).or_default().push((*times, part));
        }
        let cells = rules.into_iter().map(|(rule, mut parts)| {
            let times: usize = parts.iter().map(|(times, _)| times).sum();
            parts.sort_by_key(|&(times, part)| (Reverse(times), part));
            let more = if parts.len() > SHOWN { " …" } else { "" };
            let parts: String = parts.iter().take(SHOWN).map(|(_, part)| code_cell(part)).collect();
            format!("{rule} {times}{parts}{more}")
        });
        cells.collect::<Vec<_>>().join("; ")
    }
}

/// Formats a part as inline code after a blank; empty if there is no part.
fn code_cell(part: &str) -> String {
    // Characters that would end the cell or the code become blanks.
    let harmless = |c: char| if c == '|' || c == '`' || c.is_control() { ' ' } else { c };
    let part: String = part.chars().take(SHOWN_CHARS).map(harmless).collect();
    match part.trim() {
        "" => String::new(),
        part => format!(" `{part}`"),
    }
}

/// Matches every `x` in a text.
fn x(text: &str) -> Vec<Hit> {
    text.matches('x').map(|x| Hit { rule: "x".into(), part: Some(x.to_owned()) }).collect()
}

#[test]
fn a_text_that_is_hit_twice_counts_once() {
    let tally = Tally::count(&["a", "xx", "b", "c", "x", "d", "e"], &x);
    assert_eq!((tally.texts, tally.hit, tally.top_hits()), (7, 2, "x 3 `x`".to_owned()));
    assert_eq!(tally.examples.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>(), ["xx", "x"]);
}

#[test]
fn a_share_is_0_only_when_nothing_was_hit() {
    let share = |hit, texts| Tally { texts, hit, ..Tally::default() }.share();
    assert_eq!(share(0, 100_000), "0 %");
    assert_eq!(share(1, 900_000), "0.001 %");
    assert_eq!(share(1, 1000), "0.100 %");
    assert_eq!(share(3, 2), "150.000 %");
    assert_eq!(share(0, 0), "0 %");
}

#[test]
fn characters_that_would_break_a_table_are_not_shown() {
    let tally = Tally::count(&["a"], &|_| vec![Hit { rule: "r".into(), part: Some("a|b`c".into()) }]);
    assert_eq!(tally.top_hits(), "r 1 `a b c`");
    let tally = Tally::count(&["a"], &|_| vec![Hit { rule: "r".into(), part: None }]);
    assert_eq!(tally.top_hits(), "r 1");
}

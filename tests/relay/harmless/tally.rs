//! Counting: how many texts are hit, and by what.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Hit texts that a failed test shows.
const EXAMPLES: usize = 5;
/// Parts of texts that [`Tally::most`] shows of a rule.
const SHOWN: usize = 4;
/// Longest part of a text that is shown. Code points.
const SHOWN_CHARS: usize = 24;

/// A rule that hit a text.
#[derive(Clone, Debug)]
pub(super) struct Hit {
    /// Its id.
    pub(super) rule: Arc<str>,
    /// The part that was hit, where there is one.
    pub(super) part: Option<String>,
}

/// What was hit in a number of texts.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// How many texts were looked at.
    pub(super) texts: usize,
    /// How many of them a rule hit.
    pub(super) hit: usize,
    /// The first of these, with the rules.
    pub(super) examples: Vec<(String, Vec<Arc<str>>)>,
    /// How often each part was hit, letter case aside, by which rule.
    parts: BTreeMap<(Arc<str>, String), usize>,
}

impl Tally {
    /// Counts what `hits` says of each text, on all processors.
    pub(super) fn of(texts: &[&str], hits: &(dyn Fn(&str) -> Vec<Hit> + Sync)) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = texts.len().div_ceil(threads).max(1);
        std::thread::scope(|scope| {
            // All begin before the first is waited for.
            let counts: Vec<_> = texts.chunks(share).map(|texts| scope.spawn(|| Self::of_some(texts, hits))).collect();
            counts.into_iter().fold(Self::default(), |all, some| all.with(some.join().unwrap()))
        })
    }

    fn of_some(texts: &[&str], hits: &(dyn Fn(&str) -> Vec<Hit> + Sync)) -> Self {
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

    /// This one, continued by `next`.
    fn with(mut self, next: Self) -> Self {
        self.texts += next.texts;
        self.hit += next.hit;
        self.examples.extend(next.examples);
        self.examples.truncate(EXAMPLES);
        for (part, times) in next.parts {
            *self.parts.entry(part).or_default() += times;
        }
        self
    }

    /// The share of texts that were hit, rounded up, so that only none at all is 0.
    pub(super) fn share(&self) -> String {
        let thousandths_of_percent = (self.hit * 100_000).div_ceil(self.texts.max(1));
        match thousandths_of_percent {
            0 => "0 %".to_owned(),
            some => format!("{}.{:03} %", some / 1000, some % 1000),
        }
    }

    /// What was hit, for a table: each rule, how often, and the parts of texts it hit most. No whole sentences.
    pub(super) fn most(&self) -> String {
        let mut rules: BTreeMap<&str, Vec<(usize, &str)>> = BTreeMap::new();
        for ((rule, part), times) in &self.parts {
            rules.entry(rule).or_default().push((*times, part));
        }
        let told = rules.into_iter().map(|(rule, mut parts)| {
            let times: usize = parts.iter().map(|(times, _)| times).sum();
            parts.sort_by_key(|&(times, part)| (Reverse(times), part));
            let more = if parts.len() > SHOWN { " …" } else { "" };
            let parts: String = parts.iter().take(SHOWN).map(|(_, part)| shown(part)).collect();
            format!("{rule} {times}{parts}{more}")
        });
        told.collect::<Vec<_>>().join("; ")
    }
}

/// A part of a text as a piece of code, with a blank before it; nothing for none.
fn shown(part: &str) -> String {
    // What would end a cell or the piece of code is told as a blank.
    let harmless = |c: char| if c == '|' || c == '`' || c.is_control() { ' ' } else { c };
    let part: String = part.chars().take(SHOWN_CHARS).map(harmless).collect();
    match part.trim() {
        "" => String::new(),
        part => format!(" `{part}`"),
    }
}

/// Hits the texts that have an `x`, as many times as they have.
fn x(text: &str) -> Vec<Hit> {
    text.matches('x').map(|x| Hit { rule: "x".into(), part: Some(x.to_owned()) }).collect()
}

#[test]
fn a_text_that_is_hit_twice_counts_once() {
    let tally = Tally::of(&["a", "xx", "b", "c", "x", "d", "e"], &x);
    assert_eq!((tally.texts, tally.hit, tally.most()), (7, 2, "x 3 `x`".to_owned()));
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
fn what_would_break_a_table_is_not_shown() {
    let tally = Tally::of(&["a"], &|_| vec![Hit { rule: "r".into(), part: Some("a|b`c".into()) }]);
    assert_eq!(tally.most(), "r 1 `a b c`");
    let tally = Tally::of(&["a"], &|_| vec![Hit { rule: "r".into(), part: None }]);
    assert_eq!(tally.most(), "r 1");
}

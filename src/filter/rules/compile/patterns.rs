//! Words and regexes of rules, put together for one automaton.

use std::ops::Range;

use super::Origin;
use super::checks::{check_effect, check_folded, check_trial};
use crate::filter::rules::faults::{Faults, quoted};
use crate::filter::rules::files;
use crate::filter::rules::matcher::{Matcher, Owner, Regex};
use crate::filter::rules::rule::Patterns;
use crate::filter::rules::written::{At, View, Written, content};
use crate::matching::{BoundedRegex, Edges, Leniency, Literal, Literals, View as Seen};
use crate::model::Outcome;
use crate::settings::Place;

/// Regexes, words and phrases of all rules of a field together.
const MAX_PATTERNS: usize = 10_000;
/// Of one word or phrase.
const MAX_WORD_BYTES: usize = 1_000;
/// Regexes that may run on every message.
const MAX_COSTLY: usize = 8;
/// Regexes of all rules of a field together: each takes up to some hundred kilobytes.
const MAX_REGEXES: usize = 500;
/// Regexes of one rule in `all` and `none`, which run on every text that its other conditions let through.
const MAX_CONFIRMING: usize = 16;

/// Collects what all rules of a field look for.
#[derive(Default)]
pub(super) struct Builder {
    literals: Vec<Wanted>,
    owners: Vec<Owner>,
    regexes: Vec<Regex>,
    always: Vec<usize>,
    costly: Vec<usize>,
    patterns: usize,
}

/// A [`Literal`] that owns its text.
struct Wanted {
    text: String,
    view: Seen,
    edges: Edges,
    leniency: Leniency,
}

impl Wanted {
    fn as_literal(&self) -> Literal<'_> {
        Literal { text: &self.text, view: self.view, edges: self.edges, leniency: self.leniency }
    }
}

/// What a regex is there for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// It sets its rule off.
    Trigger,
    /// One of its list sets the rule off, whichever can; all of them must match then.
    OneOfAll,
    /// It runs once something else has.
    Confirmation,
}

impl Builder {
    pub(super) fn is_full(&self) -> bool {
        self.patterns > MAX_PATTERNS
    }

    /// What has come so far does not count towards the limits of what comes.
    pub(super) fn count_anew(&mut self) {
        self.patterns = 0;
    }

    /// Has a rule looked at for every message.
    pub(super) fn always(&mut self, rule: usize) {
        self.always.push(rule);
    }

    pub(super) fn build(self, faults: &mut Vec<String>) -> Matcher {
        let literals = Literals::new(self.literals.iter().map(Wanted::as_literal)).unwrap_or_else(|fault| {
            // Each was tried by itself before.
            faults.push(format!("the words cannot be put together: {fault}"));
            Literals::default()
        });
        let Self { owners, regexes, always, costly, .. } = self;
        Matcher { literals, owners, regexes, always, costly }
    }

    /// Takes in the patterns of a rule, or names what is wrong with them.
    pub(super) fn patterns(
        &mut self,
        rule: usize,
        origin: &Origin<'_>,
        written: &Written,
        faults: &mut Faults<'_>,
    ) -> Option<Patterns> {
        let of = &written.patterns;
        let (regexes_see, words_see) = match of.view {
            None => (View::Exact, Seen::Folded),
            Some(View::Exact) => (View::Exact, Seen::Exact),
            Some(View::Folded) => (View::Folded, Seen::Folded),
        };
        let has_alternatives = !of.any.is_empty() || !of.words.is_empty() || of.words_file.is_some();
        let all_as = if has_alternatives { Purpose::Confirmation } else { Purpose::OneOfAll };
        check_effect(written, faults);
        if let Some(At { line, .. }) = of.all.iter().chain(&of.none).nth(MAX_CONFIRMING) {
            let what =
                format!("`all` and `none` have more than {MAX_CONFIRMING} patterns; write them as fewer, with `|`");
            written.fault(faults, *line, &what);
        }
        let lists = [(&of.any, Purpose::Trigger), (&of.all, all_as), (&of.none, Purpose::Confirmation)];
        let [any, all, none] =
            lists.map(|(list, purpose)| self.regexes(rule, list, (purpose, regexes_see), written, faults));
        let before = self.literals.len();
        let listed = self.listed_words(rule, written, words_see, faults);
        let from_file = self.words_of_file(rule, origin, written, words_see, faults);
        let replaces = written.asked == Some(Outcome::Replace);
        if replaces && !has_alternatives {
            let what = "the verdict replace needs `any`, `words` or `words_file`: what it masks";
            written.fault(faults, written.line, what);
        }
        let file = from_file.filter(|_| listed)?;
        Some(Patterns { words: self.literals.len() - before, file, any: any?, all: all?, none: none? })
    }

    /// Counts one more pattern; `false` beyond the limit, which is a fault the first time.
    fn counted(&mut self, line: usize, faults: &mut Faults<'_>) -> bool {
        self.patterns += 1;
        if self.patterns == MAX_PATTERNS + 1 {
            faults.add(line, format!("more than {MAX_PATTERNS} patterns and words in all"));
        }
        self.patterns <= MAX_PATTERNS
    }

    fn regexes(
        &mut self,
        rule: usize,
        list: &[At<String>],
        (purpose, view): (Purpose, View),
        written: &Written,
        faults: &mut Faults<'_>,
    ) -> Option<Range<usize>> {
        let first = self.regexes.len();
        let (mut good, mut best) = (true, None);
        for (index, At { value, line }) in list.iter().enumerate() {
            if !self.counted(*line, faults) {
                return None;
            }
            let number = first + index;
            if number == MAX_REGEXES {
                faults.add(
                    *line,
                    format!("more than {MAX_REGEXES} regular expressions in all; use `words` where they do"),
                );
            }
            if number >= MAX_REGEXES {
                return None;
            }
            let compiled = BoundedRegex::new(value).map_err(|fault| fault.to_string()).and_then(|pattern| {
                check_trial(&pattern)?;
                if view == View::Folded {
                    check_folded(value)?;
                }
                if purpose == Purpose::Trigger {
                    self.set_off_by(&pattern, number, view, written.patterns.costly)?;
                }
                Ok(pattern)
            });
            match compiled {
                Ok(pattern) => {
                    let longest = needed(&pattern, view).map(|(needed, _)| needed.iter().map(String::len).min());
                    best = best.max(longest.map(|length| (length, number)));
                    self.regexes.push(Regex { pattern, rule, view });
                }
                Err(why) => {
                    written.fault(faults, *line, &format!("pattern {} {why}", quoted(value)));
                    good = false;
                }
            }
        }
        if !good {
            return None;
        }
        if purpose == Purpose::OneOfAll && !list.is_empty() {
            let number = best.map_or(first, |(_, number)| number);
            let pattern = self.regexes.get(number)?.pattern.clone();
            let set_off = self.set_off_by(&pattern, number, view, written.patterns.costly);
            if let (Err(why), Some(At { value, line })) = (set_off, list.first()) {
                written.fault(faults, *line, &format!("pattern {} {why}", quoted(value)));
                return None;
            }
        }
        Some(first..self.regexes.len())
    }

    /// Has a regex looked at where the text has what it needs.
    fn set_off_by(&mut self, pattern: &BoundedRegex, number: usize, view: View, costly: bool) -> Result<(), String> {
        match needed(pattern, view) {
            Some((needed, view)) => {
                for text in needed {
                    let (text, leniency) = (text.clone(), Leniency::default());
                    self.literal(Wanted { text, view, edges: Edges::Anywhere, leniency }, Owner::Regex(number))?;
                }
                Ok(())
            }
            None if costly && self.costly.len() < MAX_COSTLY => {
                self.costly.push(number);
                Ok(())
            }
            None if costly => Err(format!("is one `costly` pattern too many: {MAX_COSTLY} may run on every message")),
            None => Err(COSTLY.to_owned()),
        }
    }

    /// Takes in a literal that can be found.
    fn literal(&mut self, wanted: Wanted, owner: Owner) -> Result<(), String> {
        Literals::check(&wanted.as_literal()).map_err(|fault| fault.to_string())?;
        self.literals.push(wanted);
        self.owners.push(owner);
        Ok(())
    }

    /// A word of a rule, or what is wrong with it.
    fn word(&mut self, rule: usize, text: &str, view: Seen, written: &Written) -> Result<(), String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("a word is empty".to_owned());
        }
        if text.len() > MAX_WORD_BYTES {
            return Err(format!("word {} is {} bytes; the limit is {MAX_WORD_BYTES}", quoted(text), text.len()));
        }
        let of = &written.patterns;
        let leniency =
            Leniency { accents: of.accents, doubled: of.doubled, masked: of.masked, exact_letters: of.plain };
        let wanted = Wanted { text: text.to_owned(), view, edges: Edges::Word, leniency };
        self.literal(wanted, Owner::Word(rule)).map_err(|why| format!("word {} {why}", quoted(text)))
    }

    fn listed_words(&mut self, rule: usize, written: &Written, view: Seen, faults: &mut Faults<'_>) -> bool {
        let mut good = true;
        for At { value, line } in &written.patterns.words {
            if !self.counted(*line, faults) {
                return false;
            }
            if let Err(why) = self.word(rule, value, view, written) {
                written.fault(faults, *line, &why);
                good = false;
            }
        }
        good
    }

    /// Takes in the words of a rule's file of words and gives a digest of that; `None` when something is wrong.
    fn words_of_file(
        &mut self,
        rule: usize,
        origin: &Origin<'_>,
        written: &Written,
        view: Seen,
        faults: &mut Faults<'_>,
    ) -> Option<u64> {
        let Some(At { value: name, line }) = &written.patterns.words_file else { return Some(0) };
        let read = files::locate(origin.base, name).and_then(|path| Ok((files::read_text(&path)?, path)));
        let (text, path) = match read {
            Ok(read) => read,
            Err(why) => {
                written.fault(faults, *line, &format!("`words_file` {} {why}", quoted(name)));
                return None;
            }
        };
        let mut good = true;
        for (at, value) in files::words(&text) {
            if !self.counted(*line, faults) {
                return None;
            }
            if let Err(why) = self.word(rule, value, view, written) {
                faults.add_elsewhere(*line, Place::Line { file: path.clone(), line: at }, why);
                good = false;
            }
        }
        if files::words(&text).next().is_none() {
            written.fault(faults, *line, &format!("`words_file` {} holds no word", quoted(name)));
        }
        good.then(|| content::with(0, &[text.as_bytes()]))
    }
}

/// The literals of which a regex needs one, and where they are looked for.
fn needed(pattern: &BoundedRegex, view: View) -> Option<(&[String], Seen)> {
    match view {
        View::Exact => pattern.required().map(|needed| (needed, Seen::Exact)),
        View::Folded => pattern.required_letters().map(|needed| (needed, Seen::Folded)),
    }
}

const COSTLY: &str = "would run on every message: it has no three characters in a row that every match needs; write \
                      some into it, use `words`, or set `costly = true`";

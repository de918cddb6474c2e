//! The patterns of all rules that look at one field of a message, and one text before them.

use std::cell::OnceCell;
use std::ops::{ControlFlow, Range};

use super::written::View;
use crate::matching::{BoundedRegex, Literals, MarkedText, Views};

/// Regexes of alternatives that a message may set off, of rules in force. One that sets off more is suspicious in
/// itself.
const MAX_CONFIRMED: u32 = 16;
/// The same for all rules together that do not act on it. They see nothing beyond that.
const MAX_OBSERVED: u32 = 128;

/// The patterns of all rules of a field.
#[derive(Debug, Default)]
pub(super) struct Matcher {
    pub(super) literals: Literals,
    /// For each literal, in the same order.
    pub(super) owners: Vec<Owner>,
    pub(super) regexes: Vec<Regex>,
    /// Rules that nothing sets off: they are looked at for every message. In the order of the rules.
    pub(super) always: Vec<usize>,
    /// Regexes without a literal that they need: they run on every message.
    pub(super) costly: Vec<usize>,
}

impl Matcher {
    /// Whether no text sets anything off.
    pub(super) fn is_idle(&self) -> bool {
        self.owners.is_empty() && self.always.is_empty() && self.costly.is_empty()
    }

    /// Calls `each` with every place where a word of a rule stands: the rule, and the bytes of the text.
    pub(super) fn each_word(&self, text: &str, views: &Views, mut each: impl FnMut(usize, Range<usize>)) {
        self.literals.scan(text, views, |literal, bytes| {
            if let Some(Owner::Word(rule)) = self.owners.get(literal) {
                each(*rule, bytes);
            }
            ControlFlow::Continue(())
        });
    }
}

/// What a literal stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owner {
    /// A word of this rule.
    Word(usize),
    /// What this regex needs.
    Regex(usize),
}

/// A regex of a rule.
#[derive(Debug)]
pub(super) struct Regex {
    pub(super) pattern: BoundedRegex,
    /// The rule that it sets off.
    pub(super) rule: usize,
    pub(super) view: View,
}

/// What is needed to look at a text. Kept and used again, so that no message has to wait for memory.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) views: Views,
    /// Changes with every text, so that nothing has to be wiped.
    stamp: u32,
    /// By rule: its leftmost word.
    words: Vec<Stamped>,
    /// By regex: whether what it needs is there.
    candidates: Vec<u32>,
    /// Rules that were set off, each once.
    pub(super) triggered: Vec<usize>,
    /// Which of them are in that list.
    is_triggered: Vec<u32>,
}

#[derive(Clone, Debug, Default)]
struct Stamped {
    stamp: u32,
    bytes: Range<usize>,
}

impl Scratch {
    /// Makes the views of `text`, and finds the rules that it sets off.
    pub(super) fn read(&mut self, matcher: &Matcher, text: &str, rules: usize) {
        self.views.read(text);
        self.stamp = self.stamp.checked_add(1).unwrap_or_else(|| {
            self.words.clear();
            self.candidates.clear();
            self.is_triggered.clear();
            1
        });
        self.triggered.clear();
        self.words.resize(rules, Stamped::default());
        self.is_triggered.resize(rules, 0);
        self.candidates.resize(matcher.regexes.len(), 0);
        let Self { views, stamp, words, candidates, triggered, is_triggered } = self;
        let stamp = *stamp;
        let mut trigger = |rule: usize| {
            if let Some(seen) = is_triggered.get_mut(rule).filter(|seen| **seen != stamp) {
                *seen = stamp;
                triggered.push(rule);
            }
        };
        let mut regex_is_candidate = |regex: usize| {
            if let Some(seen) = candidates.get_mut(regex) {
                *seen = stamp;
            }
            matcher.regexes.get(regex).map(|regex| regex.rule)
        };
        for regex in &matcher.costly {
            regex_is_candidate(*regex).into_iter().for_each(&mut trigger);
        }
        matcher.literals.scan(text, views, |literal, bytes| {
            match matcher.owners.get(literal) {
                Some(Owner::Word(rule)) => {
                    if let Some(word) = words.get_mut(*rule) {
                        if word.stamp != stamp || bytes.start < word.bytes.start {
                            *word = Stamped { stamp, bytes };
                        }
                        trigger(*rule);
                    }
                }
                Some(Owner::Regex(regex)) => regex_is_candidate(*regex).into_iter().for_each(&mut trigger),
                None => {}
            }
            ControlFlow::Continue(())
        });
        for rule in &matcher.always {
            trigger(*rule);
        }
    }

    /// The leftmost word of a rule, in bytes of the text.
    pub(super) fn word(&self, rule: usize) -> Option<Range<usize>> {
        self.words.get(rule).filter(|word| word.stamp == self.stamp).map(|word| word.bytes.clone())
    }

    /// Whether the text has what a regex needs.
    pub(super) fn is_candidate(&self, regex: usize) -> bool {
        self.candidates.get(regex) == Some(&self.stamp)
    }
}

/// How many regexes may still run on a message.
#[derive(Debug)]
pub(super) struct Budget(u32);

/// More regexes were set off than may run.
#[derive(Debug)]
pub(super) struct Exhausted;

impl Budget {
    /// For rules that act.
    pub(super) fn of_enforced() -> Self {
        Self(MAX_CONFIRMED)
    }

    /// For rules that do not.
    pub(super) fn of_observed() -> Self {
        Self(MAX_OBSERVED)
    }

    /// One more runs.
    pub(super) fn take(&mut self) -> Result<(), Exhausted> {
        self.0 = self.0.checked_sub(1).ok_or(Exhausted)?;
        Ok(())
    }
}

/// A text as regexes look at it: rewritten once for all of them, when the first one wants that.
pub(super) struct Haystack<'a> {
    text: &'a str,
    views: &'a Views,
    marked: OnceCell<MarkedText<'a>>,
    marked_clean: OnceCell<MarkedText<'a>>,
}

impl<'a> Haystack<'a> {
    pub(super) fn of(text: &'a str, views: &'a Views) -> Self {
        Self { text, views, marked: OnceCell::new(), marked_clean: OnceCell::new() }
    }

    fn marked(&self, view: View) -> &MarkedText<'a> {
        match view {
            View::Exact => self.marked.get_or_init(|| MarkedText::of(self.text)),
            View::Folded => self.marked_clean.get_or_init(|| MarkedText::of(self.views.clean())),
        }
    }
}

impl Regex {
    /// Its leftmost match, in bytes of the text.
    pub(super) fn find(&self, hay: &Haystack<'_>) -> Option<Range<usize>> {
        let found = if self.pattern.wants_marked() {
            self.pattern.find_marked(hay.marked(self.view))
        } else {
            match self.view {
                View::Exact => self.pattern.find(hay.text),
                View::Folded => self.pattern.find(hay.views.clean()),
            }
        };
        match self.view {
            View::Exact => found,
            View::Folded => found.map(|bytes| hay.views.original_of_clean(bytes)),
        }
    }

    /// All of its matches, in bytes of the text.
    pub(super) fn each(&self, hay: &Haystack<'_>, mut each: impl FnMut(Range<usize>)) {
        let found = self.pattern.find_iter_marked(hay.marked(self.view));
        match self.view {
            View::Exact => found.for_each(each),
            View::Folded => found.for_each(|bytes| each(hay.views.original_of_clean(bytes))),
        }
    }
}

//! The patterns of all rules for one field of a message, and the state for matching one text.

use std::cell::OnceCell;
use std::ops::{ControlFlow, Range};

use super::document::PatternView;
use crate::matching::{BoundedRegex, Literals, MarkedText, Views};

/// Most regexes that a message may trigger in rules that act on it. A message that triggers more is rejected as
/// suspicious.
const MAX_ENFORCED_REGEXES: u32 = 16;
/// The same for all rules that do not act on it. Further regexes of these rules are skipped.
const MAX_OBSERVED_REGEXES: u32 = 128;

/// The patterns of all rules of a field.
#[derive(Debug, Default)]
pub(super) struct Matcher {
    pub(super) literals: Literals,
    /// The owner of each literal, in the same order.
    pub(super) owners: Vec<LiteralOwner>,
    pub(super) regexes: Vec<RuleRegex>,
    /// Rules without a trigger, which are checked for every message. In the order of the rules.
    pub(super) unconditional: Vec<usize>,
    /// Regexes without a required literal, which run on every message.
    pub(super) costly: Vec<usize>,
}

impl Matcher {
    /// Whether no text can trigger a rule.
    pub(super) fn is_idle(&self) -> bool {
        self.owners.is_empty() && self.unconditional.is_empty() && self.costly.is_empty()
    }

    /// Calls `each` with every occurrence of a rule's word: the rule, and the range in bytes of the text.
    pub(super) fn each_word(&self, text: &str, views: &Views, mut each: impl FnMut(usize, Range<usize>)) {
        self.literals.scan(text, views, |literal, bytes| {
            if let Some(LiteralOwner::Word(rule)) = self.owners.get(literal) {
                each(*rule, bytes);
            }
            ControlFlow::Continue(())
        });
    }
}

/// The rule or regex that a literal belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) enum LiteralOwner {
    /// The literal is a word of this rule.
    Word(usize),
    /// This regex requires the literal.
    Regex(usize),
}

/// A regex of a rule.
#[derive(Debug)]
pub(super) struct RuleRegex {
    pub(super) pattern: BoundedRegex,
    /// The rule that it triggers.
    pub(super) rule: usize,
    pub(super) view: PatternView,
}

/// Reusable buffers for matching a text, so that messages need no allocations.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) views: Views,
    /// Number of the current text. Entries with another number are stale, so that buffers need no clearing.
    generation: u32,
    /// By rule: its leftmost word.
    words: Vec<StampedRange>,
    /// By regex: the generation in which a required literal was last found.
    candidates: Vec<u32>,
    /// Rules that were triggered, each once.
    pub(super) triggered: Vec<usize>,
    /// By rule: the generation in which it was last triggered.
    triggered_in: Vec<u32>,
}

#[derive(Clone, Debug, Default)]
struct StampedRange {
    generation: u32,
    bytes: Range<usize>,
}

impl Scratch {
    /// Computes the views of `text` and finds the rules that it triggers.
    pub(super) fn scan(&mut self, matcher: &Matcher, text: &str, rules: usize) {
        self.views.read(text);
        self.generation = self.generation.checked_add(1).unwrap_or_else(|| {
            self.words.clear();
            self.candidates.clear();
            self.triggered_in.clear();
            1
        });
        self.triggered.clear();
        self.words.resize(rules, StampedRange::default());
        self.triggered_in.resize(rules, 0);
        self.candidates.resize(matcher.regexes.len(), 0);
        let Self { views, generation, words, candidates, triggered, triggered_in } = self;
        let generation = *generation;
        let mut trigger = |rule: usize| {
            if let Some(seen) = triggered_in.get_mut(rule).filter(|seen| **seen != generation) {
                *seen = generation;
                triggered.push(rule);
            }
        };
        let mut regex_is_candidate = |regex: usize| {
            if let Some(seen) = candidates.get_mut(regex) {
                *seen = generation;
            }
            matcher.regexes.get(regex).map(|regex| regex.rule)
        };
        for regex in &matcher.costly {
            regex_is_candidate(*regex).into_iter().for_each(&mut trigger);
        }
        matcher.literals.scan(text, views, |literal, bytes| {
            match matcher.owners.get(literal) {
                Some(LiteralOwner::Word(rule)) => {
                    if let Some(word) = words.get_mut(*rule) {
                        if word.generation != generation || bytes.start < word.bytes.start {
                            *word = StampedRange { generation, bytes };
                        }
                        trigger(*rule);
                    }
                }
                Some(LiteralOwner::Regex(regex)) => regex_is_candidate(*regex).into_iter().for_each(&mut trigger),
                None => {}
            }
            ControlFlow::Continue(())
        });
        for rule in &matcher.unconditional {
            trigger(*rule);
        }
    }

    /// Returns the leftmost word of a rule, in bytes of the text.
    pub(super) fn leftmost_word(&self, rule: usize) -> Option<Range<usize>> {
        self.words.get(rule).filter(|word| word.generation == self.generation).map(|word| word.bytes.clone())
    }

    /// Whether the text contains a literal that a regex requires.
    pub(super) fn is_candidate(&self, regex: usize) -> bool {
        self.candidates.get(regex) == Some(&self.generation)
    }
}

/// The number of regexes that may still run on a message.
#[derive(Debug)]
pub(super) struct RegexBudget(u32);

/// More regexes were triggered than may run.
#[derive(Debug)]
pub(super) struct BudgetExhausted;

impl RegexBudget {
    /// The budget of rules that act.
    pub(super) fn enforced() -> Self {
        Self(MAX_ENFORCED_REGEXES)
    }

    /// The budget of rules that do not act.
    pub(super) fn observed() -> Self {
        Self(MAX_OBSERVED_REGEXES)
    }

    /// The budget for a text that may be long.
    pub(super) fn unlimited() -> Self {
        Self(u32::MAX)
    }

    /// Takes one regex from the budget.
    pub(super) fn take(&mut self) -> Result<(), BudgetExhausted> {
        self.0 = self.0.checked_sub(1).ok_or(BudgetExhausted)?;
        Ok(())
    }
}

/// A text for regexes. Its marked form is computed once, when the first regex needs it.
pub(super) struct Haystack<'a> {
    text: &'a str,
    views: &'a Views,
    marked: OnceCell<MarkedText<'a>>,
    marked_clean: OnceCell<MarkedText<'a>>,
}

impl<'a> Haystack<'a> {
    pub(super) fn new(text: &'a str, views: &'a Views) -> Self {
        Self { text, views, marked: OnceCell::new(), marked_clean: OnceCell::new() }
    }

    fn marked(&self, view: PatternView) -> &MarkedText<'a> {
        match view {
            PatternView::Original => self.marked.get_or_init(|| MarkedText::new(self.text)),
            PatternView::Clean => self.marked_clean.get_or_init(|| MarkedText::new(self.views.clean())),
        }
    }
}

impl RuleRegex {
    /// Returns the leftmost match, in bytes of the text.
    pub(super) fn find(&self, hay: &Haystack<'_>) -> Option<Range<usize>> {
        let found = if self.pattern.needs_marked() {
            self.pattern.find_marked(hay.marked(self.view))
        } else {
            match self.view {
                PatternView::Original => self.pattern.find(hay.text),
                PatternView::Clean => self.pattern.find(hay.views.clean()),
            }
        };
        match self.view {
            PatternView::Original => found,
            PatternView::Clean => found.map(|bytes| hay.views.original_of_clean(bytes)),
        }
    }

    /// Calls `each` with all matches, in bytes of the text.
    pub(super) fn for_each_match(&self, hay: &Haystack<'_>, mut each: impl FnMut(Range<usize>)) {
        let found = self.pattern.find_iter_marked(hay.marked(self.view));
        match self.view {
            PatternView::Original => found.for_each(each),
            PatternView::Clean => found.for_each(|bytes| each(hay.views.original_of_clean(bytes))),
        }
    }
}

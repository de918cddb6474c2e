//! One compiled rule.

use std::ops::Range;
use std::sync::Arc;

use regex::Regex;

use crate::matching::Words;
use crate::model::{Basis, Match, Mode, Outcome, Span};

use super::hits::{Hits, RuleFigures};
use super::view::{Form, Views};

/// A rule, ready to run.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) id: Arc<str>,
    /// File and line of its header.
    pub(super) source: Arc<str>,
    pub(super) labels: Vec<Arc<str>>,
    pub(super) mode: Mode,
    /// What it asks for; [`Outcome::Pass`] if only for labels.
    pub(super) asked: Outcome,
    /// For the sender.
    pub(super) reason: String,
    /// What a replacement puts in place of each code point.
    pub(super) mask: char,
    pub(super) patterns: Patterns,
    pub(super) hits: Hits,
}

/// When a rule hits.
///
/// There is something in `any`, `all` or `words`, and no pattern matches without a character.
#[derive(Debug)]
pub(super) struct Patterns {
    pub(super) any: Vec<Regex>,
    pub(super) all: Vec<Regex>,
    pub(super) none: Vec<Regex>,
    /// More alternatives, beside those of `any`.
    pub(super) words: Option<Words>,
    /// What the regexes see.
    pub(super) regexes_see: Form,
    /// What the words see.
    pub(super) words_see: Form,
}

impl Rule {
    /// The leftmost hit, in code points of the original, if the rule hits at all.
    pub(super) fn first_hit(&self, views: &Views<'_>) -> Option<Range<usize>> {
        let Patterns { any, all, none, words, regexes_see, words_see } = &self.patterns;
        let text = views.text(*regexes_see);
        let leftmost = |regexes: &[Regex]| {
            let hits = regexes.iter().filter_map(|regex| regex.find(text));
            hits.min_by_key(regex::Match::start).map(|hit| views.chars(*regexes_see, hit.range()))
        };
        let hit = if any.is_empty() && words.is_none() {
            leftmost(all)?
        } else {
            let word = words.as_ref().and_then(|words| {
                let hits = words.find_all(views.text(*words_see));
                hits.min_by_key(|hit| hit.start).map(|hit| views.chars(*words_see, hit))
            });
            word.into_iter().chain(leftmost(any)).min_by_key(|hit| hit.start)?
        };
        let holds = all.iter().all(|regex| regex.is_match(text)) && !none.iter().any(|regex| regex.is_match(text));
        holds.then_some(hit)
    }

    /// Calls `each` for every hit of an alternative, in code points of the original. Hits may overlap.
    pub(super) fn each_hit(&self, views: &Views<'_>, mut each: impl FnMut(Range<usize>)) {
        let Patterns { any, words, regexes_see, words_see, .. } = &self.patterns;
        for regex in any {
            regex.find_iter(views.text(*regexes_see)).for_each(|hit| each(views.chars(*regexes_see, hit.range())));
        }
        if let Some(words) = words {
            words.find_all(views.text(*words_see)).for_each(|hit| each(views.chars(*words_see, hit)));
        }
    }

    /// What it is called and what it has hit.
    pub(super) fn figures(&self) -> RuleFigures<'_> {
        let (hits, last_hit) = self.hits.read();
        RuleFigures { id: &self.id, source: &self.source, mode: self.mode, hits, last_hit }
    }

    /// What a trace shows of a hit at `span`.
    pub(super) fn matched(&self, span: Range<usize>) -> Match {
        Match {
            asked: self.asked,
            mode: self.mode,
            basis: Basis::Rule { id: Arc::clone(&self.id), source: Arc::clone(&self.source) },
            span: Some(Span(span.start, span.end)),
            labels: self.labels.clone(),
        }
    }
}

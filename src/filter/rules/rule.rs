//! One compiled rule.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::conditions::{By, Condition, Hours, SenderIs, Where};
use super::hits::{Hits, RuleFigures};
use super::look::Look;
use super::matcher::{Budget, Exhausted, Haystack, Matcher, Scratch};
use super::memory::Recall;
use super::written::{Exemption, Field};
use crate::model::{Basis, Brake, Match, Mode, Outcome, Penalty, RoomName, Sender, Span};

/// A rule, ready to run.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) id: Arc<str>,
    /// File and line of its header.
    pub(super) source: Arc<str>,
    /// The line of RULES that it keeps.
    pub(super) clause: Option<Arc<str>>,
    pub(super) field: Field,
    pub(super) labels: Vec<Arc<str>>,
    /// As it is written; what is in force, [`Rule::mode`] says.
    pub(super) written_mode: Mode,
    /// What it asks for; [`Outcome::Pass`] if only for labels.
    pub(super) asked: Outcome,
    /// For the sender.
    pub(super) reason: Arc<str>,
    /// Whether the sender must not learn which rule it was.
    pub(super) hidden: bool,
    /// What a replacement puts in place of each code point.
    pub(super) mask: char,
    pub(super) sanction: Option<Penalty>,
    /// On whom it does not act.
    pub(super) exempt: Vec<Exemption>,
    /// Where it holds; everywhere when empty.
    pub(super) rooms: Vec<RoomName>,
    pub(super) hours: Option<Hours>,
    pub(super) sender: Option<SenderIs>,
    /// All must hold. The cheapest first.
    pub(super) conditions: Vec<Condition>,
    pub(super) patterns: Patterns,
    /// How many cases of its own it was tried with.
    pub(super) cases: usize,
    /// What tells whether it is written as another one: a digest of all that it consists of.
    pub(super) content: u64,
    /// Whether it is of the starter set.
    pub(super) is_starter: bool,
    /// What it has hit; the same when the set is replaced by one that has it as it is.
    pub(super) hits: Arc<Hits>,
    /// As `hits`.
    pub(super) brake: Arc<Brake>,
}

/// The patterns of a rule: numbers of regexes in its field's [`Matcher`].
#[derive(Debug, Default)]
pub(super) struct Patterns {
    /// Words among the alternatives, however many.
    pub(super) words: usize,
    /// A digest of its file of words; 0 when it has none.
    pub(super) file: u64,
    pub(super) any: Range<usize>,
    pub(super) all: Range<usize>,
    pub(super) none: Range<usize>,
}

impl Patterns {
    /// Whether there is something of which one must hit.
    pub(super) fn has_alternatives(&self) -> bool {
        self.words > 0 || !self.any.is_empty()
    }
}

/// A text with all that rules need to look at it.
pub(super) struct Scene<'a> {
    pub(super) hay: Haystack<'a>,
    pub(super) look: Look<'a>,
    /// The text is somebody else's: it is only liked.
    pub(super) quoted: bool,
    /// `None`: what is said more than once is taken as said.
    pub(super) recall: Option<&'a Recall>,
    pub(super) scratch: &'a Scratch,
    pub(super) matcher: &'a Matcher,
}

impl Rule {
    /// Whether it is about this sender.
    pub(super) fn is_for(&self, sender: &Sender) -> bool {
        self.sender.as_ref().is_none_or(|wanted| wanted.holds(&sender.facts))
    }

    /// Whether it holds in the sender's room, now.
    pub(super) fn is_here(&self, sender: &Sender, at: Timestamp) -> bool {
        (self.rooms.is_empty() || self.rooms.contains(&sender.room))
            && self.hours.as_ref().is_none_or(|hours| hours.holds(at))
    }

    /// Where the text has what it looks for, if it has: the leftmost hit of its alternatives, else where the first of
    /// its conditions holds. `number` is that of the rule.
    pub(super) fn hit(
        &self,
        number: usize,
        scene: &Scene<'_>,
        budget: &mut Budget,
    ) -> Result<Option<Where>, Exhausted> {
        let Scene { hay, look, recall, scratch, matcher, .. } = scene;
        let Patterns { any, all, none, .. } = &self.patterns;
        let word = scratch.word(number);
        let alternatives = self.patterns.has_alternatives();
        if alternatives && word.is_none() && !any.clone().any(|regex| scratch.is_candidate(regex)) {
            return Ok(None);
        }
        let mut place: Where = None;
        if scene.quoted && self.conditions.iter().any(Condition::is_of_author) {
            return Ok(None);
        }
        for condition in &self.conditions {
            match condition.holds(look, *recall) {
                Some(found) => place = place.or(found),
                None => return Ok(None),
            }
        }
        let find = |regex: usize| matcher.regexes.get(regex).and_then(|regex| regex.find(hay));
        if alternatives {
            let mut leftmost = word;
            for regex in any.clone().filter(|regex| scratch.is_candidate(*regex)) {
                if budget.take().is_err() {
                    // What was found is enough.
                    if leftmost.is_some() {
                        break;
                    }
                    return Err(Exhausted);
                }
                if let Some(found) = find(regex)
                    && leftmost.as_ref().is_none_or(|other| found.start < other.start)
                {
                    leftmost = Some(found);
                }
            }
            let Some(leftmost) = leftmost else { return Ok(None) };
            place = Some(leftmost);
        }
        for regex in all.clone() {
            let Some(found) = find(regex) else { return Ok(None) };
            if !alternatives && place.as_ref().is_none_or(|place| found.start < place.start) {
                place = Some(found);
            }
        }
        for regex in none.clone() {
            if find(regex).is_some() {
                return Ok(None);
            }
        }
        Ok(Some(place))
    }

    /// The fewest letters of a text that it wants to know of whether it was said before, if it does.
    pub(super) fn least_recalled(&self) -> Option<u32> {
        let letters = self.conditions.iter().filter_map(|condition| match condition {
            Condition::Repetition(repetition) => Some(repetition.letters),
            _ => None,
        });
        letters.min()
    }

    /// The mode in force. It may change at any time: who judges a message asks once.
    pub(super) fn mode(&self) -> Mode {
        self.brake.mode(self.written_mode)
    }

    /// Whether the sender is one on whom it does not act.
    pub(super) fn exempts(&self, sender: &Sender) -> bool {
        self.exempt.iter().any(|exemption| exemption.covers(&sender.facts))
    }

    /// The time that must be quiet before the next raid is another one, if it looks for raids.
    pub(super) fn raid(&self) -> Option<Duration> {
        self.conditions.iter().find_map(|condition| match condition {
            Condition::Repetition(repetition) if repetition.by == By::Room => Some(repetition.within),
            _ => None,
        })
    }

    /// What it is called and what it has hit.
    pub(super) fn figures(&self) -> RuleFigures<'_> {
        let (hits, exempt_hits, trusted_hits, last_hit) = self.hits.read();
        let (id, source, mode, braked) = (&self.id, &self.source, self.mode(), self.brake.pulled());
        RuleFigures { id, source, mode, braked, hits, exempt_hits, trusted_hits, last_hit }
    }

    /// What a trace shows of a hit at `span`, in code points, by the mode in which it was found.
    pub(super) fn matched(&self, span: Option<Range<usize>>, mode: Mode, exempt: bool) -> Match {
        Match {
            asked: self.asked,
            mode,
            exempt,
            basis: Basis::Rule { id: Arc::clone(&self.id), source: Arc::clone(&self.source), sanction: self.sanction },
            field: match self.field {
                Field::Text => None,
                Field::Nickname => Some("nickname"),
            },
            span: span.map(|span| Span(span.start, span.end)),
            labels: self.labels.clone(),
        }
    }
}

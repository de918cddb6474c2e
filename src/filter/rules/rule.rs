//! One compiled rule.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::conditions::{HitSpan, HoursCondition, PlaceCondition, RepetitionBy, SenderCondition, TextCondition};
use super::document::{Exemption, Field, RuleKind};
use super::hits::{HitCounters, RuleStats};
use super::matcher::{BudgetExhausted, Haystack, Matcher, RegexBudget, Scratch};
use super::memory::Recall;
use super::rule_hit::RuleHit;
use super::text_features::TextFeatures;
use crate::filter::NewcomerDefinition;
use crate::model::{Basis, Breaker, Match, Message, Mode, Outcome, Penalty, RoomName, Sender, Span};

/// A rule, ready to run.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) id: Arc<str>,
    /// File and line of its header.
    pub(super) source: Arc<str>,
    /// The line of RULES that it enforces.
    pub(super) clause: Option<Arc<str>>,
    pub(super) field: Field,
    /// The kinds of message that it checks; those with a text when empty.
    pub(super) kinds: Vec<RuleKind>,
    pub(super) labels: Vec<Arc<str>>,
    /// The mode in the file. [`Rule::mode`] returns the mode in force.
    pub(super) configured_mode: Mode,
    /// The outcome it asks for; [`Outcome::Pass`] if it only labels.
    pub(super) outcome: Outcome,
    /// The reason given to the sender.
    pub(super) reason: Arc<str>,
    /// Whether the sender must not learn which rule it is.
    pub(super) is_hidden: bool,
    /// Whether its breaker never trips.
    pub(super) has_no_breaker: bool,
    /// The character that replaces each code point that was hit.
    pub(super) mask: char,
    pub(super) sanction: Option<Penalty>,
    /// The senders on whom it does not act.
    pub(super) exempt: Vec<Exemption>,
    /// The rooms it applies to; all rooms when empty.
    pub(super) rooms: Vec<RoomName>,
    pub(super) hours: Option<HoursCondition>,
    pub(super) sender: Option<SenderCondition>,
    /// All must hold. Sorted by cost, the cheapest first.
    pub(super) conditions: Vec<TextCondition>,
    pub(super) place: Option<PlaceCondition>,
    pub(super) patterns: RulePatterns,
    /// Number of its test cases.
    pub(super) case_count: usize,
    /// A digest of its contents, by which a change is detected.
    pub(super) digest: u64,
    /// Whether it is a starter rule.
    pub(super) is_starter: bool,
    /// Its hit counters. Shared with the same, unchanged rule in the next set.
    pub(super) hits: Arc<HitCounters>,
    /// Its breaker. Shared in the same way.
    pub(super) breaker: Arc<Breaker>,
}

/// The patterns of a rule. Ranges are numbers of regexes in the [`Matcher`] of its field.
#[derive(Debug, Default)]
pub(super) struct RulePatterns {
    /// Number of words among the alternatives.
    pub(super) word_count: usize,
    /// A digest of its words file; 0 if it has none.
    pub(super) words_file_digest: u64,
    pub(super) any: Range<usize>,
    pub(super) all: Range<usize>,
    pub(super) none: Range<usize>,
}

impl RulePatterns {
    /// Whether it has alternatives, of which one must match.
    pub(super) fn has_alternatives(&self) -> bool {
        self.word_count > 0 || !self.any.is_empty()
    }
}

/// A text with everything rules need to match it.
pub(super) struct MatchContext<'a> {
    pub(super) hay: Haystack<'a>,
    pub(super) features: TextFeatures<'a>,
    /// Whether somebody else wrote the text, as in a like.
    pub(super) is_quoted: bool,
    /// Earlier messages like this one. With `None`, repetition counts as given.
    pub(super) recall: Option<&'a Recall>,
    pub(super) scratch: &'a Scratch,
    pub(super) matcher: &'a Matcher,
}

impl Rule {
    /// Whether the rule applies to this sender.
    pub(super) fn applies_to(&self, sender: &Sender, newcomer: &NewcomerDefinition) -> bool {
        self.sender.as_ref().is_none_or(|condition| condition.holds(&sender.context, newcomer))
    }

    /// Whether the rule checks messages of this kind.
    pub(super) fn checks_kind(&self, message: &Message) -> bool {
        match self.field {
            Field::Nickname => true,
            Field::Text if self.kinds.is_empty() && self.place.is_some() => message.content().is_some(),
            Field::Text if self.kinds.is_empty() => message.text().is_some(),
            _ if self.kinds.is_empty() => true,
            _ => self.kinds.iter().any(|kind| kind.as_str() == message.kind.as_str()),
        }
    }

    /// Whether the rule applies in the sender's room at the time `at`.
    pub(super) fn applies_here_and_now(&self, sender: &Sender, at: Timestamp) -> bool {
        (self.rooms.is_empty() || self.rooms.contains(&sender.room))
            && self.hours.as_ref().is_none_or(|hours| hours.holds(at))
    }

    /// Returns where the rule hits the text: the leftmost match of its alternatives, else where the first of its
    /// conditions holds. `number` is the number of the rule.
    pub(super) fn find_hit(
        &self,
        number: usize,
        context: &MatchContext<'_>,
        budget: &mut RegexBudget,
    ) -> Result<Option<HitSpan>, BudgetExhausted> {
        let MatchContext { hay, features, recall, scratch, matcher, .. } = context;
        let RulePatterns { any, all, none, .. } = &self.patterns;
        let word = scratch.leftmost_word(number);
        let alternatives = self.patterns.has_alternatives();
        if alternatives && word.is_none() && !any.clone().any(|regex| scratch.is_candidate(regex)) {
            return Ok(None);
        }
        let mut span: HitSpan = None;
        if context.is_quoted && self.conditions.iter().any(TextCondition::is_about_author) {
            return Ok(None);
        }
        for condition in &self.conditions {
            match condition.holds(features, *recall) {
                Some(range) => span = span.or(range),
                None => return Ok(None),
            }
        }
        let find = |regex: usize| matcher.regexes.get(regex).and_then(|regex| regex.find(hay));
        if alternatives {
            let mut leftmost = word;
            for regex in any.clone().filter(|regex| scratch.is_candidate(*regex)) {
                if budget.take().is_err() {
                    // A word or regex has matched already.
                    if leftmost.is_some() {
                        break;
                    }
                    return Err(BudgetExhausted);
                }
                if let Some(range) = find(regex)
                    && leftmost.as_ref().is_none_or(|other| range.start < other.start)
                {
                    leftmost = Some(range);
                }
            }
            let Some(leftmost) = leftmost else { return Ok(None) };
            span = Some(leftmost);
        }
        for regex in all.clone() {
            let Some(range) = find(regex) else { return Ok(None) };
            if !alternatives && span.as_ref().is_none_or(|span| range.start < span.start) {
                span = Some(range);
            }
        }
        for regex in none.clone() {
            if find(regex).is_some() {
                return Ok(None);
            }
        }
        Ok(Some(span))
    }

    /// Returns the fewest letters for which it checks repetition; `None` if it has no such condition.
    pub(super) fn min_recall_letters(&self) -> Option<u32> {
        let letters = self.conditions.iter().filter_map(|condition| match condition {
            TextCondition::Repetition(repetition) => Some(repetition.min_letters),
            _ => None,
        });
        letters.min()
    }

    /// Returns the mode in force. It may change at any time, so read it once per message.
    pub(super) fn mode(&self) -> Mode {
        self.breaker.effective_mode(self.configured_mode)
    }

    /// Whether the sender is exempt.
    pub(super) fn exempts(&self, sender: &Sender) -> bool {
        self.exempt.iter().any(|exemption| exemption.covers(&sender.context))
    }

    /// Returns how long a raid must pause before the next one counts as new; `None` if the rule does not detect raids.
    pub(super) fn raid_quiet_period(&self) -> Option<Duration> {
        self.conditions.iter().find_map(|condition| match condition {
            TextCondition::Repetition(repetition) if repetition.by == RepetitionBy::Room => Some(repetition.within),
            _ => None,
        })
    }

    /// Returns its name and hit counters.
    pub(super) fn stats(&self) -> RuleStats<'_> {
        let (hits, exempt_hits, trusted_hits, last_hit) = self.hits.read();
        let (id, source, mode, tripped_at) = (&self.id, &self.source, self.mode(), self.breaker.tripped_at());
        let skipped = self.hits.skipped();
        RuleStats { id, source, mode, tripped_at, hits, exempt_hits, trusted_hits, skipped, last_hit }
    }

    /// Returns what a trace shows of a hit.
    pub(super) fn to_match(&self, hit: &RuleHit) -> Match {
        Match {
            requested: hit.outcome,
            mode: hit.mode,
            exempt: hit.is_exempt,
            basis: Basis::Rule { id: Arc::clone(&self.id), source: Arc::clone(&self.source), sanction: self.sanction },
            field: hit.field,
            span: hit.span.as_ref().map(|span| Span(span.start, span.end)),
            labels: self.labels.clone(),
        }
    }
}

//! Combines the rules that hit a message into one verdict.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;

use super::document::Field;
use super::input::RuleInput;
use super::mask::Mask;
use super::matcher::{Haystack, Scratch};
use super::memory::Memory;
use super::rule::Rule;
use super::rule_hit::RuleHit;
use super::set::RuleSet;
use crate::filter::{Finding, Purpose};
use crate::matching::{balanced, char_span};
use crate::model::{Content, Match, Outcome, Reason, ReasonCode, Replacement, Sender, Verdict};

/// The reason for a message that triggers more regexes than may run.
const SUSPICIOUS: &str = "This message triggers too many rules at once.";

/// The reason for a place that cannot be compared with an area.
const UNKNOWN_PLACE: &str = "The coordinate system is not known here, so the place cannot be checked.";

/// The result of running rules on a message.
#[derive(Debug)]
pub(super) struct RuleEvaluation<'r> {
    pub(super) finding: Finding,
    /// Rules that detect a new raid.
    pub(super) raids: Vec<&'r Rule>,
}

/// A message triggered more regexes than the budget allows. Holds the index of the rule that exhausted it.
pub(super) struct BudgetExhaustedBy(pub(super) usize);

impl RuleSet {
    /// Masks the hits of all enforced replacing rules. Returns `None` if there are none, or if a stronger rule is
    /// enforced.
    pub(super) fn apply_masks(&self, text: &str, scratch: &Scratch, hits: &[RuleHit]) -> Option<String> {
        let enforced = || {
            let enforced = hits.iter().filter(|hit| hit.is_enforced());
            enforced.filter_map(|hit| Some((hit.rule, self.rules.get(hit.rule)?)))
        };
        if enforced().any(|(_, rule)| rule.outcome.strength() > Outcome::Replace.strength()) {
            return None;
        }
        let replaces = |rule: &Rule| rule.outcome == Outcome::Replace && rule.place.is_none();
        let replacing: Vec<(usize, &Rule)> = enforced().filter(|(_, rule)| replaces(rule)).collect();
        if replacing.is_empty() {
            return None;
        }
        // One pass finds the words of all rules.
        let mut words: Vec<(usize, Range<usize>)> = Vec::new();
        self.matcher(Field::Text).each_word(text, &scratch.views, |rule, bytes| words.push((rule, bytes)));
        let mut mask = Mask::new(text);
        let hay = Haystack::new(text, &scratch.views);
        for (rule_index, rule) in replacing {
            let mut cover = |bytes| mask.cover(char_span(text, bytes), rule.mask);
            words.iter().filter(|(owner, _)| *owner == rule_index).for_each(|(_, bytes)| cover(bytes.clone()));
            for regex_index in rule.patterns.any.clone().filter(|regex| scratch.is_candidate(*regex)) {
                if let Some(regex) = self.matcher(Field::Text).regexes.get(regex_index) {
                    regex.for_each_match(&hay, &mut cover);
                }
            }
        }
        // A mask may cover a control that closes another one.
        let masked = mask.into_text();
        Some(balanced(&masked).unwrap_or(masked))
    }

    /// Combines the hits into a finding.
    pub(super) fn decide(
        &self,
        hits: &[RuleHit],
        masked: Option<String>,
        within_budget: Result<(), BudgetExhaustedBy>,
        input: &RuleInput<'_>,
    ) -> RuleEvaluation<'_> {
        let RuleInput { message, sender, memory, purpose, .. } = input;
        let mut matches: Vec<Match> = Vec::with_capacity(hits.len());
        let mut strongest: Option<(&Rule, &RuleHit)> = None;
        let mut raids = Vec::new();
        for hit in hits {
            let Some(rule) = self.rules.get(hit.rule) else { continue };
            if *purpose == Purpose::Judge {
                rule.hits.record(message.at, hit.is_exempt, sender.context.trusted);
                if let Some(memory) = memory
                    && record_raid(memory, rule, sender, message.at)
                {
                    raids.push(rule);
                }
            }
            matches.push(rule.to_match(hit));
            let is_stronger = |other: &RuleHit| hit.outcome.strength() > other.outcome.strength();
            if hit.is_enforced() && strongest.is_none_or(|(_, other)| is_stronger(other)) {
                strongest = Some((rule, hit));
            }
        }
        let rounded = || self.most_rounded(hits).map(|content| Replacement::Content(Arc::new(content.clone())));
        let replacement = masked.map(Replacement::Text).or_else(rounded);
        let mut verdict = match strongest {
            None => Verdict::Pass,
            Some((rule, hit)) => match hit.outcome {
                Outcome::Pass => Verdict::Pass,
                Outcome::Replace => replacement.map_or(Verdict::Pass, Verdict::Replace),
                Outcome::Shadow => Verdict::Shadow(reason(rule, hit)),
                Outcome::Hold => Verdict::Hold(reason(rule, hit)),
                Outcome::Reject => Verdict::Reject(reason(rule, hit)),
            },
        };
        if let (Err(BudgetExhaustedBy(rule_index)), false) = (within_budget, matches!(verdict, Verdict::Reject(_))) {
            verdict = Verdict::Reject(Reason::new(ReasonCode::Suspicious, SUSPICIOUS));
            // So that the trace names a rule.
            matches.extend(
                self.rules
                    .get(rule_index)
                    .map(|rule| rule.to_match(&RuleHit::of_whole_message(rule_index, rule.outcome))),
            );
        }
        RuleEvaluation { finding: Finding { verdict, matches }, raids }
    }

    /// Returns the content as the enforced rule with the coarsest rounding leaves it.
    fn most_rounded<'h>(&self, hits: &'h [RuleHit]) -> Option<&'h Content> {
        let mut coarsest = None;
        for hit in hits.iter().filter(|hit| hit.is_enforced()) {
            let cell = self.rules.get(hit.rule).and_then(|rule| rule.place.as_ref()?.round_to);
            if let Some((cell, content)) = cell.zip(hit.rounded.as_ref())
                && coarsest.is_none_or(|(other, _)| cell > other)
            {
                coarsest = Some((cell, content));
            }
        }
        coarsest.map(|(_, content)| content)
    }
}

/// Records that `rule` detects a raid, if it detects raids at all. Returns whether it is a new one.
fn record_raid(memory: &Memory, rule: &Rule, sender: &Sender, at: Timestamp) -> bool {
    rule.raid_quiet_period().is_some_and(|quiet| memory.record_raid(&sender.room, &rule.id, at, quiet))
}

fn reason(rule: &Rule, hit: &RuleHit) -> Reason {
    let text = if hit.is_place_unknown { Cow::Borrowed(UNKNOWN_PLACE) } else { Cow::Owned(rule.reason.to_string()) };
    Reason::new(ReasonCode::Rule, text)
}

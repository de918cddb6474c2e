//! Runs a set of rules on a message.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;

use jiff::Timestamp;

use super::conditions::PlaceMatch;
use super::document::Field;
use super::mask::Mask;
use super::matcher::{BudgetExhausted, Haystack, RegexBudget, Scratch};
use super::memory::{Memory, Recall};
use super::rule::{MatchContext, Rule};
use super::set::RuleSet;
use super::text_features::TextFeatures;
use crate::filter::{Finding, Purpose};
use crate::matching::char_span;
use crate::model::{Match, Message, MessageKind, Mode, Outcome, Reason, ReasonCode, Sender, Verdict};

/// The reason for a message that triggers more regexes than may run.
const SUSPICIOUS: &str = "This message triggers too many rules at once.";

/// The reason for a place that cannot be compared with an area.
const UNKNOWN_PLACE: &str = "The coordinate system is not known here, so the place cannot be checked.";

thread_local! {
    /// Reused for all messages of a thread, to avoid allocations.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// The result of running rules on a message.
#[derive(Debug)]
pub(super) struct RuleEvaluation<'r> {
    pub(super) finding: Finding,
    /// Rules that detect a new raid.
    pub(super) raids: Vec<&'r Rule>,
}

/// A rule that hits.
struct Hit {
    /// The index of the rule.
    rule: usize,
    /// The mode of the rule, read once per message.
    mode: Mode,
    /// Whether the sender is exempt.
    is_exempt: bool,
    /// The hit, in code points of its field.
    span: Option<Range<usize>>,
    /// The outcome that it asks for: that of the rule, or that for a place that cannot be computed.
    outcome: Outcome,
    /// Whether the place of the message cannot be computed.
    is_place_unknown: bool,
}

impl Hit {
    /// Whether the rule is enforced on the sender.
    fn is_enforced(&self) -> bool {
        self.mode == Mode::Enforce && !self.is_exempt
    }
}

/// A message, and how to run the rules on it.
pub(super) struct RuleInput<'a> {
    pub(super) message: &'a Message,
    pub(super) sender: &'a Sender,
    pub(super) memory: Option<&'a Memory>,
    pub(super) purpose: Purpose,
    /// Whether rules apply whatever their rooms and hours.
    pub(super) ignore_rooms_and_hours: bool,
}

/// A message triggered more regexes than the budget allows. Holds the index of the rule that exhausted it.
struct BudgetExhaustedBy(usize);

impl RuleSet {
    /// Runs all rules on a single message, without counting, remembering, or knowing earlier messages.
    ///
    /// Matches are in the order of the rules. The verdict is that of the strongest rule in force (reject, hold, shadow,
    /// replace), and of the first among equals. If it is a replacement, the hits of all replacing rules are masked.
    #[must_use]
    pub fn examine(&self, message: &Message, sender: &Sender) -> Finding {
        self.evaluate(&RuleInput {
            message,
            sender,
            memory: None,
            purpose: Purpose::Try,
            ignore_rooms_and_hours: false,
        })
        .finding
    }

    /// Like [`RuleSet::examine`], but ignores the rooms and hours of rules.
    #[must_use]
    pub fn examine_ignoring_rooms_and_hours(&self, message: &Message, sender: &Sender) -> Finding {
        self.evaluate(&RuleInput { message, sender, memory: None, purpose: Purpose::Try, ignore_rooms_and_hours: true })
            .finding
    }

    /// Runs all rules on a message, with the memory of earlier messages if there is one.
    pub(super) fn evaluate(&self, input: &RuleInput<'_>) -> RuleEvaluation<'_> {
        SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
            Ok(mut scratch) => self.evaluate_with(input, &mut scratch),
            Err(_) => self.evaluate_with(input, &mut Scratch::default()),
        })
    }

    fn evaluate_with(&self, input: &RuleInput<'_>, scratch: &mut Scratch) -> RuleEvaluation<'_> {
        let mut hits = Vec::new();
        let (mut matched, mut masked, mut recall) = (Ok(()), None, None);
        if !self.nickname.is_idle() {
            scratch.scan(&self.nickname, &input.message.author, self.rules.len());
            matched = self.match_field(Field::Nickname, &input.message.author, None, input, scratch, &mut hits);
        }
        // Rules may check a kind of message that has no text.
        let text = input.message.text().or_else(|| input.message.content().map(|_| ""));
        if let Some(text) = text
            && !self.text.is_idle()
            && matched.is_ok()
        {
            scratch.scan(&self.text, text, self.rules.len());
            recall = self.recall(input, scratch);
            matched = self.match_field(Field::Text, text, recall.as_ref(), input, scratch, &mut hits);
            masked = self.apply_masks(text, scratch, &hits);
        }
        hits.sort_by_key(|hit| hit.rule);
        let evaluation = self.decide(&hits, masked, matched, input);
        if let (Purpose::Judge, Some(memory), Some(recall)) = (input.purpose, input.memory, recall) {
            memory.record(recall, !matches!(evaluation.finding.verdict, Verdict::Reject(_)));
        }
        evaluation
    }

    /// Recalls messages like the current one, if a rule checks repetition.
    fn recall(&self, input: &RuleInput<'_>, scratch: &Scratch) -> Option<Recall> {
        let RuleInput { message, sender, memory, .. } = input;
        let is_text = matches!(message.kind, MessageKind::Text { .. });
        let min_letters = self.min_recall_letters.filter(|_| is_text)?;
        memory.and_then(|memory| memory.recall(scratch.views.clean(), sender, message, min_letters))
    }

    /// Runs the rules triggered in `scratch` on one field of a message.
    fn match_field(
        &self,
        field: Field,
        text: &str,
        recall: Option<&Recall>,
        input: &RuleInput<'_>,
        scratch: &Scratch,
        hits: &mut Vec<Hit>,
    ) -> Result<(), BudgetExhaustedBy> {
        let RuleInput { message, sender, ignore_rooms_and_hours, .. } = input;
        let no_recall = Recall::empty();
        let context = MatchContext {
            hay: Haystack::new(text, &scratch.views),
            features: TextFeatures::new(text, scratch.views.clean()),
            is_quoted: matches!(message.kind, MessageKind::Like { .. }),
            recall: Some(recall.unwrap_or(&no_recall)),
            scratch,
            matcher: self.matcher(field),
        };
        let (mut enforced, mut observed) = (RegexBudget::enforced(), RegexBudget::observed());
        for &rule_index in &scratch.triggered {
            let Some(rule) = self.rules.get(rule_index) else { continue };
            if !rule.checks_kind(message)
                || !rule.applies_to(sender)
                || !(*ignore_rooms_and_hours || rule.applies_here_and_now(sender, message.at))
            {
                continue;
            }
            // Rules that cannot reject have their own budget, so that they cannot cause a rejection by exhausting it.
            let mut hit = Hit {
                rule: rule_index,
                mode: rule.mode(),
                is_exempt: rule.exempts(sender),
                span: None,
                outcome: rule.outcome,
                is_place_unknown: false,
            };
            match rule.place.as_ref().zip(message.content()).map(|(place, content)| place.compare(content)) {
                Some(PlaceMatch::No) => continue,
                Some(PlaceMatch::Unknown(outcome)) => (hit.outcome, hit.is_place_unknown) = (outcome, true),
                Some(PlaceMatch::Yes) | None => {}
            }
            let can_reject = hit.is_enforced() && rule.outcome != Outcome::Pass;
            let budget = if can_reject { &mut enforced } else { &mut observed };
            match rule.find_hit(rule_index, &context, budget) {
                Ok(Some(span)) => {
                    hit.span = span.map(|bytes| char_span(text, bytes));
                    hits.push(hit);
                }
                Err(BudgetExhausted) if can_reject => return Err(BudgetExhaustedBy(rule_index)),
                Err(BudgetExhausted) if input.purpose == Purpose::Judge => rule.hits.record_skipped(),
                Ok(None) | Err(BudgetExhausted) => {}
            }
        }
        Ok(())
    }

    /// Masks the hits of all enforced replacing rules. Returns `None` if there are none, or if a stronger rule is
    /// enforced.
    fn apply_masks(&self, text: &str, scratch: &Scratch, hits: &[Hit]) -> Option<String> {
        let enforced = || {
            let enforced = hits.iter().filter(|hit| hit.is_enforced());
            enforced.filter_map(|hit| Some((hit.rule, self.rules.get(hit.rule)?)))
        };
        if enforced().any(|(_, rule)| rule.outcome.strength() > Outcome::Replace.strength()) {
            return None;
        }
        let replaces = |rule: &Rule| rule.outcome == Outcome::Replace && rule.field == Field::Text;
        let replacing: Vec<(usize, &Rule)> = enforced().filter(|(_, rule)| replaces(rule)).collect();
        if replacing.is_empty() {
            return None;
        }
        // One pass finds the words of all rules.
        let mut words: Vec<(usize, Range<usize>)> = Vec::new();
        self.text.each_word(text, &scratch.views, |rule, bytes| words.push((rule, bytes)));
        let mut mask = Mask::new(text);
        let hay = Haystack::new(text, &scratch.views);
        for (rule_index, rule) in replacing {
            let mut cover = |bytes| mask.cover(char_span(text, bytes), rule.mask);
            words.iter().filter(|(owner, _)| *owner == rule_index).for_each(|(_, bytes)| cover(bytes.clone()));
            for regex_index in rule.patterns.any.clone().filter(|regex| scratch.is_candidate(*regex)) {
                if let Some(regex) = self.text.regexes.get(regex_index) {
                    regex.for_each_match(&hay, &mut cover);
                }
            }
        }
        Some(mask.into_text())
    }

    /// Combines the hits into a finding.
    fn decide(
        &self,
        hits: &[Hit],
        masked: Option<String>,
        within_budget: Result<(), BudgetExhaustedBy>,
        input: &RuleInput<'_>,
    ) -> RuleEvaluation<'_> {
        let RuleInput { message, sender, memory, purpose, .. } = input;
        let mut matches: Vec<Match> = Vec::with_capacity(hits.len());
        let mut strongest: Option<(&Rule, &Hit)> = None;
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
            matches.push(rule.to_match(hit.span.clone(), hit.outcome, hit.mode, hit.is_exempt));
            let is_stronger = |other: &Hit| hit.outcome.strength() > other.outcome.strength();
            if hit.is_enforced() && strongest.is_none_or(|(_, other)| is_stronger(other)) {
                strongest = Some((rule, hit));
            }
        }
        let mut verdict = match strongest {
            None => Verdict::Pass,
            Some((rule, hit)) => match hit.outcome {
                Outcome::Pass => Verdict::Pass,
                Outcome::Replace => masked.map_or(Verdict::Pass, Verdict::Replace),
                Outcome::Shadow => Verdict::Shadow(reason(rule, hit)),
                Outcome::Hold => Verdict::Hold(reason(rule, hit)),
                Outcome::Reject => Verdict::Reject(reason(rule, hit)),
            },
        };
        if let (Err(BudgetExhaustedBy(rule_index)), false) = (within_budget, matches!(verdict, Verdict::Reject(_))) {
            verdict = Verdict::Reject(Reason::new(ReasonCode::Suspicious, SUSPICIOUS));
            // So that the trace names a rule.
            matches
                .extend(self.rules.get(rule_index).map(|rule| rule.to_match(None, rule.outcome, Mode::Enforce, false)));
        }
        RuleEvaluation { finding: Finding { verdict, matches }, raids }
    }
}

/// Records that `rule` detects a raid, if it detects raids at all. Returns whether it is a new one.
fn record_raid(memory: &Memory, rule: &Rule, sender: &Sender, at: Timestamp) -> bool {
    rule.raid_quiet_period().is_some_and(|quiet| memory.record_raid(&sender.room, &rule.id, at, quiet))
}

fn reason(rule: &Rule, hit: &Hit) -> Reason {
    let text = if hit.is_place_unknown { Cow::Borrowed(UNKNOWN_PLACE) } else { Cow::Owned(rule.reason.to_string()) };
    Reason::new(ReasonCode::Rule, text)
}

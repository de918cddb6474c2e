//! Runs a set of rules on a message.

use std::cell::RefCell;
use std::ops::ControlFlow;

use super::conditions::PlaceMatch;
use super::document::Field;
use super::input::RuleInput;
use super::matcher::{BudgetExhausted, Haystack, RegexBudget, Scratch};
use super::memory::Recall;
use super::rule::MatchContext;
use super::rule_hit::RuleHit;
use super::set::RuleSet;
use super::text_features::TextFeatures;
use super::texts::{TextPiece, for_each_piece};
use super::verdict::{BudgetExhaustedBy, RuleEvaluation};
use crate::filter::{Finding, Purpose};
use crate::matching::char_span;
use crate::model::{Message, MessageKind, Outcome, Sender, Verdict};

thread_local! {
    /// Reused for all messages of a thread, to avoid allocations.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Whether somebody else wrote the text: the message is a like of something said lately.
fn is_quote(message: &Message, sender: &Sender) -> bool {
    matches!(message.kind, MessageKind::Like { .. }) && sender.context.quotes
}

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
        let mut run = self.examine_nickname(input, scratch, &mut hits);
        let (mut masked, mut recall) = (None, None);
        // Rules may check a kind of message that has no text.
        let text = input.message.text().or_else(|| input.message.content().map(|_| ""));
        let matcher = self.matcher(Field::Text);
        if let Some(text) = text
            && !matcher.is_idle()
            && run.is_ok()
        {
            scratch.scan(matcher, text, self.rules.len());
            recall = self.recall(input, scratch);
            let piece = TextPiece { name: None, text, start: Some(0) };
            run = self.match_field(Field::Text, piece, recall.as_ref(), input, scratch, &mut hits);
            masked = self.apply_masks(text, scratch, &hits);
        }
        if run.is_ok() {
            run = self.examine_contents(input, scratch, &mut hits);
        }
        hits.sort_by_key(|hit| hit.rule);
        let evaluation = self.decide(&hits, masked, run, input);
        if let (Purpose::Judge, Some(memory), Some(recall)) = (input.purpose, input.memory, recall) {
            memory.record(recall, !matches!(evaluation.finding.verdict, Verdict::Reject(_)));
        }
        evaluation
    }

    fn examine_nickname(
        &self,
        input: &RuleInput<'_>,
        scratch: &mut Scratch,
        hits: &mut Vec<RuleHit>,
    ) -> Result<(), BudgetExhaustedBy> {
        let (matcher, text) = (self.matcher(Field::Nickname), input.message.author.as_str());
        if matcher.is_idle() {
            return Ok(());
        }
        scratch.scan(matcher, text, self.rules.len());
        let piece = TextPiece { name: Some("nickname"), text, start: Some(0) };
        self.match_field(Field::Nickname, piece, None, input, scratch, hits)
    }

    /// Runs the rules on texts of contents, and those on any text.
    fn examine_contents(
        &self,
        input: &RuleInput<'_>,
        scratch: &mut Scratch,
        hits: &mut Vec<RuleHit>,
    ) -> Result<(), BudgetExhaustedBy> {
        if matches!(input.message.kind, MessageKind::Newcomer) {
            return Ok(());
        }
        let mut run = Ok(());
        for field in Field::ALL.into_iter().filter(|field| field.is_in_contents()) {
            let matcher = self.matcher(field);
            if matcher.is_idle() || run.is_err() {
                continue;
            }
            for_each_piece(field, input.message, &mut |piece| {
                scratch.scan(matcher, piece.text, self.rules.len());
                run = self.match_field(field, piece, None, input, scratch, hits);
                if run.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
        }
        run
    }

    /// Recalls messages like the current one, if a rule checks repetition.
    fn recall(&self, input: &RuleInput<'_>, scratch: &Scratch) -> Option<Recall> {
        let RuleInput { message, sender, memory, .. } = input;
        let is_text = message.text().is_some() && !is_quote(message, sender);
        let min_letters = self.min_recall_letters.filter(|_| is_text)?;
        memory.and_then(|memory| memory.recall(scratch.views.clean(), sender, message, min_letters))
    }

    /// Runs the rules triggered in `scratch` on one text of a message. A rule hits a message once.
    fn match_field(
        &self,
        field: Field,
        TextPiece { name, text, start }: TextPiece<'_>,
        recall: Option<&Recall>,
        input: &RuleInput<'_>,
        scratch: &Scratch,
        hits: &mut Vec<RuleHit>,
    ) -> Result<(), BudgetExhaustedBy> {
        let RuleInput { message, sender, ignore_rooms_and_hours, .. } = input;
        let no_recall = Recall::empty();
        let context = MatchContext {
            hay: Haystack::new(text, &scratch.views),
            features: TextFeatures::new(text, scratch.views.clean()),
            is_quoted: is_quote(message, sender),
            recall: Some(recall.unwrap_or(&no_recall)),
            scratch,
            matcher: self.matcher(field),
        };
        let (mut enforced, mut observed) = if message.content().is_some() && field.is_in_contents() {
            // A long text contains the literals of many regexes without a bad intention.
            (RegexBudget::unlimited(), RegexBudget::unlimited())
        } else {
            (RegexBudget::enforced(), RegexBudget::observed())
        };
        for &rule_index in &scratch.triggered {
            let Some(rule) = self.rules.get(rule_index) else { continue };
            if hits.iter().any(|hit| hit.rule == rule_index)
                || !rule.checks_kind(message)
                || !rule.applies_to(sender, &self.newcomer)
                || !(*ignore_rooms_and_hours || rule.applies_here_and_now(sender, message.at))
            {
                continue;
            }
            // Rules that cannot reject have their own budget, so that they cannot cause a rejection by exhausting it.
            let mut hit = RuleHit {
                rule: rule_index,
                mode: rule.mode(),
                is_exempt: rule.exempts(sender),
                field: name,
                span: None,
                outcome: rule.outcome,
                is_place_unknown: false,
                rounded: None,
            };
            match rule.place.as_ref().zip(message.content()).map(|(place, content)| place.check(content)) {
                Some(PlaceMatch::No) => continue,
                Some(PlaceMatch::Unknown(outcome)) => (hit.outcome, hit.is_place_unknown) = (outcome, true),
                Some(PlaceMatch::Yes(rounded)) => hit.rounded = rounded,
                None => {}
            }
            if rule.place.is_some() {
                hit.field = Some("place");
            }
            let can_reject = hit.is_enforced() && rule.outcome != Outcome::Pass;
            let budget = if can_reject { &mut enforced } else { &mut observed };
            match rule.find_hit(rule_index, &context, budget) {
                Ok(Some(span)) => {
                    hit.span = span.zip(start).map(|(bytes, start)| {
                        let span = char_span(text, bytes);
                        start + span.start..start + span.end
                    });
                    hits.push(hit);
                }
                Err(BudgetExhausted) if can_reject => return Err(BudgetExhaustedBy(rule_index)),
                Err(BudgetExhausted) if input.purpose == Purpose::Judge => rule.hits.record_skipped(),
                Ok(None) | Err(BudgetExhausted) => {}
            }
        }
        Ok(())
    }
}

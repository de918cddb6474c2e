//! A message before a set of rules.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;

use jiff::Timestamp;

use super::look::Look;
use super::mask::Mask;
use super::matcher::{Budget, Exhausted, Haystack, Scratch};
use super::memory::{Memory, Recall};
use super::rule::{Rule, Scene};
use super::set::Rules;
use super::written::Field;
use crate::filter::{Finding, Purpose};
use crate::matching::char_span;
use crate::model::{Code, Kind, Match, Message, Mode, Outcome, Reason, Sender, Verdict};

/// For the sender of a message that sets off more regexes than may run.
const SUSPICIOUS: &str = "This message sets off too many rules at once.";

thread_local! {
    /// Kept from message to message, so that none has to wait for memory.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// What rules say of a message.
#[derive(Debug)]
pub(super) struct Found<'r> {
    pub(super) finding: Finding,
    /// Rules that see a raid which they have not told of yet.
    pub(super) raids: Vec<&'r Rule>,
}

/// One rule that hits.
struct Hit {
    /// The number of the rule.
    rule: usize,
    /// Its mode when the message came to it, by which the message is judged to the end.
    mode: Mode,
    /// Whether the sender is one on whom it does not act.
    exempt: bool,
    /// Where, in code points of its field.
    span: Option<Range<usize>>,
}

impl Hit {
    /// Whether the rule acts on the sender.
    fn acts(&self) -> bool {
        self.mode == Mode::Enforce && !self.exempt
    }
}

/// What is said, and how the rules are to be asked about it.
pub(super) struct Asked<'a> {
    pub(super) message: &'a Message,
    pub(super) sender: &'a Sender,
    pub(super) memory: Option<&'a Memory>,
    pub(super) purpose: Purpose,
    /// In every room and at any hour.
    pub(super) everywhere: bool,
}

/// A message has set off more regexes than may run; the number of the rule whose turn it was.
struct Suspicious(usize);

impl Rules {
    /// Runs every rule on a message, once and for its own sake: nothing is counted or remembered, and nothing was said
    /// before.
    ///
    /// The matches are in the order of the rules. The verdict is that of the strongest rule in force (reject, hold,
    /// shadow, replace), of equals the first; if that is a replacement, the hits of all rules that replace are masked.
    #[must_use]
    pub fn examine(&self, message: &Message, sender: &Sender) -> Finding {
        self.judge(&Asked { message, sender, memory: None, purpose: Purpose::Try, everywhere: false }).finding
    }

    /// As [`Rules::examine`], as if the message came to every room at every hour.
    #[must_use]
    pub fn examine_everywhere(&self, message: &Message, sender: &Sender) -> Finding {
        self.judge(&Asked { message, sender, memory: None, purpose: Purpose::Try, everywhere: true }).finding
    }

    /// As [`Rules::examine`], with what is remembered.
    pub(super) fn judge(&self, asked: &Asked<'_>) -> Found<'_> {
        SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
            Ok(mut scratch) => self.judge_with(asked, &mut scratch),
            Err(_) => self.judge_with(asked, &mut Scratch::default()),
        })
    }

    fn judge_with(&self, asked: &Asked<'_>, scratch: &mut Scratch) -> Found<'_> {
        let mut hits = Vec::new();
        let (mut looked, mut masked, mut recall) = (Ok(()), None, None);
        if !self.nickname.is_idle() {
            scratch.read(&self.nickname, &asked.message.author, self.rules.len());
            looked = self.look(Field::Nickname, &asked.message.author, None, asked, scratch, &mut hits);
        }
        if let Some(text) = asked.message.text()
            && !self.text.is_idle()
            && looked.is_ok()
        {
            scratch.read(&self.text, text, self.rules.len());
            recall = self.recall(asked, scratch);
            looked = self.look(Field::Text, text, recall.as_ref(), asked, scratch, &mut hits);
            masked = self.masked(text, scratch, &hits);
        }
        hits.sort_by_key(|hit| hit.rule);
        let found = self.found(&hits, masked, looked, asked);
        if let (Purpose::Judge, Some(memory), Some(recall)) = (asked.purpose, asked.memory, recall) {
            memory.note(recall, !matches!(found.finding.verdict, Verdict::Reject(_)));
        }
        found
    }

    /// What is remembered of a text that somebody says, if a rule wants to know.
    fn recall(&self, asked: &Asked<'_>, scratch: &Scratch) -> Option<Recall> {
        let Asked { message, sender, memory, .. } = asked;
        let says = matches!(message.kind, Kind::Text { .. });
        let least = self.least_recalled.filter(|_| says)?;
        memory.and_then(|memory| memory.recall(scratch.views.clean(), sender, message, least))
    }

    /// Looks at one field of a message, which `scratch` has read.
    fn look(
        &self,
        of: Field,
        field: &str,
        recall: Option<&Recall>,
        asked: &Asked<'_>,
        scratch: &Scratch,
        hits: &mut Vec<Hit>,
    ) -> Result<(), Suspicious> {
        let Asked { message, sender, everywhere, .. } = asked;
        let nothing = Recall::of_nothing();
        let scene = Scene {
            hay: Haystack::of(field, &scratch.views),
            look: Look::at(field, scratch.views.clean()),
            quoted: matches!(message.kind, Kind::Like { .. }),
            recall: Some(recall.unwrap_or(&nothing)),
            scratch,
            matcher: self.matcher(of),
        };
        let (mut enforced, mut observed) = (Budget::of_enforced(), Budget::of_observed());
        for &number in &scratch.triggered {
            let Some(rule) = self.rules.get(number) else { continue };
            if !rule.is_for(sender) || !(*everywhere || rule.is_here(sender, message.at)) {
                continue;
            }
            // What refuses nothing must not use up what others need, nor have a message refused.
            let mut hit = Hit { rule: number, mode: rule.mode(), exempt: rule.exempts(sender), span: None };
            let acts = hit.acts() && rule.asked != Outcome::Pass;
            let budget = if acts { &mut enforced } else { &mut observed };
            match rule.hit(number, &scene, budget) {
                Ok(Some(place)) => {
                    hit.span = place.map(|bytes| char_span(field, bytes));
                    hits.push(hit);
                }
                Err(Exhausted) if acts => return Err(Suspicious(number)),
                Ok(None) | Err(Exhausted) => {}
            }
        }
        Ok(())
    }

    /// The text with all that rules replace, if one of them acts and nothing stronger does.
    fn masked(&self, text: &str, scratch: &Scratch, hits: &[Hit]) -> Option<String> {
        let acting = || {
            let acting = hits.iter().filter(|hit| hit.acts());
            acting.filter_map(|hit| Some((hit.rule, self.rules.get(hit.rule)?)))
        };
        if acting().any(|(_, rule)| rule.asked.strength() > Outcome::Replace.strength()) {
            return None;
        }
        let replaces = |rule: &Rule| rule.asked == Outcome::Replace && rule.field == Field::Text;
        let replacing: Vec<(usize, &Rule)> = acting().filter(|(_, rule)| replaces(rule)).collect();
        if replacing.is_empty() {
            return None;
        }
        // One pass for all of them: a text may have words of many.
        let mut words: Vec<(usize, Range<usize>)> = Vec::new();
        self.text.each_word(text, &scratch.views, |rule, bytes| words.push((rule, bytes)));
        let mut mask = Mask::new(text);
        let hay = Haystack::of(text, &scratch.views);
        for (number, rule) in replacing {
            let mut cover = |bytes| mask.cover(char_span(text, bytes), rule.mask);
            words.iter().filter(|(of, _)| *of == number).for_each(|(_, bytes)| cover(bytes.clone()));
            for number in rule.patterns.any.clone().filter(|regex| scratch.is_candidate(*regex)) {
                self.text.regexes.get(number).into_iter().for_each(|regex| regex.each(&hay, &mut cover));
            }
        }
        Some(mask.into_text())
    }

    /// Puts together what the rules that hit say.
    fn found(
        &self,
        hits: &[Hit],
        masked: Option<String>,
        looked: Result<(), Suspicious>,
        asked: &Asked<'_>,
    ) -> Found<'_> {
        let Asked { message, sender, memory, purpose, .. } = asked;
        let mut matches: Vec<Match> = Vec::with_capacity(hits.len());
        let mut strongest: Option<&Rule> = None;
        let mut raids = Vec::new();
        for hit in hits {
            let Some(rule) = self.rules.get(hit.rule) else { continue };
            if *purpose == Purpose::Judge {
                rule.hits.count(message.at, hit.exempt, sender.facts.trusted);
                raids.extend(memory.filter(|memory| begins_raid(memory, rule, sender, message.at)).map(|_| rule));
            }
            matches.push(rule.matched(hit.span.clone(), hit.mode, hit.exempt));
            if hit.acts() && strongest.is_none_or(|other| rule.asked.strength() > other.asked.strength()) {
                strongest = Some(rule);
            }
        }
        let mut verdict = match strongest {
            None => Verdict::Pass,
            Some(rule) => match rule.asked {
                Outcome::Pass => Verdict::Pass,
                Outcome::Replace => masked.map_or(Verdict::Pass, Verdict::Replace),
                Outcome::Shadow => Verdict::Shadow(reason(Code::Rule, rule)),
                Outcome::Hold => Verdict::Hold(reason(Code::Rule, rule)),
                Outcome::Reject => Verdict::Reject(reason(Code::Rule, rule)),
            },
        };
        if let (Err(Suspicious(number)), false) = (looked, matches!(verdict, Verdict::Reject(_))) {
            verdict = Verdict::Reject(Reason::new(Code::Suspicious, SUSPICIOUS));
            // The rule whose turn it was, so that the trace names one.
            matches.extend(self.rules.get(number).map(|rule| rule.matched(None, Mode::Enforce, false)));
        }
        Found { finding: Finding { verdict, matches }, raids }
    }
}

fn begins_raid(memory: &Memory, rule: &Rule, sender: &Sender, at: Timestamp) -> bool {
    rule.raid().is_some_and(|quiet| memory.begins_raid(&sender.room, &rule.id, at, quiet))
}

fn reason(code: Code, rule: &Rule) -> Reason {
    Reason::new(code, Cow::Owned(rule.reason.to_string()))
}

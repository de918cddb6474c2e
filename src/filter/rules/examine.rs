//! A message before a set of rules.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;

use jiff::Timestamp;

use super::look::Look;
use super::mask::Mask;
use super::matcher::{Budget, Exhausted, Haystack, Matcher, Scratch};
use super::memory::{Memory, Recall};
use super::rule::{Rule, Scene};
use super::set::Rules;
use super::written::Field;
use crate::filter::{Finding, Purpose};
use crate::matching::char_span;
use crate::model::{Code, Match, Message, Mode, Outcome, Reason, Sender, Verdict};

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
    /// Where, in code points of its field.
    span: Option<Range<usize>>,
}

/// What is said, and how the rules are to be asked about it.
pub(super) struct Asked<'a> {
    pub(super) message: &'a Message,
    pub(super) sender: &'a Sender,
    pub(super) memory: Option<&'a Memory>,
    pub(super) purpose: Purpose,
}

impl Rules {
    /// Runs every rule on a message, once and for its own sake: nothing is counted or remembered, and nothing was said
    /// before.
    ///
    /// The matches are in the order of the rules. The verdict is that of the strongest rule in force (reject, hold,
    /// shadow, replace), of equals the first; if that is a replacement, the hits of all rules that replace are masked.
    ///
    /// Until messages can be held, a rule that holds refuses with [`Code::HoldUnavailable`].
    #[must_use]
    pub fn examine(&self, message: &Message, sender: &Sender) -> Finding {
        self.judge(&Asked { message, sender, memory: None, purpose: Purpose::Try }).finding
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
        let mut covered = None;
        let mut looked = Ok(());
        if !self.nickname.is_idle() {
            looked = self.look(&self.nickname, &asked.message.author, None, asked, scratch, &mut hits);
        }
        if let Some(text) = asked.message.text()
            && !self.text.is_idle()
            && looked.is_ok()
        {
            looked = self.look(&self.text, text, Some(text), asked, scratch, &mut hits);
            covered = self.masked(text, scratch, &hits, asked);
        }
        hits.sort_by_key(|hit| hit.rule);
        self.found(&hits, covered, looked, asked)
    }

    /// Looks at one field of a message. `text` is it again if it is the field that is remembered.
    fn look(
        &self,
        matcher: &Matcher,
        field: &str,
        text: Option<&str>,
        asked: &Asked<'_>,
        scratch: &mut Scratch,
        hits: &mut Vec<Hit>,
    ) -> Result<(), Exhausted> {
        let Asked { message, sender, memory, purpose } = asked;
        scratch.read(matcher, field, self.rules.len());
        let mut recall = Recall::of_nothing();
        if let (Some(_), Some(memory), true) = (text, memory, self.recalls) {
            let note = *purpose == Purpose::Judge;
            recall = memory.recall(scratch.views.clean(), sender, &message.author, message.at, note);
        }
        let scene = Scene {
            hay: Haystack::of(field, &scratch.views),
            look: Look::at(field),
            recall: Some(&recall),
            scratch,
            matcher,
        };
        let (mut enforced, mut observed) = (Budget::default(), Budget::default());
        for &number in &scratch.triggered {
            let Some(rule) = self.rules.get(number).filter(|rule| rule.concerns(sender, message.at)) else { continue };
            // What does not act must not use up what others need.
            let acts = rule.mode == Mode::Enforce && !Self::is_exempt(rule, sender);
            let budget = if acts { &mut enforced } else { &mut observed };
            match rule.hit(number, &scene, budget) {
                Ok(Some(place)) => {
                    let span = place.map(|bytes| char_span(field, bytes));
                    hits.push(Hit { rule: number, span });
                }
                Err(exhausted) if acts => return Err(exhausted),
                Ok(None) | Err(Exhausted) => {}
            }
        }
        Ok(())
    }

    fn is_exempt(rule: &Rule, sender: &Sender) -> bool {
        rule.exempt.iter().any(|exemption| exemption.covers(&sender.facts))
    }

    /// The text with all that rules replace, if one of them acts.
    fn masked(&self, text: &str, scratch: &Scratch, hits: &[Hit], asked: &Asked<'_>) -> Option<String> {
        let mut mask: Option<Mask<'_>> = None;
        for Hit { rule: number, .. } in hits {
            let Some(rule) = self.rules.get(*number) else { continue };
            let acts = rule.mode == Mode::Enforce && !Self::is_exempt(rule, asked.sender);
            if rule.asked != Outcome::Replace || rule.field != Field::Text || !acts {
                continue;
            }
            let mask = mask.get_or_insert_with(|| Mask::new(text));
            let mut cover = |bytes| mask.cover(char_span(text, bytes), rule.mask);
            self.text.each_word(text, &scratch.views, *number, &mut cover);
            for regex in rule.patterns.any.clone().filter_map(|regex| self.text.regexes.get(regex)) {
                regex.each(&Haystack::of(text, &scratch.views), &mut cover);
            }
        }
        mask.map(Mask::into_text)
    }

    /// Puts together what the rules that hit say.
    fn found(
        &self,
        hits: &[Hit],
        masked: Option<String>,
        looked: Result<(), Exhausted>,
        asked: &Asked<'_>,
    ) -> Found<'_> {
        let Asked { message, sender, memory, purpose } = asked;
        let mut matches: Vec<Match> = Vec::with_capacity(hits.len());
        let mut strongest: Option<&Rule> = None;
        let mut raids = Vec::new();
        for Hit { rule, span } in hits {
            let Some(rule) = self.rules.get(*rule) else { continue };
            let exempt = Self::is_exempt(rule, sender);
            if *purpose == Purpose::Judge {
                rule.hits.count(message.at, exempt);
                raids.extend(memory.filter(|memory| begins_raid(memory, rule, sender, message.at)).map(|_| rule));
            }
            matches.push(rule.matched(span.clone(), exempt));
            if rule.mode == Mode::Observe || exempt {
                continue;
            }
            if strongest.is_none_or(|other| strength(rule.asked) > strength(other.asked)) {
                strongest = Some(rule);
            }
        }
        let verdict = match (looked, strongest) {
            (Err(Exhausted), strongest) if strongest.is_none_or(|rule| rule.asked != Outcome::Reject) => {
                Verdict::Reject(Reason::new(Code::Suspicious, SUSPICIOUS))
            }
            (_, None) => Verdict::Pass,
            (_, Some(rule)) => match rule.asked {
                Outcome::Pass => Verdict::Pass,
                Outcome::Replace => masked.map_or(Verdict::Pass, Verdict::Replace),
                Outcome::Shadow => Verdict::Shadow(reason(Code::Rule, rule)),
                Outcome::Hold => Verdict::Reject(reason(Code::HoldUnavailable, rule)),
                Outcome::Reject => Verdict::Reject(reason(Code::Rule, rule)),
            },
        };
        Found { finding: Finding { verdict, matches }, raids }
    }
}

fn begins_raid(memory: &Memory, rule: &Rule, sender: &Sender, at: Timestamp) -> bool {
    rule.raid().is_some_and(|quiet| memory.begins_raid(&sender.room, &rule.id, at, quiet))
}

fn strength(asked: Outcome) -> u8 {
    match asked {
        Outcome::Pass => 0,
        Outcome::Replace => 1,
        Outcome::Shadow => 2,
        Outcome::Hold => 3,
        Outcome::Reject => 4,
    }
}

fn reason(code: Code, rule: &Rule) -> Reason {
    Reason::new(code, Cow::Owned(rule.reason.to_string()))
}

//! The results of a replay.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::Serialize;

use super::compare::{DecisionSource, Difference, ReportedOutcome, reported_outcome};
use super::past_decision::{DecisionOrigin, DecisionSummary, PastDecision, SkipReason};
use crate::model::Outcome;
use crate::model::form::milliseconds;

/// Most places that are listed for each reason to skip an entry.
const MAX_SKIP_ORIGINS: usize = 5;
/// Most authors that are counted separately; the others are counted together.
const MAX_AUTHORS: usize = 100_000;
/// Longest text of a flip. Code points.
const MAX_TEXT: usize = 80;

/// The results of a replay.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ReplayReport {
    /// Decisions that were read.
    pub messages: u64,
    /// Decisions that were judged again and compared.
    pub replayed: u64,
    /// Runs of the relay that the decisions belong to.
    pub runs: u64,
    /// Entries that could not be replayed, by reason.
    pub not_replayed: Vec<SkippedItems>,
    /// Messages with another result: refused, let through, or sent with another text.
    pub flipped: u64,
    /// Messages with the same result, decided by another rule, plugin or filter.
    pub other_grounds: u64,
    /// Messages that do not flip, but whose traces or reasons differ in more than durations. Failures of plugins are
    /// not counted.
    pub traces_differ: u64,
    /// Decisions that the rules in force do not reproduce either, because earlier messages are not known. They do not
    /// count as flips.
    pub uncertain: u64,
    /// Answers of plugins that were taken from the log.
    pub plugins_as_logged: u64,
    /// Messages for which plugins were not called then and would be now.
    pub plugins_not_asked: u64,
    /// Remarks about the replay.
    pub notes: Vec<String>,
    /// Totals by deciding rule, plugin or filter.
    pub rules: Vec<FlipTotals>,
    /// Totals by author.
    pub authors: Vec<FlipTotals>,
    /// The messages with another result, in order.
    pub flips: Vec<Flip>,
    /// Flips beyond those listed.
    pub flips_left_out: u64,
    #[serde(skip)]
    totals: Totals,
}

/// Sums before they are sorted.
#[derive(Clone, Debug, Default)]
struct Totals {
    max_flips: usize,
    skipped: BTreeMap<SkipReason, SkippedItems>,
    rules: HashMap<String, FlipTotals>,
    authors: HashMap<String, FlipTotals>,
}

/// Entries that could not be replayed for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkippedItems {
    /// The reason.
    pub reason: &'static str,
    /// The number of entries.
    pub count: u64,
    /// The places of the first entries.
    pub first: Vec<String>,
}

/// The share of one rule, plugin, filter or author in the flips.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FlipTotals {
    /// `rule NAME`, `plugin NAME`, the name of a filter, or an author.
    pub name: String,
    /// Messages that it stopped or changed then; for an author, messages that were stopped or changed.
    pub before: u64,
    /// The same now.
    pub after: u64,
    /// Flipped messages that it decided then and does not decide now.
    pub lost: u64,
    /// Flipped messages that it decides now and did not decide then.
    pub gained: u64,
}

/// A message whose result changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flip {
    /// The id of the message.
    pub id: uuid::Uuid,
    /// The time of its arrival.
    #[serde(with = "milliseconds")]
    pub at: Timestamp,
    /// The room.
    pub room: String,
    /// The author as sent.
    pub author: String,
    /// The kind of message.
    pub kind: &'static str,
    /// The first 80 code points of its text.
    pub text: String,
    /// The recorded result.
    pub before: ReportedOutcome,
    /// The replayed result.
    pub after: ReportedOutcome,
    /// Where the decision was recorded.
    pub origin: String,
}

impl ReplayReport {
    /// Creates an empty report that lists at most `max_flips` flips; all are counted.
    pub(super) fn with_max_flips(max_flips: usize) -> Self {
        Self { totals: Totals { max_flips, ..Totals::default() }, ..Self::default() }
    }

    /// Counts entries that cannot be replayed.
    pub(super) fn add_skipped(&mut self, reason: SkipReason, count: u64, origin: &DecisionOrigin) {
        if !matches!(reason, SkipReason::Lost | SkipReason::CutLine | SkipReason::BadLine | SkipReason::BadFile) {
            self.messages += count;
        }
        let empty = || SkippedItems { reason: reason.as_str(), count: 0, first: Vec::new() };
        let skipped = self.totals.skipped.entry(reason).or_insert_with(empty);
        skipped.count += count;
        if skipped.first.len() < MAX_SKIP_ORIGINS {
            skipped.first.push(origin.to_string());
        }
    }

    /// Counts a decision that was compared.
    pub(super) fn add_compared(&mut self, past: &PastDecision, actual: &DecisionSummary, difference: Difference) {
        let expected = &*past.expected;
        self.messages += 1;
        self.replayed += 1;
        self.other_grounds += u64::from(difference.source_differs);
        self.traces_differ += u64::from(difference.trace_differs);
        let (before, after) = (reported_outcome(expected), reported_outcome(actual));
        let (from, to) =
            (before.by.as_ref().map(DecisionSource::to_string), after.by.as_ref().map(DecisionSource::to_string));
        let flips = difference.flips;
        if let Some(from) = &from {
            self.add_to_source(from, |totals| {
                totals.before += 1;
                totals.lost += u64::from(flips && Some(from) != to.as_ref());
            });
        }
        if let Some(to) = &to {
            self.add_to_source(to, |totals| {
                totals.after += 1;
                totals.gained += u64::from(flips && Some(to) != from.as_ref());
            });
        }
        if flips {
            self.flipped += 1;
            self.add_to_author(&past.message.author, &before, &after);
            if self.flips.len() < self.totals.max_flips {
                self.flips.push(flip(past, before, after));
            } else {
                self.flips_left_out += 1;
            }
        }
    }

    /// Counts a decision that cannot be compared.
    pub(super) fn add_uncertain(&mut self) {
        self.messages += 1;
        self.uncertain += 1;
    }

    fn add_to_source(&mut self, name: &str, change: impl FnOnce(&mut FlipTotals)) {
        if let Some(totals) = self.totals.rules.get_mut(name) {
            return change(totals);
        }
        if self.totals.rules.len() < MAX_AUTHORS {
            change(
                self.totals
                    .rules
                    .entry(name.to_owned())
                    .or_insert_with(|| FlipTotals { name: name.to_owned(), ..FlipTotals::default() }),
            );
        }
    }

    fn add_to_author(&mut self, author: &str, before: &ReportedOutcome, after: &ReportedOutcome) {
        let known = self.totals.authors.len() < MAX_AUTHORS || self.totals.authors.contains_key(author);
        let name = if known { author } else { "(others)" };
        let totals = self.totals.authors.entry(name.to_owned()).or_default();
        name.clone_into(&mut totals.name);
        let changed = |side: &ReportedOutcome| u64::from(side.outcome != Outcome::Pass);
        totals.before += changed(before);
        totals.after += changed(after);
        totals.lost += u64::from(before.outcome.strength() > after.outcome.strength());
        totals.gained += u64::from(before.outcome.strength() < after.outcome.strength());
    }

    /// Adds a note, unless it is there already.
    pub(super) fn add_note(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    /// Sorts the totals, those with most flips first.
    pub(super) fn finish(&mut self) {
        let Totals { skipped, rules, authors, .. } = std::mem::take(&mut self.totals);
        self.not_replayed = skipped.into_values().collect();
        self.rules = sorted_by_flips(rules);
        self.authors = sorted_by_flips(authors);
    }
}

fn sorted_by_flips(totals: HashMap<String, FlipTotals>) -> Vec<FlipTotals> {
    let mut totals: Vec<FlipTotals> = totals.into_values().collect();
    totals.sort_by(|a, b| (b.lost + b.gained, &a.name).cmp(&(a.lost + a.gained, &b.name)));
    totals
}

fn flip(past: &PastDecision, before: ReportedOutcome, after: ReportedOutcome) -> Flip {
    let PastDecision { message, sender, origin, .. } = past;
    Flip {
        id: message.id,
        at: message.at,
        room: sender.room.as_str().to_owned(),
        author: message.author.clone(),
        kind: message.kind.as_str(),
        text: message.text().unwrap_or_default().chars().take(MAX_TEXT).collect(),
        before,
        after,
        origin: origin.to_string(),
    }
}

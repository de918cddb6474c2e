//! What has come of a replay.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::compare::{Difference, side};
use super::past::{Origin, Past, Unfit, Was};
use crate::model::Outcome;

/// Places of what cannot be replayed that are kept, of each kind.
const MAX_PLACES: usize = 5;
/// Authors that are kept apart; what others wrote is counted together.
const MAX_AUTHORS: usize = 100_000;
/// Longest text of a flip. Code points.
const MAX_TEXT: usize = 80;

/// What has come of a replay.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Decisions that were looked at.
    pub messages: u64,
    /// Those that were judged again and compared.
    pub replayed: u64,
    /// Runs of the relay that they are of.
    pub runs: u64,
    /// What could not be replayed, by the reason why.
    pub not_replayed: Vec<Skipped>,
    /// How many messages would become others: refused, or let through, or heard with another text.
    pub flipped: u64,
    /// How many would become the same, by the doing of another rule, plugin or filter.
    pub other_grounds: u64,
    /// Of those that do not flip: how many traces or reasons differ in anything but time, failures of plugins aside.
    pub traces_differ: u64,
    /// Decisions that the rules in force do not come to either: what was before is not known. They are no flips.
    pub uncertain: u64,
    /// The answers of plugins that were taken as they were logged.
    pub plugins_as_logged: u64,
    /// Messages that plugins were not asked about then, and would be now.
    pub plugins_not_asked: u64,
    /// What is to be said of all this.
    pub notes: Vec<String>,
    /// Totals by what decides.
    pub rules: Vec<Share>,
    /// Totals by author.
    pub authors: Vec<Share>,
    /// The messages that would become others, in their order.
    pub flips: Vec<Flip>,
    /// How many more there are.
    pub flips_left_out: u64,
    #[serde(skip)]
    of: Totals,
}

/// Sums, before they are put in order.
#[derive(Clone, Debug, Default)]
struct Totals {
    most_flips: usize,
    skipped: BTreeMap<Unfit, Skipped>,
    rules: HashMap<String, Share>,
    authors: HashMap<String, Share>,
}

/// What could not be replayed for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Why.
    pub why: &'static str,
    /// How often.
    pub count: u64,
    /// Where first.
    pub first: Vec<String>,
}

/// What one rule, plugin, filter or author has to do with the flips.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    /// `rule NAME`, `plugin NAME`, the name of a filter, or an author.
    pub of: String,
    /// Messages that it kept back or changed then; of an author: that were.
    pub before: u64,
    /// The same now.
    pub after: u64,
    /// Of the messages that flip: those that it decided then, and others decide now.
    pub lost: u64,
    /// Those that it decides now, and others decided then.
    pub gained: u64,
}

/// A message that would become another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flip {
    /// Its id.
    pub id: uuid::Uuid,
    /// When it came.
    #[serde(serialize_with = "to_milliseconds")]
    pub at: Timestamp,
    /// Where.
    pub room: String,
    /// The name that it was sent under.
    pub author: String,
    /// What kind of message.
    pub kind: &'static str,
    /// The first 80 code points of its text.
    pub text: String,
    /// Then.
    pub before: Side,
    /// Now.
    pub after: Side,
    /// Where it stands.
    pub origin: String,
}

/// One side of a flip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Side {
    /// What became of the message.
    pub outcome: Outcome,
    /// Whose doing that was; `None` where all let it pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Grounds>,
    /// The text that was put in place of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Whose doing an outcome is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Grounds {
    /// The filter.
    pub filter: String,
    /// Its rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Its plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
}

impl fmt::Display for Grounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { rule: Some(rule), .. } => write!(f, "rule {rule}"),
            Self { plugin: Some(plugin), .. } => write!(f, "plugin {plugin}"),
            Self { filter, .. } => f.write_str(filter),
        }
    }
}

fn to_milliseconds<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{at:.3}"))
}

impl Report {
    /// Nothing yet; so many flips are kept one by one, all are counted.
    pub(super) fn of_at_most(most_flips: usize) -> Self {
        Self { of: Totals { most_flips, ..Totals::default() }, ..Self::default() }
    }

    /// Takes note of something that cannot be replayed.
    pub(super) fn skip(&mut self, why: Unfit, count: u64, origin: &Origin) {
        if !matches!(why, Unfit::Lost | Unfit::CutLine | Unfit::BadLine | Unfit::BadFile) {
            self.messages += count;
        }
        let empty = || Skipped { why: why.as_str(), count: 0, first: Vec::new() };
        let skipped = self.of.skipped.entry(why).or_insert_with(empty);
        skipped.count += count;
        if skipped.first.len() < MAX_PLACES {
            skipped.first.push(origin.to_string());
        }
    }

    /// Takes note of a decision that is like before, or is not.
    pub(super) fn compared(&mut self, past: &Past, now: &Was, difference: Difference) {
        let was = &*past.was;
        self.messages += 1;
        self.replayed += 1;
        self.other_grounds += u64::from(difference.grounds);
        self.traces_differ += u64::from(difference.trace);
        let (before, after) = (side(was), side(now));
        let (from, to) = (before.by.as_ref().map(Grounds::to_string), after.by.as_ref().map(Grounds::to_string));
        let flips = difference.flips;
        if let Some(from) = &from {
            self.share(from, |share| {
                share.before += 1;
                share.lost += u64::from(flips && Some(from) != to.as_ref());
            });
        }
        if let Some(to) = &to {
            self.share(to, |share| {
                share.after += 1;
                share.gained += u64::from(flips && Some(to) != from.as_ref());
            });
        }
        if flips {
            self.flipped += 1;
            self.author(&past.message.author, &before, &after);
            if self.flips.len() < self.of.most_flips {
                self.flips.push(flip(past, before, after));
            } else {
                self.flips_left_out += 1;
            }
        }
    }

    /// Takes note of a decision that cannot be compared.
    pub(super) fn uncertain(&mut self) {
        self.messages += 1;
        self.uncertain += 1;
    }

    fn share(&mut self, of: &str, change: impl FnOnce(&mut Share)) {
        // Rules and plugins are few, also those that a log names.
        if let Some(share) = self.of.rules.get_mut(of) {
            return change(share);
        }
        if self.of.rules.len() < MAX_AUTHORS {
            change(
                self.of.rules.entry(of.to_owned()).or_insert_with(|| Share { of: of.to_owned(), ..Share::default() }),
            );
        }
    }

    fn author(&mut self, author: &str, before: &Side, after: &Side) {
        let known = self.of.authors.len() < MAX_AUTHORS || self.of.authors.contains_key(author);
        let name = if known { author } else { "(others)" };
        let share = self.of.authors.entry(name.to_owned()).or_default();
        name.clone_into(&mut share.of);
        let kept = |side: &Side| u64::from(side.outcome != Outcome::Pass);
        share.before += kept(before);
        share.after += kept(after);
        share.lost += u64::from(strength(before) > strength(after));
        share.gained += u64::from(strength(before) < strength(after));
    }

    /// Says something once.
    pub(super) fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    /// Puts the sums in order: what has most to do with the flips first.
    pub(super) fn finish(&mut self) {
        let Totals { skipped, rules, authors, .. } = std::mem::take(&mut self.of);
        self.not_replayed = skipped.into_values().collect();
        self.rules = ordered(rules);
        self.authors = ordered(authors);
    }
}

fn ordered(shares: HashMap<String, Share>) -> Vec<Share> {
    let mut shares: Vec<Share> = shares.into_values().collect();
    shares.sort_by(|a, b| (b.lost + b.gained, &a.of).cmp(&(a.lost + a.gained, &b.of)));
    shares
}

/// How much is kept from others.
fn strength(side: &Side) -> u8 {
    match side.outcome {
        Outcome::Pass => 0,
        Outcome::Replace => 1,
        Outcome::Shadow => 2,
        Outcome::Hold => 3,
        Outcome::Reject => 4,
    }
}

fn flip(past: &Past, before: Side, after: Side) -> Flip {
    let Past { message, sender, origin, .. } = past;
    Flip {
        id: message.id,
        at: message.at,
        room: sender.room.as_str().to_owned(),
        author: message.author.clone(),
        kind: message.kind.name(),
        text: message.text().unwrap_or_default().chars().take(MAX_TEXT).collect(),
        before,
        after,
        origin: origin.to_string(),
    }
}

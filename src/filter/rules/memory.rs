//! What was said lately, in figures that no text can be read from: who said nearly the same as whom, and when.
//!
//! It outlives the rules: read again, they know what was said before.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::matching::Fingerprint;
use crate::model::{RoomName, Sender};

/// For how long a text is remembered.
pub(super) const REMEMBERED: Duration = Duration::from_mins(10);
/// How often one sender can be counted to have said a text.
pub(super) const MAX_TIMES: u32 = 16;
/// How many senders of one text can be counted.
pub(super) const MAX_SENDERS: u32 = 64;

/// Texts that are remembered of a room.
const MAX_SAYINGS: usize = 128;
/// Who said one text, and when, that is remembered.
const MAX_USES: usize = 256;
/// The same of all texts of a room.
const MAX_ROOM_USES: usize = 2_048;
/// Rooms are spread over so many locks, so that shards hardly wait for each other.
const PARTS: usize = 16;

/// What was said lately in each room. Bounded: the oldest is forgotten first.
#[derive(Debug)]
pub(super) struct Memory {
    hasher: RandomState,
    seed: u64,
    parts: [Mutex<HashMap<RoomName, Room>>; PARTS],
}

#[derive(Debug, Default)]
struct Room {
    /// In the order of their last use, the latest at the end.
    sayings: VecDeque<Saying>,
    uses: usize,
    /// When a raid was last seen, by the rule that saw it.
    raids: HashMap<String, i64>,
}

/// Texts that are nearly the same.
#[derive(Debug)]
struct Saying {
    print: Fingerprint,
    /// In their order.
    uses: VecDeque<Use>,
}

#[derive(Clone, Copy, Debug)]
struct Use {
    who: u64,
    /// Milliseconds since 1970.
    at: i64,
}

/// What is remembered of a text that is said now.
#[derive(Debug)]
pub(super) struct Recall {
    who: u64,
    at: i64,
    letters: u32,
    before: Vec<Use>,
}

impl Recall {
    /// As if nothing had ever been said, not even what is said now.
    pub(super) fn of_nothing() -> Self {
        Self { who: 0, at: 0, letters: 0, before: Vec::new() }
    }

    /// How often its sender has said it within this time, this time included.
    pub(super) fn times_by_sender(&self, within: Duration) -> u32 {
        let own = self.within(within).filter(|before| before.who == self.who).count();
        u32::try_from(own).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// How many senders have said it within this time, this one included.
    pub(super) fn senders(&self, within: Duration) -> u32 {
        let mut others: Vec<u64> =
            self.within(within).map(|before| before.who).filter(|who| *who != self.who).collect();
        others.sort_unstable();
        others.dedup();
        u32::try_from(others.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// How many letters the text has that count.
    pub(super) fn letters(&self) -> u32 {
        self.letters
    }

    fn within(&self, within: Duration) -> impl Iterator<Item = &Use> {
        let oldest = self.at.saturating_sub(millis(within));
        self.before.iter().filter(move |before| before.at >= oldest)
    }
}

impl Memory {
    pub(super) fn new() -> Self {
        let hasher = RandomState::new();
        // Nobody outside knows it, so that nobody can make texts that seem alike.
        let seed = hasher.hash_one(PARTS);
        Self { hasher, seed, parts: std::array::from_fn(|_| Mutex::default()) }
    }

    /// What is remembered of a text that `sender` says now as `author`. With `note` it is remembered itself.
    pub(super) fn recall(&self, clean: &str, sender: &Sender, author: &str, at: Timestamp, note: bool) -> Recall {
        let print = Fingerprint::of(clean, self.seed);
        let now = Use { who: self.hasher.hash_one((sender.address, author)), at: at.as_millisecond() };
        let mut recall = Recall { who: now.who, at: now.at, letters: print.letters().into(), before: Vec::new() };
        if let Some(mut part) = self.part(&sender.room) {
            if note {
                let room = part.entry(sender.room.clone()).or_default();
                recall.before = room.take_in(print, now);
            } else if let Some(room) = part.get(&sender.room) {
                recall.before = room.uses_of(&print);
            }
        }
        recall
    }

    /// Whether a raid that `rule` sees now is another one than it saw last: none was seen for so long.
    pub(super) fn begins_raid(&self, room: &RoomName, rule: &str, at: Timestamp, quiet: Duration) -> bool {
        let at = at.as_millisecond();
        let Some(mut part) = self.part(room) else { return false };
        let raids = &mut part.entry(room.clone()).or_default().raids;
        let last = raids.insert(rule.to_owned(), at);
        last.is_none_or(|last| last < at.saturating_sub(millis(quiet)))
    }

    /// Forgets what is too old to count.
    pub(super) fn prune(&self, now: Timestamp) {
        let oldest = now.as_millisecond().saturating_sub(millis(REMEMBERED));
        for part in &self.parts {
            let mut part = lock(part);
            part.retain(|_, room| {
                room.forget_before(oldest);
                !room.sayings.is_empty() || !room.raids.is_empty()
            });
            part.shrink_to_fit();
        }
    }

    fn part(&self, room: &RoomName) -> Option<MutexGuard<'_, HashMap<RoomName, Room>>> {
        let part = usize::try_from(self.hasher.hash_one(room) % PARTS as u64).ok()?;
        self.parts.get(part).map(lock)
    }
}

/// What a panic leaves behind is figures that are still fit to count with.
fn lock<T>(part: &Mutex<T>) -> MutexGuard<'_, T> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

impl Room {
    fn find(&self, print: &Fingerprint) -> Option<usize> {
        // The latest first: what is repeated was said a moment ago.
        self.sayings.iter().rposition(|saying| saying.print.is_like(print))
    }

    fn uses_of(&self, print: &Fingerprint) -> Vec<Use> {
        let saying = self.find(print).and_then(|at| self.sayings.get(at));
        saying.map(|saying| saying.uses.iter().copied().collect()).unwrap_or_default()
    }

    /// Remembers that a text is said, and gives who said it before.
    fn take_in(&mut self, print: Fingerprint, now: Use) -> Vec<Use> {
        let known = self.find(&print).and_then(|at| self.sayings.remove(at));
        let mut saying = known.unwrap_or_else(|| Saying { print, uses: VecDeque::new() });
        let before: Vec<Use> = saying.uses.iter().copied().collect();
        saying.add(now);
        self.uses = self.uses + saying.uses.len() - before.len();
        self.sayings.push_back(saying);
        while self.sayings.len() > MAX_SAYINGS || self.uses > MAX_ROOM_USES {
            let Some(forgotten) = self.sayings.pop_front() else { break };
            self.uses -= forgotten.uses.len();
        }
        before
    }

    fn forget_before(&mut self, oldest: i64) {
        self.sayings.retain(|saying| saying.uses.back().is_some_and(|last| last.at >= oldest));
        self.uses = self.sayings.iter().map(|saying| saying.uses.len()).sum();
        self.sayings.shrink_to_fit();
        self.raids.retain(|_, last| *last >= oldest);
    }
}

impl Saying {
    /// One sender cannot make others be forgotten: of each, so many uses are kept as can be counted.
    fn add(&mut self, now: Use) {
        let own = |of: &Use| of.who == now.who;
        if self.uses.iter().filter(|of| own(of)).count() >= MAX_TIMES as usize
            && let Some(oldest) = self.uses.iter().position(own)
        {
            self.uses.remove(oldest);
        }
        if self.uses.len() >= MAX_USES {
            self.uses.pop_front();
        }
        self.uses.push_back(now);
    }
}

#[cfg(test)]
mod tests;

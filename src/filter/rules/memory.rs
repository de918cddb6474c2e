//! What was said lately, in figures that no text can be read from: who said nearly the same as whom, and when.
//!
//! It outlives the rules: read again, they know what was said before.

mod who;

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use self::who::Who;
use crate::matching::Fingerprint;
use crate::model::{Message, RoomName, Sender};

/// For how long a text is remembered.
pub(super) const REMEMBERED: Duration = Duration::from_mins(10);
/// How long a message may be under way.
const UNDER_WAY: Duration = Duration::from_mins(1);
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
    /// For the letters of texts, of which there are many. To know it would gain nobody anything: texts that it takes for
    /// one must be nearly the same first.
    letters: foldhash::fast::RandomState,
    seed: u64,
    parts: [Mutex<HashMap<RoomName, Room>>; PARTS],
}

#[derive(Debug, Default)]
struct Room {
    /// In the order of their last use, the latest at the end.
    sayings: VecDeque<Saying>,
    uses: usize,
    /// How many texts were put at the end of `sayings` so far.
    said: u64,
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

/// Somebody has said a text.
#[derive(Clone, Copy, Debug)]
struct Use {
    who: Who,
    /// The very text: its letters and digits.
    letters: u64,
    /// Milliseconds since 1970.
    at: i64,
    /// Whether it was let through.
    heard: bool,
}

/// What is remembered of a text that is said now.
#[derive(Debug)]
pub(super) struct Recall {
    room: Option<RoomName>,
    print: Fingerprint,
    now: Use,
    before: Vec<Use>,
    /// What [`Room::said`] was if nothing like it was found. Only what came later is to be looked at then.
    unknown_at: Option<u64>,
}

impl Recall {
    /// As if nothing had ever been said, not even what is said now.
    pub(super) fn of_nothing() -> Self {
        let who = Who { connection: None, address: 0, name: 0 };
        let now = Use { who, letters: 0, at: 0, heard: false };
        Self { room: None, print: Fingerprint::of("", 0), now, before: Vec::new(), unknown_at: None }
    }

    /// How often its sender has said it within this time, this time included. What was refused does not count, so that
    /// trying again makes nothing worse.
    pub(super) fn times_by_sender(&self, within: Duration, exact: bool) -> u32 {
        let own = self.within(within, exact).filter(|before| before.heard && before.who.is(&self.now.who)).count();
        u32::try_from(own).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// How many senders have said it within this time, this one included.
    pub(super) fn senders(&self, within: Duration, exact: bool) -> u32 {
        let own = self.now.who.source();
        let others = self.within(within, exact).map(|before| before.who.source());
        let mut others: Vec<u64> = others.filter(|other| *other != own).collect();
        others.sort_unstable();
        others.dedup();
        u32::try_from(others.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// How many letters the text has that count.
    pub(super) fn letters(&self) -> u32 {
        self.print.letters().into()
    }

    fn within(&self, within: Duration, exact: bool) -> impl Iterator<Item = &Use> {
        let (oldest, letters) = (self.now.at.saturating_sub(millis(within)), self.now.letters);
        self.before.iter().filter(move |before| before.at >= oldest && (!exact || before.letters == letters))
    }
}

impl Memory {
    pub(super) fn new() -> Self {
        let hasher = RandomState::new();
        // Nobody outside knows it, so that nobody can make texts that seem alike.
        let seed = hasher.hash_one(PARTS);
        Self {
            hasher,
            letters: foldhash::fast::RandomState::default(),
            seed,
            parts: std::array::from_fn(|_| Mutex::default()),
        }
    }

    /// One whose idea of what is nearly the same follows from the name of a run, so that a replay has the same.
    pub(super) fn of_run(run: &str) -> Self {
        let seed = blake3::hash(run.as_bytes()).as_bytes().first_chunk().map_or(0, |first| u64::from_le_bytes(*first));
        Self { seed, ..Self::new() }
    }

    /// One with the same idea of what is nearly the same, in which nothing has been said yet.
    pub(super) fn emptied(&self) -> Self {
        Self { seed: self.seed, ..Self::new() }
    }

    /// What is remembered of a text that `sender` says now; `None` for one of fewer letters than `least`. It is not
    /// remembered itself before it is noted.
    pub(super) fn recall(&self, clean: &str, sender: &Sender, message: &Message, least: u32) -> Option<Recall> {
        let print = Fingerprint::of(clean, self.seed);
        if u32::from(print.letters()) < least {
            return None;
        }
        let who = Who {
            connection: sender.connection.map(|id| self.hasher.hash_one(id)),
            address: self.hasher.hash_one(sender.address),
            name: self.hasher.hash_one((sender.address, message.author.to_lowercase())),
        };
        let mut letters = self.letters.build_hasher();
        clean.chars().filter(|c| c.is_alphanumeric()).for_each(|c| letters.write_u32(c.into()));
        let now = Use { who, letters: letters.finish(), at: message.at.as_millisecond(), heard: false };
        let (mut before, mut unknown_at) = (Vec::new(), Some(0));
        if let Some(room) = self.part(&sender.room)?.get(&sender.room) {
            let known = room.find(&print, 0).and_then(|at| room.sayings.get(at));
            unknown_at = known.is_none().then_some(room.said);
            before = known.map(|saying| saying.uses.iter().copied().collect()).unwrap_or_default();
        }
        Some(Recall { room: Some(sender.room.clone()), print, now, before, unknown_at })
    }

    /// Remembers what was recalled: it is said, and `heard` if it was let through.
    pub(super) fn note(&self, recall: Recall, heard: bool) {
        let Some(room) = recall.room else { return };
        if let Some(mut part) = self.part(&room) {
            part.entry(room).or_default().take_in(recall.print, Use { heard, ..recall.now }, recall.unknown_at);
        }
    }

    /// Whether a raid that `rule` sees now is another one than it saw last: none was seen for so long.
    pub(super) fn begins_raid(&self, room: &RoomName, rule: &str, at: Timestamp, quiet: Duration) -> bool {
        let at = at.as_millisecond();
        let Some(mut part) = self.part(room) else { return false };
        let raids = &mut part.entry(room.clone()).or_default().raids;
        let last = raids.insert(rule.to_owned(), at);
        last.is_none_or(|last| last < at.saturating_sub(millis(quiet)))
    }

    /// Forgets what is too old to count, also for a message that is under way.
    pub(super) fn prune(&self, now: Timestamp) {
        let oldest = now.as_millisecond().saturating_sub(millis(REMEMBERED + UNDER_WAY));
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
    /// Where a text like it is, at `from` or behind.
    fn find(&self, print: &Fingerprint, from: usize) -> Option<usize> {
        // The latest first: what is repeated was said a moment ago.
        let later = self.sayings.range(from.min(self.sayings.len())..);
        later.rev().position(|saying| saying.print.is_like(print)).map(|back| self.sayings.len() - 1 - back)
    }

    /// Remembers that a text is said. What was said but once is forgotten before what is said again and again, so that
    /// nobody can have it forgotten by saying other things.
    ///
    /// `unknown_at` is what `said` was when nothing like it was found.
    fn take_in(&mut self, print: Fingerprint, now: Use, unknown_at: Option<u64>) {
        // Here and not only now and then, so that what is found does not depend on when that was.
        let oldest = now.at.saturating_sub(millis(REMEMBERED));
        while let Some(forgotten) = self.sayings.pop_front_if(|first| first.is_over(oldest)) {
            self.uses -= forgotten.uses.len();
        }
        let later = unknown_at.and_then(|then| usize::try_from(self.said.checked_sub(then)?).ok());
        let from = later.map_or(0, |later| self.sayings.len().saturating_sub(later));
        let known = self.find(&print, from).and_then(|at| self.sayings.remove(at));
        let mut saying = known.unwrap_or_else(|| Saying { print, uses: VecDeque::new() });
        let before = saying.uses.len();
        saying.add(now);
        self.uses = self.uses + saying.uses.len() - before;
        self.sayings.push_back(saying);
        self.said += 1;
        while self.sayings.len() > MAX_SAYINGS || self.uses > MAX_ROOM_USES {
            let single = self.sayings.iter().position(|saying| saying.uses.len() == 1);
            // The last one is what is said now.
            let oldest = single.filter(|at| at + 1 < self.sayings.len()).unwrap_or_default();
            let Some(forgotten) = self.sayings.remove(oldest) else { break };
            self.uses -= forgotten.uses.len();
        }
    }

    fn forget_before(&mut self, oldest: i64) {
        self.sayings.retain(|saying| !saying.is_over(oldest));
        self.uses = self.sayings.iter().map(|saying| saying.uses.len()).sum();
        self.sayings.shrink_to_fit();
        self.raids.retain(|_, last| *last >= oldest);
    }
}

impl Saying {
    fn is_over(&self, oldest: i64) -> bool {
        self.uses.back().is_none_or(|last| last.at < oldest)
    }

    /// One sender cannot make others be forgotten: of each, so many uses are kept as can be counted.
    fn add(&mut self, now: Use) {
        let own = |of: &Use| of.who.is(&now.who);
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

//! Remembers recent messages as hashes, to detect repetition: which senders posted nearly the same text, and when.
//!
//! It is kept when the rules are reloaded.

mod sender_key;

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use self::sender_key::SenderKey;
use crate::matching::Fingerprint;
use crate::model::{Message, RoomName, Sender};

/// How long a text is remembered.
pub(super) const RETENTION: Duration = Duration::from_mins(10);
/// How long judging a message may take.
const MAX_JUDGING_TIME: Duration = Duration::from_mins(1);
/// Most repetitions counted for one sender.
pub(super) const MAX_REPETITIONS: u32 = 16;
/// Most senders counted for one text.
pub(super) const MAX_SENDERS: u32 = 64;

/// Most different texts remembered per room.
const MAX_TEXTS: usize = 128;
/// Most occurrences remembered per text.
const MAX_OCCURRENCES: usize = 256;
/// Most occurrences remembered per room.
const MAX_ROOM_OCCURRENCES: usize = 2_048;
/// Number of locks that rooms are spread over, so that shards rarely wait for each other.
const STRIPES: usize = 16;

/// The recent messages of each room. Bounded; the oldest are dropped first.
#[derive(Debug)]
pub(super) struct Memory {
    hasher: RandomState,
    /// Hashes the letters of texts. It need not be secret: only texts that are nearly the same are compared by it.
    letter_hasher: foldhash::fast::RandomState,
    seed: u64,
    stripes: [Mutex<HashMap<RoomName, RoomMemory>>; STRIPES],
}

#[derive(Debug, Default)]
struct RoomMemory {
    /// In the order of their last occurrence.
    texts: VecDeque<TextCluster>,
    occurrence_count: usize,
    /// Number of occurrences recorded so far.
    recorded: u64,
    /// By rule: when it last detected a raid. Milliseconds since 1970.
    raids: HashMap<String, i64>,
}

/// Texts that are nearly the same.
#[derive(Debug)]
struct TextCluster {
    fingerprint: Fingerprint,
    /// Oldest first.
    occurrences: VecDeque<Occurrence>,
}

/// One message.
#[derive(Clone, Copy, Debug)]
struct Occurrence {
    sender: SenderKey,
    /// Hash of the letters and digits of the text.
    letters_hash: u64,
    /// Milliseconds since 1970.
    at: i64,
    /// Whether the rules did not reject the message. Another filter may have rejected it.
    passed_rules: bool,
}

/// Earlier messages like the current one.
#[derive(Debug)]
pub(super) struct Recall {
    room: Option<RoomName>,
    fingerprint: Fingerprint,
    current: Occurrence,
    previous: Vec<Occurrence>,
    /// The value of [`RoomMemory::recorded`] if no similar text was found. Only later texts need to be compared then.
    unseen_at: Option<u64>,
}

impl Recall {
    /// Returns a recall for texts that are not compared; every count is 1.
    pub(super) fn empty() -> Self {
        let sender = SenderKey { connection: None, address: 0, name: 0 };
        let current = Occurrence { sender, letters_hash: 0, at: 0, passed_rules: false };
        Self { room: None, fingerprint: Fingerprint::new("", 0), current, previous: Vec::new(), unseen_at: None }
    }

    /// Returns how often the sender has sent the text in this period, the current message included. A message that the
    /// rules rejected does not add to the count, so that a retry does not make it worse.
    pub(super) fn times_by_sender(&self, period: Duration, same_letters_only: bool) -> u32 {
        let own = self
            .earlier_in(period, same_letters_only)
            .filter(|earlier| earlier.passed_rules && earlier.sender.matches(&self.current.sender))
            .count();
        u32::try_from(own).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// Returns how many senders have sent the text in this period, the current one included.
    pub(super) fn distinct_senders(&self, period: Duration, same_letters_only: bool) -> u32 {
        let own = self.current.sender.distinct_id();
        let others = self.earlier_in(period, same_letters_only).map(|earlier| earlier.sender.distinct_id());
        let mut others: Vec<u64> = others.filter(|other| *other != own).collect();
        others.sort_unstable();
        others.dedup();
        u32::try_from(others.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// Returns the number of letters in the text, including emoji.
    pub(super) fn letter_count(&self) -> u32 {
        self.fingerprint.letter_count().into()
    }

    /// Returns the earlier messages in this period, or only those with the same letters and digits.
    fn earlier_in(&self, period: Duration, same_letters_only: bool) -> impl Iterator<Item = &Occurrence> {
        let (oldest, letters_hash) = (self.current.at.saturating_sub(millis(period)), self.current.letters_hash);
        self.previous
            .iter()
            .filter(move |earlier| earlier.at >= oldest && (!same_letters_only || earlier.letters_hash == letters_hash))
    }
}

impl Memory {
    pub(super) fn new() -> Self {
        let hasher = RandomState::new();
        // Secret, so that nobody can craft texts that are taken for similar.
        let seed = hasher.hash_one(STRIPES);
        Self {
            hasher,
            letter_hasher: foldhash::fast::RandomState::default(),
            seed,
            stripes: std::array::from_fn(|_| Mutex::default()),
        }
    }

    /// Returns an empty memory whose seed follows from the name of a run, so that a replay compares texts in the same way.
    pub(super) fn seeded_by(run: &str) -> Self {
        let seed = blake3::hash(run.as_bytes()).as_bytes().first_chunk().map_or(0, |first| u64::from_le_bytes(*first));
        Self { seed, ..Self::new() }
    }

    /// Returns an empty memory with the same seed.
    pub(super) fn emptied_copy(&self) -> Self {
        Self { seed: self.seed, ..Self::new() }
    }

    /// Returns earlier messages like the current one; `None` if the text has fewer than `min_letters` letters. The
    /// current message is not remembered before [`Memory::record`].
    pub(super) fn recall(&self, clean: &str, sender: &Sender, message: &Message, min_letters: u32) -> Option<Recall> {
        let fingerprint = Fingerprint::new(clean, self.seed);
        if u32::from(fingerprint.letter_count()) < min_letters {
            return None;
        }
        let key = SenderKey {
            connection: sender.connection.map(|id| self.hasher.hash_one(id)),
            address: self.hasher.hash_one(sender.address),
            name: self.hasher.hash_one((sender.address, message.author.to_lowercase())),
        };
        let mut letters = self.letter_hasher.build_hasher();
        clean.chars().filter(|c| c.is_alphanumeric()).for_each(|c| letters.write_u32(c.into()));
        let (letters_hash, at) = (letters.finish(), message.at.as_millisecond());
        let current = Occurrence { sender: key, letters_hash, at, passed_rules: false };
        let (mut previous, mut unseen_at) = (Vec::new(), Some(0));
        if let Some(room) = self.stripe(&sender.room)?.get(&sender.room) {
            let known = room.find(&fingerprint, 0).and_then(|at| room.texts.get(at));
            unseen_at = known.is_none().then_some(room.recorded);
            previous = known.map(|text| text.occurrences.iter().copied().collect()).unwrap_or_default();
        }
        Some(Recall { room: Some(sender.room.clone()), fingerprint, current, previous, unseen_at })
    }

    /// Records the current message of `recall`. `passed_rules` is false if the rules rejected it.
    pub(super) fn record(&self, recall: Recall, passed_rules: bool) {
        let Some(room) = recall.room else { return };
        if let Some(mut stripe) = self.stripe(&room) {
            stripe.entry(room).or_default().record(
                recall.fingerprint,
                Occurrence { passed_rules, ..recall.current },
                recall.unseen_at,
            );
        }
    }

    /// Records that `rule` detects a raid. Returns whether it is a new one: none was detected for the time `quiet`.
    pub(super) fn record_raid(&self, room: &RoomName, rule: &str, at: Timestamp, quiet: Duration) -> bool {
        let at = at.as_millisecond();
        let Some(mut stripe) = self.stripe(room) else { return false };
        let raids = &mut stripe.entry(room.clone()).or_default().raids;
        let last = raids.insert(rule.to_owned(), at);
        last.is_none_or(|last| last < at.saturating_sub(millis(quiet)))
    }

    /// Drops messages that are too old to count, even for a message that is still being judged.
    pub(super) fn prune(&self, now: Timestamp) {
        let oldest = now.as_millisecond().saturating_sub(millis(RETENTION + MAX_JUDGING_TIME));
        for stripe in &self.stripes {
            let mut stripe = lock(stripe);
            stripe.retain(|_, room| {
                room.expire(oldest);
                !room.texts.is_empty() || !room.raids.is_empty()
            });
            stripe.shrink_to_fit();
        }
    }

    fn stripe(&self, room: &RoomName) -> Option<MutexGuard<'_, HashMap<RoomName, RoomMemory>>> {
        let stripe = usize::try_from(self.hasher.hash_one(room) % STRIPES as u64).ok()?;
        self.stripes.get(stripe).map(lock)
    }
}

/// Ignores poisoning: the counts are still usable after a panic.
fn lock<T>(stripe: &Mutex<T>) -> MutexGuard<'_, T> {
    stripe.lock().unwrap_or_else(PoisonError::into_inner)
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

impl RoomMemory {
    /// Returns the position of a similar text at or after `from`.
    fn find(&self, fingerprint: &Fingerprint, from: usize) -> Option<usize> {
        // Search backwards, since repetitions usually follow soon.
        let later = self.texts.range(from.min(self.texts.len())..);
        later.rev().position(|text| text.fingerprint.is_similar(fingerprint)).map(|back| self.texts.len() - 1 - back)
    }

    /// Records a message. When full, drops texts sent only once before repeated ones, so that texts sent once cannot
    /// evict a repeated one.
    ///
    /// `unseen_at` is the value of `recorded` when no similar text was found.
    fn record(&mut self, fingerprint: Fingerprint, current: Occurrence, unseen_at: Option<u64>) {
        // Expire here as well, so that results do not depend on when `prune` runs.
        let oldest = current.at.saturating_sub(millis(RETENTION));
        while let Some(forgotten) = self.texts.pop_front_if(|first| first.is_expired(oldest)) {
            self.occurrence_count -= forgotten.occurrences.len();
        }
        let later = unseen_at.and_then(|then| usize::try_from(self.recorded.checked_sub(then)?).ok());
        let from = later.map_or(0, |later| self.texts.len().saturating_sub(later));
        let known = self.find(&fingerprint, from).and_then(|at| self.texts.remove(at));
        let mut text = known.unwrap_or_else(|| TextCluster { fingerprint, occurrences: VecDeque::new() });
        let before = text.occurrences.len();
        text.add(current);
        self.occurrence_count = self.occurrence_count + text.occurrences.len() - before;
        self.texts.push_back(text);
        self.recorded += 1;
        while self.texts.len() > MAX_TEXTS || self.occurrence_count > MAX_ROOM_OCCURRENCES {
            let single = self.texts.iter().position(|text| text.occurrences.len() == 1);
            // The last one is the current text.
            let oldest = single.filter(|at| at + 1 < self.texts.len()).unwrap_or_default();
            let Some(forgotten) = self.texts.remove(oldest) else { break };
            self.occurrence_count -= forgotten.occurrences.len();
        }
    }

    fn expire(&mut self, oldest: i64) {
        self.texts.retain(|text| !text.is_expired(oldest));
        self.occurrence_count = self.texts.iter().map(|text| text.occurrences.len()).sum();
        self.texts.shrink_to_fit();
        self.raids.retain(|_, last| *last >= oldest);
    }
}

impl TextCluster {
    fn is_expired(&self, oldest: i64) -> bool {
        self.occurrences.back().is_none_or(|last| last.at < oldest)
    }

    /// Adds an occurrence. Keeps at most [`MAX_REPETITIONS`] of one sender, so that no single sender can evict those of
    /// others.
    fn add(&mut self, current: Occurrence) {
        let is_own = |earlier: &Occurrence| earlier.sender.matches(&current.sender);
        if self.occurrences.iter().filter(|earlier| is_own(earlier)).count() >= MAX_REPETITIONS as usize
            && let Some(oldest) = self.occurrences.iter().position(is_own)
        {
            self.occurrences.remove(oldest);
        }
        if self.occurrences.len() >= MAX_OCCURRENCES {
            self.occurrences.pop_front();
        }
        self.occurrences.push_back(current);
    }
}

#[cfg(test)]
mod tests;

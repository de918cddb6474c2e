//! The journal: recent decisions, acts and notes in memory, in one order, for queries and streams.
//!
//! A stream holds only the id of its last entry. A slow client therefore costs the relay nothing; it misses entries
//! that are no longer kept.

mod stats;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;

use self::stats::OutcomeHistory;
pub use self::stats::{MAX_MINUTES, MinuteCounts};
use super::note::Note;
use crate::model::{Act, Decision, JudgedMessage};

/// Decisions kept; the oldest are dropped first.
pub const MAX_DECISIONS: usize = 10_000;
/// Memory for decisions, in bytes.
pub const MAX_DECISION_BYTES: usize = 32 * 1024 * 1024;
/// Acts kept.
const MAX_ACTS: usize = 10_000;
/// Notes kept.
pub const MAX_NOTES: usize = 1_000;

/// The most recent decisions, acts and notes.
#[derive(Debug)]
pub struct Journal {
    kept: Mutex<Entries>,
    last_id: AtomicU64,
    waiters: AtomicUsize,
    changed: Notify,
}

/// The entries in memory. Each kind of event has its own limit: decisions, which senders cause, never displace acts and
/// notes.
#[derive(Debug)]
struct Entries {
    decisions: Ring,
    acts: Ring,
    notes: Ring,
    last_id: u64,
    stats: OutcomeHistory,
}

/// The newest entries of one kind.
#[derive(Debug)]
struct Ring {
    entries: VecDeque<JournalEntry>,
    limit: usize,
    /// Memory of the decisions among the entries, and its limit.
    bytes: usize,
    max_bytes: usize,
    /// The number of the last entry that was dropped; at first, that of the last entry of earlier runs.
    dropped_id: u64,
}

/// An event with its number.
#[derive(Clone, Debug)]
pub struct JournalEntry {
    /// The number, above those of all earlier entries, including those of earlier runs.
    pub id: u64,
    /// The event.
    pub event: JournalEvent,
}

/// A journal event.
#[derive(Clone, Debug)]
pub enum JournalEvent {
    /// A message was decided.
    Decision(Arc<JudgedMessage>),
    /// An act was recorded.
    Act(Arc<Act>),
    /// A note was added to the feed.
    Note(Note),
}

/// Entries after a given number.
#[derive(Debug, Default)]
pub struct JournalPage {
    /// The entries, oldest first.
    pub entries: Vec<JournalEntry>,
    /// Whether entries between the given number and these are no longer kept.
    pub has_gap: bool,
    /// The number to pass for the next page.
    pub last_id: u64,
}

impl Journal {
    /// Creates an empty journal for a relay that starts at `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        // A thousand numbers per Unix millisecond: no run uses up so many that the next one would start below them, and
        // the numbers are still exact in JSON.
        let first = u64::try_from(now.as_millisecond()).unwrap_or(0).saturating_mul(1_000);
        let kept = Entries {
            decisions: Ring::new(MAX_DECISIONS, first),
            acts: Ring::new(MAX_ACTS, first),
            notes: Ring::new(MAX_NOTES, first),
            last_id: first,
            stats: OutcomeHistory::default(),
        };
        Self {
            kept: Mutex::new(kept),
            last_id: AtomicU64::new(first),
            waiters: AtomicUsize::new(0),
            changed: Notify::new(),
        }
    }

    /// Adds an event and wakes waiters.
    pub fn push(&self, event: JournalEvent) {
        let dropped = self.lock().push(event, &self.last_id);
        if self.waiters.load(Ordering::Relaxed) > 0 {
            self.changed.notify_waiters();
        }
        // Freed outside of the lock.
        drop(dropped);
    }

    /// Counts a decision in the statistics without keeping it.
    pub fn count(&self, decision: &Decision) {
        self.lock().stats.note(decision);
    }

    /// Returns the number of the newest entry.
    #[must_use]
    pub fn last_id(&self) -> u64 {
        self.last_id.load(Ordering::Acquire)
    }

    /// Returns up to `limit` entries after this number, oldest first.
    #[must_use]
    pub fn entries_after(&self, id: u64, limit: usize) -> JournalPage {
        self.lock().page([|kept| &kept.decisions, |kept| &kept.acts, |kept| &kept.notes], id, limit)
    }

    /// Returns up to `limit` notes after this number, oldest first.
    #[must_use]
    pub fn notes_after(&self, id: u64, limit: usize) -> JournalPage {
        self.lock().page([|kept| &kept.notes], id, limit)
    }

    /// Returns up to `limit` decisions before the entry `before` for which `wanted` is true, newest first.
    #[must_use]
    pub fn decisions(
        &self,
        before: Option<u64>,
        limit: usize,
        wanted: impl Fn(&JudgedMessage) -> bool,
    ) -> Vec<(u64, Arc<JudgedMessage>)> {
        // Filtered outside of the lock, so that a large query does not block the chat.
        let kept: Vec<(u64, Arc<JudgedMessage>)> = {
            let decisions = &self.lock().decisions.entries;
            let end = before.map_or(decisions.len(), |id| decisions.partition_point(|entry| entry.id < id));
            let decided = |entry: &JournalEntry| match &entry.event {
                JournalEvent::Decision(recorded) => Some((entry.id, Arc::clone(recorded))),
                JournalEvent::Act(_) | JournalEvent::Note(_) => None,
            };
            decisions.range(..end).rev().filter_map(decided).collect()
        };
        kept.into_iter().filter(|(_, recorded)| wanted(recorded)).take(limit).collect()
    }

    /// Returns the decision on the message with this id, if it is still kept.
    #[must_use]
    pub fn decision(&self, message: uuid::Uuid) -> Option<Arc<JudgedMessage>> {
        self.decisions(None, 1, |recorded| recorded.decision.message.id == message).pop().map(|(_, found)| found)
    }

    /// Returns the decisions per minute for the last `minutes`, oldest first, at most [`MAX_MINUTES`].
    #[must_use]
    pub fn stats(&self, minutes: usize, now: Timestamp) -> Vec<MinuteCounts> {
        self.lock().stats.last(minutes, now)
    }

    /// Waits until there is an entry after this number.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn wait(&self, id: u64) {
        let _guard = WaiterGuard::begin(&self.waiters);
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // Register before the check, so that no entry is missed in between.
            changed.as_mut().enable();
            if self.last_id() > id {
                return;
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Journal {
    fn default() -> Self {
        Self::new(Timestamp::now())
    }
}

impl Entries {
    /// Adds an entry and returns those dropped for it.
    fn push(&mut self, event: JournalEvent, last_id: &AtomicU64) -> Vec<JournalEntry> {
        self.last_id += 1;
        let ring = match &event {
            JournalEvent::Decision(judged) => {
                self.stats.note(&judged.decision);
                &mut self.decisions
            }
            JournalEvent::Act(_) => &mut self.acts,
            JournalEvent::Note(_) => &mut self.notes,
        };
        let dropped = ring.push(JournalEntry { id: self.last_id, event });
        last_id.store(self.last_id, Ordering::Release);
        dropped
    }

    /// Returns up to `limit` entries of some rings after this number, oldest first.
    fn page<const N: usize>(&self, rings: [fn(&Self) -> &Ring; N], id: u64, limit: usize) -> JournalPage {
        let rings = rings.map(|ring| ring(self));
        let mut entries: Vec<JournalEntry> =
            rings.iter().flat_map(|ring| ring.after(id).take(limit)).cloned().collect();
        entries.sort_unstable_by_key(|entry| entry.id);
        entries.truncate(limit);
        let last_id = entries.last().map_or(self.last_id, |last| last.id);
        JournalPage { entries, has_gap: rings.iter().any(|ring| id < ring.dropped_id), last_id }
    }
}

impl Ring {
    fn new(limit: usize, dropped_id: u64) -> Self {
        Self { entries: VecDeque::new(), limit, bytes: 0, max_bytes: MAX_DECISION_BYTES, dropped_id }
    }

    /// Adds an entry and returns those dropped for it. The newest entry is always kept.
    fn push(&mut self, entry: JournalEntry) -> Vec<JournalEntry> {
        self.bytes += entry.decision_bytes();
        let mut dropped = Vec::new();
        while self.entries.len() >= self.limit || self.bytes > self.max_bytes {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= oldest.decision_bytes();
            self.dropped_id = oldest.id;
            dropped.push(oldest);
        }
        self.entries.push_back(entry);
        dropped
    }

    /// Iterates over the entries after this number.
    fn after(&self, id: u64) -> impl Iterator<Item = &JournalEntry> {
        self.entries.range(self.entries.partition_point(|entry| entry.id <= id)..)
    }
}

impl JournalEntry {
    /// Memory of a decision, in bytes; 0 for other events, which senders do not cause.
    fn decision_bytes(&self) -> usize {
        match &self.event {
            JournalEvent::Decision(judged) => judged.memory_bytes(),
            JournalEvent::Act(_) | JournalEvent::Note(_) => 0,
        }
    }
}

/// Counts a waiter for as long as it exists.
struct WaiterGuard<'a>(&'a AtomicUsize);

impl<'a> WaiterGuard<'a> {
    fn begin(listeners: &'a AtomicUsize) -> Self {
        listeners.fetch_add(1, Ordering::SeqCst);
        Self(listeners)
    }
}

impl Drop for WaiterGuard<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests;

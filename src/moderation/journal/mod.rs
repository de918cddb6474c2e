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
use super::feed::Note;
use crate::model::{Act, JudgedMessage};

/// Decisions kept; the oldest are dropped first.
pub const MAX_DECISIONS: usize = 10_000;
/// Acts and notes kept, in addition to decisions.
const MAX_ACTS_AND_NOTES: usize = 10_000;

/// The most recent decisions, acts and notes.
#[derive(Debug)]
pub struct Journal {
    ring: Mutex<Ring>,
    last_id: AtomicU64,
    waiters: AtomicUsize,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Ring {
    entries: VecDeque<JournalEntry>,
    decisions: usize,
    last_id: u64,
    stats: OutcomeHistory,
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
    /// Whether entries before these are no longer kept.
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
        let ring = Ring { last_id: first, ..Ring::default() };
        Self {
            ring: Mutex::new(ring),
            last_id: AtomicU64::new(first),
            waiters: AtomicUsize::new(0),
            changed: Notify::new(),
        }
    }

    /// Adds an event and wakes waiters.
    pub fn push(&self, what: JournalEvent) {
        let forgotten = self.lock().push(what, &self.last_id);
        if self.waiters.load(Ordering::Relaxed) > 0 {
            self.changed.notify_waiters();
        }
        // Freed outside of the lock.
        drop(forgotten);
    }

    /// Returns the number of the newest entry.
    #[must_use]
    pub fn last_id(&self) -> u64 {
        self.last_id.load(Ordering::Acquire)
    }

    /// Returns up to `limit` entries after this number, oldest first.
    #[must_use]
    pub fn entries_after(&self, id: u64, limit: usize) -> JournalPage {
        let ring = self.lock();
        let oldest = ring.entries.front().map_or(ring.last_id + 1, |entry| entry.id);
        let begin = ring.entries.partition_point(|entry| entry.id <= id);
        let entries: Vec<JournalEntry> = ring.entries.range(begin..).take(limit).cloned().collect();
        let known = entries.last().map_or(ring.last_id, |last| last.id);
        JournalPage { entries, has_gap: id.saturating_add(1) < oldest, last_id: known }
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
            let ring = self.lock();
            let end = before.map_or(ring.entries.len(), |id| ring.entries.partition_point(|entry| entry.id < id));
            let decided = |entry: &JournalEntry| match &entry.event {
                JournalEvent::Decision(recorded) => Some((entry.id, Arc::clone(recorded))),
                JournalEvent::Act(_) | JournalEvent::Note(_) => None,
            };
            ring.entries.range(..end).rev().filter_map(decided).collect()
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

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    /// Adds an entry and returns the one dropped for it.
    fn push(&mut self, what: JournalEvent, last_id: &AtomicU64) -> Option<JournalEntry> {
        self.last_id += 1;
        if let JournalEvent::Decision(recorded) = &what {
            self.decisions += 1;
            self.stats.note(&recorded.decision);
        }
        self.entries.push_back(JournalEntry { id: self.last_id, event: what });
        last_id.store(self.last_id, Ordering::Release);
        let full = self.decisions > MAX_DECISIONS || self.entries.len() - self.decisions > MAX_ACTS_AND_NOTES;
        let forgotten = if full { self.entries.pop_front() } else { None };
        if matches!(forgotten, Some(JournalEntry { event: JournalEvent::Decision(_), .. })) {
            self.decisions -= 1;
        }
        forgotten
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

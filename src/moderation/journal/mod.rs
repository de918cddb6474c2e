//! What has happened lately, in memory: decisions, acts and notes, in one order, for who asks and for who listens.
//!
//! Who listens holds a place in the row and nothing else: a console that is slow, or never reads, costs the relay
//! nothing, and has missed what is no longer kept when it comes back.

mod stats;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;

use self::stats::Stats;
pub use self::stats::{MAX_MINUTES, Minute};
use super::act::Act;
use super::feed::Note;
use crate::model::Recorded;

/// Decisions that are kept; the oldest ones go first.
pub const MAX_DECISIONS: usize = 10_000;
/// Acts and notes that are kept beside them.
const MAX_OTHERS: usize = 10_000;

/// The last decisions, acts and notes.
#[derive(Debug)]
pub struct Journal {
    ring: Mutex<Ring>,
    last_id: AtomicU64,
    listeners: AtomicUsize,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Ring {
    entries: VecDeque<Entry>,
    decisions: usize,
    last_id: u64,
    stats: Stats,
}

/// Something that has happened.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its number, more than those of all before it, those of earlier runs included.
    pub id: u64,
    /// What it is.
    pub what: Happened,
}

/// What has happened.
#[derive(Clone, Debug)]
pub enum Happened {
    /// A message was decided.
    Decision(Arc<Recorded>),
    /// Something was done.
    Act(Arc<Act>),
    /// Something that moderators should know.
    Note(Note),
}

/// Entries after one that is known.
#[derive(Debug, Default)]
pub struct Since {
    /// The oldest first.
    pub entries: Vec<Entry>,
    /// Whether some between are no longer kept.
    pub missed: bool,
}

impl Journal {
    /// An empty one, of a relay that starts at `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        // A thousand for each millisecond since 1970: no run comes so far that the next one would begin below it, and a
        // number in JSON is exact up to there.
        let first = u64::try_from(now.as_millisecond()).unwrap_or(0).saturating_mul(1_000);
        let ring = Ring { last_id: first, ..Ring::default() };
        Self {
            ring: Mutex::new(ring),
            last_id: AtomicU64::new(first),
            listeners: AtomicUsize::new(0),
            changed: Notify::new(),
        }
    }

    /// Takes something in.
    pub fn add(&self, what: Happened) {
        let forgotten = self.lock().push(what, &self.last_id);
        if self.listeners.load(Ordering::Relaxed) > 0 {
            self.changed.notify_waiters();
        }
        // Whatever it takes to free them, nobody else waits for it.
        drop(forgotten);
    }

    /// The number of the newest entry.
    #[must_use]
    pub fn last_id(&self) -> u64 {
        self.last_id.load(Ordering::Acquire)
    }

    /// The first entries after the one of this number, at most `limit`.
    #[must_use]
    pub fn since(&self, id: u64, limit: usize) -> Since {
        let ring = self.lock();
        let oldest = ring.entries.front().map_or(ring.last_id + 1, |entry| entry.id);
        let begin = ring.entries.partition_point(|entry| entry.id <= id);
        Since { entries: ring.entries.range(begin..).take(limit).cloned().collect(), missed: id + 1 < oldest }
    }

    /// The newest decisions before the entry of this number for which `wanted` holds, at most `limit`, the newest first.
    #[must_use]
    pub fn decisions(
        &self,
        before: Option<u64>,
        limit: usize,
        wanted: impl Fn(&Recorded) -> bool,
    ) -> Vec<(u64, Arc<Recorded>)> {
        // What is wanted is found out without the lock: who asks for much must not have the chat wait.
        let kept: Vec<(u64, Arc<Recorded>)> = {
            let ring = self.lock();
            let end = before.map_or(ring.entries.len(), |id| ring.entries.partition_point(|entry| entry.id < id));
            let decided = |entry: &Entry| match &entry.what {
                Happened::Decision(recorded) => Some((entry.id, Arc::clone(recorded))),
                Happened::Act(_) | Happened::Note(_) => None,
            };
            ring.entries.range(..end).rev().filter_map(decided).collect()
        };
        kept.into_iter().filter(|(_, recorded)| wanted(recorded)).take(limit).collect()
    }

    /// The decision on the message of this id, if it is still kept.
    #[must_use]
    pub fn decision(&self, message: uuid::Uuid) -> Option<Arc<Recorded>> {
        self.decisions(None, 1, |recorded| recorded.decision.message.id == message).pop().map(|(_, found)| found)
    }

    /// What was decided in each of the last minutes, the oldest first; see [`MAX_MINUTES`].
    #[must_use]
    pub fn stats(&self, minutes: usize, now: Timestamp) -> Vec<Minute> {
        self.lock().stats.last(minutes, now)
    }

    /// Waits until there is something after the entry of this number.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn wait(&self, id: u64) {
        let _listening = Listening::begin(&self.listeners);
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // Listen first, look then: what comes in between is not missed.
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
    /// Adds an entry and gives the one that is forgotten for it.
    fn push(&mut self, what: Happened, last_id: &AtomicU64) -> Option<Entry> {
        self.last_id += 1;
        if let Happened::Decision(recorded) = &what {
            self.decisions += 1;
            self.stats.note(&recorded.decision);
        }
        self.entries.push_back(Entry { id: self.last_id, what });
        last_id.store(self.last_id, Ordering::Release);
        let full = self.decisions > MAX_DECISIONS || self.entries.len() - self.decisions > MAX_OTHERS;
        let forgotten = if full { self.entries.pop_front() } else { None };
        if matches!(forgotten, Some(Entry { what: Happened::Decision(_), .. })) {
            self.decisions -= 1;
        }
        forgotten
    }
}

/// Counts a listener for as long as it waits.
struct Listening<'a>(&'a AtomicUsize);

impl<'a> Listening<'a> {
    fn begin(listeners: &'a AtomicUsize) -> Self {
        listeners.fetch_add(1, Ordering::SeqCst);
        Self(listeners)
    }
}

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests;

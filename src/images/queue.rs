//! A bounded queue that is fair to senders.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Most waiting entries of one sender.
pub(super) const MAX_ENTRIES_OF_SENDER: usize = 8;
/// One sender may hold this part of the queue's bytes.
const SENDERS_PER_QUEUE: usize = 4;

/// Why an image was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolFull {
    /// This sender has as many images waiting as one sender may: 8, or a quarter of the bytes.
    #[error("too many images of this sender are waiting")]
    Sender,
    /// The images of all senders together fill the queue.
    #[error("too many images are waiting")]
    Queue,
}

/// Entries by sender. Senders take turns, and the entries of one sender keep their order.
#[derive(Debug)]
pub(super) struct FairQueue<K, T> {
    max_bytes: usize,
    max_entries: usize,
    bytes: usize,
    entries: usize,
    /// Never contains a sender without entries.
    senders: HashMap<K, Waiting<T>>,
    /// Each sender with entries, once.
    turns: VecDeque<K>,
}

#[derive(Debug)]
struct Waiting<T> {
    bytes: usize,
    entries: VecDeque<(usize, T)>,
}

impl<K: Copy + Eq + Hash, T> FairQueue<K, T> {
    pub(super) fn new(max_bytes: usize, max_entries: usize) -> Self {
        Self { max_bytes, max_entries, bytes: 0, entries: 0, senders: HashMap::new(), turns: VecDeque::new() }
    }

    /// Adds an entry of this size.
    pub(super) fn push(&mut self, sender: K, bytes: usize, entry: T) -> Result<(), PoolFull> {
        let (held, count) = self.senders.get(&sender).map_or((0, 0), |waiting| (waiting.bytes, waiting.entries.len()));
        if count >= MAX_ENTRIES_OF_SENDER || held.saturating_add(bytes) > self.max_bytes / SENDERS_PER_QUEUE {
            return Err(PoolFull::Sender);
        }
        if self.entries >= self.max_entries || self.bytes.saturating_add(bytes) > self.max_bytes {
            return Err(PoolFull::Queue);
        }
        let waiting = self.senders.entry(sender).or_insert_with(|| {
            self.turns.push_back(sender);
            Waiting { bytes: 0, entries: VecDeque::new() }
        });
        waiting.bytes += bytes;
        waiting.entries.push_back((bytes, entry));
        self.bytes += bytes;
        self.entries += 1;
        Ok(())
    }

    /// Removes the first entry of the sender whose turn it is.
    pub(super) fn pop(&mut self) -> Option<T> {
        let sender = self.turns.pop_front()?;
        let waiting = self.senders.get_mut(&sender)?;
        let (bytes, entry) = waiting.entries.pop_front()?;
        waiting.bytes -= bytes;
        self.bytes -= bytes;
        self.entries -= 1;
        if waiting.entries.is_empty() {
            self.senders.remove(&sender);
        } else {
            self.turns.push_back(sender);
        }
        Some(entry)
    }

    /// Bytes of all entries.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Number of entries.
    pub(super) fn len(&self) -> usize {
        self.entries
    }
}

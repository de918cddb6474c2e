//! A bounded queue that is fair to senders.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Most waiting entries of one sender.
pub(super) const MAX_ENTRIES_OF_SENDER: usize = 8;
/// One sender may hold this part of the queue's bytes, or one entry that is larger.
const SENDERS_PER_QUEUE: usize = 4;

/// The reason why an image was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolFull {
    /// The sender's share is full: 8 images, a quarter of the bytes, or one image that is larger.
    #[error("too many images of this sender are waiting")]
    Sender,
    /// The whole queue is full.
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

    /// Adds an entry of this size. If the queue is full, senders that hold more than this one lose their newest entries,
    /// which are returned.
    pub(super) fn push(&mut self, sender: K, bytes: usize, entry: T) -> Result<Vec<T>, PoolFull> {
        let (held, count) = self.senders.get(&sender).map_or((0, 0), |waiting| (waiting.bytes, waiting.entries.len()));
        let exceeds_share = held.saturating_add(bytes) > self.max_bytes / SENDERS_PER_QUEUE;
        if count >= MAX_ENTRIES_OF_SENDER || (count > 0 && exceeds_share) {
            return Err(PoolFull::Sender);
        }
        let losers = self.losers(sender, held.saturating_add(bytes), bytes).ok_or(PoolFull::Queue)?;
        let displaced = losers.into_iter().filter_map(|loser| self.pop_newest(loser)).collect();
        let waiting = self.senders.entry(sender).or_insert_with(|| {
            self.turns.push_back(sender);
            Waiting { bytes: 0, entries: VecDeque::new() }
        });
        waiting.bytes += bytes;
        waiting.entries.push_back((bytes, entry));
        self.bytes += bytes;
        self.entries += 1;
        Ok(displaced)
    }

    /// Returns the senders that lose an entry each, in order and perhaps repeatedly, so that `bytes` more of `sender`
    /// fit. No sender loses an entry unless it holds more than `sender` would. `None` if that is not enough.
    fn losers(&self, sender: K, would_hold: usize, bytes: usize) -> Option<Vec<K>> {
        if bytes > self.max_bytes {
            return None;
        }
        let mut holders: Vec<(usize, K, usize)> =
            self.senders.iter().map(|(key, waiting)| (waiting.bytes, *key, waiting.entries.len())).collect();
        let (mut all_bytes, mut all_entries, mut losers) = (self.bytes, self.entries, Vec::new());
        while all_entries >= self.max_entries || all_bytes.saturating_add(bytes) > self.max_bytes {
            let greediest = holders.iter_mut().filter(|(_, key, _)| *key != sender).max_by_key(|(held, ..)| *held)?;
            let (held, key, count) = greediest;
            let newest = count.checked_sub(1).and_then(|newest| self.senders.get(key)?.entries.get(newest))?.0;
            if *held <= would_hold {
                return None;
            }
            *held -= newest;
            *count -= 1;
            all_bytes -= newest;
            all_entries -= 1;
            losers.push(*key);
        }
        Some(losers)
    }

    fn pop_newest(&mut self, sender: K) -> Option<T> {
        let waiting = self.senders.get_mut(&sender)?;
        let (bytes, entry) = waiting.entries.pop_back()?;
        waiting.bytes -= bytes;
        self.bytes -= bytes;
        self.entries -= 1;
        if waiting.entries.is_empty() {
            self.senders.remove(&sender);
            self.turns.retain(|turn| *turn != sender);
        }
        Some(entry)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A queue of 100 bytes and 20 entries.
    fn queue() -> FairQueue<char, u32> {
        FairQueue::new(100, 20)
    }

    fn drain(queue: &mut FairQueue<char, u32>) -> Vec<u32> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn senders_take_turns() {
        let mut queue = queue();
        for (sender, entry) in [('a', 1), ('a', 2), ('a', 3), ('b', 4), ('c', 5), ('b', 6)] {
            queue.push(sender, 1, entry).unwrap();
        }
        assert_eq!(drain(&mut queue), [1, 4, 5, 2, 6, 3]);
    }

    #[test]
    fn a_sender_that_returns_waits_for_its_turn() {
        let mut queue = queue();
        queue.push('a', 1, 1).unwrap();
        queue.push('b', 1, 2).unwrap();
        assert_eq!(queue.pop(), Some(1));
        queue.push('a', 1, 3).unwrap();
        assert_eq!(drain(&mut queue), [2, 3]);
    }

    #[test]
    fn a_sender_holds_at_most_eight_entries() {
        let mut queue = queue();
        for entry in 0..8 {
            queue.push('a', 1, entry).unwrap();
        }
        assert_eq!(queue.push('a', 1, 8), Err(PoolFull::Sender));
        queue.push('b', 1, 9).unwrap();
        queue.pop();
        queue.push('a', 1, 10).unwrap();
    }

    #[test]
    fn a_sender_holds_at_most_a_quarter_of_the_bytes() {
        let mut queue = queue();
        queue.push('a', 25, 1).unwrap();
        assert_eq!(queue.push('a', 1, 2), Err(PoolFull::Sender));
        assert_eq!(queue.push('a', usize::MAX, 2), Err(PoolFull::Sender));
        queue.pop();
        queue.push('a', 25, 3).unwrap();
    }

    #[test]
    fn a_sender_may_hold_one_entry_that_is_larger_than_its_share() {
        let mut queue = queue();
        queue.push('a', 26, 1).unwrap();
        assert_eq!(queue.push('a', 1, 2), Err(PoolFull::Sender));
        assert_eq!(queue.push('b', 101, 3), Err(PoolFull::Queue));
        assert_eq!(queue.push('b', usize::MAX, 3), Err(PoolFull::Queue));
        queue.push('b', 74, 3).unwrap();
    }

    #[test]
    fn all_senders_together_hold_at_most_the_bytes_of_the_queue() {
        let mut queue = queue();
        for sender in ['a', 'b', 'c', 'd'] {
            queue.push(sender, 24, 1).unwrap();
        }
        assert_eq!(queue.push('e', 24, 2), Err(PoolFull::Queue));
        assert_eq!(queue.push('e', 4, 2), Ok(vec![]));
    }

    #[test]
    fn all_senders_together_hold_at_most_the_entries_of_the_queue() {
        let mut queue = queue();
        for sender in 'a'..='t' {
            queue.push(sender, 1, 1).unwrap();
        }
        assert_eq!(queue.push('u', 1, 2), Err(PoolFull::Queue));
    }

    #[test]
    fn a_full_queue_takes_the_newest_entries_of_the_greediest_for_a_sender_with_less() {
        let mut queue = queue();
        for (entry, (sender, bytes)) in
            [('a', 10), ('a', 10), ('b', 25), ('c', 24), ('d', 20), ('e', 10)].into_iter().enumerate()
        {
            queue.push(sender, bytes, u32::try_from(entry).unwrap()).unwrap();
        }
        assert_eq!(queue.push('f', 15, 6), Ok(vec![2]));
        assert_eq!((queue.len(), queue.bytes()), (6, 89));
        assert_eq!(queue.push('f', 10, 7), Ok(vec![]));
        assert_eq!(queue.push('g', 15, 8), Ok(vec![7, 3]), "the newest of f, then that of c");
        assert_eq!(queue.push('h', 20, 9), Ok(vec![]));
        assert_eq!(queue.push('i', 20, 10), Err(PoolFull::Queue), "nobody holds more than 20");
        assert_eq!(drain(&mut queue), [0, 4, 5, 6, 8, 9, 1]);
    }

    #[test]
    fn nothing_is_displaced_for_an_entry_that_would_not_fit_then() {
        let mut queue = queue();
        for (sender, bytes) in [('a', 20), ('a', 5), ('b', 19), ('c', 19), ('d', 19), ('e', 18)] {
            queue.push(sender, bytes, 0).unwrap();
        }
        assert_eq!(queue.push('f', 22, 1), Err(PoolFull::Queue));
        assert_eq!((queue.len(), queue.bytes()), (6, 100));
    }

    #[test]
    fn a_refused_entry_is_not_counted() {
        let mut queue = queue();
        queue.push('a', 20, 1).unwrap();
        queue.push('a', 20, 2).unwrap_err();
        assert_eq!((queue.len(), queue.bytes()), (1, 20));
    }

    #[test]
    fn an_empty_queue_holds_nothing() {
        let mut queue = queue();
        queue.push('a', 20, 1).unwrap();
        queue.push('b', 10, 2).unwrap();
        drain(&mut queue);
        assert_eq!((queue.len(), queue.bytes()), (0, 0));
        assert!(queue.senders.is_empty() && queue.turns.is_empty());
    }
}

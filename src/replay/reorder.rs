//! Restores the order in which messages arrived.
//!
//! A message is logged when it is decided, which a plugin may delay. Only a window of the log is buffered to sort it, so
//! a log may have any length.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::time::Duration;

/// How late an entry may be logged and still be sorted. All plugins together take less time.
const WINDOW: Duration = Duration::from_mins(1);
/// Most items that are buffered.
const MAX_WAITING: usize = 65_536;

/// A buffer of items that may be preceded by later ones.
#[derive(Debug)]
pub(super) struct ReorderBuffer<T> {
    waiting: BinaryHeap<Reverse<Waiting<T>>>,
    newest: Duration,
    pushed: u64,
}

#[derive(Debug)]
struct Waiting<T> {
    at: Duration,
    /// Items of the same time keep the order of the log.
    number: u64,
    item: T,
}

impl<T> ReorderBuffer<T> {
    pub(super) fn new() -> Self {
        Self { waiting: BinaryHeap::new(), newest: Duration::ZERO, pushed: 0 }
    }

    /// Adds an item that arrived at the time `at` since the start.
    pub(super) fn push(&mut self, at: Duration, item: T) {
        self.pushed += 1;
        self.newest = self.newest.max(at);
        self.waiting.push(Reverse(Waiting { at, number: self.pushed, item }));
    }

    /// Removes the next item, if no other one can precede it any more.
    pub(super) fn pop_ready(&mut self) -> Option<T> {
        let full = self.waiting.len() > MAX_WAITING;
        let first = self.waiting.peek_mut()?;
        let settled = full || first.0.at.saturating_add(WINDOW) < self.newest;
        settled.then(|| PeekMut::pop(first).0.item)
    }

    /// Removes the next item after the end of a log.
    pub(super) fn pop(&mut self) -> Option<T> {
        let next = self.waiting.pop().map(|Reverse(waiting)| waiting.item);
        if next.is_none() {
            *self = Self::new();
        }
        next
    }
}

impl<T> PartialEq for Waiting<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.number) == (other.at, other.number)
    }
}

impl<T> Eq for Waiting<T> {}

impl<T> PartialOrd for Waiting<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Waiting<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pop_all_ready(buffer: &mut ReorderBuffer<u32>) -> Vec<u32> {
        std::iter::from_fn(|| buffer.pop_ready()).collect()
    }

    #[test]
    fn an_item_that_is_late_by_less_than_the_window_is_sorted() {
        let mut buffer = ReorderBuffer::new();
        for (seconds, item) in [(1, 1), (50, 3), (40, 2), (50, 4)] {
            buffer.push(Duration::from_secs(seconds), item);
        }
        assert_eq!(pop_all_ready(&mut buffer), Vec::<u32>::new());
        buffer.push(Duration::from_secs(105), 5);
        assert_eq!(pop_all_ready(&mut buffer), [1, 2]);
        assert_eq!(std::iter::from_fn(|| buffer.pop()).collect::<Vec<_>>(), [3, 4, 5]);
    }

    #[test]
    fn the_number_of_buffered_items_is_bounded() {
        let mut buffer = ReorderBuffer::new();
        for item in 0..70_000 {
            buffer.push(Duration::from_nanos(u64::from(item)), item);
        }
        assert_eq!(pop_all_ready(&mut buffer), (0..4_464).collect::<Vec<u32>>());
    }
}

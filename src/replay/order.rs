//! Puts what was logged late where it belongs.
//!
//! A message is logged when it is decided, and a plugin may take its time with it; what counts is when it came. Only a
//! stretch of the log is held for that, so that a log may be as long as it likes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::time::Duration;

/// What comes later than this after another goes behind it, whatever comes then. All plugins together take no longer.
const WINDOW: Duration = Duration::from_mins(1);
/// Items that wait at most.
const MAX_WAITING: usize = 65_536;

/// Items that wait for earlier ones.
#[derive(Debug)]
pub(super) struct Order<T> {
    waiting: BinaryHeap<Reverse<Waiting<T>>>,
    newest: Duration,
    number: u64,
}

#[derive(Debug)]
struct Waiting<T> {
    at: Duration,
    /// Of those of one moment, the one that was logged first goes first.
    number: u64,
    item: T,
}

impl<T> Order<T> {
    pub(super) fn new() -> Self {
        Self { waiting: BinaryHeap::new(), newest: Duration::ZERO, number: 0 }
    }

    /// Adds what came at that time since the start.
    pub(super) fn add(&mut self, at: Duration, item: T) {
        self.number += 1;
        self.newest = self.newest.max(at);
        self.waiting.push(Reverse(Waiting { at, number: self.number, item }));
    }

    /// The next one that no other can come before any more.
    pub(super) fn next(&mut self) -> Option<T> {
        let full = self.waiting.len() > MAX_WAITING;
        let first = self.waiting.peek_mut()?;
        let settled = full || first.0.at.saturating_add(WINDOW) < self.newest;
        settled.then(|| PeekMut::pop(first).0.item)
    }

    /// The next one: nothing comes any more.
    pub(super) fn rest(&mut self) -> Option<T> {
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

    fn all(order: &mut Order<u32>) -> Vec<u32> {
        std::iter::from_fn(|| order.next()).collect()
    }

    #[test]
    fn what_is_late_by_less_than_the_window_goes_where_it_belongs() {
        let mut order = Order::new();
        for (seconds, item) in [(1, 1), (50, 3), (40, 2), (50, 4)] {
            order.add(Duration::from_secs(seconds), item);
        }
        assert_eq!(all(&mut order), Vec::<u32>::new());
        order.add(Duration::from_secs(105), 5);
        assert_eq!(all(&mut order), [1, 2]);
        assert_eq!(std::iter::from_fn(|| order.rest()).collect::<Vec<_>>(), [3, 4, 5]);
    }

    #[test]
    fn no_more_wait_than_may() {
        let mut order = Order::new();
        for item in 0..70_000 {
            order.add(Duration::from_nanos(u64::from(item)), item);
        }
        assert_eq!(all(&mut order), (0..4_464).collect::<Vec<u32>>());
    }
}

//! The latest texts of a room, by author, as digests.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

/// Number of texts.
const CAPACITY: usize = 512;

/// Digests of the latest texts with their authors. Clients choose both, so the hash is seeded.
#[derive(Debug, Default)]
pub(super) struct RecentTexts {
    in_order: VecDeque<u64>,
    counts: HashMap<u64, u16, foldhash::fast::RandomState>,
    hasher: RandomState,
}

impl RecentTexts {
    /// Adds a text that everyone in the room has received, and forgets the oldest one.
    pub(super) fn add(&mut self, author: &str, text: &str) {
        let digest = self.digest(author, text);
        self.in_order.push_back(digest);
        *self.counts.entry(digest).or_default() += 1;
        if self.in_order.len() > CAPACITY
            && let Some(oldest) = self.in_order.pop_front()
            && let Some(count) = self.counts.get_mut(&oldest)
        {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&oldest);
            }
        }
    }

    /// Whether the author has said this lately.
    pub(super) fn contains(&self, author: &str, text: &str) -> bool {
        self.counts.contains_key(&self.digest(author, text))
    }

    fn digest(&self, author: &str, text: &str) -> u64 {
        self.hasher.hash_one((author, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_belongs_to_its_author() {
        let mut recent = RecentTexts::default();
        recent.add("jane", "hello");
        assert!(recent.contains("jane", "hello"));
        assert!(!recent.contains("jane", "hello!") && !recent.contains("hans", "hello"));
    }

    #[test]
    fn the_oldest_text_is_forgotten_unless_it_was_repeated() {
        let mut recent = RecentTexts::default();
        recent.add("jane", "once");
        recent.add("jane", "twice");
        recent.add("jane", "twice");
        (0..CAPACITY - 1).for_each(|number| recent.add("hans", &number.to_string()));
        assert!(!recent.contains("jane", "once") && recent.contains("jane", "twice"));
        recent.add("hans", "one more");
        assert!(!recent.contains("jane", "twice"));
        assert!(recent.counts.len() <= CAPACITY && recent.in_order.len() == CAPACITY);
    }
}

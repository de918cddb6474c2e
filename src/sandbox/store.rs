//! What a plugin remembers: keys and values with a time to live, bounded.

use std::collections::{BTreeSet, HashMap};

use super::limits::MAX_KEY_BYTES;

/// What an entry costs beside its key and value, in bytes.
const ENTRY_COST: usize = 256;

/// The memory of one plugin. Time is that of the messages, in milliseconds, so that a replay finds the same.
#[derive(Debug)]
pub(super) struct Store {
    entries: HashMap<String, Entry>,
    /// By the time at which they end.
    ends: BTreeSet<(u64, String)>,
    used: usize,
    limit: usize,
}

#[derive(Debug)]
struct Entry {
    value: Value,
    ends: u64,
}

#[derive(Clone, Debug)]
enum Value {
    Bytes(Vec<u8>),
    Number(i64),
}

/// Why something is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("a key of the store has {0} bytes, of {MAX_KEY_BYTES}")]
    Key(usize),
    #[error("a value of {0} bytes is more than the whole store may hold")]
    Value(usize),
}

impl Store {
    /// An empty one that holds up to `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { entries: HashMap::new(), ends: BTreeSet::new(), used: 0, limit }
    }

    /// The value of a key. A number is not one.
    pub(super) fn get(&mut self, key: &str, now: u64) -> Option<Vec<u8>> {
        self.forget_ended(now);
        match &self.entries.get(key)?.value {
            Value::Bytes(bytes) => Some(bytes.clone()),
            Value::Number(_) => None,
        }
    }

    /// Takes a key over from another store, if it is there and not here.
    pub(super) fn copy_unless_there(&mut self, key: &str, from: &Self, now: u64) {
        if self.entries.contains_key(key) {
            return;
        }
        if let Some(entry) = from.entries.get(key).filter(|entry| entry.ends > now) {
            // Both have the same bounds.
            let _fits = self.put(key.to_owned(), entry.value.clone(), entry.ends);
        }
    }

    /// Sets a value.
    pub(super) fn set(&mut self, key: String, value: Vec<u8>, seconds: u32, now: u64) -> Result<(), Refused> {
        self.forget_ended(now);
        self.put(key, Value::Bytes(value), now.saturating_add(u64::from(seconds) * 1_000))
    }

    /// Adds to a number, which lives `seconds` from its first addition on.
    pub(super) fn add(&mut self, key: String, amount: i64, seconds: u32, now: u64) -> Result<i64, Refused> {
        self.forget_ended(now);
        if let Some(Entry { value: Value::Number(number), .. }) = self.entries.get_mut(&key) {
            *number = number.saturating_add(amount);
            return Ok(*number);
        }
        self.put(key, Value::Number(amount), now.saturating_add(u64::from(seconds) * 1_000))?;
        Ok(amount)
    }

    fn put(&mut self, key: String, value: Value, ends: u64) -> Result<(), Refused> {
        if key.len() > MAX_KEY_BYTES {
            return Err(Refused::Key(key.len()));
        }
        let cost = cost(&key, &value);
        if cost > self.limit {
            return Err(Refused::Value(cost));
        }
        self.remove(&key);
        // What is nearest to its end makes room.
        while self.used + cost > self.limit {
            let Some((_, first)) = self.ends.pop_first() else { break };
            self.remove(&first);
        }
        self.used += cost;
        self.ends.insert((ends, key.clone()));
        self.entries.insert(key, Entry { value, ends });
        Ok(())
    }

    fn remove(&mut self, key: &str) {
        if let Some((key, Entry { value, ends })) = self.entries.remove_entry(key) {
            self.used -= cost(&key, &value);
            self.ends.remove(&(ends, key));
        }
    }

    fn forget_ended(&mut self, now: u64) {
        while let Some((ends, key)) = self.ends.first().filter(|(ends, _)| *ends <= now) {
            let (_, key) = (*ends, key.clone());
            self.remove(&key);
        }
    }
}

fn cost(key: &str, value: &Value) -> usize {
    let value = match value {
        Value::Bytes(bytes) => bytes.len(),
        Value::Number(_) => size_of::<i64>(),
    };
    // The key is kept twice.
    2 * key.len() + value + ENTRY_COST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_there_until_its_time_is_up() {
        let mut store = Store::new(1_000);
        store.set("a".into(), b"1".to_vec(), 2, 10_000).unwrap();
        assert_eq!(store.get("a", 11_999), Some(b"1".to_vec()));
        assert_eq!(store.get("a", 12_000), None);
        assert_eq!((store.used, store.ends.len()), (0, 0));
    }

    #[test]
    fn additions_do_not_prolong_a_number() {
        let mut store = Store::new(1_000);
        assert_eq!(store.add("n".into(), 2, 2, 10_000), Ok(2));
        assert_eq!(store.add("n".into(), 3, 2, 11_000), Ok(5));
        assert_eq!(store.add("n".into(), 1, 2, 12_000), Ok(1));
        assert_eq!(store.add("n".into(), i64::MAX, 2, 12_000), Ok(i64::MAX));
    }

    #[test]
    fn a_set_value_is_no_number_and_a_number_no_value() {
        let mut store = Store::new(1_000);
        store.set("a".into(), b"1".to_vec(), 2, 0).unwrap();
        assert_eq!(store.add("a".into(), 7, 2, 0), Ok(7));
        assert_eq!(store.get("a", 0), None);
    }

    #[test]
    fn when_it_is_full_what_is_nearest_to_its_end_goes() {
        let mut store = Store::new(3 * (2 + 1 + ENTRY_COST));
        for (key, seconds) in [("a", 30), ("b", 10), ("c", 20), ("d", 5)] {
            store.set(key.into(), b"x".to_vec(), seconds, 0).unwrap();
        }
        let left: Vec<&str> = ["a", "b", "c", "d"].into_iter().filter(|key| store.get(key, 1).is_some()).collect();
        assert_eq!(left, ["a", "c", "d"]);
        assert!(store.used <= store.limit);
    }

    #[test]
    fn what_never_fits_is_refused_and_nothing_else_goes_for_it() {
        let mut store = Store::new(1_000);
        store.set("a".into(), Vec::new(), 10, 0).unwrap();
        assert!(matches!(store.set("b".into(), vec![0; 1_000], 10, 0), Err(Refused::Value(_))));
        assert_eq!(store.set("k".repeat(257), Vec::new(), 10, 0), Err(Refused::Key(257)));
        assert!(store.get("a", 0).is_some());
    }

    #[test]
    fn a_key_is_taken_over_from_another_store_once_and_only_while_it_lasts() {
        let (mut own, mut other) = (Store::new(1_000), Store::new(1_000));
        other.add("n".into(), 7, 10, 0).unwrap();
        own.copy_unless_there("n", &other, 1);
        assert_eq!(own.add("n".into(), 1, 10, 1), Ok(8));
        own.copy_unless_there("n", &other, 2);
        assert_eq!(own.add("n".into(), 1, 10, 2), Ok(9));
        assert_eq!(other.add("n".into(), 0, 10, 2), Ok(7));
        let mut late = Store::new(1_000);
        late.copy_unless_there("n", &other, 10_000);
        assert_eq!(late.add("n".into(), 0, 10, 10_000), Ok(0));
    }
}

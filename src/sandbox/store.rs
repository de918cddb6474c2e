//! The store of a plugin: a bounded map of keys to values that expire.

use std::collections::{BTreeSet, HashMap};

use super::budget::{BudgetExhausted, Reservation};
use super::limits::MAX_KEY_BYTES;

/// Size of an entry besides its key and value, in bytes.
const ENTRY_OVERHEAD: usize = 256;

/// The store of one plugin. Time is that of the messages, in milliseconds, so that a replay gives the same results.
#[derive(Debug)]
pub(super) struct PluginStore {
    entries: HashMap<String, Entry>,
    /// Keys by expiration time.
    expirations: BTreeSet<(u64, String)>,
    /// The size of all entries.
    reservation: Reservation,
    /// Most bytes of all entries.
    limit: usize,
}

#[derive(Debug)]
struct Entry {
    value: Value,
    expires_at: u64,
}

#[derive(Clone, Debug)]
enum Value {
    Bytes(Vec<u8>),
    Number(i64),
}

/// Why an entry was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum PluginStoreError {
    #[error("a key of the store has {0} bytes; the limit is {MAX_KEY_BYTES}")]
    Key(usize),
    #[error("an entry of {0} bytes is larger than the whole store")]
    Value(usize),
    #[error(transparent)]
    Budget(#[from] BudgetExhausted),
}

impl PluginStore {
    /// Creates an empty store for up to `limit` bytes, which are added to the empty `reservation` as it fills.
    pub(super) fn new(limit: usize, reservation: Reservation) -> Self {
        Self { entries: HashMap::new(), expirations: BTreeSet::new(), reservation, limit }
    }

    /// Returns the value of a key; `None` for a counter.
    pub(super) fn get(&mut self, key: &str, now: u64) -> Option<Vec<u8>> {
        self.remove_expired(now);
        match &self.entries.get(key)?.value {
            Value::Bytes(bytes) => Some(bytes.clone()),
            Value::Number(_) => None,
        }
    }

    /// Copies a key from another store, unless it exists in this one.
    pub(super) fn copy_if_absent(&mut self, key: &str, from: &Self, now: u64) -> Result<(), PluginStoreError> {
        match from.entries.get(key).filter(|entry| entry.expires_at > now) {
            Some(entry) if !self.entries.contains_key(key) => {
                self.put(key.to_owned(), entry.value.clone(), entry.expires_at)
            }
            _ => Ok(()),
        }
    }

    /// Sets a key to a value that expires after `seconds`.
    pub(super) fn set(&mut self, key: String, value: Vec<u8>, seconds: u32, now: u64) -> Result<(), PluginStoreError> {
        self.remove_expired(now);
        self.put(key, Value::Bytes(value), now.saturating_add(u64::from(seconds) * 1_000))
    }

    /// Adds to a counter, which expires `seconds` after its first addition.
    pub(super) fn add(&mut self, key: String, amount: i64, seconds: u32, now: u64) -> Result<i64, PluginStoreError> {
        self.remove_expired(now);
        if let Some(Entry { value: Value::Number(number), .. }) = self.entries.get_mut(&key) {
            *number = number.saturating_add(amount);
            return Ok(*number);
        }
        self.put(key, Value::Number(amount), now.saturating_add(u64::from(seconds) * 1_000))?;
        Ok(amount)
    }

    fn put(&mut self, key: String, value: Value, expires_at: u64) -> Result<(), PluginStoreError> {
        if key.len() > MAX_KEY_BYTES {
            return Err(PluginStoreError::Key(key.len()));
        }
        let cost = cost(&key, &value);
        if cost > self.limit {
            return Err(PluginStoreError::Value(cost));
        }
        // Before anything is removed: without memory for the entry, the store stays as it is.
        self.reservation.grow(cost)?;
        self.remove(&key);
        // Evict the entries that expire first.
        while self.reservation.bytes() > self.limit {
            let Some((_, first)) = self.expirations.pop_first() else { break };
            self.remove(&first);
        }
        self.expirations.insert((expires_at, key.clone()));
        self.entries.insert(key, Entry { value, expires_at });
        Ok(())
    }

    fn remove(&mut self, key: &str) {
        if let Some((key, Entry { value, expires_at })) = self.entries.remove_entry(key) {
            self.reservation.shrink(cost(&key, &value));
            self.expirations.remove(&(expires_at, key));
        }
    }

    fn remove_expired(&mut self, now: u64) {
        while let Some((expires_at, key)) = self.expirations.first().filter(|(expires_at, _)| *expires_at <= now) {
            let (_, key) = (*expires_at, key.clone());
            self.remove(&key);
        }
    }
}

fn cost(key: &str, value: &Value) -> usize {
    let value = match value {
        Value::Bytes(bytes) => bytes.len(),
        Value::Number(_) => size_of::<i64>(),
    };
    // The key is stored twice.
    2 * key.len() + value + ENTRY_OVERHEAD
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::budget::MemoryBudget;
    use super::*;

    fn new_store(limit: usize) -> PluginStore {
        PluginStore::new(limit, Reservation::new(Arc::new(MemoryBudget::new(usize::MAX))))
    }

    #[test]
    fn entries_are_reserved_in_the_budget_until_they_are_removed() {
        let budget = Arc::new(MemoryBudget::new(2 * ENTRY_OVERHEAD + 100));
        let mut store = PluginStore::new(10_000, Reservation::new(Arc::clone(&budget)));
        store.set("a".into(), vec![0; 10], 1, 0).unwrap();
        store.set("b".into(), vec![0; 20], 2, 0).unwrap();
        let used = budget.used();
        assert_eq!(used, 2 * ENTRY_OVERHEAD + 2 + 10 + 2 + 20);
        // An entry that does not fit changes nothing.
        for key in ["a", "c"] {
            let refused = store.set(key.into(), vec![0; 100], 1, 0);
            assert_eq!(refused, Err(PluginStoreError::Budget(BudgetExhausted { mib: 0 })));
        }
        assert_eq!((budget.used(), store.get("a", 0).map(|value| value.len())), (used, Some(10)));
        store.get("a", 1_000);
        assert_eq!(budget.used(), ENTRY_OVERHEAD + 22);
        drop(store);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn a_value_expires() {
        let mut store = new_store(1_000);
        store.set("a".into(), b"1".to_vec(), 2, 10_000).unwrap();
        assert_eq!(store.get("a", 11_999), Some(b"1".to_vec()));
        assert_eq!(store.get("a", 12_000), None);
        assert_eq!((store.reservation.bytes(), store.expirations.len()), (0, 0));
    }

    #[test]
    fn later_additions_do_not_extend_a_counter() {
        let mut store = new_store(1_000);
        assert_eq!(store.add("n".into(), 2, 2, 10_000), Ok(2));
        assert_eq!(store.add("n".into(), 3, 2, 11_000), Ok(5));
        assert_eq!(store.add("n".into(), 1, 2, 12_000), Ok(1));
        assert_eq!(store.add("n".into(), i64::MAX, 2, 12_000), Ok(i64::MAX));
    }

    #[test]
    fn values_and_counters_are_distinct() {
        let mut store = new_store(1_000);
        store.set("a".into(), b"1".to_vec(), 2, 0).unwrap();
        assert_eq!(store.add("a".into(), 7, 2, 0), Ok(7));
        assert_eq!(store.get("a", 0), None);
    }

    #[test]
    fn a_full_store_evicts_the_entries_that_expire_first() {
        let mut store = new_store(3 * (2 + 1 + ENTRY_OVERHEAD));
        for (key, seconds) in [("a", 30), ("b", 10), ("c", 20), ("d", 5)] {
            store.set(key.into(), b"x".to_vec(), seconds, 0).unwrap();
        }
        let left: Vec<&str> = ["a", "b", "c", "d"].into_iter().filter(|key| store.get(key, 1).is_some()).collect();
        assert_eq!(left, ["a", "c", "d"]);
        assert!(store.reservation.bytes() <= store.limit);
    }

    #[test]
    fn an_entry_that_never_fits_is_rejected_and_evicts_nothing() {
        let mut store = new_store(1_000);
        store.set("a".into(), Vec::new(), 10, 0).unwrap();
        assert!(matches!(store.set("b".into(), vec![0; 1_000], 10, 0), Err(PluginStoreError::Value(_))));
        assert_eq!(store.set("k".repeat(257), Vec::new(), 10, 0), Err(PluginStoreError::Key(257)));
        assert!(store.get("a", 0).is_some());
    }

    #[test]
    fn a_key_is_copied_from_another_store_once_and_only_before_it_expires() {
        let (mut own, mut other) = (new_store(1_000), new_store(1_000));
        other.add("n".into(), 7, 10, 0).unwrap();
        own.copy_if_absent("n", &other, 1).unwrap();
        assert_eq!(own.add("n".into(), 1, 10, 1), Ok(8));
        own.copy_if_absent("n", &other, 2).unwrap();
        assert_eq!(own.add("n".into(), 1, 10, 2), Ok(9));
        assert_eq!(other.add("n".into(), 0, 10, 2), Ok(7));
        let mut late = new_store(1_000);
        late.copy_if_absent("n", &other, 10_000).unwrap();
        assert_eq!(late.add("n".into(), 0, 10, 10_000), Ok(0));
    }
}

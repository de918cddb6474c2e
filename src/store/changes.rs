//! Tracks what has changed since the last write.

use std::collections::BTreeSet;
use std::mem;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::Thread;

/// Maximum number of keys that are tracked. With more, everything is written.
const MAX_KEYS: usize = 65_536;

/// Tracks the keys of changed entries. Without a store nothing is tracked.
#[derive(Debug)]
pub struct ChangeTracker<K> {
    notifier: Option<Arc<ChangeNotifier>>,
    dirty: DirtyKeys<K>,
}

/// The keys of entries that are not written yet.
#[derive(Debug)]
pub struct DirtyKeys<K> {
    /// The keys.
    pub keys: BTreeSet<K>,
    /// Whether the whole table is to be replaced.
    pub is_everything: bool,
}

impl<K> Default for DirtyKeys<K> {
    fn default() -> Self {
        Self { keys: BTreeSet::new(), is_everything: false }
    }
}

impl<K> DirtyKeys<K> {
    /// Whether all is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && !self.is_everything
    }
}

impl<K> Default for ChangeTracker<K> {
    fn default() -> Self {
        Self { notifier: None, dirty: DirtyKeys::default() }
    }
}

impl<K: Ord> ChangeTracker<K> {
    /// Creates a tracker that wakes the writer through `notifier`.
    #[must_use]
    pub fn new(notifier: Arc<ChangeNotifier>) -> Self {
        Self { notifier: Some(notifier), dirty: DirtyKeys::default() }
    }

    /// Marks the entry of `key` as changed or removed.
    pub fn mark(&mut self, key: K) {
        let Some(notifier) = &self.notifier else { return };
        self.dirty.keys.insert(key);
        let notifier = Arc::clone(notifier);
        self.enforce_limit();
        notifier.notify();
    }

    /// Takes the keys of everything that has changed.
    pub fn take(&mut self) -> DirtyKeys<K> {
        mem::take(&mut self.dirty)
    }

    /// Puts keys back after a failed write.
    pub fn put_back(&mut self, keys: impl IntoIterator<Item = K>, all: bool) {
        self.dirty.is_everything |= all;
        self.dirty.keys.extend(keys);
        self.enforce_limit();
    }

    fn enforce_limit(&mut self) {
        if self.dirty.is_everything || self.dirty.keys.len() > MAX_KEYS {
            self.dirty = DirtyKeys { keys: BTreeSet::new(), is_everything: true };
        }
    }
}

/// Counts changes and wakes the writer thread.
#[derive(Debug, Default)]
pub struct ChangeNotifier {
    changes: AtomicU64,
    writer: OnceLock<Thread>,
}

impl ChangeNotifier {
    /// Counts a change and wakes the writer.
    fn notify(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.wake_writer();
    }

    /// Wakes the writer thread.
    pub(super) fn wake_writer(&self) {
        if let Some(writer) = self.writer.get() {
            writer.unpark();
        }
    }

    /// Returns the number of changes so far.
    pub(super) fn change_count(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Sets the thread to wake.
    pub(super) fn set_writer(&self, writer: Thread) {
        drop(self.writer.set(writer));
    }
}

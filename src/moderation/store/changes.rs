//! What has changed since it was written last.

use std::collections::BTreeSet;
use std::mem;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::Thread;

/// More keys than this are not kept apart: then everything is written.
const MOST: usize = 65_536;

/// The keys of what has changed. Without a store nothing is kept.
#[derive(Debug)]
pub(in crate::moderation) struct Changes<K> {
    bell: Option<Arc<Bell>>,
    taken: Taken<K>,
}

/// Changes that somebody is about to write.
#[derive(Debug)]
pub(in crate::moderation) struct Taken<K> {
    pub(in crate::moderation) keys: BTreeSet<K>,
    /// Everything is to be written, and what is there already is to go.
    pub(in crate::moderation) all: bool,
}

impl<K> Default for Taken<K> {
    fn default() -> Self {
        Self { keys: BTreeSet::new(), all: false }
    }
}

impl<K> Taken<K> {
    pub(in crate::moderation) fn is_empty(&self) -> bool {
        self.keys.is_empty() && !self.all
    }
}

impl<K> Default for Changes<K> {
    fn default() -> Self {
        Self { bell: None, taken: Taken::default() }
    }
}

impl<K: Ord> Changes<K> {
    pub(in crate::moderation) fn new(bell: Arc<Bell>) -> Self {
        Self { bell: Some(bell), taken: Taken::default() }
    }

    /// Notes that what belongs to a key is another than before, or gone.
    pub(in crate::moderation) fn note(&mut self, key: K) {
        let Some(bell) = &self.bell else { return };
        self.taken.keys.insert(key);
        let bell = Arc::clone(bell);
        self.bound();
        bell.ring();
    }

    /// Takes what has changed.
    pub(in crate::moderation) fn take(&mut self) -> Taken<K> {
        mem::take(&mut self.taken)
    }

    /// Gives back what was taken and could not be written.
    pub(in crate::moderation) fn give_back(&mut self, keys: impl IntoIterator<Item = K>, all: bool) {
        self.taken.all |= all;
        self.taken.keys.extend(keys);
        self.bound();
    }

    fn bound(&mut self) {
        if self.taken.all || self.taken.keys.len() > MOST {
            self.taken = Taken { keys: BTreeSet::new(), all: true };
        }
    }
}

/// Tells the thread that writes that there is something to write.
#[derive(Debug, Default)]
pub(in crate::moderation) struct Bell {
    changes: AtomicU64,
    writer: OnceLock<Thread>,
}

impl Bell {
    /// To be called after each change.
    fn ring(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.wake();
    }

    /// Wakes the thread that writes.
    pub(super) fn wake(&self) {
        if let Some(writer) = self.writer.get() {
            writer.unpark();
        }
    }

    /// How many changes there have been.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Whom to wake from now on.
    pub(super) fn belongs_to(&self, writer: Thread) {
        drop(self.writer.set(writer));
    }
}

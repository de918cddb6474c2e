//! Settings that are made at run time.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Changes;

/// Settings by name. Names are the program's own, so there are few.
#[derive(Debug, Default)]
pub(in crate::moderation) struct Settings(Mutex<Made>);

#[derive(Debug, Default)]
struct Made {
    settings: BTreeMap<String, String>,
    changes: Changes<()>,
}

impl Settings {
    pub(in crate::moderation) fn with_changes(changes: Changes<()>) -> Self {
        Self(Mutex::new(Made { settings: BTreeMap::new(), changes }))
    }

    fn lock(&self) -> MutexGuard<'_, Made> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::moderation) fn get(&self, key: &str) -> Option<String> {
        self.lock().settings.get(key).cloned()
    }

    pub(in crate::moderation) fn set(&self, key: &str, value: &str) {
        let mut made = self.lock();
        made.settings.insert(key.to_owned(), value.to_owned());
        made.changes.note(());
    }

    /// All of them, if one has changed since this was asked last.
    pub(in crate::moderation) fn changed(&self) -> Option<BTreeMap<String, String>> {
        let mut made = self.lock();
        let taken = made.changes.take();
        (!taken.is_empty()).then(|| made.settings.clone())
    }

    /// Says that what was taken could not be written.
    pub(super) fn not_written(&self) {
        self.lock().changes.give_back([()], false);
    }

    /// Puts in what was kept.
    pub(in crate::moderation) fn load(&self, kept: BTreeMap<String, String>) {
        let mut made = self.lock();
        made.settings = kept;
        made.changes.note(());
    }
}

//! Settings that moderators change at run time.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::changes::ChangeTracker;

/// Settings by name. The program defines the names, so there are few.
#[derive(Debug, Default)]
pub struct RuntimeSettings(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    settings: BTreeMap<String, String>,
    changes: ChangeTracker<()>,
}

impl RuntimeSettings {
    /// Creates empty settings.
    #[must_use]
    pub fn with_changes(changes: ChangeTracker<()>) -> Self {
        Self(Mutex::new(Inner { settings: BTreeMap::new(), changes }))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the value of a setting.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<String> {
        self.lock().settings.get(key).cloned()
    }

    /// Sets a setting.
    pub fn set(&self, key: &str, value: &str) {
        let mut inner = self.lock();
        inner.settings.insert(key.to_owned(), value.to_owned());
        inner.changes.mark(());
    }

    /// Returns all settings if one has changed since the last call.
    pub fn take_changes(&self) -> Option<BTreeMap<String, String>> {
        let mut inner = self.lock();
        let dirty = inner.changes.take();
        (!dirty.is_empty()).then(|| inner.settings.clone())
    }

    /// Marks the settings as changed again after a failed write.
    pub(super) fn restore_changes(&self) {
        self.lock().changes.put_back([()], false);
    }

    /// Loads the settings of the store.
    pub fn load(&self, stored: BTreeMap<String, String>) {
        let mut inner = self.lock();
        inner.settings = stored;
        inner.changes.mark(());
    }
}

//! The moderation state, in memory and optionally backed by a file.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::config::Config;
use super::held::{HeldMessage, HeldQueue};
use super::levels::Levels;
use super::sanctions::{OffenceEntry, Sanctions};
use super::time;
use crate::model::ActiveLevel;
use crate::store::{
    self, ChangeNotifier, ChangeTracker, Contents, Persist as _, RuntimeSettings, Store, StoreError, StoreStats,
    StoredState, TableReader, TablesError,
};

/// Sanctions, held messages, levels and settings made at run time.
///
/// Changes take effect immediately. With a file, a separate thread writes them soon after: a slow or full disk delays
/// only callers of [`State::flush`].
#[derive(Debug)]
pub struct State {
    sanctions: Arc<Sanctions>,
    held: Arc<HeldQueue>,
    levels: Arc<Levels>,
    settings: Arc<RuntimeSettings>,
    store: Option<Store>,
    /// The calendar time at which the monotonic clock of the relay started.
    started_at: Timestamp,
}

/// The contents of the file.
#[derive(Debug, Default)]
struct StateContents {
    /// The next offence number.
    next_id: u64,
    offences: Vec<(u64, OffenceEntry)>,
    held: Vec<(u64, HeldMessage)>,
    levels: Vec<(u64, ActiveLevel)>,
    settings: BTreeMap<String, String>,
}

impl Contents for StateContents {
    fn read(tables: &TableReader) -> Result<Self, TablesError> {
        Ok(Self {
            next_id: tables.next_key::<OffenceEntry>()?,
            offences: tables.records()?,
            held: tables.records()?,
            levels: tables.records()?,
            settings: tables.settings()?,
        })
    }
}

/// Checks whether the state in the file at `path` could be opened, read and written, as [`store::probe`] does.
///
/// # Errors
/// [`StoreError`], as from [`State::open`].
pub fn probe_store(path: &Path) -> Result<(), StoreError> {
    store::probe::<StateContents>(path)
}

impl State {
    /// Loads the state from the file named in `store`, without items that have ended since; an empty state if there is
    /// no file. `now` is when the relay starts, see [`State::time_at`]. Reads the whole file, which may take a second per hundred megabytes.
    ///
    /// # Errors
    /// [`StoreError`]. A file that is damaged, in use or of another format is left unchanged.
    pub fn open(config: &Config, store: &store::Config, now: Timestamp) -> Result<Self, StoreError> {
        let Some(path) = &store.file else { return Ok(Self::with_bell(config, None, now)) };
        let (opened, contents) = Store::open(path)?;
        let bell = Arc::new(ChangeNotifier::default());
        let mut state = Self::with_bell(config, Some(&bell), now);
        state.load(contents, now);
        let source = StoredState::default()
            .with(&state.sanctions)
            .with(&state.held)
            .with(&state.levels)
            .with_settings(&state.settings);
        state.store = Some(Store::start(opened, source, bell).map_err(StoreError::Thread)?);
        Ok(state)
    }

    /// Like [`State::open`], but falls back to memory. A file that cannot be used is left unchanged; the state starts
    /// empty, or with the contents of a file that is readable but not writable. Also returns an error if the file is
    /// open but the disk is full; the file is then written once there is space.
    #[must_use]
    pub fn open_or_in_memory(config: &Config, store: &store::Config, now: Timestamp) -> (Self, Option<StoreError>) {
        let error = match Self::open(config, store, now) {
            Ok(state) => {
                let room = store.file.as_deref().map_or(Ok(()), store::check_disk_space);
                return (state, room.err());
            }
            Err(error) => error,
        };
        let state = Self::with_bell(config, None, now);
        let readable = store.file.as_deref().filter(|_| matches!(error, StoreError::Open { .. }));
        if let Some(contents) = readable.and_then(Store::read_only) {
            state.load(contents, now);
        }
        (state, Some(error))
    }

    /// Adds the contents of a file, without items that have ended since.
    fn load(&self, contents: StateContents, now: Timestamp) {
        self.settings.load(contents.settings);
        self.levels.load(contents.levels);
        self.held.load(contents.held);
        self.sanctions.load(contents.offences, contents.next_id);
        // The file has all of this already.
        self.discard_changes();
        self.levels.prune(now);
        while self.sanctions.prune(now) {}
    }

    fn with_bell(config: &Config, bell: Option<&Arc<ChangeNotifier>>, started_at: Timestamp) -> Self {
        fn changes<K: Ord>(bell: Option<&Arc<ChangeNotifier>>) -> ChangeTracker<K> {
            bell.map_or_else(ChangeTracker::default, |bell| ChangeTracker::new(Arc::clone(bell)))
        }
        Self {
            sanctions: Arc::new(Sanctions::with_changes(config.ladder.clone(), changes(bell))),
            held: Arc::new(HeldQueue::with_changes(config.held.clone(), changes(bell))),
            levels: Arc::new(Levels::with_changes(changes(bell))),
            settings: Arc::new(RuntimeSettings::with_changes(changes(bell))),
            store: None,
            started_at,
        }
    }

    fn discard_changes(&self) {
        let _all_of_it_is_there = (
            self.sanctions.take_changes(),
            self.held.take_changes(),
            self.levels.take_changes(),
            self.settings.take_changes(),
        );
    }

    /// Returns the calendar time at a time since the start of the relay, as sanctions, levels and held messages count it:
    /// within a run, a wall clock that is set neither ends nor prolongs them.
    #[must_use]
    pub fn time_at(&self, since_start: Duration) -> Timestamp {
        time::saturating_add(self.started_at, since_start)
    }

    /// The sanctions.
    #[must_use]
    pub fn sanctions(&self) -> &Sanctions {
        &self.sanctions
    }

    /// The held messages.
    #[must_use]
    pub fn held(&self) -> &HeldQueue {
        &self.held
    }

    /// The levels.
    #[must_use]
    pub fn levels(&self) -> &Levels {
        &self.levels
    }

    /// Returns the value of a setting made at run time.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<String> {
        self.settings.get(key)
    }

    /// Stores a setting. Keys are static, which bounds their number.
    pub fn set_setting(&self, key: &'static str, value: &str) {
        self.settings.set(key, value);
    }

    /// Removes levels and sanctions that have ended and no longer matter. Call it periodically; it removes a bounded
    /// number of sanctions per call.
    pub fn prune(&self, now: Timestamp) {
        self.levels.prune(now);
        self.sanctions.prune(now);
    }

    /// Waits until all changes made before the call are on disk and survive a crash or power cut. Returns immediately
    /// without a file.
    ///
    /// # Errors
    /// [`StoreError::WriteFailed`] when the disk does not take it, [`StoreError::TimedOut`] after 5 s, and
    /// [`StoreError::Closed`]. The changes stay in effect, and writing is retried.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn flush(&self) -> Result<(), StoreError> {
        match &self.store {
            Some(store) => store.flush().await,
            None => Ok(()),
        }
    }

    /// Writes pending changes and closes the file, within 5 s. Later changes are not written.
    ///
    /// # Errors
    /// [`StoreError::WriteFailed`] and [`StoreError::TimedOut`].
    ///
    /// # Cancel safety
    /// If the future is dropped, the writer thread continues until the process exits.
    pub async fn close(&self) -> Result<(), StoreError> {
        match &self.store {
            Some(store) => store.close().await,
            None => Ok(()),
        }
    }

    /// Whether there is a file.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        self.store.is_some()
    }

    /// Returns the error of the last write; `None` if it succeeded or there is no file.
    #[must_use]
    pub fn store_error(&self) -> Option<Arc<str>> {
        self.store.as_ref()?.failure()
    }

    /// Returns figures about the file; `None` without one.
    #[must_use]
    pub fn store_figures(&self) -> Option<StoreStats> {
        self.store.as_ref().map(Store::stats)
    }
}

#[cfg(test)]
mod tests;

//! The state of moderation as a whole, with or without a file that it is kept in.

use std::sync::Arc;

use jiff::Timestamp;

use super::config::Config;
use super::held::Held;
use super::levels::Levels;
use super::sanctions::Sanctions;
use super::store::{self, Bell, Changes, Contents, Settings, Source, Store, StoreError, StoreFigures};

/// Sanctions, held messages, levels and the settings that are made at run time.
///
/// Whatever changes holds at once. Where there is a file, it is written soon after, by a thread of its own: a slow or
/// full disk holds nobody up but those who ask for it with [`State::saved`].
#[derive(Debug)]
pub struct State {
    sanctions: Arc<Sanctions>,
    held: Arc<Held>,
    levels: Arc<Levels>,
    settings: Arc<Settings>,
    store: Option<Store>,
}

impl State {
    /// The state as the file has it that `config` names, without what has ended since; an empty one without a file.
    /// Reads the whole file, and so may take a second for each hundred megabytes.
    ///
    /// # Errors
    /// [`StoreError`]. A file that is damaged, in use or none of ours is left as it is.
    pub fn open(config: &Config, now: Timestamp) -> Result<Self, StoreError> {
        let Some(path) = &config.store else { return Ok(Self::with_bell(config, None)) };
        let (opened, contents) = Store::open(path)?;
        let bell = Arc::new(Bell::default());
        let mut state = Self::with_bell(config, Some(&bell));
        state.load(contents, now);
        let source = Source {
            sanctions: Arc::clone(&state.sanctions),
            held: Arc::clone(&state.held),
            levels: Arc::clone(&state.levels),
            settings: Arc::clone(&state.settings),
        };
        state.store = Some(Store::start(opened, source, bell).map_err(StoreError::Thread)?);
        Ok(state)
    }

    /// As [`State::open`], for a relay that is to serve in any case. A file that cannot be used stays as it is, and the
    /// state lives in memory alone: empty, or as the file has it where that can be read and not written. The error is
    /// given also when the file is open and the disk is full: then it is written once there is room.
    #[must_use]
    pub fn start(config: &Config, now: Timestamp) -> (Self, Option<StoreError>) {
        let error = match Self::open(config, now) {
            Ok(state) => {
                let room = config.store.as_deref().map_or(Ok(()), store::room);
                return (state, room.err());
            }
            Err(error) => error,
        };
        let state = Self::with_bell(config, None);
        let readable = config.store.as_deref().filter(|_| matches!(error, StoreError::Open { .. }));
        if let Some(contents) = readable.and_then(Store::read) {
            state.load(contents, now);
        }
        (state, Some(error))
    }

    /// Takes in what a file holds, without what has ended since.
    fn load(&self, contents: Contents, now: Timestamp) {
        self.settings.load(contents.settings);
        self.levels.load(contents.levels);
        self.held.load(contents.held);
        self.sanctions.load(contents.offences, contents.next_id);
        // Only what changes from here on is to be written.
        self.forget_changes();
        self.levels.prune(now);
        while self.sanctions.prune(now) {}
    }

    fn with_bell(config: &Config, bell: Option<&Arc<Bell>>) -> Self {
        fn changes<K: Ord>(bell: Option<&Arc<Bell>>) -> Changes<K> {
            bell.map_or_else(Changes::default, |bell| Changes::new(Arc::clone(bell)))
        }
        Self {
            sanctions: Arc::new(Sanctions::with_changes(config.ladder.clone(), changes(bell))),
            held: Arc::new(Held::with_changes(config.held.clone(), changes(bell))),
            levels: Arc::new(Levels::with_changes(changes(bell))),
            settings: Arc::new(Settings::with_changes(changes(bell))),
            store: None,
        }
    }

    fn forget_changes(&self) {
        let _all_of_it_is_there =
            (self.sanctions.changed(), self.held.changed(), self.levels.changed(), self.settings.changed());
    }

    /// The sanctions.
    #[must_use]
    pub fn sanctions(&self) -> &Sanctions {
        &self.sanctions
    }

    /// The held messages.
    #[must_use]
    pub fn held(&self) -> &Held {
        &self.held
    }

    /// The levels.
    #[must_use]
    pub fn levels(&self) -> &Levels {
        &self.levels
    }

    /// The value of a setting that was made at run time.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<String> {
        self.settings.get(key)
    }

    /// Makes a setting. There are as many as there are keys in the program.
    pub fn set_setting(&self, key: &'static str, value: &str) {
        self.settings.set(key, value);
    }

    /// Forgets what has ended: sanctions that are no step of the ladder any more, and levels. To be called now and then.
    /// Where there is much, the next call forgets the rest.
    pub fn prune(&self, now: Timestamp) {
        self.levels.prune(now);
        self.sanctions.prune(now);
    }

    /// Waits until all that changed before the call is on the disk, so that neither a crash nor a power cut takes it
    /// back; at once without a file.
    ///
    /// # Errors
    /// [`StoreError::NotWritten`] when the disk does not take it, [`StoreError::Late`] after 5 s, and
    /// [`StoreError::Closed`]. It holds all the same, and is tried again.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn saved(&self) -> Result<(), StoreError> {
        match &self.store {
            Some(store) => store.saved().await,
            None => Ok(()),
        }
    }

    /// Writes what is left and closes the file, within 5 s. What changes after that is not written.
    ///
    /// # Errors
    /// [`StoreError::NotWritten`] and [`StoreError::Late`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves the rest to a thread, which the end of the program cuts off.
    pub async fn close(&self) -> Result<(), StoreError> {
        match &self.store {
            Some(store) => store.close().await,
            None => Ok(()),
        }
    }

    /// Why the file could not be written at the last attempt; `None` when it could, or there is no file.
    #[must_use]
    pub fn store_failure(&self) -> Option<Arc<str>> {
        self.store.as_ref()?.failure()
    }

    /// How the file does; `None` without one.
    #[must_use]
    pub fn store_figures(&self) -> Option<StoreFigures> {
        self.store.as_ref().map(Store::figures)
    }
}

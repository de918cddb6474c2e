//! Persists a state in one file, written behind the state in memory: one table of [`Record`]s for each part, and settings.
//!
//! A writer thread is woken by each change, collects everything that has changed since the last write, and writes it in
//! one transaction. Changes in the meantime are tracked as a bounded set of keys, so memory stays bounded if the disk
//! is slow or full.

mod changes;
mod config;
mod error;
mod file;
mod overlay;
mod probe;
mod record;
mod settings;
mod table;
mod tables;
mod writer;

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

pub use self::changes::{ChangeNotifier, ChangeTracker, DirtyKeys};
pub use self::config::Config;
pub use self::error::{StoreError, TablesError};
pub use self::probe::{check_disk_space, probe};
pub use self::record::{Record, RecordError, decode, encode};
pub use self::settings::RuntimeSettings;
pub use self::table::{Contents, Persist, StoredState, TableChanges, TableReader};
use self::tables::Tables;
use self::writer::{Progress, StoreShared, StoreWriter};

/// How long a caller waits for a write.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// The store and its writer thread.
#[derive(Debug)]
pub struct Store {
    shared: Arc<StoreShared>,
    progress: watch::Receiver<Progress>,
}

/// Statistics of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// Transactions written.
    pub written: u64,
    /// Failed transactions. Each was retried.
    pub errors: u64,
    /// Whether changes are waiting to be written.
    pub is_behind: bool,
}

/// A store that was opened and read, but has no writer yet.
#[derive(Debug)]
pub struct OpenedStore(Tables);

impl Store {
    /// Opens the file and reads its contents.
    ///
    /// # Errors
    /// [`StoreError`]. A file that cannot be used is left unchanged.
    pub fn open<C: Contents>(path: &Path) -> Result<(OpenedStore, C), StoreError> {
        let locked = file::StoreFile { path: path.to_owned(), file: Arc::new(file::open(path)?) };
        let (tables, contents) = Tables::open(locked)?;
        Ok((OpenedStore(tables), contents))
    }

    /// Reads a file that cannot be written. Returns `None` if it cannot be read or another process may change it.
    #[must_use]
    pub fn read_only<C: Contents>(path: &Path) -> Option<C> {
        let file = file::open_read_only(path).ok()?;
        file.try_lock().ok()?;
        Tables::read(&file::StoreFile { path: path.to_owned(), file: Arc::new(file) }).ok()
    }

    /// Starts the writer thread. It also writes changes that were marked before.
    ///
    /// # Errors
    /// If there can be no thread.
    pub fn start(
        OpenedStore(tables): OpenedStore,
        source: StoredState,
        notifier: Arc<ChangeNotifier>,
    ) -> std::io::Result<Self> {
        let (sender, progress) = watch::channel(Progress::default());
        let shared = Arc::new(StoreShared::new(notifier));
        let writer = StoreWriter::new(tables, source, Arc::clone(&shared), sender);
        let thread = std::thread::Builder::new().name("moderation store".to_owned()).spawn(move || writer.run())?;
        shared.notifier.set_writer(thread.thread().clone());
        shared.notifier.wake_writer();
        Ok(Self { shared, progress })
    }

    /// Waits until all changes before the call are on disk, for at most 5 s.
    ///
    /// # Errors
    /// [`StoreError::WriteFailed`], [`StoreError::TimedOut`] and [`StoreError::Closed`].
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let (target, mut progress) = (self.shared.notifier.change_count(), self.progress.clone());
        let failed = progress.borrow_and_update().failures;
        self.shared.flush_requested.store(true, Ordering::Release);
        self.shared.notifier.wake_writer();
        // A write that is already running may cover fewer changes, so wait for the next failure.
        let done = progress.wait_for(|now| {
            now.written >= target || now.has_ended || (now.failed_at >= target && now.failures > failed)
        });
        match timeout(WRITE_TIMEOUT, done).await {
            Ok(Ok(now)) if now.written >= target => Ok(()),
            Ok(Ok(now)) if !now.has_ended => Err(StoreError::WriteFailed),
            Ok(_) => Err(StoreError::Closed),
            Err(_) => Err(StoreError::TimedOut { waited: WRITE_TIMEOUT }),
        }
    }

    /// Writes the remaining changes and closes the file, within 5 s. May be called again.
    ///
    /// # Errors
    /// [`StoreError::WriteFailed`] and [`StoreError::TimedOut`].
    ///
    /// # Cancel safety
    /// If the future is dropped, the writer thread continues.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.begin_close();
        let mut progress = self.progress.clone();
        let target = self.shared.notifier.change_count();
        match timeout(WRITE_TIMEOUT, progress.wait_for(|now| now.has_ended)).await {
            Ok(Ok(now)) if now.written >= target => Ok(()),
            Ok(_) => Err(StoreError::WriteFailed),
            Err(_) => Err(StoreError::TimedOut { waited: WRITE_TIMEOUT }),
        }
    }

    /// Returns statistics.
    #[must_use]
    pub fn stats(&self) -> StoreStats {
        let is_behind = self.progress.borrow().written < self.shared.notifier.change_count();
        let [written, errors] = [&self.shared.written, &self.shared.errors].map(|n| n.load(Ordering::Relaxed));
        StoreStats { written, errors, is_behind }
    }

    /// Returns the error of the last write; `None` if it succeeded.
    #[must_use]
    pub fn failure(&self) -> Option<Arc<str>> {
        self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn begin_close(&self) {
        self.shared.closing.store(true, Ordering::Release);
        self.shared.notifier.wake_writer();
    }
}

/// The writer thread writes the remaining changes in the background.
impl Drop for Store {
    fn drop(&mut self) {
        self.begin_close();
    }
}

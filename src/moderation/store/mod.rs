//! Persists the moderation state in one file, written behind the state in memory.
//!
//! A writer thread is woken by each change, collects everything that has changed since the last write, and writes it in
//! one transaction. Changes in the meantime are tracked as a bounded set of keys, so memory stays bounded if the disk
//! is slow or full.

mod changes;
mod error;
mod file;
mod probe;
mod records;
mod settings;
mod tables;
#[cfg(test)]
mod tests;
mod writer;

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

pub(super) use self::changes::{ChangeNotifier, ChangeTracker, DirtyKeys};
pub use self::error::StoreError;
pub(super) use self::probe::check_disk_space;
pub use self::probe::probe;
pub(super) use self::settings::RuntimeSettings;
use self::tables::Tables;
pub(super) use self::tables::{StoreContents, TableChanges};
pub(super) use self::writer::StoredState;
use self::writer::{Progress, StoreShared, StoreWriter};

/// How long a caller waits for a write.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// The store and its writer thread.
#[derive(Debug)]
pub(super) struct ModerationStore {
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
pub(super) struct OpenedStore(Tables);

impl ModerationStore {
    /// Opens the file and reads its contents.
    pub(super) fn open(path: &Path) -> Result<(OpenedStore, StoreContents), StoreError> {
        let locked = file::LockedFile { path: path.to_owned(), file: Arc::new(file::open(path)?) };
        let (tables, contents) = Tables::open(locked)?;
        Ok((OpenedStore(tables), contents))
    }

    /// Reads a file that cannot be written. `None` if it cannot be read or another process may change it.
    pub(super) fn read_only(path: &Path) -> Option<StoreContents> {
        let file = file::open_read_only(path).ok()?;
        file.try_lock().ok()?;
        Tables::read(&file::LockedFile { path: path.to_owned(), file: Arc::new(file) }).ok()
    }

    /// Starts the writer thread. It also writes changes that were marked before.
    pub(super) fn start(
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
    pub(super) async fn flush(&self) -> Result<(), StoreError> {
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
    pub(super) async fn close(&self) -> Result<(), StoreError> {
        self.begin_close();
        let mut progress = self.progress.clone();
        let target = self.shared.notifier.change_count();
        match timeout(WRITE_TIMEOUT, progress.wait_for(|now| now.has_ended)).await {
            Ok(Ok(now)) if now.written >= target => Ok(()),
            Ok(_) => Err(StoreError::WriteFailed),
            Err(_) => Err(StoreError::TimedOut { waited: WRITE_TIMEOUT }),
        }
    }

    pub(super) fn stats(&self) -> StoreStats {
        let is_behind = self.progress.borrow().written < self.shared.notifier.change_count();
        let [written, errors] = [&self.shared.written, &self.shared.errors].map(|n| n.load(Ordering::Relaxed));
        StoreStats { written, errors, is_behind }
    }

    /// The error of the last write; `None` if it succeeded.
    pub(super) fn failure(&self) -> Option<Arc<str>> {
        self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn begin_close(&self) {
        self.shared.closing.store(true, Ordering::Release);
        self.shared.notifier.wake_writer();
    }
}

/// The writer thread writes the remaining changes in the background.
impl Drop for ModerationStore {
    fn drop(&mut self) {
        self.begin_close();
    }
}

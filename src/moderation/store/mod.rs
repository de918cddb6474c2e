//! What is kept beyond the end of the program: one file, written behind the state in memory.
//!
//! One thread writes. It is woken by each change, takes all that has changed since it looked last, and writes that in
//! one transaction. What changes meanwhile waits as a set of keys, which is bounded, whatever the disk does.

mod changes;
mod fault;
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

pub(super) use self::changes::{Bell, Changes, Taken};
pub use self::fault::StoreError;
pub use self::probe::probe;
pub(super) use self::probe::room;
pub(super) use self::settings::Settings;
use self::tables::Tables;
pub(super) use self::tables::{Contents, Part};
pub(super) use self::writer::Source;
use self::writer::{Progress, Shared, Writer};

/// How long somebody waits at most until something is written.
const PATIENCE: Duration = Duration::from_secs(5);

/// The file of the state, and the thread that writes it.
#[derive(Debug)]
pub(super) struct Store {
    shared: Arc<Shared>,
    progress: watch::Receiver<Progress>,
}

/// How a store does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreFigures {
    /// Transactions that were written.
    pub written: u64,
    /// Transactions that could not be written, and were tried again.
    pub faults: u64,
    /// Whether something waits to be written.
    pub behind: bool,
}

/// A file that was opened and read, and is not written to yet.
#[derive(Debug)]
pub(super) struct Opened(Tables);

impl Store {
    /// Opens the file and reads it.
    pub(super) fn open(path: &Path) -> Result<(Opened, Contents), StoreError> {
        let locked = file::Locked { path: path.to_owned(), file: Arc::new(file::open(path)?) };
        let (tables, contents) = Tables::open(locked)?;
        Ok((Opened(tables), contents))
    }

    /// What a file holds that can be read and not written. `None` when that cannot be had, or may change meanwhile.
    pub(super) fn read(path: &Path) -> Option<Contents> {
        let file = file::open_to_read(path).ok()?;
        file.try_lock().ok()?;
        Tables::read(&file::Locked { path: path.to_owned(), file: Arc::new(file) }).ok()
    }

    /// Writes what changes from now on. What was noted before counts as changed too.
    pub(super) fn start(Opened(tables): Opened, source: Source, bell: Arc<Bell>) -> std::io::Result<Self> {
        let (tell, progress) = watch::channel(Progress::default());
        let shared = Arc::new(Shared::new(bell));
        let writer = Writer::new(tables, source, Arc::clone(&shared), tell);
        let thread = std::thread::Builder::new().name("moderation store".to_owned()).spawn(move || writer.run())?;
        shared.bell.belongs_to(thread.thread().clone());
        shared.bell.wake();
        Ok(Self { shared, progress })
    }

    /// Waits until all that changed before the call is on the disk, for at most 5 s.
    pub(super) async fn saved(&self) -> Result<(), StoreError> {
        let (wanted, mut progress) = (self.shared.bell.changes(), self.progress.clone());
        let failed = progress.borrow_and_update().attempts;
        self.shared.asked.store(true, Ordering::Release);
        self.shared.bell.wake();
        // An attempt that was under way may have been for less: the next one counts.
        let told = progress
            .wait_for(|now| now.written >= wanted || now.ended || (now.failed_at >= wanted && now.attempts > failed));
        match timeout(PATIENCE, told).await {
            Ok(Ok(now)) if now.written >= wanted => Ok(()),
            Ok(Ok(now)) if !now.ended => Err(StoreError::NotWritten),
            Ok(_) => Err(StoreError::Closed),
            Err(_) => Err(StoreError::Late { waited: PATIENCE }),
        }
    }

    /// Writes what is left and closes the file, within 5 s. A second call waits for the same.
    pub(super) async fn close(&self) -> Result<(), StoreError> {
        self.end();
        let mut progress = self.progress.clone();
        let wanted = self.shared.bell.changes();
        match timeout(PATIENCE, progress.wait_for(|now| now.ended)).await {
            Ok(Ok(now)) if now.written >= wanted => Ok(()),
            Ok(_) => Err(StoreError::NotWritten),
            Err(_) => Err(StoreError::Late { waited: PATIENCE }),
        }
    }

    pub(super) fn figures(&self) -> StoreFigures {
        let behind = self.progress.borrow().written < self.shared.bell.changes();
        let [written, faults] = [&self.shared.written, &self.shared.faults].map(|n| n.load(Ordering::Relaxed));
        StoreFigures { written, faults, behind }
    }

    /// Why the last attempt to write failed; `None` after one that did not.
    pub(super) fn failure(&self) -> Option<Arc<str>> {
        self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn end(&self) {
        self.shared.ending.store(true, Ordering::Release);
        self.shared.bell.wake();
    }
}

/// Whoever does not wait for the end leaves it to the thread that writes.
impl Drop for Store {
    fn drop(&mut self) {
        self.end();
    }
}

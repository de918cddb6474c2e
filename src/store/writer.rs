//! The writer thread.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::changes::ChangeNotifier;
use super::error::TablesError;
use super::table::StoredState;
use super::tables::Tables;

/// The first and the longest wait after a failed write.
const MIN_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(10);
/// The shortest time between two warnings about failed writes.
const WARN_INTERVAL: Duration = Duration::from_mins(1);
/// How long writes are retried on shutdown.
const CLOSE_RETRY_TIME: Duration = Duration::from_secs(4);
/// Ids that may be assigned before the next id is persisted. After a crash they are skipped.
const RESERVED_IDS: u64 = 10_000;

/// State shared by the writer thread and its callers.
#[derive(Debug)]
pub(super) struct StoreShared {
    pub(super) notifier: Arc<ChangeNotifier>,
    pub(super) closing: AtomicBool,
    /// A caller waits for a write, so the backoff is skipped.
    pub(super) flush_requested: AtomicBool,
    pub(super) written: AtomicU64,
    pub(super) errors: AtomicU64,
    /// The error of the last write, if it failed.
    pub(super) failure: Mutex<Option<Arc<str>>>,
}

impl StoreShared {
    pub(super) fn new(notifier: Arc<ChangeNotifier>) -> Self {
        let (written, errors) = (AtomicU64::new(0), AtomicU64::new(0));
        let (closing, flush_requested) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { notifier, closing, flush_requested, written, errors, failure: Mutex::default() }
    }

    fn set_failure(&self, failure: Option<Arc<str>>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }
}

/// The progress of the writer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    /// The number of changes on disk.
    pub(super) written: u64,
    /// The number of changes at the last failed write.
    pub(super) failed_at: u64,
    /// Failed writes.
    pub(super) failures: u64,
    /// Whether the writer has ended.
    pub(super) has_ended: bool,
}

#[derive(Debug)]
pub(super) struct StoreWriter {
    tables: Tables,
    source: StoredState,
    shared: Arc<StoreShared>,
    progress: watch::Sender<Progress>,
    /// After a failed write: the wait, and its end.
    backoff: Option<(Duration, Instant)>,
    last_warning: Option<Instant>,
}

impl StoreWriter {
    pub(super) fn new(
        tables: Tables,
        source: StoredState,
        shared: Arc<StoreShared>,
        progress: watch::Sender<Progress>,
    ) -> Self {
        Self { tables, source, shared, progress, backoff: None, last_warning: None }
    }

    pub(super) fn run(mut self) {
        let (mut is_first, mut closing_since) = (true, None);
        loop {
            let closing = self.shared.closing.load(Ordering::Acquire);
            let changes = self.shared.notifier.change_count();
            let now = Instant::now();
            let wait = self.backoff.map(|(_, until)| until.saturating_duration_since(now)).unwrap_or_default();
            let wait = if closing { wait.min(MIN_BACKOFF) } else { wait };
            if !wait.is_zero() && !self.shared.flush_requested.swap(false, Ordering::AcqRel) {
                thread::park_timeout(wait);
            } else if is_first || closing || changes > self.progress.borrow().written {
                let done = self.write(changes, if closing { 0 } else { RESERVED_IDS });
                is_first &= !done;
                if closing && (done || now.duration_since(*closing_since.get_or_insert(now)) >= CLOSE_RETRY_TIME) {
                    break;
                }
            } else {
                thread::park();
            }
        }
        if let Err(error) = self.tables.close() {
            tracing::warn!(%error, "closing the moderation store failed; it is repaired at the next start");
        }
        self.progress.send_modify(|progress| progress.has_ended = true);
    }

    /// Writes all changes, `changes` of them so far. Returns whether it succeeded.
    fn write(&mut self, changes: u64, ahead: u64) -> bool {
        self.source.0.iter_mut().for_each(|table| table.take_changes());
        match self.tables.write(&self.source, ahead) {
            Ok(()) => {
                if self.backoff.take().is_some() {
                    self.shared.set_failure(None);
                    tracing::info!("writing the moderation store works again");
                }
                self.shared.written.fetch_add(1, Ordering::Relaxed);
                self.progress.send_modify(|progress| progress.written = changes);
                true
            }
            Err(error) => {
                self.source.0.iter_mut().for_each(|table| table.restore_changes());
                self.record_error(&error);
                self.progress.send_modify(|progress| {
                    progress.failed_at = changes;
                    progress.failures += 1;
                });
                false
            }
        }
    }

    fn record_error(&mut self, error: &TablesError) {
        let now = Instant::now();
        let errors = self.shared.errors.fetch_add(1, Ordering::Relaxed) + 1;
        let wait = self.backoff.map_or(MIN_BACKOFF, |(wait, _)| (wait * 2).min(MAX_BACKOFF));
        self.backoff = Some((wait, now + wait));
        self.shared.set_failure(Some(error.to_string().into()));
        if self.last_warning.is_none_or(|last_warning| now.duration_since(last_warning) >= WARN_INTERVAL) {
            self.last_warning = Some(now);
            tracing::warn!(%error, errors, "writing the moderation store failed; retrying; state stays in effect");
        }
    }
}

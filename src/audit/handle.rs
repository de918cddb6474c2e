//! The handle to the audit log.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

use super::key::HashKeys;
use super::log::LogFiles;
use super::queue::{ActReply, QueueEntry, QueuedAct, QueuedDecision, report_unlogged_act};
use super::shared::{AuditShared, ClosedState};
use super::writer::{self, AuditWriter};
use super::{
    ActLogError, AuditError, AuditFailure, AuditStats, CloseError, Config, LogTip, Recording, SnapshotFn, folder,
};
use crate::model::{Act, JudgedMessage, Outcome};

/// Maximum number of decisions in the queue.
pub(super) const MAX_QUEUED_DECISIONS: usize = 8_192;
/// Slots that decisions never use, so that a flood of messages leaves room for acts.
pub(super) const ACT_RESERVE: usize = 256;
/// Maximum size of the decisions in the queue, in bytes.
pub const MAX_QUEUED_BYTES: usize = 64 << 20;
/// How long an act waits for the disk.
pub(super) const ACT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long closing the log may take.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// A handle to the audit log of a running relay.
#[derive(Debug)]
pub struct Audit {
    record: Recording,
    queue: SyncSender<QueueEntry>,
    shared: Arc<AuditShared>,
    writer: Option<Thread>,
    dir: PathBuf,
    closed: watch::Receiver<ClosedState>,
    started: Instant,
}

/// The parts that the writer thread owns.
pub(super) struct WriterParts {
    pub(super) writer: AuditWriter,
    pub(super) queue: Receiver<QueueEntry>,
    pub(super) closed: watch::Sender<ClosedState>,
}

impl Audit {
    /// Opens the log: creates the folder and the key if needed, removes expired files, and begins a new file. Returns
    /// `None` and changes nothing if recording is off.
    ///
    /// `run` is the random id of this run of the relay. `started` is the moment from which
    /// [`SenderContext::since_start`](crate::model::SenderContext::since_start) counts.
    ///
    /// If the first file cannot be written, writing is retried; [`Audit::failure`] returns the error in the meantime.
    ///
    /// # Errors
    /// [`AuditError`] if the folder cannot be created or read, the key cannot be read, or another relay uses the folder.
    pub fn open(
        config: &Config,
        run: Uuid,
        started: Instant,
        snapshot: SnapshotFn,
    ) -> Result<Option<Self>, AuditError> {
        let Some((mut audit, parts)) = Self::open_unstarted(config, run, started, snapshot)? else { return Ok(None) };
        let WriterParts { mut writer, queue, closed } = parts;
        let error = |what| {
            let dir = config.dir.clone().unwrap_or_default();
            move |source| AuditError { dir, what, source }
        };
        writer.write_head();
        let thread = thread::Builder::new().name("audit".to_owned()).spawn(move || writer.run(queue, &closed));
        audit.writer = Some(thread.map_err(error("starting the writer thread failed"))?.thread().clone());
        Ok(Some(audit))
    }

    /// Opens the log without starting its thread.
    pub(super) fn open_unstarted(
        config: &Config,
        run: Uuid,
        started: Instant,
        snapshot: SnapshotFn,
    ) -> Result<Option<(Self, WriterParts)>, AuditError> {
        let (Some(dir), Recording::NotPassed | Recording::All) = (config.dir.clone(), config.record) else {
            return Ok(None);
        };
        let error = |what| {
            let dir = dir.clone();
            move |source| AuditError { dir, what, source }
        };
        folder::create(&dir).map_err(error("the folder cannot be created"))?;
        let lock = File::open(&dir).map_err(error("the folder cannot be read"))?;
        lock.try_lock().map_err(|failure| match failure {
            TryLockError::WouldBlock => error("another relay uses the folder")(failure.into()),
            TryLockError::Error(source) => error("the folder cannot be locked")(source),
        })?;
        let keys = HashKeys::open(&dir, Timestamp::now()).map_err(error("reading its key failed"))?;
        let shared = Arc::new(AuditShared::new(keys));
        // One more, which makes it likely that the close entry fits.
        let (sender, queue) = sync_channel(MAX_QUEUED_DECISIONS + ACT_RESERVE + 1);
        let (closed_sender, closed) = watch::channel(None);
        let log = LogFiles::new(config.clone(), dir.clone(), run, snapshot, Arc::clone(&shared));
        let parts = WriterParts {
            writer: AuditWriter::new(log, lock, Arc::clone(&shared), started),
            queue,
            closed: closed_sender,
        };
        let record = config.record;
        Ok(Some((Self { record, queue: sender, shared, writer: None, dir, closed, started }, parts)))
    }

    /// Records a decision, unless the settings exclude it. Never waits: if the queue is full, the decision is lost and
    /// counted.
    pub fn record(&self, judged: Arc<JudgedMessage>) {
        if self.record == Recording::NotPassed && judged.decision.outcome == Outcome::Pass {
            return;
        }
        let size = estimated_bytes(&judged);
        let shared = &self.shared;
        let queued = shared.queued.fetch_add(1, AcqRel);
        let bytes = shared.queued_bytes.fetch_add(size, AcqRel);
        let entry = QueuedDecision::new(judged, size, shared);
        let fits = queued < MAX_QUEUED_DECISIONS && (bytes == 0 || bytes.saturating_add(size) <= MAX_QUEUED_BYTES);
        let is_sent = if fits && !shared.closing.load(Acquire) {
            self.queue.try_send(QueueEntry::Decision(entry)).is_ok()
        } else {
            drop(entry);
            false
        };
        if !is_sent {
            self.warn_of_loss();
        }
    }

    /// Records an act. The future resolves once the line is on disk.
    ///
    /// # Errors
    /// [`ActLogError`] if the line is not on disk within two seconds, or will never be, and at once while the log cannot be
    /// written. This is counted and logged. The act itself may proceed.
    ///
    /// # Cancel safety
    /// The line is queued when this returns. Dropping the future does not remove it.
    pub fn record_act(&self, act: &Act) -> impl Future<Output = Result<(), ActLogError>> + Send + use<> {
        self.record_act_within(act, ACT_TIMEOUT)
    }

    pub(super) fn record_act_within(
        &self,
        act: &Act,
        timeout: Duration,
    ) -> impl Future<Output = Result<(), ActLogError>> + Send + use<> {
        let shared = Arc::clone(&self.shared);
        let (sender, written) = oneshot::channel();
        self.enqueue(act, ActReply::Awaited(Some(sender)));
        let is_failing = matches!(self.failure(), Some(AuditFailure::Write(_) | AuditFailure::NoSpace { .. }));
        let (timeout, late) =
            if is_failing { (Duration::ZERO, ActLogError::Failing) } else { (timeout, ActLogError::TimedOut) };
        async move {
            let result = match tokio::time::timeout(timeout, written).await {
                Ok(written) => written.unwrap_or(Err(ActLogError::NotWritten)),
                Err(_) => Err(late),
            };
            if let Err(error) = result {
                report_unlogged_act(&shared, error);
            }
            result
        }
    }

    /// Records an act without waiting for the disk. An act that may be missing from the log is counted and logged.
    pub fn record_act_detached(&self, act: &Act) {
        self.enqueue(act, ActReply::Detached(Some(Arc::clone(&self.shared))));
    }

    fn enqueue(&self, act: &Act, reply: ActReply) {
        let act = QueuedAct::new(act, reply, &self.shared);
        if self.shared.closing.load(Acquire) {
            return;
        }
        if let Err(TrySendError::Full(QueueEntry::Act(act))) = self.queue.try_send(QueueEntry::Act(act)) {
            act.fail(ActLogError::Full);
        }
    }

    /// Returns why lines are missing at the moment; `None` if everything is recorded.
    #[must_use]
    pub fn failure(&self) -> Option<AuditFailure> {
        self.shared.failure()
    }

    /// Returns the folder of the log.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns the last line that has reached the disk, with a delay of some seconds; `None` if none has.
    #[must_use]
    pub fn tip(&self) -> Option<LogTip> {
        self.shared.tip()
    }

    /// Returns statistics of the log.
    #[must_use]
    pub fn stats(&self) -> &AuditStats {
        &self.shared.stats
    }

    /// Writes the queue and closes the file; later entries are lost. Waits up to five seconds. May be called again.
    ///
    /// # Errors
    /// [`CloseError`] if lines are missing or may still be written.
    pub async fn close(&self) -> Result<(), CloseError> {
        self.shared.closing.store(true, Release);
        // If the queue is full, the thread is awake and checks `closing`.
        let _full = self.queue.try_send(QueueEntry::Close);
        if let Some(thread) = &self.writer {
            thread.unpark();
        }
        let mut closed = self.closed.clone();
        match tokio::time::timeout(CLOSE_TIMEOUT, closed.wait_for(Option::is_some)).await {
            Ok(Ok(closed)) => closed.unwrap_or(Ok(())),
            Ok(Err(_)) => Err(CloseError::WriterPanicked),
            Err(_) => Err(CloseError::TimedOut),
        }
    }

    /// Warns of lost lines, at most once a minute.
    fn warn_of_loss(&self) {
        let now = self.started.elapsed().as_secs() + 1;
        let warned_at = self.shared.last_warning.load(Relaxed);
        let due = warned_at == 0 || now >= warned_at + writer::WARN_INTERVAL.as_secs();
        if due && self.shared.last_warning.compare_exchange(warned_at, now, Relaxed, Relaxed).is_ok() {
            let lost = self.shared.stats.lost.load(Relaxed);
            tracing::warn!(lost, "audit log: lines lost, because the queue was full or the log was closing");
        }
    }
}

/// Returns the size of a decision in the queue, in bytes. Parts other than texts are estimated.
fn estimated_bytes(judged: &JudgedMessage) -> usize {
    let message = &judged.decision.message;
    let texts = [message.text(), message.avatar(), judged.decision.original.as_deref()];
    let texts: usize = texts.into_iter().flatten().map(str::len).sum();
    1_024 + message.author.len() + texts
}

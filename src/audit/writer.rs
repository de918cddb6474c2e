//! The writer thread.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::watch;

use super::CloseError;
use super::head::LogTime;
use super::log::{LogFiles, REMOVED_FILE_CHECK_INTERVAL};
use super::queue::{ActReply, QueueEntry};
use super::shared::{AuditFailure, AuditShared, ClosedState};

/// Size at which collected lines are written, if not earlier, in bytes.
const CHUNK: usize = 256 << 10;
/// The first wait after a failed write; it doubles with each failure.
const MIN_BACKOFF: Duration = Duration::from_millis(50);
/// The longest wait between attempts.
const MAX_BACKOFF: Duration = Duration::from_secs(5);
/// The longest time for which lines are not on disk.
const SYNC_INTERVAL: Duration = Duration::from_secs(10);
/// The shortest time between two warnings.
pub(super) const WARN_INTERVAL: Duration = Duration::from_mins(1);

/// The log is being closed and cannot be written.
struct WriteAbandoned;

pub(super) struct AuditWriter {
    log: LogFiles,
    /// Locks the folder against other relays.
    _lock: File,
    shared: Arc<AuditShared>,
    /// When the relay started.
    started: Instant,
    /// The replies to acts among the collected lines.
    act_replies: Vec<ActReply>,
    last_warning: Option<Instant>,
    last_sync: Instant,
    /// Why lines are missing.
    failure: Option<AuditFailure>,
}

impl AuditWriter {
    pub(super) fn new(log: LogFiles, lock: File, shared: Arc<AuditShared>, started: Instant) -> Self {
        Self {
            log,
            _lock: lock,
            shared,
            started,
            act_replies: Vec::new(),
            last_warning: None,
            last_sync: started,
            failure: None,
        }
    }

    /// Tries to write the first lines. A failed write is retried by [`AuditWriter::run`].
    pub(super) fn write_head(&mut self) {
        let now = self.now();
        let written = self.log.rotate(now).and_then(|()| self.log.flush(true));
        self.set_failure(written.err().as_ref());
    }

    /// Writes until the log is closed or its handle is dropped.
    pub(super) fn run(mut self, queue: Receiver<QueueEntry>, closed: &watch::Sender<ClosedState>) {
        let written = self.write_all(&queue).and_then(|()| self.close());
        // Dropping the queue counts its entries as lost. Later entries are counted when sending them fails.
        drop(queue);
        let result = written.map_err(|WriteAbandoned| {
            self.shared.add_lost(self.log.collected_lines());
            CloseError::LinesLost { lost: self.shared.stats.lost.load(Relaxed) }
        });
        drop(self);
        closed.send_replace(Some(result));
    }

    fn write_all(&mut self, queue: &Receiver<QueueEntry>) -> Result<(), WriteAbandoned> {
        if self.failure.is_some() {
            self.rotate_and_flush()?;
        }
        loop {
            // An idle thread wakes up for midnight and for a removed file.
            let mut next = queue.recv_timeout(REMOVED_FILE_CHECK_INTERVAL);
            let mut closed = matches!(next, Err(RecvTimeoutError::Disconnected));
            while let Ok(entry) = next {
                match entry {
                    QueueEntry::Close => closed = true,
                    entry => self.add(entry)?,
                }
                if self.log.collected_bytes() >= CHUNK {
                    self.flush()?;
                }
                next = queue.try_recv().map_err(|_| RecvTimeoutError::Timeout);
            }
            self.rotate_and_flush()?;
            if closed || self.shared.closing.load(Acquire) {
                return Ok(());
            }
        }
    }

    fn add(&mut self, entry: QueueEntry) -> Result<(), WriteAbandoned> {
        self.rotate()?;
        let now = self.now();
        match entry {
            QueueEntry::Decision(decision) => self.log.add_decision(&decision.take()),
            QueueEntry::Act(act) => {
                let (act, reply) = act.take();
                // Dropping the reply reports an act that was not added.
                if self.log.add_act(act, now) {
                    self.act_replies.push(reply);
                }
            }
            QueueEntry::Close => {}
        }
        Ok(())
    }

    /// Adds the number of lost lines, and writes the collected ones.
    fn rotate_and_flush(&mut self) -> Result<(), WriteAbandoned> {
        self.rotate()?;
        self.flush()
    }

    fn close(&mut self) -> Result<(), WriteAbandoned> {
        self.retry(LogFiles::close)
    }

    fn rotate(&mut self) -> Result<(), WriteAbandoned> {
        self.retry(|log, now| {
            log.rotate(now)?;
            log.add_losses(now);
            Ok(())
        })
    }

    fn flush(&mut self) -> Result<(), WriteAbandoned> {
        let sync = !self.act_replies.is_empty() || self.last_sync.elapsed() >= SYNC_INTERVAL;
        self.retry(|log, _| log.flush(sync))?;
        if sync {
            self.last_sync = Instant::now();
        }
        self.act_replies.drain(..).for_each(ActReply::confirm);
        Ok(())
    }

    /// Retries an operation with backoff until it succeeds; while the log is being closed, tries once.
    fn retry(
        &mut self,
        mut attempt: impl FnMut(&mut LogFiles, LogTime) -> io::Result<()>,
    ) -> Result<(), WriteAbandoned> {
        let mut wait = MIN_BACKOFF;
        loop {
            let now = self.now();
            let result = attempt(&mut self.log, now);
            self.set_failure(result.as_ref().err());
            let Err(error) = result else { return Ok(()) };
            self.shared.stats.errors.fetch_add(1, Relaxed);
            let is_last = self.shared.closing.load(Acquire);
            self.warn(&error, is_last);
            if is_last {
                return Err(WriteAbandoned);
            }
            thread::park_timeout(wait);
            wait = (wait * 2).min(MAX_BACKOFF);
        }
    }

    /// Sets or clears the reason why lines are missing, after an attempt.
    fn set_failure(&mut self, error: Option<&io::Error>) {
        let failure = match (self.log.shortage(), error) {
            (Some(none @ AuditFailure::NoSpace { .. }), _) => Some(none),
            (_, Some(error)) => Some(AuditFailure::Write(error.to_string().into())),
            (shortage, None) => shortage,
        };
        if self.failure != failure {
            self.failure.clone_from(&failure);
            self.shared.set_failure(failure);
        }
    }

    fn warn(&mut self, error: &io::Error, is_last: bool) {
        let now = Instant::now();
        if is_last || self.last_warning.is_none_or(|last| now.duration_since(last) >= WARN_INTERVAL) {
            self.last_warning = Some(now);
            let next = if is_last { "closing anyway" } else { "retrying" };
            tracing::warn!("audit log: writing failed; {next}: {error}");
        }
    }

    fn now(&self) -> LogTime {
        LogTime::new(Timestamp::now(), self.started.elapsed())
    }
}

//! The thread that writes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::tables::{Batch, Fault, Tables};
use super::{Bell, Settings};
use crate::moderation::{Held, Levels, Sanctions};

/// Waits after a fault: the first one, and the longest.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// How often a fault is told of at most.
const WARN_INTERVAL: Duration = Duration::from_mins(1);
/// For how long it is tried at the end of the program.
const LAST_TRIES: Duration = Duration::from_secs(4);
/// Numbers that may be given before the next one is on the disk. After a crash they are left out.
const NUMBERS_AHEAD: u64 = 10_000;

/// What is written.
#[derive(Debug)]
pub(in crate::moderation) struct Source {
    pub(in crate::moderation) sanctions: Arc<Sanctions>,
    pub(in crate::moderation) held: Arc<Held>,
    pub(in crate::moderation) levels: Arc<Levels>,
    pub(in crate::moderation) settings: Arc<Settings>,
}

impl Source {
    /// What has changed since the last time.
    fn take(&self, ahead: u64) -> Batch {
        let (offences, next_id) = self.sanctions.changed();
        Batch {
            next_id: next_id.saturating_add(ahead),
            offences,
            held: self.held.changed(),
            levels: self.levels.changed(),
            settings: self.settings.changed(),
        }
    }

    /// What was taken could not be written.
    fn give_back(&self, batch: &Batch) {
        self.sanctions.not_written(&batch.offences);
        self.held.not_written(&batch.held);
        if batch.levels.is_some() {
            self.levels.not_written();
        }
        if batch.settings.is_some() {
            self.settings.not_written();
        }
    }
}

/// What the thread shares with those who wait for it.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) bell: Arc<Bell>,
    pub(super) ending: AtomicBool,
    /// Somebody waits, and wants to know now whether it works.
    pub(super) asked: AtomicBool,
    pub(super) written: AtomicU64,
    pub(super) faults: AtomicU64,
    /// Why the last attempt failed.
    pub(super) failure: Mutex<Option<Arc<str>>>,
}

impl Shared {
    pub(super) fn new(bell: Arc<Bell>) -> Self {
        let (written, faults) = (AtomicU64::new(0), AtomicU64::new(0));
        let (ending, asked) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { bell, ending, asked, written, faults, failure: Mutex::default() }
    }

    fn set_failure(&self, failure: Option<Arc<str>>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }
}

/// How far the thread has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    /// So many changes are on the disk.
    pub(super) written: u64,
    /// So many changes there were at the last attempt that failed.
    pub(super) failed_at: u64,
    /// Attempts that failed.
    pub(super) attempts: u64,
    /// It is over.
    pub(super) ended: bool,
}

#[derive(Debug)]
pub(super) struct Writer {
    tables: Tables,
    source: Source,
    shared: Arc<Shared>,
    tell: watch::Sender<Progress>,
    /// After a fault: how long to wait, and until when.
    wait: Option<(Duration, Instant)>,
    warned: Option<Instant>,
}

impl Writer {
    pub(super) fn new(tables: Tables, source: Source, shared: Arc<Shared>, tell: watch::Sender<Progress>) -> Self {
        Self { tables, source, shared, tell, wait: None, warned: None }
    }

    pub(super) fn run(mut self) {
        let (mut first, mut ending_since) = (true, None);
        loop {
            let ending = self.shared.ending.load(Ordering::Acquire);
            let changes = self.shared.bell.changes();
            let now = Instant::now();
            let rest = self.wait.map(|(_, until)| until.saturating_duration_since(now)).unwrap_or_default();
            let rest = if ending { rest.min(FIRST_WAIT) } else { rest };
            if !rest.is_zero() && !self.shared.asked.swap(false, Ordering::AcqRel) {
                thread::park_timeout(rest);
            } else if first || ending || changes > self.tell.borrow().written {
                let done = self.write(changes, if ending { 0 } else { NUMBERS_AHEAD });
                first &= !done;
                if ending && (done || now.duration_since(*ending_since.get_or_insert(now)) >= LAST_TRIES) {
                    break;
                }
            } else {
                thread::park();
            }
        }
        if let Err(fault) = self.tables.close() {
            tracing::warn!(%fault, "the file of moderation could not be closed in order; it is mended at the next start");
        }
        self.tell.send_modify(|progress| progress.ended = true);
    }

    /// Writes what has changed, which is that many changes; `false` after a fault.
    fn write(&mut self, changes: u64, ahead: u64) -> bool {
        let batch = self.source.take(ahead);
        match self.tables.write(&batch) {
            Ok(()) => {
                if self.wait.take().is_some() {
                    self.shared.set_failure(None);
                    tracing::info!("the file of moderation is written again");
                }
                self.shared.written.fetch_add(1, Ordering::Relaxed);
                self.tell.send_modify(|progress| progress.written = changes);
                true
            }
            Err(fault) => {
                self.source.give_back(&batch);
                self.tell_of(&fault);
                self.tell.send_modify(|progress| {
                    progress.failed_at = changes;
                    progress.attempts += 1;
                });
                false
            }
        }
    }

    fn tell_of(&mut self, fault: &Fault) {
        let now = Instant::now();
        let faults = self.shared.faults.fetch_add(1, Ordering::Relaxed) + 1;
        let wait = self.wait.map_or(FIRST_WAIT, |(wait, _)| (wait * 2).min(LONGEST_WAIT));
        self.wait = Some((wait, now + wait));
        self.shared.set_failure(Some(fault.to_string().into()));
        if self.warned.is_none_or(|warned| now.duration_since(warned) >= WARN_INTERVAL) {
            self.warned = Some(now);
            tracing::warn!(%fault, faults, "the file of moderation cannot be written; it is tried again, and all holds");
        }
    }
}

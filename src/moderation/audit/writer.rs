//! The thread that writes the log.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{oneshot, watch};

use super::log::Log;
use super::shared::Shared;
use super::write::Now;
use crate::model::Recorded;
use crate::moderation::Act;

/// Collected lines are written when there are as many, at the latest. Bytes.
const CHUNK: usize = 256 << 10;
/// How often the thread looks around when nothing happens: for midnight, and for its file.
const TICK: Duration = Duration::from_secs(20);
/// The first wait after a write that failed; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How often a fault is told.
pub(super) const TELL: Duration = Duration::from_mins(1);

/// What waits to be written.
#[derive(Debug)]
pub(super) enum Entry {
    /// A decision, and how many bytes it counts as.
    Decision(Arc<Recorded>, usize),
    /// An act, and who waits until it is safe on the disk.
    Act(Box<Act>, oneshot::Sender<()>),
    /// Nothing more comes.
    Close,
}

/// The log is closed and could not be written.
struct GivenUp;

pub(super) struct Writer {
    log: Log,
    /// Keeps another relay out of the folder.
    _lock: File,
    shared: Arc<Shared>,
    /// When the relay started.
    began: Instant,
    /// Acts among the lines that are collected.
    acts: Vec<oneshot::Sender<()>>,
    told: Option<Instant>,
    /// Whether the last attempt failed.
    fails: bool,
}

impl Writer {
    pub(super) fn new(log: Log, lock: File, shared: Arc<Shared>, began: Instant) -> Self {
        Self { log, _lock: lock, shared, began, acts: Vec::new(), told: None, fails: false }
    }

    /// Tries to write the first lines. What fails is tried again by [`Writer::run`].
    pub(super) fn begin(&mut self) {
        let now = self.now();
        let begun = self.log.turn(now).and_then(|()| self.log.flush(true));
        self.note(begun.err().as_ref());
    }

    /// Writes until the log is closed, or all who could write to it are gone.
    pub(super) fn run(mut self, queue: &Receiver<Entry>, done: &watch::Sender<bool>) {
        let whole = self.write_all(queue).and_then(|()| self.end());
        if whole.is_err() {
            let left = queue.try_iter().filter(|entry| !matches!(entry, Entry::Close)).count() as u64;
            let left = left + self.log.collected();
            self.shared.lose(left);
            tracing::error!(left, "audit log: it is closed, and its last lines could not be written");
        }
        done.send_replace(true);
    }

    fn write_all(&mut self, queue: &Receiver<Entry>) -> Result<(), GivenUp> {
        if self.fails {
            self.settle()?;
        }
        loop {
            let mut next = queue.recv_timeout(TICK);
            let idle = matches!(next, Err(RecvTimeoutError::Timeout));
            let mut closed = matches!(next, Err(RecvTimeoutError::Disconnected));
            while let Ok(entry) = next {
                match entry {
                    Entry::Close => closed = true,
                    entry => self.add(entry)?,
                }
                if self.log.waiting() >= CHUNK {
                    self.flush()?;
                }
                next = queue.try_recv().map_err(|_| RecvTimeoutError::Timeout);
            }
            self.settle()?;
            if idle {
                self.log.look();
            }
            if closed || self.shared.closing.load(Acquire) {
                return Ok(());
            }
        }
    }

    fn add(&mut self, entry: Entry) -> Result<(), GivenUp> {
        self.turn()?;
        match entry {
            Entry::Decision(recorded, bytes) => {
                self.log.decision(&recorded);
                self.shared.taken(bytes);
            }
            Entry::Act(act, waits) => {
                // Where it could not even be added, the one who waits hears of that by the loss of its sender.
                if self.log.act(&act) {
                    self.acts.push(waits);
                }
            }
            Entry::Close => {}
        }
        Ok(())
    }

    /// Writes all that is collected, and what was lost.
    fn settle(&mut self) -> Result<(), GivenUp> {
        self.turn()?;
        self.flush()
    }

    fn end(&mut self) -> Result<(), GivenUp> {
        self.patiently(Log::close)
    }

    fn turn(&mut self) -> Result<(), GivenUp> {
        self.patiently(|log, now| {
            log.turn(now)?;
            log.losses(now);
            Ok(())
        })
    }

    fn flush(&mut self) -> Result<(), GivenUp> {
        let safe = !self.acts.is_empty();
        self.patiently(|log, _| log.flush(safe))?;
        for waits in self.acts.drain(..) {
            // Whoever waited may have gone on.
            let _gone_on = waits.send(());
        }
        Ok(())
    }

    /// Tries until it works, ever more rarely. When the log is being closed, once.
    fn patiently(&mut self, mut attempt: impl FnMut(&mut Log, Now) -> io::Result<()>) -> Result<(), GivenUp> {
        let mut wait = FIRST_WAIT;
        loop {
            let now = self.now();
            let attempted = attempt(&mut self.log, now);
            self.note(attempted.as_ref().err());
            let Err(fault) = attempted else { return Ok(()) };
            self.shared.figures.faults.fetch_add(1, Relaxed);
            self.tell(&fault);
            if self.shared.closing.load(Acquire) {
                return Err(GivenUp);
            }
            thread::park_timeout(wait);
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// Keeps why an attempt failed, or that it did not.
    fn note(&mut self, failure: Option<&io::Error>) {
        if self.fails || failure.is_some() {
            self.fails = failure.is_some();
            self.shared.set_failure(failure.map(|failure| failure.to_string().into()));
        }
    }

    fn tell(&mut self, fault: &io::Error) {
        let now = Instant::now();
        if self.told.is_none_or(|told| now.duration_since(told) >= TELL) {
            self.told = Some(now);
            tracing::warn!("audit log: it cannot be written, and is tried again: {fault}");
        }
    }

    fn now(&self) -> Now {
        Now { at: Timestamp::now(), since_start: self.began.elapsed() }
    }
}

//! What the writing thread shares with those who record.

use std::sync::atomic::Ordering::{AcqRel, Relaxed};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, PoisonError};

use super::key::Keys;

/// What became of the lines so far.
#[derive(Debug, Default)]
pub struct Figures {
    /// Lines written.
    pub written: AtomicU64,
    /// Lines that could not be kept.
    pub lost: AtomicU64,
    /// Writes that failed. Each was tried again.
    pub faults: AtomicU64,
    /// Acts that went on without being known to be in the log.
    pub unlogged_acts: AtomicU64,
}

/// What is shared.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) keys: Keys,
    pub(super) figures: Figures,
    /// Lost lines that the log does not tell of yet.
    pub(super) untold: AtomicU64,
    /// Decisions in the queue, and their bytes.
    pub(super) waiting: AtomicUsize,
    pub(super) bytes: AtomicUsize,
    pub(super) closing: AtomicBool,
    /// Seconds since the start at which a loss was told last, plus one.
    pub(super) told: AtomicU64,
    /// Why the last attempt to write failed.
    failure: Mutex<Option<Arc<str>>>,
}

impl Shared {
    pub(super) fn new(keys: Keys) -> Self {
        Self {
            keys,
            figures: Figures::default(),
            untold: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
            told: AtomicU64::new(0),
            failure: Mutex::default(),
        }
    }

    /// Why the last attempt to write failed; `None` after one that did not.
    pub(super) fn failure(&self) -> Option<Arc<str>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_failure(&self, failure: Option<Arc<str>>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    /// So many lines are lost.
    pub(super) fn lose(&self, lines: u64) {
        self.figures.lost.fetch_add(lines, Relaxed);
        self.untold.fetch_add(lines, Relaxed);
    }

    /// A decision of so many bytes left the queue.
    pub(super) fn taken(&self, bytes: usize) {
        self.waiting.fetch_sub(1, AcqRel);
        self.bytes.fetch_sub(bytes, AcqRel);
    }
}

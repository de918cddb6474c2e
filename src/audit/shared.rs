//! State shared by the writer thread and the handle.

use std::sync::atomic::Ordering::{AcqRel, Relaxed};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, PoisonError};

use super::CloseError;
use super::key::HashKeys;
use super::tip::LogTip;

/// The result of closing the log; `None` until it is closed.
pub(super) type ClosedState = Option<Result<(), CloseError>>;

/// Statistics of the log.
#[derive(Debug, Default)]
pub struct AuditStats {
    /// Lines written.
    pub written: AtomicU64,
    /// Lines lost.
    pub lost: AtomicU64,
    /// Failed writes. Each was retried.
    pub errors: AtomicU64,
    /// Acts that proceeded although they may be missing from the log.
    pub unlogged_acts: AtomicU64,
}

/// Why lines are missing at the moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditFailure {
    /// The last write failed.
    #[error("writing the audit log failed; retrying: {0}")]
    Write(Arc<str>),
    /// The files have taken the space for decisions.
    #[error(
        "the files of the audit log have taken nine tenths of audit.max_total_mib = {max_mib}: messages are not recorded, \
         only acts are; move old files away or raise the limit"
    )]
    OnlyActs {
        /// The limit, in MiB.
        max_mib: u32,
    },
    /// The files have taken all space.
    #[error(
        "the files of the audit log have reached audit.max_total_mib = {max_mib}: nothing is recorded; move old files \
         away or raise the limit"
    )]
    NoSpace {
        /// The limit, in MiB.
        max_mib: u32,
    },
}

/// The shared state.
#[derive(Debug)]
pub(super) struct AuditShared {
    pub(super) keys: HashKeys,
    pub(super) stats: AuditStats,
    /// Lost lines that are not noted in the log yet.
    pub(super) unreported_losses: AtomicU64,
    /// Decisions in the queue, and their bytes.
    pub(super) queued: AtomicUsize,
    pub(super) queued_bytes: AtomicUsize,
    pub(super) closing: AtomicBool,
    /// Seconds from the start to the last warning about a loss, plus one.
    pub(super) last_warning: AtomicU64,
    /// The last line that was on disk when the file was last synced.
    tip: Mutex<Option<LogTip>>,
    /// Why lines are missing.
    failure: Mutex<Option<AuditFailure>>,
}

impl AuditShared {
    pub(super) fn new(keys: HashKeys) -> Self {
        Self {
            keys,
            stats: AuditStats::default(),
            unreported_losses: AtomicU64::new(0),
            queued: AtomicUsize::new(0),
            queued_bytes: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
            last_warning: AtomicU64::new(0),
            tip: Mutex::default(),
            failure: Mutex::default(),
        }
    }

    /// Returns why lines are missing; `None` if everything is recorded.
    pub(super) fn failure(&self) -> Option<AuditFailure> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_failure(&self, failure: Option<AuditFailure>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    /// Returns the last line that is known to be on disk; `None` if none is.
    pub(super) fn tip(&self) -> Option<LogTip> {
        *self.tip.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_tip(&self, tip: LogTip) {
        *self.tip.lock().unwrap_or_else(PoisonError::into_inner) = Some(tip);
    }

    /// Counts lost lines.
    pub(super) fn add_lost(&self, lines: u64) {
        self.stats.lost.fetch_add(lines, Relaxed);
        self.unreported_losses.fetch_add(lines, Relaxed);
    }

    /// Counts a decision of `bytes` as removed from the queue.
    pub(super) fn remove_queued(&self, bytes: usize) {
        self.queued.fetch_sub(1, AcqRel);
        self.queued_bytes.fetch_sub(bytes, AcqRel);
    }
}

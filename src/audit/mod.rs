//! The optional audit log: decisions and acts of moderators, as JSON lines in a folder.
//!
//! Recording a decision never waits for the disk ([`Audit::record`]): the queue is bounded, and lost decisions are
//! counted and noted in the log itself. A separate thread writes. Addresses are hashed with a key that is replaced after
//! the retention time; positions and images are never recorded, texts only if configured.
//!
//! The lines of a day form a hash chain ([`check()`]):
//! - It reveals lines that were changed, removed, inserted or moved; files that are missing between others; and days that
//!   end early or are missing between others. A line cut by a crash is distinguished from these, because the next head
//!   records how many bytes of it were found.
//! - The files alone do not reveal that the last lines of the last day or whole oldest days were removed, nor that
//!   somebody with write access rewrote the chain from a changed line on, since it contains no secret. For that purpose
//!   the relay logs the hash of the last line to standard error, hourly and when it closes a file. Keep that log
//!   elsewhere: if a file is valid and still contains that hash, nothing before that line was changed. The moderation
//!   store keeps the [`LogTip`] as well.

mod chain;
mod check;
mod config;
mod expiry;
mod folder;
mod handle;
mod head;
mod key;
mod line;
mod lines;
mod log;
mod open_file;
mod privacy;
mod probe;
mod queue;
mod read;
mod shared;
mod space;
#[cfg(test)]
mod tests;
mod tip;
mod writer;

use std::path::PathBuf;

use crate::model::{ActiveLevel, Sanction};

pub use check::{ChainError, ChainErrorKind, CheckReport, DayReport, check, check_for};
pub use config::{Config, Recording, Texts};
pub use folder::{LogFileName, NotLogFileName};
pub use handle::{Audit, MAX_QUEUED_BYTES};
pub use head::{FileHead, FilePlace, LogTime, LoggedSanction, PreviousDay};
pub use line::{Line, LoggedAct, LoggedDecision, LoggedImage, LoggedKind, LoggedReason, LoggedSender};
pub use probe::probe;
pub use read::{LineError, LineErrorKind, LogLines, read_lines};
pub use shared::{AuditFailure, AuditStats};
pub use tip::{LineHash, LogTip, NotTip, TipError};

/// Sanctions and levels at the beginning of a file, for its head.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StateSnapshot {
    /// The sanctions in force, and ended ones that still count as steps of the ladder.
    pub sanctions: Vec<Sanction>,
    /// The levels in force.
    pub levels: Vec<ActiveLevel>,
}

/// Returns the current state. Called at the beginning of each file, by the writer thread or by the thread that opens the
/// log. It must not wait for [`Audit::record_act`].
pub type SnapshotFn = Box<dyn Fn() -> StateSnapshot + Send>;

/// The audit log cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("{}: the audit log cannot be opened: {what}: {source}", dir.display())]
pub struct AuditError {
    /// The folder of the log.
    pub dir: PathBuf,
    /// The step that failed.
    pub what: &'static str,
    /// The system's error.
    pub source: std::io::Error,
}

/// An act may be missing from the log. The act itself may proceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActLogError {
    /// The queue is full. The act will not be in the log.
    #[error("the queue of the audit log is full")]
    Full,
    /// The log cannot be written at the moment. The act may still reach it.
    #[error("the audit log cannot be written")]
    Failing,
    /// The disk is full or slow. The act may still reach the log.
    #[error("the audit log was not written within {} s", handle::ACT_TIMEOUT.as_secs())]
    TimedOut,
    /// The log is closed or has no space, or the line is too long. The act may not be in the log.
    #[error("the audit log is closed or has no space, or the line is too long")]
    NotWritten,
}

/// The log was not closed completely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseError {
    /// The disk is full or slow. Writing continues in the background.
    #[error("not finished within {} s", handle::CLOSE_TIMEOUT.as_secs())]
    TimedOut,
    /// The last lines could not be written.
    #[error("the last lines could not be written; {lost} lines are lost since the start")]
    LinesLost {
        /// Lines lost since the start, the last ones included.
        lost: u64,
    },
    /// The writer thread has panicked.
    #[error("the writer thread has panicked")]
    WriterPanicked,
}

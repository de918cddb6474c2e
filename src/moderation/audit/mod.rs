//! The audit log: what was decided and what moderators did, as JSON lines in a folder, if the operator wants that.
//!
//! Whoever records never waits for the disk ([`Audit::record`]): the queue is bounded, and what does not fit is counted
//! and said in the log itself. A thread of its own writes. Addresses are hashed with a key that changes as often as the
//! log is forgotten; positions and images are never recorded, texts only when asked for.
//!
//! The lines of a day are a chain of hashes ([`check()`]). What that can show and what it cannot:
//! - A line that was changed, taken out, put in or put elsewhere; a file that is missing between others; a day that ends
//!   earlier than the next one says, or is missing between others. A line that a crash cut is told apart from that,
//!   because the next head says how many bytes it found of it.
//! - Not by the files alone: that the last lines of the last day were taken away, or the oldest days as a whole. And
//!   nothing at all when somebody who can write the folder wrote the chain anew from the changed line on: there is no
//!   secret in it. For that the relay tells its own log (standard error) the hash of the last line, once an hour and
//!   whenever it closes a file. Keep that log elsewhere. When a file is whole and still holds that hash, nothing before
//!   that line was changed.

mod chain;
mod check;
mod config;
mod folder;
mod form;
mod handle;
mod key;
mod lines;
mod log;
mod parse;
mod probe;
mod read;
mod shared;
#[cfg(test)]
mod tests;
mod write;
mod writer;

use std::path::PathBuf;

use serde_json::Value;

use crate::model::Address;

pub use check::{Checked, Day, Fault, Wrong, check};
pub use config::{Config, Recording, Texts};
pub use folder::FileName;
pub use handle::Audit;
pub use probe::probe;
pub use read::{BadLine, BadLineWhy, Head, Line, Lines, LoggedAct, LoggedDecision, LoggedKind, LoggedSender, read};
pub use shared::Figures;

/// How things stand, for the head of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InForce {
    /// The sanctions in force, and those that are over and still count as steps of the ladder, as [`sanction_json`](super::sanction_json) writes them.
    pub sanctions: Vec<Value>,
    /// The levels in force.
    pub levels: Value,
}

/// Tells how things stand. It is called at the beginning of each file, by the thread that writes or by the one that
/// opens the log, and gets what hashes addresses. It must not wait for [`Audit::act`].
pub type InForceNow = Box<dyn Fn(&dyn Fn(Address) -> String) -> InForce + Send>;

/// The log cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("{}: the audit log cannot be opened: {what}: {source}", dir.display())]
pub struct AuditError {
    /// Its folder.
    pub dir: PathBuf,
    /// What could not be done.
    pub what: &'static str,
    /// Why.
    pub source: std::io::Error,
}

/// An act is not known to be in the log. What was to be done may be done all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotWritten {
    /// Too much waits to be written already. It will not be in the log.
    #[error("the audit log has no room: too much waits to be written")]
    Full,
    /// The disk is full or slow. It may still come to be in the log.
    #[error("the audit log could not be written within {} s", handle::ACT_DEADLINE.as_secs())]
    Late,
    /// The log is closed, or the line would be too long. It will not be in the log.
    #[error("the audit log does not take it")]
    Refused,
}

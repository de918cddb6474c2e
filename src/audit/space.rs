//! The space that the files of the log may take, and the share of acts.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::folder;
use super::head::LogTime;
use super::shared::AuditFailure;

/// How often the files are measured again while there is no space, in case some were moved away.
const INTERVAL: Duration = Duration::from_secs(20);

/// The space that the files of the log may take together.
///
/// A tenth of it is kept for acts, so that no flood of messages takes the place of what moderators did.
#[derive(Debug)]
pub(super) struct Space {
    max_mib: u32,
    /// Bytes of the files other than the current one.
    others: u64,
    /// When they were last measured.
    measured: Option<Duration>,
}

/// The lines that may be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SpaceLeft {
    /// Decisions and acts.
    ForAll,
    /// Acts only.
    ForActs,
    /// Nothing.
    None,
}

impl Space {
    pub(super) fn new(max_mib: u32) -> Self {
        Self { max_mib, others: 0, measured: None }
    }

    /// Returns why nothing or only acts are recorded.
    pub(super) fn shortage(&self, left: SpaceLeft) -> Option<AuditFailure> {
        match left {
            SpaceLeft::ForAll => None,
            SpaceLeft::ForActs => Some(AuditFailure::OnlyActs { max_mib: self.max_mib }),
            SpaceLeft::None => Some(self.none_left()),
        }
    }

    /// Returns the failure when there is no space.
    pub(super) fn none_left(&self) -> AuditFailure {
        AuditFailure::NoSpace { max_mib: self.max_mib }
    }

    /// Returns what may be recorded when the current file has `bytes`.
    pub(super) fn left(&self, bytes: u64) -> SpaceLeft {
        let (used, max) = (self.others.saturating_add(bytes), u64::from(self.max_mib) << 20);
        if used >= max {
            SpaceLeft::None
        } else if used >= max / 10 * 9 {
            SpaceLeft::ForActs
        } else {
            SpaceLeft::ForAll
        }
    }

    /// Measures the files of a folder other than the current one, which has `written` bytes on disk.
    pub(super) fn measure(&mut self, dir: &Path, written: u64, now: LogTime) -> io::Result<()> {
        self.measured = Some(now.since_start);
        self.others = folder::total_bytes(dir)?.saturating_sub(written);
        Ok(())
    }

    /// Measures again if there was not space for everything and the last measurement is a while ago.
    pub(super) fn refresh(&mut self, dir: &Path, written: u64, now: LogTime) -> io::Result<()> {
        let is_due = self.measured.is_none_or(|last| now.since_start.saturating_sub(last) >= INTERVAL);
        if is_due && self.left(written) != SpaceLeft::ForAll { self.measure(dir, written, now) } else { Ok(()) }
    }
}

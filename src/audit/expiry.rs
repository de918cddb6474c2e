//! The expiry of the log. A wrong clock must not delete it.

use std::path::Path;
use std::time::Duration;

use jiff::Span;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::folder;
use super::head::LogTime;
use crate::telemetry::ClockWatch;

/// How long the wall clock must not have been set before anything expires, and the shortest time between the removal of
/// two days.
const INTERVAL: Duration = Duration::from_hours(1);

/// Decides when files and the key expire.
#[derive(Debug, Default)]
pub(super) struct Expiry {
    clock: ClockWatch,
    /// When the files of a day were last removed, or could not be.
    last: Option<Duration>,
}

impl Expiry {
    /// Notices a clock that was set. Call it often.
    pub(super) fn read_clock(&mut self, now: LogTime) {
        if let Some(jump) = self.clock.read(now.at, now.since_start) {
            tracing::warn!(seconds = jump.as_secs(), "audit log: the clock has jumped; nothing expires for an hour");
        }
    }

    /// Whether the wall clock has not been set for a while.
    pub(super) fn trusts_clock(&self, now: LogTime) -> bool {
        self.clock.stands_for(now.since_start) >= INTERVAL
    }

    /// Removes the files of the oldest day if they are older than `days`, by the day of the current file and by the
    /// clock; one day an hour at most.
    pub(super) fn remove_expired(&mut self, dir: &Path, day: Date, days: u32, now: LogTime) {
        let is_due = self.last.is_none_or(|last| now.since_start.saturating_sub(last) >= INTERVAL);
        if !is_due || !self.trusts_clock(now) {
            return;
        }
        self.last = Some(now.since_start);
        // A file of the future, from when the clock was wrong, makes no other file older.
        let today = day.min(now.at.to_zoned(TimeZone::UTC).date());
        let Ok(first) = today.checked_sub(Span::new().days(i64::from(days))) else { return };
        match folder::remove_oldest_day(dir, first) {
            Ok(removed) => {
                for name in removed {
                    tracing::info!(file = %name, "audit log: expired file removed");
                }
            }
            Err(error) => tracing::warn!(%error, "audit log: an expired file could not be removed"),
        }
    }
}

//! Writes the files of the log: chain, rotation, and recovery from failed writes. The caller passes the time.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use uuid::Uuid;

use super::chain::{self, Hash};
use super::config::Config;
use super::expiry::Expiry;
use super::folder::{self, Continuation};
use super::head::{FileHead, FilePlace, LogTime, split_sanctions};
use super::line::Line;
use super::lines::MAX_LINE;
use super::open_file::OpenFile;
use super::privacy::Privacy;
use super::shared::{AuditFailure, AuditShared};
use super::space::{Space, SpaceLeft};
use super::tip::{LineHash, LogTip};
use super::{SnapshotFn, StateSnapshot};
use crate::model::{Act, JudgedMessage};

/// How often the relay checks whether the current file was removed.
pub(super) const REMOVED_FILE_CHECK_INTERVAL: Duration = Duration::from_secs(20);
/// How often the tip of the chain is written to the relay's log.
const REPORT_INTERVAL: Duration = Duration::from_hours(1);
/// Maximum size of the buffer that is kept for the next lines, in bytes.
const MAX_SPARE_BUFFER: usize = 1 << 20;

/// The files of the log. Lines are collected, and written by [`LogFiles::flush`].
pub(super) struct LogFiles {
    config: Config,
    dir: PathBuf,
    run: Uuid,
    snapshot: SnapshotFn,
    shared: Arc<AuditShared>,
    /// The current file; `None` at first, and if the next file cannot be created.
    open: Option<OpenFile>,
    /// The tip of the chain: the day, and the hash of its last line, which may not be written yet.
    chain: Option<(Date, Hash)>,
    first_of_run: bool,
    /// Complete lines that are not written yet.
    lines: Vec<u8>,
    /// The number of these lines.
    collected: u64,
    last_report: Duration,
    expiry: Expiry,
    space: Space,
    /// When the current file was last found in the folder.
    last_check: Duration,
}

impl LogFiles {
    /// Creates a log without an open file.
    pub(super) fn new(config: Config, dir: PathBuf, run: Uuid, snapshot: SnapshotFn, shared: Arc<AuditShared>) -> Self {
        Self {
            space: Space::new(config.max_total_mib),
            config,
            dir,
            run,
            snapshot,
            shared,
            open: None,
            chain: None,
            first_of_run: true,
            lines: Vec::new(),
            collected: 0,
            last_report: Duration::ZERO,
            expiry: Expiry::default(),
            last_check: Duration::ZERO,
        }
    }

    /// Returns the bytes that are collected and not written.
    pub(super) fn collected_bytes(&self) -> usize {
        self.lines.len()
    }

    /// Returns the number of lines that are collected and not written.
    pub(super) fn collected_lines(&self) -> u64 {
        self.collected
    }

    /// Ensures that the file of the day is open and has room. Call it before adding a line. After an error, call it again
    /// before anything else; it continues where it failed. Begins no file when all files together have no space left.
    pub(super) fn rotate(&mut self, now: LogTime) -> io::Result<()> {
        self.expiry.read_clock(now);
        self.abandon_removed_file(now);
        let day = self.day(now.at);
        self.expiry.remove_expired(&self.dir, day, self.config.retention_days, now);
        self.space.refresh(&self.dir, self.written_bytes(), now)?;
        let has_space = self.space_left() != SpaceLeft::None;
        let has_expired_key = self.has_expired_key(now);
        if let Some(open) = &self.open {
            let bytes = open.written + self.lines.len() as u64;
            let full = bytes.saturating_sub(open.head_bytes) >= u64::from(self.config.max_file_mib) << 20;
            let is_kept = open.name.day == day && !full && !has_expired_key || !has_space;
            if is_kept && !open.is_ending {
                self.report_hourly(now);
                return Ok(());
            }
            self.close(now)?;
        }
        self.begin_file(day, now)
    }

    /// Returns the bytes of the current file.
    fn written_bytes(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.written)
    }

    /// Returns what the space that is left may be used for.
    fn space_left(&self) -> SpaceLeft {
        self.space.left(self.written_bytes() + self.lines.len() as u64)
    }

    /// Returns why nothing or only acts are recorded.
    pub(super) fn shortage(&self) -> Option<AuditFailure> {
        self.space.shortage(self.space_left())
    }

    /// Returns the day of a time in UTC. A clock that is set back does not reopen a day that is over.
    fn day(&self, at: Timestamp) -> Date {
        let day = at.to_zoned(TimeZone::UTC).date();
        self.chain.map_or(day, |(last, _)| last.max(day))
    }

    /// Adds a decision. It is lost if the space that is left is for acts.
    pub(super) fn add_decision(&mut self, judged: &JudgedMessage) {
        if self.space_left() != SpaceLeft::ForAll {
            self.shared.add_lost(1);
            return;
        }
        let (texts, shared) = (self.config.texts, Arc::clone(&self.shared));
        let privacy = Privacy { texts, keys: &shared.keys };
        self.add_line(|n| Line::Decision(Box::new(privacy.decision(n, judged))));
    }

    /// Adds an act, after the number of lines lost before it. Returns `false` if its line is too long or there is no space.
    pub(super) fn add_act(&mut self, act: Act, now: LogTime) -> bool {
        if self.space_left() == SpaceLeft::None {
            self.shared.add_lost(1);
            return false;
        }
        self.note_losses(now);
        let (texts, shared) = (self.config.texts, Arc::clone(&self.shared));
        let privacy = Privacy { texts, keys: &shared.keys };
        self.add_line(|n| Line::Act(Box::new(privacy.act(n, act))))
    }

    /// Adds the number of lines lost since the last note, if any. Without space for decisions, the next act adds it.
    pub(super) fn add_losses(&mut self, now: LogTime) {
        if self.space_left() == SpaceLeft::ForAll {
            self.note_losses(now);
        }
    }

    fn note_losses(&mut self, now: LogTime) {
        let count = self.shared.unreported_losses.swap(0, Relaxed);
        if count > 0 {
            self.add_line(|n| Line::Lost { n, time: now, count });
        }
    }

    /// Adds a line. A line that is too long is lost.
    fn add_line(&mut self, line: impl FnOnce(u64) -> Line) -> bool {
        let (Some(open), Some((_, last))) = (&mut self.open, &mut self.chain) else {
            self.shared.add_lost(1);
            return false;
        };
        let start = self.lines.len();
        let written = serde_json::to_writer(&mut self.lines, &line(open.count + 1));
        // The hash and its key add 75 bytes.
        if written.is_err() || self.lines.len() - start > MAX_LINE - 100 {
            self.lines.truncate(start);
            self.shared.add_lost(1);
            return false;
        }
        *last = chain::seal(last, &mut self.lines, start);
        open.count += 1;
        self.collected += 1;
        true
    }

    /// Writes the collected lines; with `sync`, also to disk. After an error the lines stay collected, see
    /// [`OpenFile::write`].
    pub(super) fn flush(&mut self, sync: bool) -> io::Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        open.write(&mut self.lines, sync)?;
        self.lines.clear();
        self.lines.shrink_to(MAX_SPARE_BUFFER);
        if let (true, Some((_, hash))) = (sync, self.chain) {
            self.shared.set_tip(LogTip { file: open.name, line: open.count, hash: LineHash(hash) });
        }
        self.shared.stats.written.fetch_add(std::mem::take(&mut self.collected), Relaxed);
        Ok(())
    }

    /// Closes the current file.
    pub(super) fn close(&mut self, now: LogTime) -> io::Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        if !std::mem::replace(&mut open.is_ending, true) {
            self.note_losses(now);
            self.add_line(|n| Line::End { n, time: now });
        }
        self.flush(true)?;
        self.report_tip("audit log: file closed");
        self.open = None;
        Ok(())
    }

    /// Begins the next file of a day.
    fn begin_file(&mut self, day: Date, now: LogTime) -> io::Result<()> {
        folder::create(&self.dir)?;
        self.space.measure(&self.dir, 0, now)?;
        if self.space_left() == SpaceLeft::None {
            return Err(io::Error::new(io::ErrorKind::StorageFull, self.space.none_left()));
        }
        let names = folder::list(&self.dir)?;
        let Continuation { before, day_before, cut } = Continuation::find(&self.dir, &names, self.chain, day)?;
        if self.has_expired_key(now) {
            // Hashes of older files cannot be linked to those of this one.
            self.shared.keys.renew(&self.dir, now.at, self.config.retention_days)?;
        }
        let (name, file) = folder::create_file(&self.dir, &names, day)?;
        self.open = Some(OpenFile::new(file, name)?);
        self.chain = Some((day, before));
        self.add_head(FilePlace { day, file: name.number, before, day_before, cut }, now);
        Ok(())
    }

    fn has_expired_key(&self, now: LogTime) -> bool {
        self.expiry.trusts_clock(now) && self.shared.keys.is_expired(now.at, self.config.retention_days)
    }

    /// Adds the head of a file, and continuation lines for the sanctions that do not fit into it.
    fn add_head(&mut self, place: FilePlace, now: LogTime) {
        let shared = Arc::clone(&self.shared);
        let privacy = Privacy { texts: self.config.texts, keys: &shared.keys };
        let StateSnapshot { sanctions, levels } = (self.snapshot)();
        let mut lines = split_sanctions(sanctions.into_iter().map(|sanction| privacy.sanction(sanction))).into_iter();
        let head = FileHead {
            n: 1,
            time: now,
            version: env!("CARGO_PKG_VERSION").into(),
            run: self.run,
            place,
            key_since: shared.keys.since(),
            record: self.config.record,
            texts: self.config.texts,
            levels,
            sanctions: lines.next().unwrap_or_default(),
            more: lines.len(),
        };
        let first_of_run = std::mem::take(&mut self.first_of_run);
        self.add_line(|_| if first_of_run { Line::Start(Box::new(head)) } else { Line::State(Box::new(head)) });
        for sanctions in lines {
            self.add_line(|n| Line::More { n, sanctions });
        }
        if let Some(open) = &mut self.open {
            open.head_bytes = self.lines.len() as u64;
        }
    }

    fn report_hourly(&mut self, now: LogTime) {
        if now.since_start.saturating_sub(self.last_report) >= REPORT_INTERVAL {
            self.last_report = now.since_start;
            self.report_tip("audit log: tip of the hash chain");
        }
    }

    /// Writes the tip of the chain to the relay's log, by which the file can be verified later.
    fn report_tip(&self, message: &'static str) {
        if let (Some(open), Some((_, hash))) = (&self.open, &self.chain) {
            tracing::info!(file = %open.name, line = open.count, hash = chain::hex(hash), "{message}");
        }
    }

    /// Abandons the current file if it was removed from the folder. Checks this from time to time, once all lines are
    /// written.
    fn abandon_removed_file(&mut self, now: LogTime) {
        let Some(open) = &self.open else { return };
        let is_due = now.since_start.saturating_sub(self.last_check) >= REMOVED_FILE_CHECK_INTERVAL;
        if !is_due || !self.lines.is_empty() {
            return;
        }
        self.last_check = now.since_start;
        let path = self.dir.join(open.name.to_string());
        if !open.is_at(&path) {
            tracing::warn!(path = %path.display(), "audit log: file removed by another program; starting a new one");
            self.open = None;
        }
    }
}

//! The files being written: chain, rotation, and what becomes of a write that fails. Time is passed in.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde_json::Value;
use uuid::Uuid;

use super::chain::{self, Hash};
use super::folder::{self, FileName, Standing};
use super::lines::MAX_LINE;
use super::shared::Shared;
use super::write::{self, HeadFacts, Now};
use super::{Config, InForce, InForceNow};
use crate::model::{Address, Recorded};
use crate::moderation::Act;

/// How often the place where the chain stands is told to the relay's log.
const TELL: Duration = Duration::from_hours(1);
/// What a buffer may keep for the next lines. Bytes.
const KEPT: usize = 1 << 20;
/// Names that are tried for a new file.
const TRIES: u64 = 100;

/// The log. Lines are collected, and written by [`Log::flush`].
pub(super) struct Log {
    config: Config,
    dir: PathBuf,
    run: Uuid,
    in_force: InForceNow,
    shared: Arc<Shared>,
    /// The file under way; none at first, and when one is closed and the next one cannot be made.
    open: Option<Open>,
    /// Where the chain stands: the day, and the hash of its last line. Collected lines count.
    chain: Option<(Date, Hash)>,
    first_of_run: bool,
    /// Whole lines, not written yet.
    lines: Vec<u8>,
    /// How many these are.
    collected: u64,
    told: Duration,
}

struct Open {
    file: File,
    name: FileName,
    inode: u64,
    /// Bytes written, all of whole lines.
    written: u64,
    /// Bytes of the head and the lines that belong to it.
    head: u64,
    /// Lines so far. Collected ones count.
    count: u64,
    /// Whether its last line is among the collected ones.
    ending: bool,
}

impl Log {
    /// A log that has written nothing yet.
    pub(super) fn new(config: Config, dir: PathBuf, run: Uuid, in_force: InForceNow, shared: Arc<Shared>) -> Self {
        Self {
            config,
            dir,
            run,
            in_force,
            shared,
            open: None,
            chain: None,
            first_of_run: true,
            lines: Vec::new(),
            collected: 0,
            told: Duration::ZERO,
        }
    }

    /// Bytes that are collected and not written.
    pub(super) fn waiting(&self) -> usize {
        self.lines.len()
    }

    /// Lines that are collected and not written.
    pub(super) fn collected(&self) -> u64 {
        self.collected
    }

    /// Sees to it that the file of the day is open and has room. To be called before each line; when it fails, again
    /// before anything else, which goes on from where it failed.
    pub(super) fn turn(&mut self, now: Now) -> io::Result<()> {
        let day = self.day(now.at);
        if let Some(open) = &self.open {
            let bytes = open.written + self.lines.len() as u64;
            let full = bytes.saturating_sub(open.head) >= u64::from(self.config.max_file_mib) << 20;
            if open.name.day == day && !full && !open.ending {
                self.tell_hourly(now);
                return Ok(());
            }
            self.close(now)?;
        }
        self.begin(day, now)
    }

    /// The day of a time in UTC; a clock that is set back does not bring back a day that is over.
    fn day(&self, at: Timestamp) -> Date {
        let day = at.to_zoned(TimeZone::UTC).date();
        self.chain.map_or(day, |(last, _)| last.max(day))
    }

    /// Adds a decision.
    pub(super) fn decision(&mut self, recorded: &Recorded) {
        let (texts, shared) = (self.config.texts, Arc::clone(&self.shared));
        self.push(|out, n| write::decision(out, n, recorded, texts, &|address| shared.keys.hash(address)));
    }

    /// Adds an act. `false` when its line would be too long.
    pub(super) fn act(&mut self, act: &Act) -> bool {
        let (texts, shared) = (self.config.texts, Arc::clone(&self.shared));
        self.push(|out, n| write::act(out, n, act, texts, &|address| shared.keys.hash(address)))
    }

    /// Adds how many lines were lost since it was last said, if any were.
    pub(super) fn losses(&mut self, now: Now) {
        let count = self.shared.untold.swap(0, Relaxed);
        if count > 0 {
            self.push(|out, n| write::lost(out, n, now, count));
        }
    }

    /// Adds a line; one that would be too long is lost.
    fn push(&mut self, line: impl FnOnce(&mut Vec<u8>, u64) -> serde_json::Result<()>) -> bool {
        let (Some(open), Some((_, last))) = (&mut self.open, &mut self.chain) else {
            self.shared.lose(1);
            return false;
        };
        let start = self.lines.len();
        let written = line(&mut self.lines, open.count + 1);
        // A hash and its name take another 75.
        if written.is_err() || self.lines.len() - start > MAX_LINE - 100 {
            self.lines.truncate(start);
            self.shared.lose(1);
            return false;
        }
        *last = chain::seal(last, &mut self.lines, start);
        open.count += 1;
        self.collected += 1;
        true
    }

    /// Writes what is collected. When `safe`, it is also on the disk afterwards. When it fails, the file ends with a
    /// whole line, and what is collected stays so. Only where not even that can be undone it goes on within a line.
    pub(super) fn flush(&mut self, safe: bool) -> io::Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let mut done = 0;
        while let Some(rest) = self.lines.get(done..).filter(|rest| !rest.is_empty()) {
            match open.file.write(rest) {
                Ok(0) => return Err(undone(open, &mut self.lines, done, io::ErrorKind::WriteZero.into())),
                Ok(bytes) => done += bytes,
                Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
                Err(fault) => return Err(undone(open, &mut self.lines, done, fault)),
            }
        }
        open.written += self.lines.len() as u64;
        self.lines.clear();
        self.lines.shrink_to(KEPT);
        self.shared.figures.written.fetch_add(std::mem::take(&mut self.collected), Relaxed);
        if safe { open.file.sync_data() } else { Ok(()) }
    }

    /// Ends the file under way.
    pub(super) fn close(&mut self, now: Now) -> io::Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        if !std::mem::replace(&mut open.ending, true) {
            self.push(|out, n| write::end(out, n, now));
        }
        self.flush(true)?;
        self.tell("audit log: a file is closed");
        self.open = None;
        Ok(())
    }

    /// Begins the next file of a day.
    fn begin(&mut self, day: Date, now: Now) -> io::Result<()> {
        folder::make(&self.dir)?;
        let names = folder::list(&self.dir)?;
        let of = |day: Date| -> Vec<FileName> { names.iter().filter(|name| name.day == day).copied().collect() };
        let new_day = self.chain.is_none_or(|(last, _)| last != day);
        let (mut before, mut cut) = (chain::seed(day), Vec::new());
        let mut day_before = None;
        match self.chain {
            Some((last, hash)) if last == day => before = hash,
            Some(last) => day_before = Some(last),
            None => match Standing::before(&self.dir, &names, day)? {
                Some((last, standing)) if last == day => Standing { hash: before, cut } = standing,
                Some((last, standing)) => {
                    day_before = Some((last, standing.hash));
                    cut = standing.cut;
                }
                None => {}
            },
        }
        if new_day {
            self.forget(day, now)?;
        }
        let next = of(day).last().map_or(1, |name| name.number + 1);
        let (name, file) = self.create(day, next)?;
        let inode = file.metadata()?.ino();
        self.open = Some(Open { file, name, inode, written: 0, head: 0, count: 0, ending: false });
        self.chain = Some((day, before));
        self.head(name, before, day_before, &cut, now);
        Ok(())
    }

    /// Removes what is too old: files, and the key.
    fn forget(&self, today: Date, now: Now) -> io::Result<()> {
        let days = self.config.retention_days;
        if let Ok(first) = today.checked_sub(Span::new().days(i64::from(days))) {
            for name in folder::remove_before(&self.dir, first)? {
                tracing::info!(file = %name, "audit log: a file is removed, its time is over");
            }
        }
        self.shared.keys.renew(&self.dir, now.at, days)
    }

    /// Makes a file that was not there, under the first free number.
    fn create(&self, day: Date, first: u64) -> io::Result<(FileName, File)> {
        for number in first..first + TRIES {
            let name = FileName { day, number };
            let mut options = OpenOptions::new();
            options.append(true).create_new(true).mode(0o600);
            match options.open(self.dir.join(name.to_string())) {
                Err(taken) if taken.kind() == io::ErrorKind::AlreadyExists => {}
                made => return made.map(|file| (name, file)),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    fn head(&mut self, name: FileName, before: Hash, day_before: Option<(Date, Hash)>, cut: &[(u64, u64)], now: Now) {
        let shared = Arc::clone(&self.shared);
        let InForce { sanctions, levels } = (self.in_force)(&|address: Address| shared.keys.hash(address));
        let mut sanctions = write::in_lines(sanctions, self.config.texts);
        let first: Vec<Value> = if sanctions.is_empty() { Vec::new() } else { sanctions.remove(0) };
        let config = self.config.clone();
        let (first_of_run, run, key_since) = (self.first_of_run, self.run, shared.keys.since());
        let facts = HeadFacts { first_of_run, run, name, before, day_before, cut, key_since, config: &config, levels };
        self.push(|out, _| write::head(out, now, facts, &first, sanctions.len()));
        for line in &sanctions {
            self.push(|out, n| write::more(out, n, line));
        }
        self.first_of_run = false;
        if let Some(open) = &mut self.open {
            open.head = self.lines.len() as u64;
        }
    }

    fn tell_hourly(&mut self, now: Now) {
        if now.since_start.saturating_sub(self.told) >= TELL {
            self.told = now.since_start;
            self.tell("audit log: the chain stands here");
        }
    }

    /// Tells the relay's log where the chain stands: whoever keeps that can tell later whether the file is the same.
    fn tell(&self, what: &'static str) {
        if let (Some(open), Some((_, hash))) = (&self.open, &self.chain) {
            tracing::info!(file = %open.name, line = open.count, hash = chain::hex(hash), "{what}");
        }
    }

    /// Gives up a file that is no longer in the folder: what is written to it would be lost. The next [`Log::turn`]
    /// begins another one.
    pub(super) fn look(&mut self) {
        let Some(open) = &self.open else { return };
        let path = self.dir.join(open.name.to_string());
        let there = fs::metadata(&path).is_ok_and(|metadata| metadata.ino() == open.inode);
        if !there && self.lines.is_empty() {
            tracing::warn!(path = %path.display(), "audit log: the file was taken away; another one is begun");
            self.open = None;
        }
    }
}

/// Takes back a line of which only a part could be written.
fn undone(open: &mut Open, lines: &mut Vec<u8>, done: usize, fault: io::Error) -> io::Error {
    if done > 0 && open.file.set_len(open.written).is_err() {
        lines.drain(..done.min(lines.len()));
        open.written += done as u64;
    }
    fault
}

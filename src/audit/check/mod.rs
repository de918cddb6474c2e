//! Verifies the hash chain of a log.

mod day;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use jiff::civil::Date;

use self::day::DayCheck;
use super::chain::{self, Hash};
use super::folder::{self, LogFileName};
use super::head::PreviousDay;
use super::tip::LineHash;

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckReport {
    /// The results by day.
    pub days: Vec<DayReport>,
    /// The valid line that has the expected hash.
    pub found: Option<(LogFileName, u64)>,
}

impl CheckReport {
    /// Returns whether there is a log and no error was found.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        !self.days.is_empty() && self.days.iter().all(|day| day.error.is_none())
    }
}

/// The result for one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayReport {
    /// The day, in UTC.
    pub day: Date,
    /// The number of files.
    pub files: usize,
    /// The number of valid lines. Lines after the first error of a file are not checked.
    pub lines: u64,
    /// The number of lost lines that the log notes.
    pub lost: u64,
    /// The hash of the last valid line: 64 hexadecimal digits.
    pub head: String,
    /// Whether the last file was closed properly. Otherwise the relay is still writing it, was killed, or lines at its end
    /// are missing.
    pub closed: bool,
    /// The first error.
    pub error: Option<ChainError>,
    /// Remarks that are not errors.
    pub notes: Vec<String>,
}

/// An error in the chain, with its position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {kind}")]
pub struct ChainError {
    /// The name of the file.
    pub file: String,
    /// The line, counted from 1.
    pub line: u64,
    /// The kind of error.
    pub kind: ChainErrorKind,
}

/// A kind of error in the chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainErrorKind {
    /// A byte of the line differs.
    #[error("changed: the line was modified")]
    Changed,
    /// Lines are missing.
    #[error("missing: {0} lines before this one")]
    MissingLines(u64),
    /// The file ends too early: the next file continues from a line that is missing.
    #[error("missing: the last lines of the file, or they were replaced")]
    MissingEnd,
    /// A file is missing.
    #[error("missing: file {0} of the day")]
    MissingFile(u64),
    /// A day is missing.
    #[error("missing: the previous day {0}")]
    MissingDay(Date),
    /// An earlier day did not exist when this one began.
    #[error("wrong order: {0} did not exist when this day began")]
    UnknownDay(Date),
    /// The line was moved.
    #[error("wrong order: the line was moved")]
    Order,
    /// The file does not match its name.
    #[error("wrong order: the file is number {number} of {day}")]
    OtherFile {
        /// The day of the file.
        day: Date,
        /// The number of the file.
        number: u64,
    },
    /// The file ends within a line, and no later file notes that.
    #[error("cut: the file ends within a line (the relay was killed or is still writing, or the file was truncated)")]
    Cut,
    /// The file is empty, and no later file notes that.
    #[error("cut: the file is empty")]
    Empty,
    /// The line is not one of a log.
    #[error("not JSON: not a line of an audit log")]
    NotJson,
    /// The line is longer than 1 MiB.
    #[error("not JSON: the line is too long")]
    TooLong,
}

/// Checks the log files of a folder, or one file. Other files of the folder are ignored. Reads line by line.
///
/// # Errors
/// If a file cannot be read, or a single file does not have the name of a log file.
pub fn check(path: &Path) -> io::Result<CheckReport> {
    check_for(path, None)
}

/// Checks a log like [`check`], and searches its valid lines for the one with a hash that is known from elsewhere.
///
/// # Errors
/// As [`check`].
pub fn check_for(path: &Path, head: Option<LineHash>) -> io::Result<CheckReport> {
    let head = head.map(|LineHash(hash)| hash);
    if path.metadata()?.is_dir() {
        return check_folder(path, head);
    }
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name: LogFileName = name.parse().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let mut check = DayCheck::for_single_file(name).searching(head);
    check.check_file(name, BufReader::new(File::open(path)?))?;
    Ok(report(vec![check]))
}

fn report(days: Vec<DayCheck>) -> CheckReport {
    let found = days.iter().find_map(DayCheck::found);
    CheckReport { days: days.into_iter().map(DayCheck::into_report).collect(), found }
}

fn check_folder(dir: &Path, head: Option<Hash>) -> io::Result<CheckReport> {
    let mut files: BTreeMap<Date, Vec<LogFileName>> = BTreeMap::new();
    for name in folder::list(dir)? {
        files.entry(name.day).or_default().push(name);
    }
    let mut days: Vec<DayCheck> = Vec::new();
    for (day, files) in files {
        let mut check = DayCheck::new(day).searching(head);
        for name in files {
            check.check_file(name, BufReader::with_capacity(1 << 16, File::open(dir.join(name.to_string()))?))?;
        }
        check_link(&mut days, &mut check);
        days.push(check);
    }
    Ok(report(days))
}

/// Compares the previous day that a day names with the one that exists.
fn check_link(earlier: &mut [DayCheck], check: &mut DayCheck) {
    let Some(head) = check.first_head() else { return };
    let first = LogFileName { day: check.date(), number: 1 };
    let (last, named) = (earlier.last().map(DayCheck::date), head.day_before);
    match (last, named) {
        (None, None) => {}
        (None, Some(PreviousDay { day, .. })) => check.add_note(format!("continues from {day}, which was removed")),
        (Some(last), None) => check.set_error(first, 1, ChainErrorKind::UnknownDay(last)),
        (Some(last), Some(PreviousDay { day, .. })) if last < day => {
            check.set_error(first, 1, ChainErrorKind::MissingDay(day));
        }
        (Some(last), Some(PreviousDay { day, .. })) if last > day => {
            check.set_error(first, 1, ChainErrorKind::UnknownDay(last));
        }
        (Some(_), Some(PreviousDay { hash, .. })) => {
            if let Some(last) = earlier.last_mut() {
                last.check_next_day(&hash, &head.cut);
            }
        }
    }
}

impl DayCheck {
    fn into_report(self) -> DayReport {
        let tip = chain::hex(self.tip());
        self.finish(tip)
    }
}

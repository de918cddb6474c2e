//! Whether the files of a log are as the relay wrote them, as far as they can tell.

mod walk;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use jiff::civil::Date;

use self::walk::{DayBefore, Walk};
use super::chain;
use super::folder::{self, FileName};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Day by day.
    pub days: Vec<Day>,
}

impl Checked {
    /// Whether there is anything, and nothing wrong with it.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        !self.days.is_empty() && self.days.iter().all(|day| day.fault.is_none())
    }
}

/// What was found of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// The day, in UTC.
    pub day: Date,
    /// How many files there are.
    pub files: usize,
    /// How many lines are whole and in their place; those behind the first fault of a file are not looked at.
    pub lines: u64,
    /// How many lines the relay could not keep, as the log says.
    pub lost: u64,
    /// The hash of the last line that is whole and in its place: 64 digits.
    pub head: String,
    /// Whether the last file was closed in good order. Otherwise the relay still writes it, or was stopped hard, or lines
    /// at its end are missing.
    pub closed: bool,
    /// The first thing that is wrong.
    pub fault: Option<Fault>,
    /// What should be known and is no fault.
    pub notes: Vec<String>,
}

/// Something that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {what}")]
pub struct Fault {
    /// The name of the file.
    pub file: String,
    /// The line, from 1 on.
    pub line: u64,
    /// What.
    pub what: Wrong,
}

/// What may be wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// Another byte stands somewhere in the line.
    #[error("changed: the line is not as it was written")]
    Changed,
    /// Lines are not there.
    #[error("missing: {0} lines before this one are not there")]
    MissingLines(u64),
    /// The file ends too early: what comes next goes on from a line that is not there.
    #[error("missing: the last lines of the file are not there, or others stand there")]
    MissingEnd,
    /// A file is not there.
    #[error("missing: file {0} of the day is not there")]
    MissingFile(u64),
    /// A day is not there.
    #[error("missing: the day before was {0}, and is not there")]
    MissingDay(Date),
    /// A day before this one was not there when this one began.
    #[error("wrong order: {0} was not there when this day began")]
    UnknownDay(Date),
    /// The line stands elsewhere than it was written.
    #[error("wrong order: the line stands elsewhere than it was written")]
    Order,
    /// The file is another one than its name says.
    #[error("wrong order: the file is number {number} of {day}")]
    OtherFile {
        /// The day that it is of.
        day: String,
        /// Its number.
        number: u64,
    },
    /// The file ends within a line, and no later file knows of that.
    #[error(
        "cut: the file ends within a line (the relay was stopped hard or still writes it, or somebody cut the file)"
    )]
    Cut,
    /// There is not one line, and no later file knows of that.
    #[error("cut: the file is empty")]
    Empty,
    /// It is no line of a log.
    #[error("not JSON: the line is none of an audit log")]
    NotJson,
    /// The line is longer than 1 MiB.
    #[error("not JSON: the line is longer than the relay writes them")]
    TooLong,
}

/// Checks the files of a folder, or one file. Other files of the folder are not looked at. Reads line by line.
///
/// # Errors
/// When a file cannot be read, or a single one is not named as the relay names them.
pub fn check(path: &Path) -> io::Result<Checked> {
    if path.metadata()?.is_dir() {
        return folder(path);
    }
    let name = path.file_name().and_then(|name| name.to_str()).and_then(FileName::parse);
    let Some(name) = name else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is no name of a file of an audit log"));
    };
    let mut walk = Walk::of_one_file(name);
    walk.file(name, BufReader::new(File::open(path)?))?;
    Ok(Checked { days: vec![walk.day()] })
}

fn folder(dir: &Path) -> io::Result<Checked> {
    let mut files: BTreeMap<Date, Vec<FileName>> = BTreeMap::new();
    for name in folder::list(dir)? {
        files.entry(name.day).or_default().push(name);
    }
    let mut days: Vec<Walk> = Vec::new();
    for (day, files) in files {
        let mut walk = Walk::new(day);
        for name in files {
            walk.file(name, BufReader::with_capacity(1 << 16, File::open(dir.join(name.to_string()))?))?;
        }
        link(&mut days, &mut walk);
        days.push(walk);
    }
    Ok(Checked { days: days.into_iter().map(Walk::day).collect() })
}

/// Holds what a day says of the day before it against what is there.
fn link(earlier: &mut [Walk], walk: &mut Walk) {
    let Some(head) = walk.first_head() else { return };
    let first = FileName { day: walk.date(), number: 1 };
    let (last, said) = (earlier.last().map(Walk::date), head.day_before);
    match (last, said) {
        (None, None) => {}
        (None, Some(DayBefore { day, .. })) => walk.note(format!("goes on from {day}, which is not there any more")),
        (Some(last), None) => walk.fault(first, 1, Wrong::UnknownDay(last)),
        (Some(last), Some(DayBefore { day, .. })) if last < day => walk.fault(first, 1, Wrong::MissingDay(day)),
        (Some(last), Some(DayBefore { day, .. })) if last > day => walk.fault(first, 1, Wrong::UnknownDay(last)),
        (Some(_), Some(DayBefore { hash, .. })) => {
            if let Some(last) = earlier.last_mut() {
                last.followed_by(&hash, &head.cut);
            }
        }
    }
}

impl Walk {
    fn day(self) -> Day {
        let head = chain::hex(self.head());
        self.into_day(head)
    }
}

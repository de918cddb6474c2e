//! The files of the log, and the tip of their chain.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::str::FromStr;

use jiff::civil::Date;

use super::chain::{self, Hash};
use super::head::PreviousDay;
use super::lines::{RawLine, RawLines};

/// Maximum number of names that are tried for a new file.
const MAX_NAME_TRIES: u64 = 100;

/// The name of a log file: its day, and its number within the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogFileName {
    /// The day, in UTC.
    pub day: Date,
    /// The number, counted from 1.
    pub number: u64,
}

/// A text is not the name of a log file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of an audit log file")]
pub struct NotLogFileName;

impl FromStr for LogFileName {
    type Err = NotLogFileName;

    fn from_str(name: &str) -> Result<Self, NotLogFileName> {
        let parse = || {
            let stem = name.strip_prefix("audit-")?.strip_suffix(".jsonl")?;
            let (day, number) = match stem.split_once('.') {
                Some((day, number)) => (day, number.parse().ok()?),
                None => (stem, 1),
            };
            Some(Self { day: day.parse().ok()?, number })
        };
        parse().filter(|parsed| parsed.number > 0 && parsed.to_string() == name).ok_or(NotLogFileName)
    }
}

impl fmt::Display for LogFileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            1 => write!(f, "audit-{}.jsonl", self.day),
            number => write!(f, "audit-{}.{number}.jsonl", self.day),
        }
    }
}

/// Creates the folder, accessible to its owner only, unless it exists.
pub(super) fn create(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Creates the next file of a day, under the first free number after those in `names`.
pub(super) fn create_file(dir: &Path, names: &[LogFileName], day: Date) -> io::Result<(LogFileName, File)> {
    let first = names.iter().filter(|name| name.day == day).map(|name| name.number + 1).max().unwrap_or(1);
    for number in first..first + MAX_NAME_TRIES {
        let name = LogFileName { day, number };
        let mut options = OpenOptions::new();
        options.append(true).create_new(true).mode(0o600);
        match options.open(dir.join(name.to_string())) {
            Err(taken) if taken.kind() == io::ErrorKind::AlreadyExists => {}
            created => return created.map(|file| (name, file)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Returns the log files of a folder, by day and number.
pub(super) fn list(dir: &Path) -> io::Result<Vec<LogFileName>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        names.extend(entry?.file_name().to_str().and_then(|name| name.parse::<LogFileName>().ok()));
    }
    names.sort_unstable();
    Ok(names)
}

/// Returns the bytes of the log files of a folder, which may be missing.
pub(super) fn total_bytes(dir: &Path) -> io::Result<u64> {
    let names = match list(dir) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(0),
        names => names?,
    };
    let mut bytes = 0;
    for name in names {
        match fs::metadata(dir.join(name.to_string())) {
            Ok(metadata) => bytes += metadata.len(),
            Err(gone) if gone.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}

/// Removes the files of the oldest day if it is before `first`, and returns their names.
pub(super) fn remove_oldest_day(dir: &Path, first: Date) -> io::Result<Vec<LogFileName>> {
    let mut old = list(dir)?;
    let oldest = old.first().map(|name| name.day);
    old.retain(|name| Some(name.day) == oldest && name.day < first);
    for name in &old {
        fs::remove_file(dir.join(name.to_string()))?;
    }
    Ok(old)
}

/// The end of the chain in the files of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChainTip {
    /// The hash from which the next file continues.
    pub(super) hash: Hash,
    /// Files that end within a line or are empty: their numbers, and the bytes after their last complete line.
    pub(super) cut: Vec<(u64, u64)>,
}

impl ChainTip {
    /// Returns the tip from which the next file of `day` continues, and its day: the same day or the latest one before it.
    /// `None` without such files.
    pub(super) fn of_latest_day(dir: &Path, names: &[LogFileName], day: Date) -> io::Result<Option<(Date, Self)>> {
        let Some(last) = names.iter().map(|name| name.day).filter(|other| *other <= day).max() else { return Ok(None) };
        let of_day: Vec<LogFileName> = names.iter().filter(|name| name.day == last).copied().collect();
        Ok(Self::from_files(dir, &of_day)?.map(|tip| (last, tip)))
    }

    /// Reads the tip of the files of one day, given in order. `None` without files.
    pub(super) fn from_files(dir: &Path, files: &[LogFileName]) -> io::Result<Option<Self>> {
        let Some(first) = files.first() else { return Ok(None) };
        let mut cut = Vec::new();
        for name in files.iter().rev() {
            let (last, rest) = last_hash(&dir.join(name.to_string()))?;
            if rest > 0 || last.is_none() {
                cut.insert(0, (name.number, rest));
            }
            if let Some(hash) = last {
                return Ok(Some(Self { hash, cut }));
            }
        }
        Ok(Some(Self { hash: chain::seed(first.day), cut }))
    }
}

/// From where the next file of a day continues.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Continuation {
    /// The hash before its first line.
    pub(super) before: Hash,
    /// The previous day, for the first file of a day.
    pub(super) day_before: Option<PreviousDay>,
    /// Earlier files that end within a line, see [`ChainTip::cut`].
    pub(super) cut: Vec<(u64, u64)>,
}

impl Continuation {
    /// Continues a chain whose last line is of the same day or an earlier one.
    fn of_chain((last, hash): (Date, Hash), day: Date) -> Self {
        if last == day {
            return Self { before: hash, day_before: None, cut: Vec::new() };
        }
        Self { before: chain::seed(day), day_before: Some(PreviousDay { day: last, hash }), cut: Vec::new() }
    }

    /// Continues the chain of this run, or else the files of a folder; otherwise begins a log.
    pub(super) fn find(dir: &Path, names: &[LogFileName], chain: Option<(Date, Hash)>, day: Date) -> io::Result<Self> {
        if let Some(chain) = chain {
            return Ok(Self::of_chain(chain, day));
        }
        let Some((last, tip)) = ChainTip::of_latest_day(dir, names, day)? else {
            return Ok(Self { before: chain::seed(day), day_before: None, cut: Vec::new() });
        };
        Ok(Self { cut: tip.cut, ..Self::of_chain((last, tip.hash), day) })
    }
}

/// Returns the hash of the last complete line of a file, and the number of bytes after it.
fn last_hash(path: &Path) -> io::Result<(Option<Hash>, u64)> {
    let mut lines = RawLines::new(BufReader::with_capacity(1 << 16, File::open(path)?));
    let (mut last, mut rest) = (None, 0);
    while let Some(raw) = lines.next_line()? {
        let hash = match raw {
            RawLine::Whole(line) => chain::split(line).map(|(_, hash)| hash),
            RawLine::Cut(_) | RawLine::TooLong { .. } => None,
        };
        if hash.is_some() {
            (last, rest) = (hash, 0);
        } else {
            rest += raw.bytes();
        }
    }
    Ok((last, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_others_are_rejected() {
        for name in ["audit-2026-11-23.jsonl", "audit-2026-11-23.2.jsonl", "audit-2026-11-23.10.jsonl"] {
            assert_eq!(name.parse().map(|name: LogFileName| name.to_string()), Ok(name.to_owned()));
        }
        for name in [
            "audit-2026-11-23.1.jsonl",
            "audit-2026-11-23.02.jsonl",
            "audit-2026-11-23.0.jsonl",
            "audit-2026-11-23.jsonl.gz",
            "audit-2026-13-23.jsonl",
            "audit-20261123.jsonl",
            "key",
        ] {
            assert_eq!(name.parse::<LogFileName>(), Err(NotLogFileName), "{name}");
        }
    }
}

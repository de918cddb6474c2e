//! The files of the log by name, and how far each is whole.

use std::fmt;
use std::fs::{self, DirBuilder, File};
use std::io::{self, BufReader};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use jiff::civil::Date;

use super::chain::{self, Hash};
use super::lines::{Lines, Raw};

/// The name of a file: its day, and its number within that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileName {
    /// The day, in UTC.
    pub day: Date,
    /// The number, from 1 on.
    pub number: u64,
}

impl FileName {
    /// Reads a name that the relay gives; `None` for any other one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let stem = name.strip_prefix("audit-")?.strip_suffix(".jsonl")?;
        let (day, number) = match stem.split_once('.') {
            Some((day, number)) => (day, number.parse().ok()?),
            None => (stem, 1),
        };
        let parsed = Self { day: day.parse().ok()?, number };
        (parsed.number > 0 && parsed.to_string() == name).then_some(parsed)
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            1 => write!(f, "audit-{}.jsonl", self.day),
            number => write!(f, "audit-{}.{number}.jsonl", self.day),
        }
    }
}

/// Makes the folder, readable for its owner alone, unless it is there.
pub(super) fn make(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// The files of a folder, by day and number.
pub(super) fn list(dir: &Path) -> io::Result<Vec<FileName>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        names.extend(entry?.file_name().to_str().and_then(FileName::parse));
    }
    names.sort_unstable();
    Ok(names)
}

/// Removes the files of days before that one and tells which.
pub(super) fn remove_before(dir: &Path, first: Date) -> io::Result<Vec<FileName>> {
    let old: Vec<_> = list(dir)?.into_iter().filter(|name| name.day < first).collect();
    for name in &old {
        fs::remove_file(dir.join(name.to_string()))?;
    }
    Ok(old)
}

/// How far the files of a day are whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// The hash that the next file goes on from.
    pub(super) hash: Hash,
    /// Files that end within a line, or have none at all: their numbers, and the bytes behind their last whole line.
    pub(super) cut: Vec<(u64, u64)>,
}

impl Standing {
    /// What the first file of `day` goes on from: the files of the same day, or else of the last day before it, and that
    /// day. `None` where there is neither.
    pub(super) fn before(dir: &Path, names: &[FileName], day: Date) -> io::Result<Option<(Date, Self)>> {
        let Some(last) = names.iter().map(|name| name.day).filter(|other| *other <= day).max() else { return Ok(None) };
        let of_day: Vec<FileName> = names.iter().filter(|name| name.day == last).copied().collect();
        Ok(Self::of(dir, &of_day)?.map(|standing| (last, standing)))
    }

    /// That of the files of these names, which are of one day, in their order. `None` without files.
    pub(super) fn of(dir: &Path, files: &[FileName]) -> io::Result<Option<Self>> {
        let Some(first) = files.first() else { return Ok(None) };
        let mut cut = Vec::new();
        for name in files.iter().rev() {
            let (last, rest) = whole_part(&dir.join(name.to_string()))?;
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

/// The hash of a file's last whole line, and how many bytes follow it.
fn whole_part(path: &Path) -> io::Result<(Option<Hash>, u64)> {
    let mut lines = Lines::new(BufReader::with_capacity(1 << 16, File::open(path)?));
    let (mut last, mut rest) = (None, 0);
    while let Some(raw) = lines.next_line()? {
        let hash = match raw {
            Raw::Whole(line) => chain::split(line).map(|(_, hash)| hash),
            Raw::Cut(_) | Raw::TooLong { .. } => None,
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
    fn a_name_reads_as_it_is_written_and_no_other_does() {
        for name in ["audit-2026-11-23.jsonl", "audit-2026-11-23.2.jsonl", "audit-2026-11-23.10.jsonl"] {
            assert_eq!(FileName::parse(name).map(|name| name.to_string()), Some(name.to_owned()));
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
            assert_eq!(FileName::parse(name), None, "{name}");
        }
    }
}

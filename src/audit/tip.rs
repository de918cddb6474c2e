//! The last line of a log, to be kept elsewhere: it shows later whether lines at the end are missing.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;
use std::str::FromStr;

use super::chain::{self, Hash};
use super::folder::LogFileName;
use super::lines::{RawLine, RawLines};

/// The position and the hash of a line that was the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogTip {
    /// The file.
    pub file: LogFileName,
    /// The number of the line, counted from 1.
    pub line: u64,
    /// Its hash.
    pub hash: LineHash,
}

/// The hash of a line: 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineHash(pub(super) Hash);

/// A text is not the hash or the tip of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTip {
    /// It is not a hash.
    #[error("a hash has 64 hexadecimal digits, in lower case")]
    Hash,
    /// It is not a tip.
    #[error("not a file, a line and a hash")]
    Tip,
}

/// A log does not end where it did, or later.
#[derive(Debug, thiserror::Error)]
pub enum TipError {
    /// The file is not in the folder.
    #[error("{0}, which had the last line, was removed or moved away")]
    NoFile(LogFileName),
    /// The file has fewer lines.
    #[error("{file} ends before line {line}, which was the last one")]
    NoLine {
        /// The file.
        file: LogFileName,
        /// The number of the line.
        line: u64,
    },
    /// The line has another hash.
    #[error("{file}:{line}: the line has another hash than the last line had")]
    OtherHash {
        /// The file.
        file: LogFileName,
        /// The number of the line.
        line: u64,
    },
    /// The file cannot be read.
    #[error("{file} cannot be read: {error}")]
    Unreadable {
        /// The file.
        file: LogFileName,
        /// The system's error.
        error: io::Error,
    },
}

impl FromStr for LineHash {
    type Err = NotTip;

    fn from_str(digits: &str) -> Result<Self, NotTip> {
        chain::parse(digits.as_bytes()).map(Self).ok_or(NotTip::Hash)
    }
}

impl fmt::Display for LineHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&chain::hex(&self.0))
    }
}

/// The form `FILE:LINE HASH`.
impl fmt::Display for LogTip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} {}", self.file, self.line, self.hash)
    }
}

impl FromStr for LogTip {
    type Err = NotTip;

    fn from_str(text: &str) -> Result<Self, NotTip> {
        let (place, hash) = text.split_once(' ').ok_or(NotTip::Tip)?;
        let (file, line) = place.rsplit_once(':').ok_or(NotTip::Tip)?;
        let (file, line) = (file.parse().map_err(|_| NotTip::Tip)?, line.parse().map_err(|_| NotTip::Tip)?);
        Ok(Self { file, line, hash: hash.parse()? })
    }
}

impl LogTip {
    /// Checks that a folder still has the line. Reads its file up to there.
    ///
    /// # Errors
    /// [`TipError`] if lines at the end were removed or the log was rewritten.
    pub fn verify(&self, dir: &Path) -> Result<(), TipError> {
        let &Self { file, line, hash } = self;
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => TipError::NoFile(file),
            _ => TipError::Unreadable { file, error },
        };
        let reader = File::open(dir.join(file.to_string())).map_err(unreadable)?;
        let mut lines = RawLines::new(BufReader::with_capacity(1 << 16, reader));
        for _ in 1..line {
            lines.next_line().map_err(unreadable)?.ok_or(TipError::NoLine { file, line })?;
        }
        let found = match lines.next_line().map_err(unreadable)? {
            Some(RawLine::Whole(found)) => chain::split(found),
            Some(RawLine::TooLong { .. }) => None,
            Some(RawLine::Cut(_)) | None => return Err(TipError::NoLine { file, line }),
        };
        match found {
            Some((_, found)) if found == hash.0 => Ok(()),
            _ => Err(TipError::OtherHash { file, line }),
        }
    }
}

//! Reads the lines of a log. [`check`](super::check()) verifies that they are unchanged.

use std::io::BufRead;

use super::head::FileHead;
use super::line::Line;
use super::lines::{self, RawLine};

/// Maximum number of sanctions in a head and its continuation lines.
const MAX_SANCTIONS: usize = 200_000;

/// A line that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("line {number}: {kind}")]
pub struct LineError {
    /// The number of the line, counted from 1.
    pub number: u64,
    /// The kind of error.
    pub kind: LineErrorKind,
}

/// Why a line could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LineErrorKind {
    /// The line is longer than 1 MiB.
    #[error("longer than {} KiB", lines::MAX_LINE / 1024)]
    TooLong,
    /// The line is incomplete: the relay was killed while writing or is still writing, or the file was truncated.
    #[error("cut: the file ends within the line")]
    Cut,
    /// The line is not one of an audit log.
    #[error("not a line of an audit log: {0}")]
    Unknown(String),
    /// Reading the file failed.
    #[error("reading failed: {0}")]
    Unreadable(#[source] std::io::Error),
}

/// Reads the lines of one file. A bad line yields an error and is skipped; after an I/O error the iterator ends. Lines
/// over 1 MiB are not held in memory.
pub fn read_lines<R: BufRead>(reader: R) -> LogLines<R> {
    LogLines { raw: lines::RawLines::new(reader), ended: false }
}

/// The lines of one file. A head has the sanctions of its continuation lines too, which do not occur by themselves.
#[derive(Debug)]
pub struct LogLines<R> {
    raw: lines::RawLines<R>,
    ended: bool,
}

impl<R: BufRead> LogLines<R> {
    /// Returns the number of the last line, counted from 1. For a head it is the number of its first line.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.raw.number()
    }

    /// Reads and parses the next line; `None` at the end.
    fn parse_next(&mut self) -> Option<Result<Line, LineErrorKind>> {
        let raw = match self.raw.next_line() {
            Ok(raw) => raw?,
            Err(error) => {
                self.ended = true;
                return Some(Err(LineErrorKind::Unreadable(error)));
            }
        };
        Some(match raw {
            RawLine::Whole(bytes) => Line::parse(bytes).map_err(|error| LineErrorKind::Unknown(error.to_string())),
            RawLine::Cut(_) => Err(LineErrorKind::Cut),
            RawLine::TooLong { .. } => Err(LineErrorKind::TooLong),
        })
    }

    /// Adds the continuation lines of a head.
    fn complete(&mut self, mut head: Box<FileHead>) -> Result<Box<FileHead>, LineErrorKind> {
        for _ in 0..std::mem::take(&mut head.more) {
            match self.parse_next() {
                Some(Ok(Line::More { sanctions, .. })) => head.sanctions.extend(sanctions),
                Some(Err(kind)) => return Err(kind),
                Some(Ok(_)) | None => {
                    return Err(LineErrorKind::Unknown("the continuation of a head is missing".to_owned()));
                }
            }
            if head.sanctions.len() > MAX_SANCTIONS {
                return Err(LineErrorKind::Unknown(format!("a head has more than {MAX_SANCTIONS} sanctions")));
            }
        }
        Ok(head)
    }
}

impl<R: BufRead> Iterator for LogLines<R> {
    type Item = Result<Line, LineError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let line = self.parse_next()?;
        let number = self.number();
        let line = line.and_then(|line| match line {
            Line::Start(head) => self.complete(head).map(Line::Start),
            Line::State(head) => self.complete(head).map(Line::State),
            Line::More { .. } => Err(LineErrorKind::Unknown("a continuation without a head".to_owned())),
            line => Ok(line),
        });
        Some(line.map_err(|kind| LineError { number, kind }))
    }
}

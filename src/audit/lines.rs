//! Splits a log into lines, with bounded memory.

use std::io::{self, BufRead, Read as _};

/// Maximum length of a line without its line break, in bytes.
pub(super) const MAX_LINE: usize = 1 << 20;

/// A line of a file, without its line break.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RawLine<'a> {
    /// A complete line.
    Whole(&'a [u8]),
    /// The last line, without a line break.
    Cut(&'a [u8]),
    /// A line that is too long.
    TooLong {
        /// Its length with the line break, in bytes.
        bytes: u64,
    },
}

impl RawLine<'_> {
    /// Returns the length of the line in the file, including the line break, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Whole(bytes) => bytes.len() as u64 + 1,
            Self::Cut(bytes) => bytes.len() as u64,
            Self::TooLong { bytes } => *bytes,
        }
    }
}

/// The lines of a reader.
#[derive(Debug)]
pub(super) struct RawLines<R> {
    reader: R,
    line: Vec<u8>,
    number: u64,
}

impl<R: BufRead> RawLines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, line: Vec::new(), number: 0 }
    }

    /// Returns the number of the last line that was read, counted from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Reads the next line; `None` at the end.
    pub(super) fn next_line(&mut self) -> io::Result<Option<RawLine<'_>>> {
        self.line.clear();
        let most = MAX_LINE as u64 + 1;
        let read = self.reader.by_ref().take(most).read_until(b'\n', &mut self.line)? as u64;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
            return Ok(Some(RawLine::Whole(&self.line)));
        }
        if read < most {
            return Ok(Some(RawLine::Cut(&self.line)));
        }
        Ok(Some(RawLine::TooLong { bytes: read + skip_line(&mut self.reader)? }))
    }
}

/// Skips the rest of a line and returns its length in bytes.
fn skip_line(reader: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = match reader.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let (used, ended) = match find_newline(buffer) {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        reader.consume(used);
        skipped += used as u64;
        if ended {
            return Ok(skipped);
        }
    }
}

fn find_newline(buffer: &[u8]) -> Option<usize> {
    buffer.iter().position(|byte| *byte == b'\n')
}

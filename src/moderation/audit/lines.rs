//! The bytes of a log, line by line, and no line held that is too long.

use std::io::{self, BufRead, Read as _};

/// Longest line, its end not counted. Bytes.
pub(super) const MAX_LINE: usize = 1 << 20;

/// A line as it stands in the file, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Raw<'a> {
    /// One that ends.
    Whole(&'a [u8]),
    /// The last one, without an end.
    Cut(&'a [u8]),
    /// One that is longer than may be.
    TooLong {
        /// Its length with its end. Bytes.
        bytes: u64,
    },
}

impl Raw<'_> {
    /// Its length in the file, with its end. Bytes.
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
pub(super) struct Lines<R> {
    reader: R,
    line: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, line: Vec::new(), number: 0 }
    }

    /// The number of the line that came last, from 1 on.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The next line; `None` at the end.
    pub(super) fn next_line(&mut self) -> io::Result<Option<Raw<'_>>> {
        self.line.clear();
        let most = MAX_LINE as u64 + 1;
        let read = self.reader.by_ref().take(most).read_until(b'\n', &mut self.line)? as u64;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
            return Ok(Some(Raw::Whole(&self.line)));
        }
        if read < most {
            return Ok(Some(Raw::Cut(&self.line)));
        }
        Ok(Some(Raw::TooLong { bytes: read + skip_line(&mut self.reader)? }))
    }
}

/// Reads on to the end of the line and tells how many bytes that were.
fn skip_line(reader: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = match reader.fill_buf() {
            Ok(buffer) => buffer,
            Err(fault) if fault.kind() == io::ErrorKind::Interrupted => continue,
            Err(fault) => return Err(fault),
        };
        let (used, ended) = match memchr(buffer) {
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

fn memchr(buffer: &[u8]) -> Option<usize> {
    buffer.iter().position(|byte| *byte == b'\n')
}

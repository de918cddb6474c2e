//! Checks the files of one day, line by line.

use std::io::{self, BufRead};

use jiff::civil::Date;
use serde::Deserialize;

use super::super::chain::{self, Hash};
use super::super::folder::LogFileName;
use super::super::head::FilePlace;
use super::super::lines::{RawLine, RawLines};
use super::{ChainError, ChainErrorKind, DayReport};

/// The check of one day.
pub(super) struct DayCheck {
    date: Date,
    /// The hash of the last valid line. `None` before the first line of a single file.
    chain: Option<Hash>,
    /// The number of the next file.
    next: u64,
    /// The last valid line.
    last: (LogFileName, u64),
    /// Errors at the ends of files since the last head: the number of the file, the bytes from the error on, and the error. A head
    /// that knows of such a cut end makes a note of it.
    cut: Vec<(u64, u64, ChainError)>,
    /// The place that the first head names.
    first_head: Option<FilePlace>,
    files: usize,
    lines: u64,
    lost: u64,
    closed: bool,
    error: Option<ChainError>,
    notes: Vec<String>,
    /// A hash that is searched, and the line that has it.
    searched: Option<Hash>,
    found: Option<(LogFileName, u64)>,
}

/// The fields of a line that are checked.
#[derive(Deserialize)]
struct LineFields<'a> {
    r#type: &'a str,
    n: u64,
    #[serde(default)]
    count: u64,
}

impl DayCheck {
    /// Starts the check of a day with all its files.
    pub(super) fn new(date: Date) -> Self {
        Self::starting_at(LogFileName { day: date, number: 1 }, Some(chain::seed(date)))
    }

    /// Starts the check of a single file. The hash from which it continues is trusted.
    pub(super) fn for_single_file(name: LogFileName) -> Self {
        Self::starting_at(name, None)
    }

    fn starting_at(first: LogFileName, chain: Option<Hash>) -> Self {
        Self {
            date: first.day,
            chain,
            next: first.number,
            last: (first, 0),
            cut: Vec::new(),
            first_head: None,
            files: 0,
            lines: 0,
            lost: 0,
            closed: false,
            error: None,
            notes: Vec::new(),
            searched: None,
            found: None,
        }
    }

    /// Searches the valid lines for a hash.
    pub(super) fn searching(mut self, hash: Option<Hash>) -> Self {
        self.searched = hash;
        self
    }

    /// Returns the line that has the searched hash.
    pub(super) fn found(&self) -> Option<(LogFileName, u64)> {
        self.found
    }

    pub(super) fn date(&self) -> Date {
        self.date
    }

    pub(super) fn tip(&self) -> &Hash {
        self.chain.as_ref().unwrap_or(&[0; 32])
    }

    pub(super) fn first_head(&self) -> Option<FilePlace> {
        self.first_head.clone()
    }

    pub(super) fn add_note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Sets the error, unless there is one.
    pub(super) fn set_error(&mut self, file: LogFileName, line: u64, kind: ChainErrorKind) {
        self.error.get_or_insert(ChainError { file: file.to_string(), line, kind });
    }

    /// Checks the end of this day against the next one, which records the hash of the last line and the cut files.
    pub(super) fn check_next_day(&mut self, hash: &Hash, known: &[(u64, u64)]) {
        if self.error.is_some() {
            return;
        }
        if self.tip() == hash {
            self.accept_known_cuts(known);
        } else if self.cut.is_empty() {
            let (file, line) = self.last;
            self.set_error(file, line + 1, ChainErrorKind::MissingEnd);
        }
    }

    /// Turns cut ends that a later head notes into remarks; others are errors.
    fn accept_known_cuts(&mut self, known: &[(u64, u64)]) {
        for (number, bytes, error) in std::mem::take(&mut self.cut) {
            if known.contains(&(number, bytes)) {
                let ChainError { file, line, .. } = error;
                let note = format!("{file}:{line}: cut when the relay was killed; noted by the next file");
                self.notes.push(note);
            } else {
                self.error.get_or_insert(error);
            }
        }
    }

    pub(super) fn finish(mut self, head: String) -> DayReport {
        self.error = self.error.or_else(|| self.cut.into_iter().next().map(|(_, _, error)| error));
        let Self { date, files, lines, lost, closed, error, notes, .. } = self;
        DayReport { day: date, files, lines, lost, head, closed, error, notes }
    }

    /// Checks the next file of the day. After the first error, files are only counted.
    pub(super) fn check_file(&mut self, name: LogFileName, reader: impl BufRead) -> io::Result<()> {
        self.files += 1;
        if self.error.is_some() {
            return Ok(());
        }
        if name.number != self.next {
            self.set_error(name, 1, ChainErrorKind::MissingFile(self.next));
            return Ok(());
        }
        self.next += 1;
        self.closed = false;
        let mut lines = RawLines::new(reader);
        let found = loop {
            let number = lines.number() + 1;
            let Some(raw) = lines.next_line()? else {
                break (number == 1).then_some((ChainErrorKind::Empty, number, 0, None));
            };
            let bytes = raw.bytes();
            let checked = match raw {
                RawLine::Whole(line) if number == 1 => self.check_head(name, line),
                RawLine::Whole(line) => self.check_line(name, number, line),
                RawLine::Cut(_) => Err((ChainErrorKind::Cut, None)),
                RawLine::TooLong { .. } => Err((ChainErrorKind::TooLong, None)),
            };
            if let Err((kind, moved)) = checked {
                break Some((kind, number, bytes, moved));
            }
            if self.error.is_some() {
                return Ok(());
            }
        };
        let Some((mut kind, number, mut bytes, moved)) = found else { return Ok(()) };
        // Count the bytes from here on, and find out whether the expected line comes later.
        while let Some(raw) = lines.next_line()? {
            bytes += raw.bytes();
            if let (Some(_), RawLine::Whole(line)) = (moved, &raw)
                && line_fields(line).is_some_and(|fields| fields.n == number)
            {
                kind = ChainErrorKind::Order;
            }
        }
        self.cut.push((name.number, bytes, ChainError { file: name.to_string(), line: number, kind }));
        Ok(())
    }

    /// Checks the head of a file.
    fn check_head(&mut self, name: LogFileName, line: &[u8]) -> Result<(), (ChainErrorKind, Option<u64>)> {
        let Some((body, own)) = chain::split(line) else { return Err((unchained_line(line), None)) };
        let Ok(head) = serde_json::from_slice::<FilePlace>(line) else { return Err((unchained_line(line), None)) };
        if chain::hash(&head.before, body) != own {
            return Err((ChainErrorKind::Changed, None));
        }
        if (head.day, head.file) != (name.day, name.number) {
            let kind = ChainErrorKind::OtherFile { day: head.day, number: head.file };
            self.set_error(name, 1, kind);
            return Ok(());
        }
        if self.chain.is_some_and(|chain| chain != head.before) {
            // Report an error at the end of the previous file first.
            self.accept_known_cuts(&[]);
            let (file, line) = self.last;
            self.set_error(file, line + 1, ChainErrorKind::MissingEnd);
            return Ok(());
        }
        if name.number == 1 {
            self.first_head = Some(head);
        } else {
            self.accept_known_cuts(&head.cut);
        }
        self.accept_line(name, 1, own);
        Ok(())
    }

    /// Checks any other line. An error has the number in the line if that is a later one.
    fn check_line(&mut self, name: LogFileName, number: u64, line: &[u8]) -> Result<(), (ChainErrorKind, Option<u64>)> {
        let Some((body, own)) = chain::split(line) else { return Err((unchained_line(line), None)) };
        let fields = line_fields(line);
        if chain::hash(self.tip(), body) != own {
            let Some(fields) = fields else { return Err((unchained_line(line), None)) };
            return Err(match fields.n {
                n if n > number => (ChainErrorKind::MissingLines(n - number), Some(n)),
                n if n < number => (ChainErrorKind::Order, None),
                _ => (ChainErrorKind::Changed, None),
            });
        }
        let Some(fields) = fields else { return Err((ChainErrorKind::NotJson, None)) };
        if fields.r#type == "lost" {
            self.lost = self.lost.saturating_add(fields.count);
        }
        self.closed = fields.r#type == "end";
        self.accept_line(name, number, own);
        Ok(())
    }

    fn accept_line(&mut self, name: LogFileName, number: u64, own: Hash) {
        self.chain = Some(own);
        if self.searched == Some(own) {
            self.found = Some((name, number));
        }
        self.last = (name, number);
        self.lines += 1;
    }
}

fn line_fields(line: &[u8]) -> Option<LineFields<'_>> {
    serde_json::from_slice(line).ok()
}

/// Returns the error for a line without a valid hash.
fn unchained_line(line: &[u8]) -> ChainErrorKind {
    if line_fields(line).is_some() { ChainErrorKind::Changed } else { ChainErrorKind::NotJson }
}

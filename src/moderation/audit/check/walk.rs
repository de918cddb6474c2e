//! The files of one day, line by line.

use std::io::{self, BufRead};

use jiff::civil::Date;
use serde::Deserialize;

use super::super::chain::{self, Hash};
use super::super::folder::FileName;
use super::super::lines::{Lines, Raw};
use super::{Day, Fault, Wrong};

/// A day on the way.
pub(super) struct Walk {
    date: Date,
    /// The hash of the last line that is whole and in its place. `None` before the first line of a single file.
    chain: Option<Hash>,
    /// The number of the next file.
    next: u64,
    /// The last line that is whole and in its place.
    last: (FileName, u64),
    /// What is wrong with the ends of files since the last head: the file, the bytes from there on, and what. A head
    /// that knows of such a cut end makes a note of it.
    cut: Vec<(u64, u64, Fault)>,
    first_head: Option<FirstHead>,
    files: usize,
    lines: u64,
    lost: u64,
    closed: bool,
    fault: Option<Fault>,
    notes: Vec<String>,
}

/// What the first head of a day says of the day before.
#[derive(Clone, Debug)]
pub(super) struct FirstHead {
    pub(super) day_before: Option<DayBefore>,
    /// Cut files of that day.
    pub(super) cut: Vec<(u64, u64)>,
}

#[derive(Clone, Debug)]
pub(super) struct DayBefore {
    pub(super) day: Date,
    pub(super) hash: Hash,
}

/// What matters of a line.
#[derive(Deserialize)]
struct Seen<'a> {
    r#type: &'a str,
    n: u64,
    #[serde(default)]
    count: u64,
}

/// What matters of a head.
#[derive(Deserialize)]
struct SeenHead<'a> {
    day: &'a str,
    file: u64,
    before: &'a str,
    #[serde(borrow)]
    day_before: Option<SeenDay<'a>>,
    #[serde(default)]
    cut: Vec<(u64, u64)>,
}

#[derive(Deserialize)]
struct SeenDay<'a> {
    day: &'a str,
    hash: &'a str,
}

impl Walk {
    /// A day with all its files.
    pub(super) fn new(date: Date) -> Self {
        Self::from(FileName { day: date, number: 1 }, Some(chain::seed(date)))
    }

    /// A single file, which is believed where it goes on from.
    pub(super) fn of_one_file(name: FileName) -> Self {
        Self::from(name, None)
    }

    fn from(first: FileName, chain: Option<Hash>) -> Self {
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
            fault: None,
            notes: Vec::new(),
        }
    }

    pub(super) fn date(&self) -> Date {
        self.date
    }

    pub(super) fn head(&self) -> &Hash {
        self.chain.as_ref().unwrap_or(&[0; 32])
    }

    pub(super) fn first_head(&self) -> Option<FirstHead> {
        self.first_head.clone()
    }

    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Notes what is wrong, unless something is already.
    pub(super) fn fault(&mut self, file: FileName, line: u64, what: Wrong) {
        self.fault.get_or_insert(Fault { file: file.to_string(), line, what });
    }

    /// The next day begins and says what this one's last line is, and which of its files are cut.
    pub(super) fn followed_by(&mut self, hash: &Hash, known: &[(u64, u64)]) {
        if self.fault.is_some() {
            return;
        }
        if self.head() == hash {
            self.forgive(known);
        } else if self.cut.is_empty() {
            let (file, line) = self.last;
            self.fault(file, line + 1, Wrong::MissingEnd);
        }
    }

    /// Cut ends that a later head knows of are no faults.
    fn forgive(&mut self, known: &[(u64, u64)]) {
        for (number, bytes, fault) in std::mem::take(&mut self.cut) {
            if known.contains(&(number, bytes)) {
                let Fault { file, line, .. } = fault;
                let note = format!("{file}:{line}: cut when the relay was stopped hard; the next file knows of it");
                self.notes.push(note);
            } else {
                self.fault.get_or_insert(fault);
            }
        }
    }

    pub(super) fn into_day(mut self, head: String) -> Day {
        self.fault = self.fault.or_else(|| self.cut.into_iter().next().map(|(_, _, fault)| fault));
        let Self { date, files, lines, lost, closed, fault, notes, .. } = self;
        Day { day: date, files, lines, lost, head, closed, fault, notes }
    }

    /// Reads the next file of the day. After the first fault, files are only counted.
    pub(super) fn file(&mut self, name: FileName, reader: impl BufRead) -> io::Result<()> {
        self.files += 1;
        if self.fault.is_some() {
            return Ok(());
        }
        if name.number != self.next {
            self.fault(name, 1, Wrong::MissingFile(self.next));
            return Ok(());
        }
        self.next += 1;
        self.closed = false;
        let mut lines = Lines::new(reader);
        let wrong = loop {
            let number = lines.number() + 1;
            let Some(raw) = lines.next_line()? else {
                break (number == 1).then_some((Wrong::Empty, number, 0, None));
            };
            let bytes = raw.bytes();
            let wrong = match raw {
                Raw::Whole(line) if number == 1 => self.head_line(name, line),
                Raw::Whole(line) => self.line(name, number, line),
                Raw::Cut(_) => Err((Wrong::Cut, None)),
                Raw::TooLong { .. } => Err((Wrong::TooLong, None)),
            };
            if let Err((wrong, moved)) = wrong {
                break Some((wrong, number, bytes, moved));
            }
            if self.fault.is_some() {
                return Ok(());
            }
        };
        let Some((mut wrong, number, mut bytes, moved)) = wrong else { return Ok(()) };
        // How much there is from here on, and whether the line that belongs here comes later.
        while let Some(raw) = lines.next_line()? {
            bytes += raw.bytes();
            if let (Some(_), Raw::Whole(line)) = (moved, &raw)
                && seen(line).is_some_and(|seen| seen.n == number)
            {
                wrong = Wrong::Order;
            }
        }
        self.cut.push((name.number, bytes, Fault { file: name.to_string(), line: number, what: wrong }));
        Ok(())
    }

    /// Takes the head of a file.
    fn head_line(&mut self, name: FileName, line: &[u8]) -> Result<(), (Wrong, Option<u64>)> {
        let Some((body, own)) = chain::split(line) else { return Err((other_than_a_line(line), None)) };
        let head = serde_json::from_slice::<SeenHead<'_>>(line).ok();
        let before = head.as_ref().and_then(|head| chain::parse(head.before.as_bytes()));
        let (Some(head), Some(before)) = (head, before) else { return Err((other_than_a_line(line), None)) };
        if chain::hash(&before, body) != own {
            return Err((Wrong::Changed, None));
        }
        if head.day != name.day.to_string() || head.file != name.number {
            self.fault(name, 1, Wrong::OtherFile { day: head.day.chars().take(10).collect(), number: head.file });
            return Ok(());
        }
        if self.chain.is_some_and(|chain| chain != before) {
            // What is wrong with the end of the file before is what is to be told.
            self.forgive(&[]);
            let (file, line) = self.last;
            self.fault(file, line + 1, Wrong::MissingEnd);
            return Ok(());
        }
        if name.number == 1 {
            let day_before = head.day_before.and_then(|SeenDay { day, hash }| {
                Some(DayBefore { day: day.parse().ok()?, hash: chain::parse(hash.as_bytes())? })
            });
            self.first_head = Some(FirstHead { day_before, cut: head.cut });
        } else {
            self.forgive(&head.cut);
        }
        self.take(name, 1, own);
        Ok(())
    }

    /// Takes any other line. What is wrong comes with the number that the line gives itself, when that is a later one.
    fn line(&mut self, name: FileName, number: u64, line: &[u8]) -> Result<(), (Wrong, Option<u64>)> {
        let Some((body, own)) = chain::split(line) else { return Err((other_than_a_line(line), None)) };
        let seen = seen(line);
        if chain::hash(self.head(), body) != own {
            let Some(seen) = seen else { return Err((other_than_a_line(line), None)) };
            return Err(match seen.n {
                n if n > number => (Wrong::MissingLines(n - number), Some(n)),
                n if n < number => (Wrong::Order, None),
                _ => (Wrong::Changed, None),
            });
        }
        let Some(seen) = seen else { return Err((Wrong::NotJson, None)) };
        if seen.r#type == "lost" {
            self.lost = self.lost.saturating_add(seen.count);
        }
        self.closed = seen.r#type == "end";
        self.take(name, number, own);
        Ok(())
    }

    fn take(&mut self, name: FileName, number: u64, own: Hash) {
        self.chain = Some(own);
        self.last = (name, number);
        self.lines += 1;
    }
}

fn seen(line: &[u8]) -> Option<Seen<'_>> {
    serde_json::from_slice(line).ok()
}

/// What a line is that is none of the log's.
fn other_than_a_line(line: &[u8]) -> Wrong {
    if seen(line).is_some() { Wrong::Changed } else { Wrong::NotJson }
}

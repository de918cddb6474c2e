//! Reads the lines of a log in typed form. [`check`](super::check()) verifies that they are unchanged.

use std::io::BufRead;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::lines::{self, RawLine};
use super::parse::{AnyLine, HeadLine};
use crate::model::{ConnectionId, Kind, Message, Outcome, RoomName, SenderContext};

/// Most sanctions in a head and its continuation lines.
const MAX_SANCTIONS: usize = 200_000;

/// A line of the log.
#[derive(Clone, Debug, PartialEq)]
pub enum LogLine {
    /// The head of a file.
    Head(Box<FileHead>),
    /// A decision on a message.
    Decision(Box<LoggedDecision>),
    /// An act of a moderator or of the relay.
    Act(Box<LoggedAct>),
    /// The number of lines missing here, because the disk was full or slow.
    Lost(u64),
    /// The file was closed properly. The last line of a complete file.
    End,
}

/// The head of a file, with the state at its beginning.
#[derive(Clone, Debug, PartialEq)]
pub struct FileHead {
    /// Whether the relay had just started. Otherwise the run continues from the previous file.
    pub first_of_run: bool,
    /// The time.
    pub at: Timestamp,
    /// The same time since the start of the relay, by a monotonic clock.
    pub since_start: Duration,
    /// The version of the relay.
    pub version: String,
    /// The random id of the run, new at each start of the relay.
    pub run: Uuid,
    /// The day of the file, in UTC.
    pub day: Date,
    /// The number of the file within its day, counted from 1.
    pub file: u64,
    /// Since when the address-hash key is in use. Hashes made with different keys cannot be compared.
    pub key_since: Timestamp,
    /// The recorded decisions: `refusals` or `all`.
    pub record: String,
    /// The recorded texts: `off`, `refusals` or `full`.
    pub texts: String,
    /// The sanctions in force, as [`sanction_json`](crate::moderation::sanction_json) writes them, with hashes of
    /// addresses.
    pub sanctions: Vec<Value>,
    /// The levels in force, as JSON.
    pub levels: Value,
}

/// A logged act of a moderator or of the relay.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedAct {
    /// The time, to the nanosecond.
    pub at: Timestamp,
    /// The same time since the start of the relay, by a monotonic clock.
    pub since_start: Duration,
    /// The remaining fields, as [`Act::json`](crate::moderation::Act::json) writes it, with hashes of addresses.
    pub json: Map<String, Value>,
}

/// A logged decision.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedDecision {
    /// The id of the message.
    pub id: Uuid,
    /// The time of arrival, to the nanosecond.
    pub at: Timestamp,
    /// The same time since the start of the relay, by a monotonic clock.
    pub since_start: Duration,
    /// The room.
    pub room: RoomName,
    /// The author as sent.
    pub author: String,
    /// The kind of message.
    pub kind: LoggedKind,
    /// The original text, for kinds with a text, if texts are logged.
    pub text: Option<String>,
    /// The replacement text.
    pub sent: Option<String>,
    /// The avatar, if there is one and full texts are logged.
    pub avatar: Option<String>,
    /// The author of the liked text, if full texts are logged.
    pub liked: Option<String>,
    /// Whether author, text, `sent`, avatar or `liked` were shortened.
    pub cut: bool,
    /// The outcome.
    pub outcome: Outcome,
    /// The filter that decided; `None` if all passed the message.
    pub by: Option<String>,
    /// The code of the reason, unless the message passed unchanged.
    pub code: Option<String>,
    /// The text of the reason, if full texts are logged.
    pub reason: Option<String>,
    /// The answer of each filter, as [`Step`](crate::model::Step)s are written. Unless full texts are logged, labels and
    /// failures of plugins are left out.
    pub trace: Vec<Value>,
    /// The sender, with what the room knew about it at the time.
    pub sender: LoggedSender,
}

/// The kinds of message in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LoggedKind {
    /// A line of chat.
    Text,
    /// A like of another message.
    Like,
    /// A registration.
    Newcomer,
}

/// The sender of a logged message at the time of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggedSender {
    /// The connection; `None` for a `PUT`.
    pub connection: Option<ConnectionId>,
    /// The keyed hash of its address.
    pub address: u64,
    /// Whether the connection had registered its nickname.
    pub registered: bool,
    /// How long it had been connected.
    pub connected: Duration,
    /// How many of its messages had been accepted before.
    pub accepted: u64,
    /// How many had been refused.
    pub refused: u64,
    /// Whether it was trusted.
    pub trusted: bool,
    /// How many connections the room had.
    pub members: usize,
}

impl LoggedDecision {
    /// Returns the original message; `None` if it was not logged completely.
    #[must_use]
    pub fn message(&self) -> Option<Message> {
        if self.cut {
            return None;
        }
        let kind = match self.kind {
            LoggedKind::Text => Kind::Text { avatar: self.avatar.clone(), text: self.text.clone()? },
            LoggedKind::Like => Kind::Like { liked: self.liked.clone()?, text: self.text.clone()? },
            LoggedKind::Newcomer => Kind::Newcomer,
        };
        Some(Message { id: self.id, at: self.at, author: self.author.clone(), kind })
    }

    /// Returns what the room knew, except its nicknames, which are not logged.
    #[must_use]
    pub fn context(&self) -> SenderContext {
        let LoggedSender { connection: _, address: _, registered, connected, accepted, refused, trusted, members } =
            self.sender;
        let (since_start, names) = (self.since_start, std::sync::Arc::default());
        SenderContext {
            registered,
            connected,
            accepted,
            refused,
            trusted,
            since_start,
            member_count: members,
            nicknames: names,
        }
    }
}

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

/// The lines of one file.
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
    fn parse_next(&mut self) -> Option<Result<AnyLine, LineErrorKind>> {
        let raw = match self.raw.next_line() {
            Ok(raw) => raw?,
            Err(error) => {
                self.ended = true;
                return Some(Err(LineErrorKind::Unreadable(error)));
            }
        };
        Some(match raw {
            RawLine::Whole(bytes) => AnyLine::parse(bytes),
            RawLine::Cut(_) => Err(LineErrorKind::Cut),
            RawLine::TooLong { .. } => Err(LineErrorKind::TooLong),
        })
    }

    /// Reads the continuation lines of a head.
    fn read_continuations(&mut self, mut head: HeadLine) -> Result<FileHead, LineErrorKind> {
        for _ in 0..head.more {
            match self.parse_next() {
                Some(Ok(AnyLine::More { sanctions })) => head.sanctions.extend(sanctions),
                Some(Err(kind)) => return Err(kind),
                Some(Ok(_)) | None => {
                    return Err(LineErrorKind::Unknown("the continuation of a head is missing".to_owned()));
                }
            }
            if head.sanctions.len() > MAX_SANCTIONS {
                return Err(LineErrorKind::Unknown(format!("a head has more than {MAX_SANCTIONS} sanctions")));
            }
        }
        head.try_into()
    }
}

impl<R: BufRead> Iterator for LogLines<R> {
    type Item = Result<LogLine, LineError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let line = self.parse_next()?;
        let number = self.number();
        let line = line.and_then(|line| match line {
            AnyLine::Start(head) => self
                .read_continuations(*head)
                .map(|head| LogLine::Head(Box::new(FileHead { first_of_run: true, ..head }))),
            AnyLine::State(head) => self.read_continuations(*head).map(|head| LogLine::Head(Box::new(head))),
            AnyLine::More { .. } => Err(LineErrorKind::Unknown("a continuation without a head".to_owned())),
            AnyLine::Decision(line) => Ok(LogLine::Decision(Box::new((*line).try_into()?))),
            AnyLine::Act(line) => Ok(LogLine::Act(Box::new((*line).try_into()?))),
            AnyLine::Lost { count } => Ok(LogLine::Lost(count)),
            AnyLine::End {} => Ok(LogLine::End),
        });
        Some(line.map_err(|kind| LineError { number, kind }))
    }
}

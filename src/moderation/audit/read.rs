//! Reading a log: what stands in its lines, in typed form.
//!
//! Whether the lines are as the relay wrote them is another question: [`check`](super::check()) answers that.

use std::io::BufRead;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::lines::{self, Raw};
use super::parse::{AnyLine, HeadLine};
use crate::model::{Facts, Kind, Message, Outcome, RoomName, SenderId};

/// Most sanctions that a head and the lines after it are read with.
const MAX_SANCTIONS: usize = 200_000;

/// A line of the log.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// The beginning of a file.
    Head(Box<Head>),
    /// A message was decided.
    Decision(Box<LoggedDecision>),
    /// A moderator did something, or the relay did.
    Act(Box<LoggedAct>),
    /// So many lines are missing here: the disk was full or slow.
    Lost(u64),
    /// The file was closed in good order. The last line of a file, where it is not missing.
    End,
}

/// The beginning of a file: how things stood.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// Whether the relay had just started. Otherwise it goes on from the file before: nothing but the file has changed.
    pub first_of_run: bool,
    /// When.
    pub at: Timestamp,
    /// The same, counted from the start of the relay by a clock that never goes back.
    pub since_start: Duration,
    /// The relay's version.
    pub version: String,
    /// Random, another one at each start of the relay.
    pub run: Uuid,
    /// The day that the file is of, in UTC.
    pub day: Date,
    /// The number of the file within its day, from 1 on.
    pub file: u64,
    /// Since when the key is in use that hashes of addresses are made with. Hashes made with different keys tell nothing
    /// of each other.
    pub key_since: Timestamp,
    /// What is recorded: `refusals` or `all`.
    pub record: String,
    /// Which texts are: `off`, `refusals` or `full`.
    pub texts: String,
    /// The sanctions in force, as [`sanction_json`](crate::moderation::sanction_json) writes them, with hashes of
    /// addresses.
    pub sanctions: Vec<Value>,
    /// The levels in force, as the relay handed them in.
    pub levels: Value,
}

/// What moderators did, or the relay in their place.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedAct {
    /// When, to the nanosecond.
    pub at: Timestamp,
    /// The same, counted from the start of the relay by a clock that never goes back.
    pub since_start: Duration,
    /// The rest, as [`Act::json`](crate::moderation::Act::json) writes it, with hashes of addresses.
    pub json: Map<String, Value>,
}

/// A decision as it was logged.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedDecision {
    /// The message's id.
    pub id: Uuid,
    /// When it came, to the nanosecond.
    pub at: Timestamp,
    /// The same, counted from the start of the relay by a clock that never goes back.
    pub since_start: Duration,
    /// Where.
    pub room: RoomName,
    /// The name that it was sent under.
    pub author: String,
    /// What it was.
    pub kind: LoggedKind,
    /// The text as it came, for kinds that have one, where texts are logged.
    pub text: Option<String>,
    /// The text that was put in its place.
    pub sent: Option<String>,
    /// The avatar, where there is one and texts are logged in full.
    pub avatar: Option<String>,
    /// Whose text was liked, where texts are logged in full.
    pub liked: Option<String>,
    /// Whether author, text, `sent`, avatar or `liked` were longer than what is logged of them.
    pub cut: bool,
    /// What became of it.
    pub outcome: Outcome,
    /// The filter that decided; `None` when all let it pass.
    pub by: Option<String>,
    /// The code of the reason, unless it passed as it came.
    pub code: Option<String>,
    /// The text of the reason, where texts are logged in full.
    pub reason: Option<String>,
    /// What each filter answered, as [`Step`](crate::model::Step)s are written. Without texts in full, the labels and
    /// failures of plugins are left out.
    pub trace: Vec<Value>,
    /// Who sent it, with what the room knew of it then.
    pub sender: LoggedSender,
}

/// The kinds of message in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LoggedKind {
    /// A line of chat.
    Text,
    /// Somebody likes what somebody else said.
    Like,
    /// Somebody registers.
    Newcomer,
}

/// The sender of a logged message, as it was when the message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggedSender {
    /// The connection; `None` for a `PUT`.
    pub connection: Option<SenderId>,
    /// The keyed hash of its address.
    pub address: u64,
    /// Whether it spoke under a nickname that it had registered.
    pub registered: bool,
    /// For how long it had been connected.
    pub connected: Duration,
    /// How many of its messages had been let through before.
    pub accepted: u64,
    /// How many had not.
    pub refused: u64,
    /// Whether it was trusted.
    pub trusted: bool,
    /// How many connections the room had.
    pub members: usize,
}

impl LoggedDecision {
    /// The message as it came; `None` where the log holds too little of it.
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

    /// What the room knew, but for the nicknames in it, which are not logged.
    #[must_use]
    pub fn facts(&self) -> Facts {
        let LoggedSender { connection: _, address: _, registered, connected, accepted, refused, trusted, members } =
            self.sender;
        let (since_start, names) = (self.since_start, std::sync::Arc::default());
        Facts { registered, connected, accepted, refused, trusted, since_start, members, names }
    }
}

/// A line that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("line {number}: {why}")]
pub struct BadLine {
    /// Its number, from 1 on.
    pub number: u64,
    /// What is wrong with it.
    pub why: BadLineWhy,
}

/// Why a line could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BadLineWhy {
    /// It is longer than 1 MiB.
    #[error("it is longer than {} KiB", lines::MAX_LINE / 1024)]
    TooLong,
    /// It has no end: the relay was stopped while it wrote it, or is writing it, or the file was cut.
    #[error("it is cut: the file ends within it")]
    Cut,
    /// It is no line of an audit log.
    #[error("it is no line of an audit log: {0}")]
    Unknown(String),
    /// The file could not be read on.
    #[error("it cannot be read: {0}")]
    Unreadable(#[source] std::io::Error),
}

/// Reads the lines of one file. A bad line is told and passed over; after a fault of the reader itself nothing more
/// comes. No line over 1 MiB is held in memory.
pub fn read<R: BufRead>(reader: R) -> Lines<R> {
    Lines { raw: lines::Lines::new(reader), ended: false }
}

/// The lines of one file.
#[derive(Debug)]
pub struct Lines<R> {
    raw: lines::Lines<R>,
    ended: bool,
}

impl<R: BufRead> Lines<R> {
    /// The number of the line that came last, from 1 on; that of a head is that of its first line.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.raw.number()
    }

    /// The next line; `None` at the end.
    fn typed(&mut self) -> Option<Result<AnyLine, BadLineWhy>> {
        let raw = match self.raw.next_line() {
            Ok(raw) => raw?,
            Err(fault) => {
                self.ended = true;
                return Some(Err(BadLineWhy::Unreadable(fault)));
            }
        };
        Some(match raw {
            Raw::Whole(bytes) => AnyLine::parse(bytes),
            Raw::Cut(_) => Err(BadLineWhy::Cut),
            Raw::TooLong { .. } => Err(BadLineWhy::TooLong),
        })
    }

    /// Reads the lines on which the sanctions of a head go on.
    fn with_more(&mut self, mut head: HeadLine) -> Result<Head, BadLineWhy> {
        for _ in 0..head.more {
            match self.typed() {
                Some(Ok(AnyLine::More { sanctions })) => head.sanctions.extend(sanctions),
                Some(Err(why)) => return Err(why),
                Some(Ok(_)) | None => return Err(BadLineWhy::Unknown("a head goes on, and does not".to_owned())),
            }
            if head.sanctions.len() > MAX_SANCTIONS {
                return Err(BadLineWhy::Unknown(format!("a head has more than {MAX_SANCTIONS} sanctions")));
            }
        }
        head.try_into()
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<Line, BadLine>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let line = self.typed()?;
        let number = self.number();
        let line = line.and_then(|line| match line {
            AnyLine::Start(head) => {
                self.with_more(*head).map(|head| Line::Head(Box::new(Head { first_of_run: true, ..head })))
            }
            AnyLine::State(head) => self.with_more(*head).map(|head| Line::Head(Box::new(head))),
            AnyLine::More { .. } => Err(BadLineWhy::Unknown("it goes on from a head that is not there".to_owned())),
            AnyLine::Decision(line) => Ok(Line::Decision(Box::new((*line).try_into()?))),
            AnyLine::Act(line) => Ok(Line::Act(Box::new((*line).try_into()?))),
            AnyLine::Lost { count } => Ok(Line::Lost(count)),
            AnyLine::End {} => Ok(Line::End),
        });
        Some(line.map_err(|why| BadLine { number, why }))
    }
}

//! The lines of the log: one form, which is written and read.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::head::{FileHead, LogTime, LoggedSanction};
use crate::model::form::{duration_nanoseconds, milliseconds, nanoseconds};
use crate::model::{Act, AddressHash, Message, MessageKind, Outcome, ReasonCode, RoomName, SenderContext, TraceStep};

/// A line of a file. `n` is its number in the file, counted from 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Line {
    /// The head of the first file of a run.
    Start(Box<FileHead>),
    /// The head of a later file, which continues the run of the previous file.
    State(Box<FileHead>),
    /// Sanctions that do not fit into the head. [`read_lines`](super::read_lines) adds them to it.
    More {
        /// The number of the line.
        n: u64,
        /// The sanctions.
        sanctions: Vec<LoggedSanction>,
    },
    /// A decision on a message.
    Decision(Box<LoggedDecision>),
    /// An act of a moderator or of the relay.
    Act(Box<LoggedAct>),
    /// Lines are missing here, because the disk was full or slow.
    Lost {
        /// The number of the line.
        n: u64,
        /// The time.
        #[serde(flatten)]
        time: LogTime,
        /// The number of missing lines.
        count: u64,
    },
    /// The file was closed properly. The last line of a complete file.
    End {
        /// The number of the line.
        n: u64,
        /// The time.
        #[serde(flatten)]
        time: LogTime,
    },
}

impl Line {
    /// The beginning of a decision. Nearly all lines are decisions.
    const DECISION: &[u8] = b"{\"type\":\"decision\",";

    /// Parses a line. To find the type first takes several times as long, so it is done only where it must be.
    pub(super) fn parse(line: &[u8]) -> serde_json::Result<Self> {
        if line.starts_with(Self::DECISION) {
            return serde_json::from_slice(line).map(Self::Decision);
        }
        serde_json::from_slice(line)
    }
}

/// A logged act of a moderator or of the relay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoggedAct {
    /// The number of the line.
    pub n: u64,
    /// The time, to the nanosecond.
    #[serde(rename = "at_ns", with = "nanoseconds")]
    pub at: Timestamp,
    /// The same time since the start of the relay, by a monotonic clock.
    #[serde(rename = "clock", with = "duration_nanoseconds")]
    pub since_start: Duration,
    /// The act.
    #[serde(flatten)]
    pub act: Act<LoggedSanction>,
}

/// A logged decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoggedDecision {
    /// The number of the line.
    pub n: u64,
    /// The id of the message.
    pub id: Uuid,
    /// The time of arrival, for people.
    #[serde(rename = "at", with = "milliseconds")]
    pub shown_at: Timestamp,
    /// The time of arrival, to the nanosecond.
    #[serde(rename = "at_ns", with = "nanoseconds")]
    pub at: Timestamp,
    /// The room.
    pub room: RoomName,
    /// The author as sent.
    pub author: String,
    /// The kind of message.
    pub kind: LoggedKind,
    /// The outcome.
    pub outcome: Outcome,
    /// The reason, unless the message passed unchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<LoggedReason>,
    /// The filter that decided; `None` if all passed the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Cow<'static, str>>,
    /// The original text, for kinds with a text, if texts are logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The replacement text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<String>,
    /// The avatar, if there is one and full texts are logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    /// The author of the liked text, if full texts are logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub liked: Option<String>,
    /// The name of a layer, model or script, if texts are logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The properties of an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<LoggedImage>,
    /// Whether author, text, `sent`, avatar, `liked` or name were shortened.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// The answer of each filter. Unless full texts are logged, labels and failures of plugins are left out.
    pub trace: Vec<TraceStep>,
    /// The time of arrival since the start of the relay, by a monotonic clock.
    #[serde(rename = "clock", with = "duration_nanoseconds")]
    pub since_start: Duration,
    /// The sender, with what the room knew about it at the time.
    pub sender: LoggedSender,
}

/// The kinds of message in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LoggedKind {
    /// A line of chat.
    Text,
    /// A like of another message.
    Like,
    /// A registration.
    Newcomer,
    /// An image.
    Image,
    /// A layer.
    GeoJson,
    /// A coordinate reference system.
    Crs,
    /// An extent.
    Bbox,
    /// A position.
    Position,
    /// A processing model.
    Model,
    /// A script.
    Script,
}

impl LoggedKind {
    /// Whether its content is never logged. Such a message cannot be judged again.
    #[must_use]
    pub fn is_content(self) -> bool {
        !matches!(self, Self::Text | Self::Like | Self::Newcomer)
    }
}

/// A logged image. Neither its pixels nor a plain digest are kept: a digest would tell who shared a known image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedImage {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Size of the file in bytes.
    pub bytes: usize,
    /// The keyed hash of the file. The same image has the same hash while the key is in use.
    pub hash: String,
}

/// A logged reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedReason {
    /// The code.
    pub code: ReasonCode,
    /// The text, if full texts are logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// The sender of a logged message at the time of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedSender {
    /// The number of the connection; `None` for a `PUT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<u64>,
    /// The keyed hash of its address.
    pub address: AddressHash,
    /// Whether the connection had registered its nickname.
    pub registered: bool,
    /// How long it had been connected.
    #[serde(rename = "connected_ns", with = "duration_nanoseconds")]
    pub connected: Duration,
    /// How many of its messages had been accepted before.
    pub accepted: u64,
    /// How many had been refused.
    pub refused: u64,
    /// Whether it was trusted.
    pub trusted: bool,
    /// Whether the message was a like of something said lately. Earlier versions took every like for one.
    #[serde(default = "quotes_by_default", skip_serializing_if = "is_default_quote")]
    pub quotes: bool,
    /// How many connections the room had.
    pub members: usize,
}

fn quotes_by_default() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_default_quote(quotes: &bool) -> bool {
    *quotes
}

impl LoggedDecision {
    /// Returns the original message; `None` if it was not logged completely.
    #[must_use]
    pub fn message(&self) -> Option<Message> {
        if self.cut {
            return None;
        }
        let kind = match self.kind {
            LoggedKind::Text => MessageKind::Text { avatar: self.avatar.clone(), text: self.text.clone()? },
            LoggedKind::Like => MessageKind::Like { liked: self.liked.clone()?, text: self.text.clone()? },
            LoggedKind::Newcomer => MessageKind::Newcomer,
            LoggedKind::Image
            | LoggedKind::GeoJson
            | LoggedKind::Crs
            | LoggedKind::Bbox
            | LoggedKind::Position
            | LoggedKind::Model
            | LoggedKind::Script => return None,
        };
        Some(Message { id: self.id, at: self.at, author: self.author.clone(), kind, in_reply_to: None })
    }

    /// Returns what the room knew, except its nicknames, which are not logged.
    #[must_use]
    pub fn context(&self) -> SenderContext {
        let LoggedSender {
            connection: _,
            address: _,
            registered,
            connected,
            accepted,
            refused,
            trusted,
            quotes,
            members,
        } = self.sender;
        let (since_start, member_count, nicknames) = (self.since_start, members, Arc::default());
        SenderContext {
            registered,
            connected,
            accepted,
            refused,
            trusted,
            quotes,
            since_start,
            member_count,
            nicknames,
        }
    }
}

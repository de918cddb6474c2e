//! Lines as they are written, and what they mean.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::read::{FileHead, LineErrorKind, LoggedAct, LoggedDecision, LoggedKind, LoggedSender};
use crate::model::{ConnectionId, Outcome, RoomName};

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum AnyLine {
    Start(Box<HeadLine>),
    State(Box<HeadLine>),
    More { sanctions: Vec<Value> },
    Decision(Box<DecisionLine>),
    Act(Box<ActLine>),
    Lost { count: u64 },
    End {},
}

impl AnyLine {
    /// How a decision begins as the relay writes it. Nearly all lines are decisions.
    const DECISION: &[u8] = b"{\"type\":\"decision\",";

    /// Reads a line. To find the type first takes several times as long, so it is done only where it must be.
    pub(super) fn parse(line: &[u8]) -> Result<Self, LineErrorKind> {
        if line.starts_with(Self::DECISION) {
            return serde_json::from_slice(line).map(Self::Decision).map_err(unknown);
        }
        serde_json::from_slice(line).map_err(unknown)
    }
}

#[derive(Deserialize)]
pub(super) struct HeadLine {
    at_ns: i64,
    clock: u64,
    version: String,
    run: Uuid,
    day: String,
    file: u64,
    key_since: String,
    record: String,
    texts: String,
    pub(super) sanctions: Vec<Value>,
    levels: Value,
    /// On how many lines the sanctions go on.
    #[serde(default)]
    pub(super) more: u64,
}

impl TryFrom<HeadLine> for FileHead {
    type Error = LineErrorKind;

    fn try_from(line: HeadLine) -> Result<Self, LineErrorKind> {
        let HeadLine { at_ns, clock, version, run, day, file, key_since, record, texts, sanctions, levels, .. } = line;
        Ok(Self {
            first_of_run: false,
            at: timestamp(at_ns)?,
            since_start: Duration::from_nanos(clock),
            version,
            run,
            day: day.parse().map_err(unknown)?,
            file,
            key_since: key_since.parse().map_err(unknown)?,
            record,
            texts,
            sanctions,
            levels,
        })
    }
}

#[derive(Deserialize)]
pub(super) struct ActLine {
    at_ns: i64,
    clock: u64,
    #[serde(flatten)]
    json: Map<String, Value>,
}

impl TryFrom<ActLine> for LoggedAct {
    type Error = LineErrorKind;

    fn try_from(line: ActLine) -> Result<Self, LineErrorKind> {
        let ActLine { at_ns, clock, mut json } = line;
        for own in ["n", "hash"] {
            json.remove(own);
        }
        Ok(Self { at: timestamp(at_ns)?, since_start: Duration::from_nanos(clock), json })
    }
}

#[derive(Deserialize)]
pub(super) struct DecisionLine {
    id: Uuid,
    at_ns: i64,
    clock: u64,
    room: String,
    author: String,
    kind: LoggedKind,
    text: Option<String>,
    sent: Option<String>,
    avatar: Option<String>,
    liked: Option<String>,
    #[serde(default)]
    cut: bool,
    outcome: Outcome,
    by: Option<String>,
    reason: Option<ReasonJson>,
    trace: Vec<Value>,
    sender: SenderJson,
}

#[derive(Deserialize)]
struct ReasonJson {
    code: String,
    text: Option<String>,
}

#[derive(Deserialize)]
struct SenderJson {
    connection: Option<u64>,
    address: String,
    registered: bool,
    connected_ns: u64,
    accepted: u64,
    refused: u64,
    trusted: bool,
    members: usize,
}

impl TryFrom<DecisionLine> for LoggedDecision {
    type Error = LineErrorKind;

    fn try_from(line: DecisionLine) -> Result<Self, LineErrorKind> {
        let DecisionLine { id, at_ns, clock, room, author, kind, text, sent, avatar, liked, cut, .. } = line;
        let DecisionLine { outcome, by, reason, trace, sender, .. } = line;
        let SenderJson { connection, address, registered, connected_ns, accepted, refused, trusted, members } = sender;
        let address = (address.len() == 16).then(|| u64::from_str_radix(&address, 16).ok()).flatten();
        let (code, reason) = reason.map_or((None, None), |reason| (Some(reason.code), reason.text));
        Ok(Self {
            id,
            at: timestamp(at_ns)?,
            since_start: Duration::from_nanos(clock),
            room: RoomName::parse(&room).map_err(unknown)?,
            author,
            kind,
            text,
            sent,
            avatar,
            liked,
            cut,
            outcome,
            by,
            code,
            reason,
            trace,
            sender: LoggedSender {
                connection: connection.map(ConnectionId),
                address: address
                    .ok_or_else(|| LineErrorKind::Unknown("its address is no hash of 16 hex digits".to_owned()))?,
                registered,
                connected: Duration::from_nanos(connected_ns),
                accepted,
                refused,
                trusted,
                members,
            },
        })
    }
}

fn timestamp(nanoseconds: i64) -> Result<Timestamp, LineErrorKind> {
    Timestamp::from_nanosecond(nanoseconds.into()).map_err(unknown)
}

fn unknown(error: impl std::fmt::Display) -> LineErrorKind {
    LineErrorKind::Unknown(error.to_string())
}

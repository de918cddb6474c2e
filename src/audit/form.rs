//! The lines as they stand in a file, field by field.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::write::LogTime;
use crate::model::{Outcome, TraceStep};

pub(super) fn time(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// Nanoseconds since 1970; a relay that lives until 2262 stops counting then.
pub(super) fn nanoseconds(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX)
}

/// Nanoseconds.
pub(super) fn clock(since: Duration) -> u64 {
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[derive(Serialize)]
pub(super) struct Time {
    pub(super) at: String,
    pub(super) at_ns: i64,
    pub(super) clock: u64,
}

impl From<LogTime> for Time {
    fn from(now: LogTime) -> Self {
        Self { at: time(now.at), at_ns: nanoseconds(now.at), clock: clock(now.since_start) }
    }
}

#[derive(Serialize)]
pub(super) struct HeadLine<'a> {
    pub(super) r#type: &'static str,
    pub(super) n: u64,
    #[serde(flatten)]
    pub(super) time: Time,
    pub(super) version: &'static str,
    pub(super) run: Uuid,
    pub(super) day: String,
    pub(super) file: u64,
    pub(super) before: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) day_before: Option<Value>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) cut: &'a [(u64, u64)],
    pub(super) key_since: String,
    pub(super) record: &'static str,
    pub(super) texts: &'static str,
    pub(super) levels: Value,
    pub(super) sanctions: &'a [Value],
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) more: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

#[derive(Serialize)]
pub(super) struct LostLine {
    pub(super) r#type: &'static str,
    pub(super) n: u64,
    #[serde(flatten)]
    pub(super) time: Time,
    pub(super) count: u64,
}

#[derive(Serialize)]
pub(super) struct EndLine {
    pub(super) r#type: &'static str,
    pub(super) n: u64,
    #[serde(flatten)]
    pub(super) time: Time,
}

#[derive(Serialize)]
pub(super) struct ActLine {
    pub(super) r#type: &'static str,
    pub(super) n: u64,
    pub(super) at_ns: i64,
    pub(super) clock: u64,
    #[serde(flatten)]
    pub(super) json: Map<String, Value>,
}

#[derive(Serialize)]
pub(super) struct DecisionLine<'a> {
    pub(super) r#type: &'static str,
    pub(super) n: u64,
    pub(super) id: Uuid,
    pub(super) at: String,
    pub(super) at_ns: i64,
    pub(super) room: &'a str,
    pub(super) author: String,
    pub(super) kind: &'static str,
    pub(super) outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<ReasonJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) avatar: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) liked: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) cut: bool,
    pub(super) trace: Cow<'a, [TraceStep]>,
    pub(super) clock: u64,
    pub(super) sender: SenderJson,
}

#[derive(Serialize)]
pub(super) struct ReasonJson {
    pub(super) code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
}

#[derive(Serialize)]
pub(super) struct SenderJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) connection: Option<u64>,
    pub(super) address: String,
    pub(super) registered: bool,
    pub(super) connected_ns: u64,
    pub(super) accepted: u64,
    pub(super) refused: u64,
    pub(super) trusted: bool,
    pub(super) members: usize,
}

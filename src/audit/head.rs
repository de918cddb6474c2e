//! The head of a file: its place in the log, and the state at its beginning.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::chain::{self, Hash};
use super::config::{Recording, Texts};
use crate::model::form::{duration_nanoseconds, milliseconds, nanoseconds, optional_milliseconds};
use crate::model::{ActiveLevel, Actor, AddressHash, RoomName, SanctionKind, Target};

/// A time, by the calendar and by a monotonic clock since the start of the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogTime {
    /// The calendar time, for people.
    #[serde(rename = "at", with = "milliseconds")]
    shown: Timestamp,
    /// The calendar time, to the nanosecond.
    #[serde(rename = "at_ns", with = "nanoseconds")]
    pub at: Timestamp,
    /// The time since the start of the relay.
    #[serde(rename = "clock", with = "duration_nanoseconds")]
    pub since_start: Duration,
}

impl LogTime {
    /// Creates a time from both clocks.
    #[must_use]
    pub fn new(at: Timestamp, since_start: Duration) -> Self {
        Self { shown: at, at, since_start }
    }
}

/// Maximum size of the sanctions in one line, in bytes.
const MAX_SANCTIONS_IN_LINE: usize = 256 << 10;

/// The head of a file, with the state at its beginning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileHead {
    /// The number of the line: 1.
    pub n: u64,
    /// The time.
    #[serde(flatten)]
    pub time: LogTime,
    /// The version of the relay.
    pub version: Cow<'static, str>,
    /// The random id of the run, new at each start of the relay.
    pub run: Uuid,
    /// The place of the file in the log.
    #[serde(flatten)]
    pub place: FilePlace,
    /// Since when the address-hash key is in use. Hashes made with different keys cannot be compared.
    pub key_since: Timestamp,
    /// The recorded decisions.
    pub record: Recording,
    /// The recorded texts.
    pub texts: Texts,
    /// The levels in force.
    pub levels: Vec<ActiveLevel>,
    /// The sanctions in force, and ended ones that still count as steps of the ladder.
    pub sanctions: Vec<LoggedSanction>,
    /// The number of lines on which the sanctions go on.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// The place of a file in the log and in its hash chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePlace {
    /// The day of the file, in UTC.
    pub day: Date,
    /// The number of the file within its day, counted from 1.
    pub file: u64,
    /// The hash from which the file continues.
    #[serde(with = "chain::hexadecimal")]
    pub before: Hash,
    /// The previous day, in the first file of a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day_before: Option<PreviousDay>,
    /// The numbers of earlier files that end within a line, with the bytes of the incomplete line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cut: Vec<(u64, u64)>,
}

/// The previous day of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousDay {
    /// The day.
    pub day: Date,
    /// The hash of its last line.
    #[serde(with = "chain::hexadecimal")]
    pub hash: Hash,
}

/// A logged sanction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedSanction {
    /// The ID.
    pub id: u64,
    /// The kind.
    pub kind: SanctionKind,
    /// The nickname or the hash of the address.
    #[serde(flatten)]
    pub target: Target<AddressHash>,
    /// The room; `None` for all rooms.
    pub room: Option<RoomName>,
    /// When it began.
    #[serde(with = "milliseconds")]
    pub at: Timestamp,
    /// When it ends.
    #[serde(default, with = "optional_milliseconds")]
    pub until: Option<Timestamp>,
    /// The reason. Unless full texts are logged, reasons of plugins are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
    /// The actor that imposed it.
    #[serde(rename = "by")]
    pub actor: Actor,
    /// The step of the ladder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<usize>,
}

/// Splits sanctions so that each part fits into a line. Leaves out a sanction that would fill a line by itself.
pub(super) fn split_sanctions(sanctions: impl Iterator<Item = LoggedSanction>) -> Vec<Vec<LoggedSanction>> {
    let (mut lines, mut line, mut bytes) = (Vec::new(), Vec::new(), 0);
    for sanction in sanctions {
        let size = serde_json::to_vec(&sanction).map_or(usize::MAX, |json| json.len() + 1);
        if size > MAX_SANCTIONS_IN_LINE {
            continue;
        }
        if bytes + size > MAX_SANCTIONS_IN_LINE && !line.is_empty() {
            lines.push(std::mem::take(&mut line));
            bytes = 0;
        }
        bytes += size;
        line.push(sanction);
    }
    lines.push(line);
    lines
}

//! Writes the lines of the log, leaving out what the privacy settings exclude.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::config::{Texts, name_of};
use super::form::{
    ActLine, DecisionLine, EndLine, HeadLine, LostLine, ReasonJson, SenderJson, clock, nanoseconds, time,
};
use super::{Config, LogFileName, chain};
use crate::model::Act;
use crate::model::{Address, Basis, JudgedMessage, Kind, Match, Outcome, Sender, TraceStep};

/// Longest text of a refusal, unless full texts are logged. Code points.
const MAX_EXCERPT: usize = 80;
/// Longest text: the maximum of `filter.shape.max_message_length`. Code points.
const MAX_TEXT: usize = 65_536;
/// Longest author, avatar and name of a liked author. Code points.
const MAX_NAME: usize = 1_024;
/// Most bytes of sanctions in one line; the rest goes to continuation lines.
const SANCTIONS_IN_LINE: usize = 256 << 10;
/// Replaces the words of a plugin, which may quote a text.
const NOT_LOGGED: &str = "not logged";

/// A time, by the calendar and since the start of the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LogTime {
    /// The calendar time.
    pub(super) at: Timestamp,
    /// The time since the relay started.
    pub(super) since_start: Duration,
}

/// The fields of a head.
#[derive(Debug)]
pub(super) struct HeadFields<'a> {
    pub(super) first_of_run: bool,
    pub(super) run: Uuid,
    pub(super) name: LogFileName,
    /// The hash from which the file continues.
    pub(super) before: chain::Hash,
    /// The previous day and its last hash, in the first file of a day.
    pub(super) day_before: Option<(jiff::civil::Date, chain::Hash)>,
    /// Earlier files that end within a line, with the bytes of the incomplete line.
    pub(super) cut: &'a [(u64, u64)],
    pub(super) key_since: Timestamp,
    pub(super) config: &'a Config,
    pub(super) levels: Value,
}

type Written = serde_json::Result<()>;

/// Writes a head. The sanctions follow in lines of their own, so many.
pub(super) fn head(out: &mut Vec<u8>, now: LogTime, facts: HeadFields<'_>, first: &[Value], more: usize) -> Written {
    let HeadFields { first_of_run, run, name, before, day_before, cut, key_since, config, levels } = facts;
    let day_before = day_before.map(|(day, hash)| json!({"day": day.to_string(), "hash": chain::hex(&hash)}));
    let head = HeadLine {
        r#type: if first_of_run { "start" } else { "state" },
        n: 1,
        time: now.into(),
        version: env!("CARGO_PKG_VERSION"),
        run,
        day: name.day.to_string(),
        file: name.number,
        before: chain::hex(&before),
        day_before,
        cut,
        key_since: key_since.to_string(),
        record: name_of(config.record),
        texts: name_of(config.texts),
        levels,
        sanctions: first,
        more,
    };
    serde_json::to_writer(out, &head)
}

/// Sanctions that do not fit into the head.
pub(super) fn more(out: &mut Vec<u8>, n: u64, sanctions: &[Value]) -> Written {
    serde_json::to_writer(out, &json!({"type": "more", "n": n, "sanctions": sanctions}))
}

/// Sanctions as they fit into lines, one line at least; without the words of plugins unless texts are
/// written whole, and without a sanction that would fill a line by itself.
pub(super) fn in_lines(sanctions: Vec<Value>, texts: Texts) -> Vec<Vec<Value>> {
    let (mut lines, mut line, mut bytes) = (Vec::new(), Vec::new(), 0);
    for mut sanction in sanctions {
        if let Value::Object(map) = &mut sanction {
            without_quotes(map, texts);
        }
        let own = sanction.to_string().len() + 1;
        if own > SANCTIONS_IN_LINE {
            continue;
        }
        if bytes + own > SANCTIONS_IN_LINE && !line.is_empty() {
            lines.push(std::mem::take(&mut line));
            bytes = 0;
        }
        bytes += own;
        line.push(sanction);
    }
    lines.push(line);
    lines
}

/// Writes that so many lines are missing.
pub(super) fn lost(out: &mut Vec<u8>, n: u64, now: LogTime, count: u64) -> Written {
    serde_json::to_writer(out, &LostLine { r#type: "lost", n, time: now.into(), count })
}

/// Writes that the file is closed in good order.
pub(super) fn end(out: &mut Vec<u8>, n: u64, now: LogTime) -> Written {
    serde_json::to_writer(out, &EndLine { r#type: "end", n, time: now.into() })
}

/// Writes what a moderator did.
pub(super) fn act(out: &mut Vec<u8>, n: u64, act: &Act, texts: Texts, hash: &dyn Fn(Address) -> String) -> Written {
    let mut json = act.to_json(hash);
    without_quotes(&mut json, texts);
    if let Some(Value::Object(sanction)) = json.get_mut("sanction") {
        without_quotes(sanction, texts);
    }
    let (at_ns, clock) = (nanoseconds(act.at), clock(act.since_start));
    serde_json::to_writer(out, &ActLine { r#type: "act", n, at_ns, clock, json })
}

/// Takes out the reason that a plugin gave: it may quote a text.
fn without_quotes(map: &mut Map<String, Value>, texts: Texts) {
    if texts != Texts::Full && map.get("by").is_some_and(|by| by.get("plugin").is_some()) {
        map.remove("reason");
    }
}

/// Writes a decision. With `texts` off, nothing that the sender wrote is in it but the author's name.
pub(super) fn decision(
    out: &mut Vec<u8>,
    n: u64,
    recorded: &JudgedMessage,
    texts: Texts,
    hash: &dyn Fn(Address) -> String,
) -> Written {
    let JudgedMessage { decision, sender } = recorded;
    let message = &decision.message;
    let full = texts == Texts::Full;
    let refused = matches!(decision.outcome, Outcome::Hold | Outcome::Shadow | Outcome::Reject);
    let mut cut = false;
    let mut short = |text: &str, most: usize| -> Option<String> {
        let end = text.char_indices().nth(most).map(|(end, _)| end);
        cut |= end.is_some();
        text.get(..end.unwrap_or(text.len())).map(str::to_owned)
    };
    let author = short(&message.author, MAX_NAME).unwrap_or_default();
    let text = match texts {
        Texts::Full => decision.original_text().and_then(|text| short(text, MAX_TEXT)),
        Texts::Refusals if refused => decision.original_text().and_then(|text| short(text, MAX_EXCERPT)),
        Texts::Refusals | Texts::Off => None,
    };
    let sent = decision.original.as_ref().and(message.text()).filter(|_| full).and_then(|text| short(text, MAX_TEXT));
    let avatar = message.avatar().filter(|_| full).and_then(|avatar| short(avatar, MAX_NAME));
    let liked = match &message.kind {
        Kind::Like { liked, .. } if full => short(liked, MAX_NAME),
        _ => None,
    };
    let reason = decision.reason.as_ref().map(|reason| ReasonJson {
        code: reason.code.as_str(),
        text: full.then(|| reason.text.chars().take(MAX_NAME).collect()),
    });
    let line = DecisionLine {
        r#type: "decision",
        n,
        id: message.id,
        at: time(message.at),
        at_ns: nanoseconds(message.at),
        room: sender.room.as_str(),
        author,
        kind: message.kind.as_str(),
        outcome: decision.outcome,
        reason,
        by: decision.decided_by,
        text,
        sent,
        avatar,
        liked,
        cut,
        trace: if full { Cow::Borrowed(decision.trace.as_slice()) } else { trace_without_quotes(&decision.trace) },
        clock: clock(sender.context.since_start),
        sender: sender_json(sender, hash),
    };
    serde_json::to_writer(out, &line)
}

/// The trace without what plugins may have quoted: their labels, and the words of their failures.
fn trace_without_quotes(trace: &[TraceStep]) -> Cow<'_, [TraceStep]> {
    let quotes = |step: &TraceStep| {
        matches!(&step.matched, Some(Match { basis: Basis::Plugin { failure, .. }, labels, .. })
            if failure.is_some() || !labels.is_empty())
    };
    if !trace.iter().any(quotes) {
        return Cow::Borrowed(trace);
    }
    let mut trace = trace.to_vec();
    for step in &mut trace {
        if let Some(Match { basis: Basis::Plugin { failure, .. }, labels, .. }) = &mut step.matched {
            labels.clear();
            if let Some(words) = failure {
                *words = Arc::from(NOT_LOGGED);
            }
        }
    }
    Cow::Owned(trace)
}

fn sender_json(sender: &Sender, hash: &dyn Fn(Address) -> String) -> SenderJson {
    let facts = &sender.context;
    SenderJson {
        connection: sender.connection.map(|id| id.0),
        address: hash(sender.address),
        registered: facts.registered,
        connected_ns: clock(facts.connected),
        accepted: facts.accepted,
        refused: facts.refused,
        trusted: facts.trusted,
        members: facts.member_count,
    }
}

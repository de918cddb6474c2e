//! What was decided lately: a page of it, and all of it as it happens.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::{Extension, Json};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use utoipa::{IntoParams, ToSchema};

use super::caller::Caller;
use super::{in_query, shown, written};
use crate::api::Api;
use crate::api::error::{ApiError, Detail};
use crate::model::{Basis, Outcome, Recorded};
use crate::moderation::{Entry, Happened, Journal, MAX_DECISIONS, Moderators, Note};

/// Decisions of one answer, where the call does not say.
const USUAL: usize = 100;
/// Most decisions of one answer.
const MOST: usize = 1_000;
/// Entries that a stream takes from the journal at once.
const BATCH: usize = 256;
/// How often a stream without news shows that it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Which decisions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct Which {
    /// Only those in this room.
    #[param(example = "QGIS")]
    room: Option<String>,
    /// Only those on messages sent under this name.
    #[param(example = "jane")]
    author: Option<String>,
    /// Only those with this outcome: `pass`, `replace`, `hold`, `shadow`, `reject`.
    #[param(example = "reject", value_type = Option<String>)]
    outcome: Option<Outcome>,
    /// Only those that this rule or plugin had a part in.
    #[param(example = "no-casino")]
    rule: Option<String>,
    /// Only those before the entry of this number: the `entry` of the last one of an answer gives the next page.
    before: Option<u64>,
    /// Most decisions of the answer, 1 to 1000.
    #[param(example = 100, minimum = 1, maximum = 1000)]
    limit: usize,
}

impl Default for Which {
    fn default() -> Self {
        Self { room: None, author: None, outcome: None, rule: None, before: None, limit: USUAL }
    }
}

impl Which {
    fn holds(&self, recorded: &Recorded) -> bool {
        let Recorded { decision, sender } = recorded;
        let is = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        is(&self.room, sender.room.as_str())
            && is(&self.author, &decision.message.author)
            && self.outcome.is_none_or(|wanted| wanted == decision.outcome)
            && self.rule.as_deref().is_none_or(|wanted| took_part(recorded, wanted))
    }
}

fn took_part(recorded: &Recorded, wanted: &str) -> bool {
    let bases = recorded.decision.trace.iter().filter_map(|step| step.matched.as_ref().map(|matched| &matched.basis));
    bases.into_iter().any(|basis| match basis {
        Basis::Rule { id, .. } => &**id == wanted,
        Basis::Plugin { name, .. } => &**name == wanted,
        Basis::Sanction { .. } => false,
    })
}

/// Decisions, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Decisions {
    #[schema(value_type = Vec<Object>, example = json!([{
        "entry": 1_767_268_800_000_017_u64, "id": "0b9a0d1c-53c8-4b3f-8d2c-9b0e6f0a7c11", "at": "2026-01-01T12:00:00.000Z",
        "room": "QGIS", "author": "jane", "kind": "text", "outcome": "pass", "text": "hello",
        "trace": [{"filter": "sanction", "verdict": "pass", "micros": 0.1}, {"filter": "shape", "verdict": "pass", "micros": 0.4}],
        "sender": {"member": "4294967296", "address": "192.0.2.x", "registered": true, "trusted": false},
    }]))]
    decisions: Vec<serde_json::Value>,
}

/// What was decided lately, the newest first.
///
/// The last 10 000 decisions are kept in memory. Texts stand in them, whatever the audit log keeps.
#[utoipa::path(
    get, path = "/moderation/decisions", tag = "moderation", params(Which), security(("moderator" = [])),
    responses(
        (status = 200, body = Decisions),
        (status = 401, body = Detail, description = "No token, or none of a moderator"),
        (status = 403, body = Detail, description = "The token has not the scope `read`, or not for this room"),
        (status = 422, body = Detail, description = "The query is not what this call takes; the detail names the field"),
        (status = 429, body = Detail, description = "Too many wrong tokens; `Retry-After` tells how long to wait"),
    ),
)]
pub(in crate::api) async fn decisions(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Decisions>, ApiError> {
    let which = in_query(which)?;
    if !(1..=MOST).contains(&which.limit) {
        return Err(ApiError::BadCall(format!("`limit` is {}; 1 to {MOST} are allowed", which.limit)));
    }
    caller.check_room_named(&api, which.room.as_deref())?;
    let wanted = |recorded: &Recorded| caller.may_see(Some(&recorded.sender.room)) && which.holds(recorded);
    let found = api.desk.journal().decisions(which.before, which.limit, wanted);
    Ok(Json(Decisions { decisions: found.iter().map(|(id, recorded)| shown::decision(*id, recorded)).collect() }))
}

/// Decisions, acts of moderators and notes as they happen, as server-sent events.
///
/// Events are `decision`, `act`, `note` and `lost`; their ids are the numbers of the entries. Who comes back with
/// `Last-Event-ID` gets what has happened since, as far as it is kept; `lost` says that some is not. A console that falls
/// ten thousand decisions behind is cut.
#[utoipa::path(
    get, path = "/moderation/decisions/stream", tag = "moderation", security(("moderator" = [])),
    params(("Last-Event-ID" = Option<u64>, Header, description = "The id of the last event that is known")),
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = 401, body = Detail, description = "No token, or none of a moderator"),
        (status = 403, body = Detail, description = "The token has not the scope `read`"),
        (status = 422, body = Detail, description = "`Last-Event-ID` is no number"),
        (status = 429, body = Detail, description = "Too many wrong tokens; `Retry-After` tells how long to wait"),
    ),
)]
pub(in crate::api) async fn stream(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    let journal = Arc::clone(api.desk.journal());
    let known = match headers.get("last-event-id").map(|id| id.to_str().unwrap_or_default().parse()) {
        None => journal.last_id(),
        // A number that has not been given yet is none of ours.
        Some(Ok(id)) => journal.last_id().min(id),
        Some(Err(_)) => return Err(ApiError::BadCall("`Last-Event-ID` is no number".to_owned())),
    };
    let (moderators, stop) = (Arc::clone(&api.moderators), api.stop.clone());
    let listener =
        Listener { journal, caller, known, begun: false, cut: false, pending: VecDeque::new(), moderators, stop };
    let events = stream::unfold(listener, async |mut listener| {
        listener.next().await.map(|event| (Ok::<_, Infallible>(event), listener))
    });
    // Whoever is cut is to notice.
    let headers = [(header::CONNECTION, HeaderValue::from_static("close"))];
    Ok((headers, Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))))
}

/// Somebody who listens.
struct Listener {
    journal: Arc<Journal>,
    caller: Caller,
    /// The number of the last entry that was looked at.
    known: u64,
    begun: bool,
    /// It fell too far behind: there is nothing more for it.
    cut: bool,
    pending: VecDeque<Event>,
    /// Whether it may still listen is asked again and again.
    moderators: Arc<Moderators>,
    stop: CancellationToken,
}

impl Listener {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Some(event);
            }
            if self.cut {
                return None;
            }
            tokio::select! {
                () = self.journal.wait(self.known) => {}
                () = self.stop.cancelled() => return None,
            }
            if !self.caller.is_still_admitted(&self.moderators) {
                return None;
            }
            let since = self.journal.since(self.known, BATCH);
            if since.missed {
                let text = format!("what came after {} is no longer kept: {MAX_DECISIONS} decisions are", self.known);
                self.pending.push_back(Event::default().event("lost").data(text));
                if self.begun {
                    self.cut = true;
                    continue;
                }
            }
            self.begun = true;
            self.known = since.known;
            let seen = since.entries.iter().filter(|entry| self.caller.may_see(room_of(entry)));
            self.pending.extend(seen.map(event_of));
        }
    }
}

fn room_of(entry: &Entry) -> Option<&crate::model::RoomName> {
    match &entry.what {
        Happened::Decision(recorded) => Some(&recorded.sender.room),
        Happened::Act(act) => act.what.room(),
        Happened::Note(_) => None,
    }
}

fn event_of(entry: &Entry) -> Event {
    let (name, value) = match &entry.what {
        Happened::Decision(recorded) => ("decision", shown::decision(entry.id, recorded)),
        Happened::Act(act) => ("act", shown::act(entry.id, act)),
        Happened::Note(Note { at, kind, text, .. }) => {
            ("note", serde_json::json!({"entry": entry.id, "at": written(*at), "kind": kind.as_str(), "text": text}))
        }
    };
    Event::default().id(entry.id.to_string()).event(name).data(value.to_string())
}

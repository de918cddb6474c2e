//! Recent decisions, page by page, and a live stream of decisions, acts and notes.

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
use super::parse_query;
use super::views::{ActEntry, DecisionEntry, NoteEntry};
use crate::api::Api;
use crate::api::error::{ApiError, ErrorResponse};
use crate::auth::Moderators;
use crate::model::{Basis, JudgedMessage, Outcome};
use crate::moderation::{Journal, JournalEntry, JournalEvent, MAX_DECISIONS};

/// Default for `limit`.
const DEFAULT_LIMIT: usize = 100;
/// Largest `limit`.
const MAX_LIMIT: usize = 1_000;
/// Entries that a stream takes from the journal at a time.
const STREAM_BATCH: usize = 256;
/// Interval of keep-alive comments on an idle stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Selects decisions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct DecisionsQuery {
    /// Only decisions in this room.
    #[param(example = "QGIS")]
    room: Option<String>,
    /// Only decisions on messages sent under this nickname.
    #[param(example = "jane")]
    author: Option<String>,
    /// Only decisions with this outcome: `pass`, `replace`, `hold`, `shadow`, `reject`.
    #[param(example = "reject", value_type = Option<String>)]
    outcome: Option<Outcome>,
    /// Only decisions in which this rule or plugin matched.
    #[param(example = "no-casino")]
    rule: Option<String>,
    /// Only decisions before this entry. To get the next page, pass the `entry` of the last decision.
    before: Option<u64>,
    /// Maximum number of decisions, 1 to 1000.
    #[param(example = 100, minimum = 1, maximum = 1000)]
    limit: usize,
}

impl Default for DecisionsQuery {
    fn default() -> Self {
        Self { room: None, author: None, outcome: None, rule: None, before: None, limit: DEFAULT_LIMIT }
    }
}

impl DecisionsQuery {
    fn matches(&self, judged: &JudgedMessage) -> bool {
        let JudgedMessage { decision, sender, .. } = judged;
        let is = |expected: &Option<String>, found: &str| expected.as_deref().is_none_or(|expected| expected == found);
        is(&self.room, sender.room.as_str())
            && is(&self.author, &decision.message.author)
            && self.outcome.is_none_or(|expected| expected == decision.outcome)
            && self.rule.as_deref().is_none_or(|expected| has_match_of(judged, expected))
    }
}

fn has_match_of(judged: &JudgedMessage, expected: &str) -> bool {
    let bases = judged.decision.trace.iter().filter_map(|step| step.matched.as_ref().map(|matched| &matched.basis));
    bases.into_iter().any(|basis| match basis {
        Basis::Rule { id, .. } => &**id == expected,
        Basis::Plugin { name, .. } => &**name == expected,
        Basis::Sanction { .. } => false,
    })
}

/// Decisions, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct DecisionsResponse {
    #[schema(value_type = Vec<Object>, example = json!([{
        "entry": 1_767_268_800_000_017_u64, "id": "0b9a0d1c-53c8-4b3f-8d2c-9b0e6f0a7c11", "at": "2026-01-01T12:00:00.000Z",
        "room": "QGIS", "author": "jane", "kind": "text", "outcome": "pass", "text": "hello",
        "trace": [{"filter": "sanction", "verdict": "pass", "micros": 0.1}, {"filter": "shape", "verdict": "pass", "micros": 0.4}],
        "sender": {"member": "4294967296", "address": "192.0.2.x", "registered": true, "trusted": false},
    }]))]
    decisions: Vec<DecisionEntry>,
}

/// List recent decisions, newest first.
///
/// The last 10 000 decisions are kept in memory. They include the texts, even if the audit log does not.
#[utoipa::path(
    get, path = "/moderation/decisions", tag = "moderation", params(DecisionsQuery),
    responses(
        (status = 200, body = DecisionsResponse),
        (status = 422, body = ErrorResponse, description = "Invalid query; `detail` names the field"),
    ),
)]
pub(in crate::api) async fn decisions(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<DecisionsQuery>, QueryRejection>,
) -> Result<Json<DecisionsResponse>, ApiError> {
    let query = parse_query(query)?;
    if !(1..=MAX_LIMIT).contains(&query.limit) {
        return Err(ApiError::InvalidRequest(format!("`limit` is {}; 1 to {MAX_LIMIT} are allowed", query.limit)));
    }
    caller.resolve_room(&api, query.room.as_deref())?;
    let is_match = |judged: &JudgedMessage| caller.can_see(Some(&judged.sender.room)) && query.matches(judged);
    let found = api.moderation.journal().decisions(query.before, query.limit, is_match);
    let shows_places = api.shows_places;
    let decisions = found.into_iter().map(|(entry, judged)| DecisionEntry { entry, judged, shows_places });
    let decisions = decisions.collect();
    Ok(Json(DecisionsResponse { decisions }))
}

/// Stream decisions, acts and notes as server-sent events.
///
/// The events are `decision`, `act`, `note` and `lost`; their ids are entry numbers. A client that reconnects with
/// `Last-Event-ID` gets the entries since then that are still in memory, after a `lost` event if some are not. A client
/// that falls 10 000 decisions behind is disconnected.
#[utoipa::path(
    get, path = "/moderation/decisions/stream", tag = "moderation",
    params(("Last-Event-ID" = Option<u64>, Header, description = "The id of the last event received")),
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = 422, body = ErrorResponse, description = "`Last-Event-ID` is not a number"),
    ),
)]
pub(in crate::api) async fn stream(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    let journal = Arc::clone(api.moderation.journal());
    let last_id = match headers.get("last-event-id").map(|id| id.to_str().unwrap_or_default().parse()) {
        None => journal.last_id(),
        // An id from the future does not come from this run.
        Some(Ok(id)) => journal.last_id().min(id),
        Some(Err(_)) => return Err(ApiError::InvalidRequest("`Last-Event-ID` is not a number".to_owned())),
    };
    let (moderators, shutdown) = (Arc::clone(&api.moderators), api.shutdown.clone());
    let events = EventStream {
        journal,
        caller,
        last_id,
        has_started: false,
        is_closing: false,
        pending: VecDeque::new(),
        shows_places: api.shows_places,
        moderators,
        shutdown,
    };
    let events = stream::unfold(events, async |mut events| {
        events.next().await.map(|event| (Ok::<_, Infallible>(event), events))
    });
    // Lets a client notice that the stream has ended.
    let headers = [(header::CONNECTION, HeaderValue::from_static("close"))];
    Ok((headers, Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))))
}

/// The state of one live stream.
struct EventStream {
    journal: Arc<Journal>,
    caller: Caller,
    /// The last entry that was processed.
    last_id: u64,
    has_started: bool,
    /// The client fell too far behind: the stream ends once `pending` is sent.
    is_closing: bool,
    pending: VecDeque<Event>,
    shows_places: bool,
    /// Checked before each batch, so that a revoked token ends the stream.
    moderators: Arc<Moderators>,
    shutdown: CancellationToken,
}

impl EventStream {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Some(event);
            }
            if self.is_closing {
                return None;
            }
            tokio::select! {
                () = self.journal.wait(self.last_id) => {}
                () = self.shutdown.cancelled() => return None,
            }
            if !self.caller.is_still_admitted(&self.moderators) {
                return None;
            }
            let since = self.journal.entries_after(self.last_id, STREAM_BATCH);
            if since.has_gap {
                let text = format!(
                    "entries after {} are no longer available; the last {MAX_DECISIONS} decisions are kept",
                    self.last_id
                );
                self.pending.push_back(Event::default().event("lost").data(text));
                if self.has_started {
                    self.is_closing = true;
                    continue;
                }
            }
            self.has_started = true;
            self.last_id = since.last_id;
            let visible = since.entries.iter().filter(|entry| self.caller.can_see(room_of(entry)));
            self.pending.extend(visible.map(|entry| to_sse_event(entry, self.shows_places)));
        }
    }
}

fn room_of(entry: &JournalEntry) -> Option<&crate::model::RoomName> {
    match &entry.event {
        JournalEvent::Decision(judged) => Some(&judged.sender.room),
        JournalEvent::Act(act) => act.room.as_ref(),
        JournalEvent::Note(_) => None,
    }
}

fn to_sse_event(entry: &JournalEntry, shows_places: bool) -> Event {
    let JournalEntry { id: number, event } = entry;
    let (name, json) = match event {
        JournalEvent::Decision(judged) => {
            let entry = DecisionEntry { entry: *number, judged: Arc::clone(judged), shows_places };
            ("decision", serde_json::to_string(&entry))
        }
        JournalEvent::Act(act) => ("act", serde_json::to_string(&ActEntry::new(*number, act))),
        JournalEvent::Note(note) => ("note", serde_json::to_string(&NoteEntry::new(*number, note))),
    };
    // Serialization cannot fail: these are structs of strings and numbers.
    Event::default().id(number.to_string()).event(name).data(json.unwrap_or_default())
}

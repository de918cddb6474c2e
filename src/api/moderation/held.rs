//! The held queue: what waits for a moderator, and what becomes of it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::caller::Caller;
use super::{for_sender, release_all, shown, written};
use crate::api::Api;
use crate::api::error::{ApiError, Detail};
use crate::api::request::{json as parsed, read};
use crate::model::{Cause, Code, Notice, Reason};
use crate::moderation::{HeldMessage, What, cause_json};

/// Held messages, the oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Held {
    /// How many may wait.
    #[schema(example = 1000)]
    capacity: usize,
    #[schema(value_type = Vec<Object>, example = json!([{
        "id": "0b9a0d1c-53c8-4b3f-8d2c-9b0e6f0a7c11", "at": "2026-01-01T12:00:00.000Z", "room": "QGIS", "author": "jane",
        "kind": "text", "outcome": "hold", "reason": {"code": "rule", "text": "A moderator looks at links first."},
        "text": "see https://example.org", "expires": "2026-01-01T12:30:00.000Z", "held_by": {"rule": "links"},
    }]))]
    held: Vec<Value>,
}

/// Why a held message is refused.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::api) struct Refusal {
    /// For its sender.
    #[schema(example = "please take this to the other room")]
    reason: Option<String>,
}

fn view(held: &HeldMessage) -> Value {
    let mut value = shown::decision(0, &held.recorded);
    if let Value::Object(map) = &mut value {
        map.remove("entry");
        map.insert("expires".to_owned(), json!(written(held.expires)));
        map.insert("held_by".to_owned(), held.cause.as_ref().map_or(Value::Null, cause_json));
    }
    value
}

/// Messages that wait for a moderator, the oldest first.
#[utoipa::path(
    get, path = "/moderation/held", tag = "moderation", security(("moderator" = [])),
    responses(
        (status = 200, body = Held),
        (status = 401, body = Detail, description = "No token, or none of a moderator"),
        (status = 403, body = Detail, description = "The token has not the scope `read`"),
        (status = 429, body = Detail, description = "Too many wrong tokens; `Retry-After` tells how long to wait"),
    ),
)]
pub(in crate::api) async fn list(State(api): State<Arc<Api>>, Extension(caller): Extension<Caller>) -> Json<Held> {
    let queue = api.desk.state().held();
    let waiting = queue.list();
    let seen = waiting.iter().filter(|held| caller.may_see(Some(&held.recorded.sender.room)));
    Json(Held { capacity: queue.capacity(), held: seen.map(view).collect() })
}

/// Let the room hear a held message, with the id and time that it came with.
#[utoipa::path(
    post, path = "/moderation/held/{id}/release", tag = "moderation", security(("moderator" = [])),
    params(("id" = String, Path, description = "The id of a message")),
    responses(
        (status = 200, body = Object, description = "The message that was released, as the list shows it"),
        (status = 401, body = Detail, description = "No token, or none of a moderator"),
        (status = 403, body = Detail, description = "The token has not the scope `act`, or not for this room"),
        (status = 404, body = Detail, description = "No such message waits"),
        (status = 429, body = Detail, description = "Too many wrong tokens; `Retry-After` tells how long to wait"),
        (status = 503, body = Detail, description = "The store could not keep that it is released; the room has heard it"),
    ),
)]
pub(in crate::api) async fn release(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let one_at_a_time = api.acting.lock().await;
    let held = waiting(&api, &caller, &id)?;
    let (message, room) = (held.recorded.decision.message.id, held.recorded.sender.room.clone());
    api.desk.write_down(Cause::Moderator(caller.name()), What::Released { message, room }).await;
    let held = api.desk.state().held().take(message).ok_or_else(|| none(&id))?;
    let shown = view(&held);
    release_all(&api, vec![held]).await?;
    drop(one_at_a_time);
    api.desk.state().saved().await.map_err(|fault| ApiError::Unsaved(fault.to_string()))?;
    Ok(Json(shown))
}

/// Refuse a held message; its sender is told, if it is still there.
#[utoipa::path(
    post, path = "/moderation/held/{id}/refuse", tag = "moderation", security(("moderator" = [])),
    params(("id" = String, Path, description = "The id of a message")),
    request_body(content = Refusal, description = "May be empty"),
    responses(
        (status = 200, body = Object, description = "The message that was refused, as the list shows it"),
        (status = 401, body = Detail, description = "No token, or none of a moderator"),
        (status = 403, body = Detail, description = "The token has not the scope `act`, or not for this room"),
        (status = 404, body = Detail, description = "No such message waits"),
        (status = 422, body = Detail, description = "The body is not what this call takes; the detail names the field"),
        (status = 429, body = Detail, description = "Too many wrong tokens; `Retry-After` tells how long to wait"),
        (status = 503, body = Detail, description = "The store could not keep that it is refused"),
    ),
)]
pub(in crate::api) async fn refuse(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<Value>, ApiError> {
    let body = read(body, api.max_body_bytes).await?;
    let Refusal { reason } = if body.trim().is_empty() { Refusal::default() } else { parsed(&body)? };
    let reason = for_sender(reason)?;
    let one_at_a_time = api.acting.lock().await;
    let held = waiting(&api, &caller, &id)?;
    let (message, room) = (held.recorded.decision.message.id, held.recorded.sender.room.clone());
    api.desk.write_down(Cause::Moderator(caller.name()), What::Refused { message, room }).await;
    let held = api.desk.state().held().take(message).ok_or_else(|| none(&id))?;
    if let Some(member) = held.recorded.sender.connection {
        let text = reason.unwrap_or("a moderator has not let your message through".to_owned());
        api.rooms.tell(member, Notice::Refused(Reason::new(Code::HeldRefused, text))).await;
    }
    drop(one_at_a_time);
    api.desk.state().saved().await.map_err(|fault| ApiError::Unsaved(fault.to_string()))?;
    Ok(Json(view(&held)))
}

/// The message that waits under this id, for a moderator of its room.
fn waiting(api: &Api, caller: &Caller, id: &str) -> Result<HeldMessage, ApiError> {
    let message: Uuid = id.parse().map_err(|_| none(id))?;
    let queue = api.desk.state().held();
    let held = queue.get(message).filter(|held| Timestamp::now() < held.expires).ok_or_else(|| none(id))?;
    caller.check_place(Some(&held.recorded.sender.room))?;
    Ok(held)
}

fn none(id: &str) -> ApiError {
    ApiError::Nothing(format!("no message {} waits", id.escape_debug()))
}

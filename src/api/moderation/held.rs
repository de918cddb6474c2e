//! The queue of held messages.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::caller::Caller;
use super::normalize_reason;
use super::views::HeldView;
use crate::actions::ActionError;
use crate::api::Api;
use crate::api::error::{ApiError, ErrorResponse};
use crate::api::request::{parse_json, read_body};
use crate::model::Content;
use crate::moderation::HeldMessage;
use crate::wire::{self, Generation};

const PLACES_NOT_SHOWN: &str = "positions and extents are not shown, as `moderation.show_positions` is off";

/// Held messages, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct HeldMessagesResponse {
    /// Capacity of the queue.
    #[schema(example = 1000)]
    capacity: usize,
    #[schema(value_type = Vec<Object>, example = json!([{
        "id": "0b9a0d1c-53c8-4b3f-8d2c-9b0e6f0a7c11", "at": "2026-01-01T12:00:00.000Z", "room": "QGIS", "author": "jane",
        "kind": "text", "outcome": "hold", "reason": {"code": "rule", "text": "A moderator looks at links first."},
        "text": "see https://example.org", "expires": "2026-01-01T12:30:00.000Z", "held_by": {"rule": "links"},
    }]))]
    held: Vec<HeldView>,
}

/// The refusal of a held message.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::api) struct RefuseHeldRequest {
    /// Shown to the sender.
    #[schema(example = "please take this to the other room")]
    reason: Option<String>,
}

/// List held messages, oldest first.
#[utoipa::path(
    get, path = "/moderation/held", tag = "moderation",
    responses(
        (status = 200, body = HeldMessagesResponse),
    ),
)]
pub(in crate::api) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
) -> Json<HeldMessagesResponse> {
    let queue = api.moderation.state().held();
    let waiting = queue.list();
    let view = |held| view(&api, held);
    let visible = waiting.iter().filter(|held| caller.can_see(Some(&held.recorded.sender.room)));
    Json(HeldMessagesResponse { capacity: queue.capacity(), held: visible.cloned().map(view).collect() })
}

/// Return a held message as clients would receive it: a frame of v3, with its image, layer or code.
#[utoipa::path(
    get, path = "/moderation/held/{id}", tag = "moderation",
    params(("id" = String, Path, description = "The id of a message")),
    responses(
        (status = 200, body = Object, description = "The message"),
        (status = 403, body = ErrorResponse, description = "A position or an extent, and `moderation.show_positions` is off"),
        (status = 404, body = ErrorResponse, description = "No such held message"),
    ),
)]
pub(in crate::api) async fn show(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let message = find_held(&api, &caller, &id)?;
    let held = api.moderation.state().held().get(message).ok_or(ActionError::NotHeld(message))?;
    let message = &held.recorded.decision.message;
    if !api.shows_places && matches!(message.content(), Some(Content::Position(_) | Content::Bbox(_))) {
        return Err(ApiError::Forbidden(PLACES_NOT_SHOWN.to_owned()));
    }
    let frame = wire::encode_message(Generation::Relay, message);
    Ok(([(header::CONTENT_TYPE, "application/json")], frame))
}

/// Release a held message to its room, with its original id and time.
#[utoipa::path(
    post, path = "/moderation/held/{id}/release", tag = "moderation",
    params(("id" = String, Path, description = "The id of a message")),
    responses(
        (status = 200, body = Object, description = "The released message, as listed"),
        (status = 404, body = ErrorResponse, description = "No such held message"),
        (status = 503, body = ErrorResponse, description = "The message was delivered, but this is not yet persisted"),
    ),
)]
pub(in crate::api) async fn release(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<HeldView>, ApiError> {
    let message = find_held(&api, &caller, &id)?;
    Ok(Json(view(&api, api.actions.release(caller.actor(), message).await?)))
}

/// Refuse a held message, and notify its sender if still connected.
#[utoipa::path(
    post, path = "/moderation/held/{id}/refuse", tag = "moderation",
    params(("id" = String, Path, description = "The id of a message")),
    request_body(content = RefuseHeldRequest, description = "Optional"),
    responses(
        (status = 200, body = Object, description = "The refused message, as listed"),
        (status = 404, body = ErrorResponse, description = "No such held message"),
        (status = 422, body = ErrorResponse, description = "Invalid body; `detail` names the field"),
        (status = 503, body = ErrorResponse, description = "The message was refused, but this is not yet persisted"),
    ),
)]
pub(in crate::api) async fn refuse(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<HeldView>, ApiError> {
    let body = read_body(body, api.max_body_bytes).await?;
    let RefuseHeldRequest { reason } =
        if body.trim().is_empty() { RefuseHeldRequest::default() } else { parse_json(&body)? };
    let reason = normalize_reason(reason)?;
    let message = find_held(&api, &caller, &id)?;
    Ok(Json(view(&api, api.actions.refuse(caller.actor(), message, reason).await?)))
}

fn view(api: &Api, held: HeldMessage) -> HeldView {
    HeldView { held, shows_places: api.shows_places }
}

/// Parses the id of a held message, and checks that the token is valid for its room.
fn find_held(api: &Api, caller: &Caller, id: &str) -> Result<Uuid, ApiError> {
    let not_held = || ApiError::NotFound(format!("no held message {}", id.escape_debug()));
    let message: Uuid = id.parse().map_err(|_| not_held())?;
    let held = api.moderation.state().held().get(message).ok_or_else(not_held)?;
    caller.require_room(Some(&held.recorded.sender.room))?;
    Ok(message)
}

//! Undoing the acts of a rule, plugin or moderator.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::{Extension, Json};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::caller::Caller;
use super::views::{self, SanctionView};
use crate::actions::Undone;
use crate::api::Api;
use crate::api::error::{ApiError, ErrorResponse};
use crate::api::request::{parse_json, read_body};
use crate::model::{Actor, Sanction};

/// Selects the acts to undo: one of `rule`, `plugin` and `moderator`, and a time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct UndoRequest {
    /// Acts of this rule.
    #[schema(example = "no-casino")]
    rule: Option<String>,
    /// Acts of this plugin.
    #[schema(example = "link-guard")]
    plugin: Option<String>,
    /// Acts of this moderator.
    #[schema(example = "jane")]
    moderator: Option<String>,
    /// Acts since this time.
    #[schema(value_type = String, example = "2026-01-01T12:00:00Z")]
    since: Timestamp,
}

/// The result of an undo.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct UndoResponse {
    /// Lifted sanctions.
    #[schema(value_type = Vec<Object>)]
    lifted: Vec<SanctionView>,
    /// Other sanctions that became milder, because an earlier step of the ladder was undone.
    #[schema(value_type = Vec<Object>)]
    changed: Vec<SanctionView>,
    /// Ids of held messages that were released, in their order.
    #[schema(value_type = Vec<String>)]
    released: Vec<Uuid>,
}

/// Undo the acts of a rule, a plugin or a moderator.
///
/// Sanctions are lifted, and ladder steps that depended on them are recomputed; held messages are released in their
/// order. Rejected messages cannot be restored, because they are not stored.
#[utoipa::path(
    post, path = "/moderation/undo", tag = "moderation", request_body = UndoRequest,
    responses(
        (status = 200, body = UndoResponse),
        (status = 413, body = ErrorResponse, description = "The body exceeds the limit"),
        (status = 422, body = ErrorResponse, description = "Invalid body; `detail` names the field"),
        (status = 503, body = ErrorResponse, description = "Applied, but not yet persisted"),
    ),
)]
pub(in crate::api) async fn undo(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<UndoResponse>, ApiError> {
    let UndoRequest { rule, plugin, moderator, since } = parse_json(&read_body(body, api.max_body_bytes).await?)?;
    let target = match (rule, plugin, moderator) {
        (Some(rule), None, None) => Actor::Rule(rule.into()),
        (None, Some(plugin), None) => Actor::Plugin(plugin.into()),
        (None, None, Some(moderator)) => Actor::Moderator(moderator.into()),
        _ => return Err(ApiError::InvalidRequest("give exactly one of `rule`, `plugin` and `moderator`".to_owned())),
    };
    caller.require_all_rooms()?;
    let Undone { lifted, changed, released } = api.actions.undo(caller.actor(), target, since).await?;
    let all = |sanctions: &[Sanction]| sanctions.iter().map(views::sanction).collect();
    Ok(Json(UndoResponse { lifted: all(&lifted), changed: all(&changed), released }))
}

//! Resetting the breaker of a rule or plugin.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Caller;
use crate::api::Api;
use crate::api::error::{ApiError, ErrorResponse};
use crate::api::request::{parse_json, read_body};
use crate::model::Actor;

/// The breaker to reset: that of a `rule` or of a `plugin`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ResetBreakerRequest {
    /// The rule.
    #[schema(example = "no-casino")]
    rule: Option<String>,
    /// The plugin.
    #[schema(example = "link-guard")]
    plugin: Option<String>,
}

/// The breaker that was reset.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ResetBreakerResponse {
    /// The rule or plugin that is in force again.
    #[schema(value_type = Object, example = json!({"rule": "no-casino"}))]
    reset: Actor,
}

/// Reset the breaker of a rule or plugin that refused too much. It is in force again.
#[utoipa::path(
    post, path = "/moderation/breakers/reset", tag = "moderation", request_body = ResetBreakerRequest,
    responses(
        (status = 200, body = ResetBreakerResponse),
        (status = 404, body = ErrorResponse, description = "No such rule or plugin, or its breaker has not tripped"),
        (status = 413, body = ErrorResponse, description = "The body exceeds the limit"),
        (status = 422, body = ErrorResponse, description = "Invalid body; `detail` names the field"),
    ),
)]
pub(in crate::api) async fn reset(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<ResetBreakerResponse>, ApiError> {
    let target = match parse_json(&read_body(body, api.max_body_bytes).await?)? {
        ResetBreakerRequest { rule: Some(rule), plugin: None } => Actor::Rule(rule.into()),
        ResetBreakerRequest { rule: None, plugin: Some(plugin) } => Actor::Plugin(plugin.into()),
        _ => return Err(ApiError::InvalidRequest("give exactly one of `rule` and `plugin`".to_owned())),
    };
    caller.require_all_rooms()?;
    api.actions.reset_breaker(caller.actor(), target.clone()).await?;
    Ok(Json(ResetBreakerResponse { reset: target }))
}

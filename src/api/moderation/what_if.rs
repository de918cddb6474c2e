//! Replays the decisions in memory with changed rules.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::caller::Caller;
use super::reload::ErrorsResponse;
use crate::api::Api;
use crate::api::error::{ApiError, ErrorResponse};
use crate::api::request::{parse_json, read_body};
use crate::model::JudgedMessage;
use crate::moderation::MAX_DECISIONS;
use crate::replay::{ReplayReport, WhatIf, what_if as replay};
use crate::settings::ConfigError;

/// Time limit for the replay.
const REPLAY_TIMEOUT: Duration = Duration::from_secs(20);
/// Maximum number of flips listed.
const MAX_FLIPS: usize = 1_000;

/// Rules to try.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct WhatIfRequest {
    /// TOML as in the rules file. A rule with the id of one in force replaces it.
    #[schema(example = "[[rule]]\nid = \"no-casino\"\nwords = [\"casino\"]\nverdict = \"reject\"")]
    rules: String,
}

/// Show which of the last 10 000 decisions would differ if these rules were added to those in force.
///
/// Nothing is changed or counted. `flips` lists the old and the new decision of each; `rules` and `authors` summarize
/// them. A decision that cannot be reproduced even with the rules in force, because the messages before it are no
/// longer in memory, is counted as `uncertain`.
#[utoipa::path(
    post, path = "/moderation/whatif", tag = "moderation", request_body = WhatIfRequest,
    responses(
        (
            status = 200, body = Object, content_type = "application/json", description = "The decisions that would differ",
            example = json!({
                "messages": 120, "replayed": 118, "flipped": 1, "uncertain": 0,
                "rules": [{"name": "rule no-casino", "before": 0, "after": 1, "lost": 0, "gained": 1}],
                "flips": [{
                    "id": "0b9a0d1c-53c8-4b3f-8d2c-9b0e6f0a7c11", "at": "2026-01-01T12:00:00.000Z", "room": "QGIS",
                    "author": "jane", "kind": "text", "text": "best casino", "before": {"outcome": "pass"},
                    "after": {"outcome": "reject"},
                }],
            }),
        ),
        (status = 413, body = ErrorResponse, description = "The body exceeds the limit"),
        (status = 422, body = ErrorsResponse, description = "The rules have errors, or the body is invalid"),
        (status = 503, body = ErrorResponse, description = "Another what-if run is in progress"),
    ),
)]
pub(in crate::api) async fn what_if(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, ApiError> {
    let WhatIfRequest { rules } = parse_json(&read_body(body, api.max_body_bytes).await?)?;
    // A run occupies a core for about a second: allow one at a time, even after the client has disconnected.
    let Ok(permit) = Arc::clone(&api.what_if_lock).try_lock_owned() else {
        return Err(ApiError::Unavailable("another what-if run is in progress; try again".to_owned()));
    };
    let is_visible = |judged: &JudgedMessage| caller.can_see(Some(&judged.sender.room));
    let mut past = api.moderation.journal().decisions(None, MAX_DECISIONS, is_visible);
    past.reverse();
    let past: Vec<Arc<JudgedMessage>> = past.into_iter().map(|(_, judged)| judged).collect();
    let (current, config) = (Arc::clone(&api.rules_in_force), api.filter.get());
    let judged = tokio::task::spawn_blocking(move || -> Result<ReplayReport, Vec<ConfigError>> {
        let _permit = permit;
        let (tried, in_force) = (current.with_extra(&rules)?, current.with_extra("")?);
        let deadline = Instant::now() + REPLAY_TIMEOUT;
        let at = WhatIf { config: &config, current: &current, deadline, max_flips: MAX_FLIPS };
        Ok(replay(&past, &at, in_force, tried))
    });
    match judged.await {
        Ok(Ok(report)) => Ok(Json(report).into_response()),
        Ok(Err(errors)) => {
            let errors = ErrorsResponse::new("the rules have errors", errors.iter().map(ToString::to_string).collect());
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Json(errors)).into_response())
        }
        Err(_) => Err(ApiError::Unavailable("the replay failed".to_owned())),
    }
}

//! Which of the decisions in memory would be others by other rules.

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
use super::reload::Faults;
use crate::api::Api;
use crate::api::error::{ApiError, Detail};
use crate::api::request::{json, read};
use crate::model::Recorded;
use crate::moderation::MAX_DECISIONS;
use crate::replay::{Report, WhatIf, what_if as judge_again};
use crate::settings::Fault;

/// How long it may take to judge them again.
const DEADLINE: Duration = Duration::from_secs(20);
/// Flips that are told one by one.
const MOST_FLIPS: usize = 1_000;

/// Rules to be tried.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Tried {
    /// As in the rules file. A rule with the id of one in force is tried in its place.
    #[schema(example = "[[rule]]\nid = \"no-casino\"\nwords = [\"casino\"]\nverdict = \"reject\"")]
    rules: String,
}

/// See which of the last 10 000 decisions would be others with these rules beside those in force.
///
/// Nothing is changed and nothing is counted. `flips` tells of each, with what was decided and what would be; `rules` and
/// `authors` sum up. Decisions that the rules in force do not come to either, since what was said before them is not kept,
/// are counted as `uncertain`.
#[utoipa::path(
    post, path = "/moderation/whatif", tag = "moderation", request_body = Tried, security(("moderator" = [])),
    responses(
        (
            status = 200, body = Object, content_type = "application/json", description = "What would be other than it was",
            example = json!({
                "messages": 120, "replayed": 118, "flipped": 1, "uncertain": 0,
                "rules": [{"of": "rule no-casino", "before": 0, "after": 1, "lost": 0, "gained": 1}],
                "flips": [{
                    "id": "0b9a0d1c-53c8-4b3f-8d2c-9b0e6f0a7c11", "at": "2026-01-01T12:00:00.000Z", "room": "QGIS",
                    "author": "jane", "kind": "text", "text": "best casino", "before": {"outcome": "pass"},
                    "after": {"outcome": "reject"},
                }],
            }),
        ),
        (status = 401, body = Detail, description = "No token, or none of a moderator"),
        (status = 403, body = Detail, description = "The token has not the scope `read`"),
        (status = 413, body = Detail, description = "The body is too long"),
        (status = 422, body = Faults, description = "The rules are at fault, or the body is not what this call takes"),
        (status = 429, body = Detail, description = "Too many wrong tokens; `Retry-After` tells how long to wait"),
        (status = 503, body = Detail, description = "Somebody else tries rules at this moment"),
    ),
)]
pub(in crate::api) async fn what_if(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, ApiError> {
    let Tried { rules } = json(&read(body, api.max_body_bytes).await?)?;
    // It takes a processor for a second or so: one at a time, also when whoever asked has gone.
    let Ok(alone) = Arc::clone(&api.trying).try_lock_owned() else {
        return Err(ApiError::Unable("rules are being tried at this moment; try again".to_owned()));
    };
    let seen = |recorded: &Recorded| caller.may_see(Some(&recorded.sender.room));
    let mut past = api.desk.journal().decisions(None, MAX_DECISIONS, seen);
    past.reverse();
    let past: Vec<Arc<Recorded>> = past.into_iter().map(|(_, recorded)| recorded).collect();
    let (current, config) = (Arc::clone(&api.rules_in_force), api.filter.get());
    let judged = tokio::task::spawn_blocking(move || -> Result<Report, Vec<Fault>> {
        let _alone = alone;
        let (tried, in_force) = (current.with_extra(&rules)?, current.with_extra("")?);
        let until = Instant::now() + DEADLINE;
        let at = WhatIf { config: &config, current: &current, until, most_flips: MOST_FLIPS };
        Ok(judge_again(&past, &at, in_force, tried))
    });
    match judged.await {
        Ok(Ok(report)) => Ok(Json(report).into_response()),
        Ok(Err(faults)) => {
            let faults = Faults::of("the rules are at fault", faults.iter().map(ToString::to_string).collect());
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Json(faults)).into_response())
        }
        Err(_) => Err(ApiError::Unable("the decisions could not be judged again".to_owned())),
    }
}

//! What was decided, minute by minute, for charts.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::filters::Counts;
use super::{in_query, written};
use crate::api::Api;
use crate::api::error::{ApiError, Detail};
use crate::moderation::{self, MAX_MINUTES};

/// How far back.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct Which {
    /// How many minutes, up to a day.
    #[param(example = 60, minimum = 1, maximum = 1440)]
    minutes: usize,
}

impl Default for Which {
    fn default() -> Self {
        Self { minutes: 60 }
    }
}

/// What was decided in all rooms, the oldest minute first.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Stats {
    minutes: Vec<Minute>,
}

/// What was decided in one minute.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Minute {
    /// When it began.
    #[schema(example = "2026-01-01T12:00:00.000Z")]
    at: String,
    /// Messages by outcome.
    outcomes: Counts,
    /// Messages that did not pass as they came, by the filter that decided.
    #[schema(value_type = Object, example = json!({"rules": 3, "rate": 1}))]
    by: BTreeMap<&'static str, u64>,
}

impl From<moderation::Minute> for Minute {
    fn from(moderation::Minute { minute, outcomes, by }: moderation::Minute) -> Self {
        let at = Timestamp::from_second(minute.saturating_mul(60)).unwrap_or(Timestamp::UNIX_EPOCH);
        Self { at: written(at), outcomes: outcomes.into(), by }
    }
}

/// How many messages passed, were replaced, held, shadowed or refused in each of the last minutes, since the start.
#[utoipa::path(
    get, path = "/moderation/stats", tag = "moderation", params(Which), security(("moderator" = [])),
    responses(
        (status = 200, body = Stats),
        (status = 401, body = Detail, description = "No token, or none of a moderator"),
        (status = 403, body = Detail, description = "The token has not the scope `read`"),
        (status = 422, body = Detail, description = "The query is not what this call takes; the detail names the field"),
        (status = 429, body = Detail, description = "Too many wrong tokens; `Retry-After` tells how long to wait"),
    ),
)]
pub(in crate::api) async fn stats(
    State(api): State<Arc<Api>>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Stats>, ApiError> {
    let Which { minutes } = in_query(which)?;
    if !(1..=MAX_MINUTES).contains(&minutes) {
        return Err(ApiError::BadCall(format!("`minutes` is {minutes}; 1 to {MAX_MINUTES} are allowed")));
    }
    let minutes = api.desk.journal().stats(minutes, Timestamp::now());
    Ok(Json(Stats { minutes: minutes.into_iter().map(Minute::from).collect() }))
}

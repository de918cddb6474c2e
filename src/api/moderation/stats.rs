//! Decisions per minute, for charts.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::filters::VerdictCountsJson;
use super::{format_time, parse_query};
use crate::api::Api;
use crate::api::error::{ApiError, ErrorResponse};
use crate::moderation::{self, MAX_MINUTES};

/// The period.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct StatsQuery {
    /// Number of minutes, 1 to 1440.
    #[param(example = 60, minimum = 1, maximum = 1440)]
    minutes: usize,
}

impl Default for StatsQuery {
    fn default() -> Self {
        Self { minutes: 60 }
    }
}

/// Decisions in all rooms, oldest minute first.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct StatsResponse {
    minutes: Vec<MinuteJson>,
}

/// Decisions in one minute.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct MinuteJson {
    /// The start of the minute.
    #[schema(example = "2026-01-01T12:00:00.000Z")]
    at: String,
    /// Messages by outcome.
    outcomes: VerdictCountsJson,
    /// Messages that did not pass unchanged, by the filter that decided.
    #[schema(value_type = Object, example = json!({"rules": 3, "rate": 1}))]
    by: BTreeMap<&'static str, u64>,
}

impl From<moderation::MinuteCounts> for MinuteJson {
    fn from(moderation::MinuteCounts { minute, outcomes, by }: moderation::MinuteCounts) -> Self {
        let at = Timestamp::from_second(minute.saturating_mul(60)).unwrap_or(Timestamp::UNIX_EPOCH);
        Self { at: format_time(at), outcomes: outcomes.into(), by }
    }
}

/// Count messages by outcome for each of the last minutes, since the start.
#[utoipa::path(
    get, path = "/moderation/stats", tag = "moderation", params(StatsQuery),
    responses(
        (status = 200, body = StatsResponse),
        (status = 422, body = ErrorResponse, description = "Invalid query; `detail` names the field"),
    ),
)]
pub(in crate::api) async fn stats(
    State(api): State<Arc<Api>>,
    query: Result<Query<StatsQuery>, QueryRejection>,
) -> Result<Json<StatsResponse>, ApiError> {
    let StatsQuery { minutes } = parse_query(query)?;
    if !(1..=MAX_MINUTES).contains(&minutes) {
        return Err(ApiError::InvalidRequest(format!("`minutes` is {minutes}; 1 to {MAX_MINUTES} are allowed")));
    }
    let minutes = api.moderation.journal().stats(minutes, Timestamp::now());
    Ok(Json(StatsResponse { minutes: minutes.into_iter().map(MinuteJson::from).collect() }))
}

//! Moderation levels and the starter rules preset, which moderators change at run time.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::{Extension, Json};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Caller;
use super::format_time;
use crate::api::Api;
use crate::api::error::{ApiError, ErrorResponse};
use crate::api::request::{parse_json, read_body};
use crate::filter::rules::Preset;
use crate::model::{ActiveLevel, ModerationLevel, RoomName};

/// Default for `seconds`.
const DEFAULT_SLOW_SECONDS: u32 = 30;
/// Largest value of `seconds`.
const MAX_SLOW_SECONDS: u32 = 3_600;

/// A level, in one room or in all rooms.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct LevelJson {
    /// The room; all rooms if absent. A level set for the room takes precedence over that for all rooms.
    #[schema(example = "QGIS")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    room: Option<String>,
    /// `normal` (no restriction), `newcomers` (the first messages of each sender are held), `slow` (a sender may send
    /// one message every `seconds`), `all` (every message is held).
    #[schema(example = "slow")]
    level: String,
    /// For `slow`: the interval in seconds; default 30.
    #[schema(example = 30, minimum = 1, maximum = 3600)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seconds: Option<u32>,
    /// When the level ends; if absent, it lasts until changed.
    #[schema(example = "2026-01-01T12:10:00Z")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

/// The levels that are set; the level is otherwise `normal`.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct LevelsResponse {
    levels: Vec<LevelJson>,
}

/// List the levels that are set.
#[utoipa::path(
    get, path = "/moderation/level", tag = "moderation",
    responses(
        (status = 200, body = LevelsResponse),
    ),
)]
pub(in crate::api) async fn levels(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
) -> Json<LevelsResponse> {
    let set = api.moderation.state().levels().list(api.moderation.now());
    let visible = set.into_iter().filter(|set| caller.can_see(set.room.as_ref()));
    Json(LevelsResponse {
        levels: visible.map(|ActiveLevel { room, level, until }| level_json(room, level, until)).collect(),
    })
}

/// Set the level of a room or of all rooms.
#[utoipa::path(
    put, path = "/moderation/level", tag = "moderation", request_body = LevelJson,
    responses(
        (status = 200, body = LevelJson),
        (status = 404, body = ErrorResponse, description = "No such room"),
        (status = 422, body = ErrorResponse, description = "Invalid body; `detail` names the field"),
        (status = 503, body = ErrorResponse, description = "Applied, but not yet persisted"),
    ),
)]
pub(in crate::api) async fn set_level(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<LevelJson>, ApiError> {
    let request: LevelJson = parse_json(&read_body(body, api.max_body_bytes).await?)?;
    let room = caller.resolve_room(&api, request.room.as_deref())?;
    if room.is_none() {
        caller.require_all_rooms()?;
    }
    let level = parse_level(&request)?;
    let until = request.until.as_deref().map(parse_until).transpose()?;
    let until = until.map(|until| api.moderation.unshifted(until));
    api.actions.set_level(caller.actor(), room.clone(), level, until).await?;
    Ok(Json(level_json(room, level, until)))
}

fn level_json(room: Option<RoomName>, level: ModerationLevel, until: Option<Timestamp>) -> LevelJson {
    let seconds = match level {
        ModerationLevel::Slow { seconds } => Some(seconds),
        ModerationLevel::Normal | ModerationLevel::Newcomers | ModerationLevel::All => None,
    };
    let room = room.map(|room| room.to_string());
    LevelJson { room, level: level.as_str().to_owned(), seconds, until: until.map(format_time) }
}

fn parse_level(request: &LevelJson) -> Result<ModerationLevel, ApiError> {
    if let Some(seconds) = request.seconds {
        if request.level != "slow" {
            return Err(ApiError::InvalidRequest("`seconds` is only valid with the level `slow`".to_owned()));
        }
        if !(1..=MAX_SLOW_SECONDS).contains(&seconds) {
            return Err(ApiError::InvalidRequest(format!(
                "`seconds` is {seconds}; 1 to {MAX_SLOW_SECONDS} are allowed"
            )));
        }
    }
    match request.level.as_str() {
        "normal" => Ok(ModerationLevel::Normal),
        "newcomers" => Ok(ModerationLevel::Newcomers),
        "slow" => Ok(ModerationLevel::Slow { seconds: request.seconds.unwrap_or(DEFAULT_SLOW_SECONDS) }),
        "all" => Ok(ModerationLevel::All),
        other => Err(ApiError::InvalidRequest(format!(
            "`level` is `{}`; normal, newcomers, slow and all are allowed",
            other.escape_debug()
        ))),
    }
}

fn parse_until(until: &str) -> Result<Timestamp, ApiError> {
    match until.parse::<Timestamp>() {
        Ok(until) if until > Timestamp::now() => Ok(until),
        Ok(_) => Err(ApiError::InvalidRequest("`until` is in the past".to_owned())),
        Err(_) => Err(ApiError::InvalidRequest(
            "`until` is not a time; expected a form such as 2026-01-01T12:10:00Z".to_owned(),
        )),
    }
}

/// The preset of the starter rules.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PresetJson {
    /// `off`, `open`, `balanced` or `strict`.
    #[schema(example = "strict")]
    preset: String,
}

/// Show the preset of the starter rules.
#[utoipa::path(
    get, path = "/moderation/preset", tag = "moderation",
    responses(
        (status = 200, body = PresetJson),
    ),
)]
pub(in crate::api) async fn preset(State(api): State<Arc<Api>>) -> Json<PresetJson> {
    Json(PresetJson { preset: api.rules_in_force.preset().to_string() })
}

/// Set the preset of the starter rules.
///
/// A `preset` in the rules file takes precedence.
#[utoipa::path(
    put, path = "/moderation/preset", tag = "moderation", request_body = PresetJson,
    responses(
        (status = 200, body = PresetJson),
        (status = 422, body = ErrorResponse, description = "No such preset, or the rules file sets another one or has an error"),
        (status = 503, body = ErrorResponse, description = "Applied, but not yet persisted"),
    ),
)]
pub(in crate::api) async fn set_preset(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<PresetJson>, ApiError> {
    let PresetJson { preset: name } = parse_json(&read_body(body, api.max_body_bytes).await?)?;
    let Ok(preset) = name.parse::<Preset>() else {
        let text = format!("`preset` is `{}`; off, open, balanced and strict are allowed", name.escape_debug());
        return Err(ApiError::InvalidRequest(text));
    };
    caller.require_all_rooms()?;
    api.actions.set_preset(caller.actor(), preset).await?;
    Ok(Json(PresetJson { preset: name }))
}

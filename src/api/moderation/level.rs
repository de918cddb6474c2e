//! How much is held or slowed down, and how much the starter rules do: what moderators turn at run time.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::{Extension, Json};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Caller;
use super::written;
use crate::api::Api;
use crate::api::error::{ApiError, Detail};
use crate::api::request::{json, read};
use crate::filter::rules::{Preset, PresetError};
use crate::model::{Cause, RoomName};
use crate::moderation::{Level, PRESET, SetLevel, What};
use crate::settings::Choice;

/// How long a sender has to wait at the level `slow`, in seconds, where the call does not say.
const USUAL_WAIT: u32 = 30;
/// The longest that it can be, in seconds.
const LONGEST_WAIT: u32 = 3_600;

/// A level, in one room or everywhere.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct LevelJson {
    /// Where; everywhere without a word. A room's own level goes before that of everywhere.
    #[schema(example = "QGIS")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    room: Option<String>,
    /// `normal` (nothing extra), `newcomers` (the first messages of each sender are held), `slow` (a sender may say one
    /// thing in so many seconds), `all` (everything is held).
    #[schema(example = "slow")]
    level: String,
    /// For `slow`: how many; 30 without a word.
    #[schema(example = 30, minimum = 1, maximum = 3600)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seconds: Option<u32>,
    /// Until when; until it is changed again without a word.
    #[schema(example = "2026-01-01T12:10:00Z")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

/// The levels that are set; everything else is `normal`.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Levels {
    levels: Vec<LevelJson>,
}

/// Which levels are set.
#[utoipa::path(
    get, path = "/moderation/level", tag = "moderation", security(("moderator" = [])),
    responses(
        (status = 200, body = Levels),
        (status = 401, body = Detail, description = "No token, or none of a moderator"),
        (status = 403, body = Detail, description = "The token has not the scope `read`"),
        (status = 429, body = Detail, description = "Too many wrong tokens; `Retry-After` tells how long to wait"),
    ),
)]
pub(in crate::api) async fn levels(State(api): State<Arc<Api>>, Extension(caller): Extension<Caller>) -> Json<Levels> {
    let set = api.desk.state().levels().list(Timestamp::now());
    let seen = set.into_iter().filter(|set| caller.may_see(set.room.as_ref()));
    Json(Levels { levels: seen.map(|SetLevel { room, level, until }| shown(room, level, until)).collect() })
}

/// Hold or slow down more than the filters ask for, or no longer.
#[utoipa::path(
    put, path = "/moderation/level", tag = "moderation", request_body = LevelJson, security(("moderator" = [])),
    responses(
        (status = 200, body = LevelJson),
        (status = 401, body = Detail, description = "No token, or none of a moderator"),
        (status = 403, body = Detail, description = "The token has not the scope `act`, or not for this room"),
        (status = 404, body = Detail, description = "There is no room of that name"),
        (status = 422, body = Detail, description = "The body is not what this call takes; the detail names the field"),
        (status = 429, body = Detail, description = "Too many wrong tokens; `Retry-After` tells how long to wait"),
        (status = 503, body = Detail, description = "The store could not keep it"),
    ),
)]
pub(in crate::api) async fn set_level(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<LevelJson>, ApiError> {
    let wanted: LevelJson = json(&read(body, api.max_body_bytes).await?)?;
    let room = caller.check_room_named(&api, wanted.room.as_deref())?;
    if room.is_none() {
        caller.check_everywhere()?;
    }
    let level = level(&wanted)?;
    let until = wanted.until.as_deref().map(end).transpose()?;
    let one_at_a_time = api.acting.lock().await;
    api.desk.write_down(Cause::Moderator(caller.name()), What::Level { room: room.clone(), level, until }).await;
    match (level, until) {
        (Level::Normal, None) => api.desk.state().levels().clear(room.as_ref()),
        _ => api.desk.state().levels().set(room.clone(), level, until),
    }
    drop(one_at_a_time);
    api.desk.state().saved().await.map_err(|fault| ApiError::Unsaved(fault.to_string()))?;
    Ok(Json(shown(room, level, until)))
}

fn shown(room: Option<RoomName>, level: Level, until: Option<Timestamp>) -> LevelJson {
    let seconds = match level {
        Level::Slow { seconds } => Some(seconds),
        Level::Normal | Level::Newcomers | Level::All => None,
    };
    let room = room.map(|room| room.to_string());
    LevelJson { room, level: level.as_str().to_owned(), seconds, until: until.map(written) }
}

fn level(wanted: &LevelJson) -> Result<Level, ApiError> {
    if let Some(seconds) = wanted.seconds {
        if wanted.level != "slow" {
            return Err(ApiError::BadCall("`seconds` goes with the level `slow` alone".to_owned()));
        }
        if !(1..=LONGEST_WAIT).contains(&seconds) {
            return Err(ApiError::BadCall(format!("`seconds` is {seconds}; 1 to {LONGEST_WAIT} are allowed")));
        }
    }
    match wanted.level.as_str() {
        "normal" => Ok(Level::Normal),
        "newcomers" => Ok(Level::Newcomers),
        "slow" => Ok(Level::Slow { seconds: wanted.seconds.unwrap_or(USUAL_WAIT) }),
        "all" => Ok(Level::All),
        other => Err(ApiError::BadCall(format!(
            "`level` is `{}`; normal, newcomers, slow and all are allowed",
            other.escape_debug()
        ))),
    }
}

fn end(until: &str) -> Result<Timestamp, ApiError> {
    match until.parse::<Timestamp>() {
        Ok(until) if until > Timestamp::now() => Ok(until),
        Ok(_) => Err(ApiError::BadCall("`until` is past".to_owned())),
        Err(_) => Err(ApiError::BadCall("`until` is no time such as 2026-01-01T12:10:00Z".to_owned())),
    }
}

/// How much the starter rules do.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PresetJson {
    /// `off`, `open`, `balanced` or `strict`.
    #[schema(example = "strict")]
    preset: String,
}

/// How much the starter rules do.
#[utoipa::path(
    get, path = "/moderation/preset", tag = "moderation", security(("moderator" = [])),
    responses(
        (status = 200, body = PresetJson),
        (status = 401, body = Detail, description = "No token, or none of a moderator"),
        (status = 403, body = Detail, description = "The token has not the scope `read`"),
        (status = 429, body = Detail, description = "Too many wrong tokens; `Retry-After` tells how long to wait"),
    ),
)]
pub(in crate::api) async fn preset(State(api): State<Arc<Api>>) -> Json<PresetJson> {
    Json(PresetJson { preset: api.rules_in_force.preset().as_str().to_owned() })
}

/// Have the starter rules do more, or less.
///
/// A `preset` that the rules file itself names goes before.
#[utoipa::path(
    put, path = "/moderation/preset", tag = "moderation", request_body = PresetJson, security(("moderator" = [])),
    responses(
        (status = 200, body = PresetJson),
        (status = 401, body = Detail, description = "No token, or none of a moderator"),
        (status = 403, body = Detail, description = "The token has not the scope `admin`"),
        (status = 422, body = Detail, description = "There is no such preset, the rules file names another one, or has a fault"),
        (status = 429, body = Detail, description = "Too many wrong tokens; `Retry-After` tells how long to wait"),
        (status = 503, body = Detail, description = "The store could not keep it"),
    ),
)]
pub(in crate::api) async fn set_preset(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<PresetJson>, ApiError> {
    let PresetJson { preset: name } = json(&read(body, api.max_body_bytes).await?)?;
    let Some((name, preset)) = Preset::NAMES.iter().copied().find(|(known, _)| *known == name) else {
        let text = format!("`preset` is `{}`; off, open, balanced and strict are allowed", name.escape_debug());
        return Err(ApiError::BadCall(text));
    };
    caller.check_everywhere()?;
    let one_at_a_time = api.acting.lock().await;
    api.desk.write_down(Cause::Moderator(caller.name()), What::Preset(name)).await;
    match api.rules_reload.set_preset(preset).await {
        Ok(()) => {}
        Err(PresetError::Task(_)) => return Err(ApiError::Unable("the rules could not be read again".to_owned())),
        Err(refused) => return Err(ApiError::BadCall(refused.to_string())),
    }
    api.desk.state().set_setting(PRESET, name);
    drop(one_at_a_time);
    api.desk.state().saved().await.map_err(|fault| ApiError::Unsaved(fault.to_string()))?;
    Ok(Json(PresetJson { preset: name.to_owned() }))
}

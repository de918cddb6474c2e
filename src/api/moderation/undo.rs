//! What somebody or something caused is taken back.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::{Extension, Json};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::caller::Caller;
use super::{release_all, shown};
use crate::api::Api;
use crate::api::error::{ApiError, Detail};
use crate::api::request::{json, read};
use crate::model::{Cause, Sanction};
use crate::moderation::{HeldMessage, Undone as Outcome, What};

/// Whose acts, and from when on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Undo {
    /// Those of this rule,
    #[schema(example = "no-casino")]
    rule: Option<String>,
    /// or of this plugin,
    #[schema(example = "link-guard")]
    plugin: Option<String>,
    /// or of this moderator.
    #[schema(example = "jane")]
    moderator: Option<String>,
    /// From then on.
    #[schema(value_type = String, example = "2026-01-01T12:00:00Z")]
    since: Timestamp,
}

/// What was taken back.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Undone {
    /// Sanctions that hold no longer.
    #[schema(value_type = Vec<Object>)]
    lifted: Vec<serde_json::Value>,
    /// Sanctions of others that are milder now, since a step of the ladder below them is gone.
    #[schema(value_type = Vec<Object>)]
    changed: Vec<serde_json::Value>,
    /// Ids of held messages that the rooms have heard now, in their order.
    #[schema(value_type = Vec<String>)]
    released: Vec<Uuid>,
}

/// Take back what a rule, a plugin or a moderator has caused.
///
/// Sanctions are lifted, and steps of the ladder that rested on them are counted anew; held messages are released, in
/// their order. What was refused stays refused: it is not kept.
#[utoipa::path(
    post, path = "/moderation/undo", tag = "moderation", request_body = Undo, security(("moderator" = [])),
    responses(
        (status = 200, body = Undone),
        (status = 401, body = Detail, description = "No token, or none of a moderator"),
        (status = 403, body = Detail, description = "The token has not the scope `admin`, or not everywhere"),
        (status = 413, body = Detail, description = "The body is too long"),
        (status = 422, body = Detail, description = "The body is not what this call takes; the detail names the field"),
        (status = 429, body = Detail, description = "Too many wrong tokens; `Retry-After` tells how long to wait"),
        (status = 503, body = Detail, description = "The store could not keep it"),
    ),
)]
pub(in crate::api) async fn undo(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Undone>, ApiError> {
    let Undo { rule, plugin, moderator, since } = json(&read(body, api.max_body_bytes).await?)?;
    let cause = match (rule, plugin, moderator) {
        (Some(rule), None, None) => Cause::Rule(rule.into()),
        (None, Some(plugin), None) => Cause::Plugin(plugin.into()),
        (None, None, Some(moderator)) => Cause::Moderator(moderator.into()),
        _ => return Err(ApiError::BadCall("one of `rule`, `plugin` and `moderator` says whose acts".to_owned())),
    };
    caller.check_everywhere()?;
    let one_at_a_time = api.acting.lock().await;
    let (state, now) = (api.desk.state(), Timestamp::now());
    let caused = |sanction: &&Sanction| sanction.cause == cause && sanction.at >= since;
    let lifted = state.sanctions().in_force(now).iter().filter(caused).map(|sanction| sanction.id).collect();
    let held = state.held().list();
    let held = held.iter().filter(|held| held.cause.as_ref() == Some(&cause) && held.held_at >= since);
    let released = held.map(|held| held.recorded.decision.message.id).collect();
    let what = What::Undone { cause: cause.clone(), since, lifted, released };
    api.desk.write_down(Cause::Moderator(caller.name()), what).await;

    let Outcome { lifted, changed } = state.sanctions().undo(&cause, since, now);
    for sanction in &lifted {
        api.rooms.feel(sanction, true).await;
    }
    let held = state.held().undo(&cause, since);
    let released = held.iter().map(HeldMessage::id).collect();
    release_all(&api, held).await?;
    drop(one_at_a_time);
    state.saved().await.map_err(|fault| ApiError::Unsaved(fault.to_string()))?;
    let all = |sanctions: &[Sanction]| sanctions.iter().map(shown::sanction).collect();
    Ok(Json(Undone { lifted: all(&lifted), changed: all(&changed), released }))
}

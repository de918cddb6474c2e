//! What moderators should know.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{in_query, written};
use crate::api::Api;
use crate::api::error::{ApiError, Detail};
use crate::moderation::{self, MAX_NOTES};

/// Notes of one answer, where the call does not say.
const USUAL: usize = 100;

/// Which notes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct Which {
    /// The id of the last note that is known already.
    #[param(example = 0)]
    after: u64,
    /// Most notes of the answer, 1 to 1000.
    #[param(example = 100, minimum = 1, maximum = 1000)]
    limit: usize,
}

impl Default for Which {
    fn default() -> Self {
        Self { after: 0, limit: USUAL }
    }
}

/// Notes, the oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Notes {
    notes: Vec<Note>,
}

/// Something that moderators should know.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Note {
    /// Its number, each one more than the one before.
    #[schema(example = 17)]
    id: u64,
    #[schema(example = "2026-01-01T12:00:00.000Z")]
    at: String,
    #[schema(example = "plugin_set_aside")]
    kind: &'static str,
    /// What happened, for people.
    #[schema(value_type = String, example = "it failed too often and is set aside for 5 s")]
    text: Arc<str>,
    /// The plugin that it is about.
    #[schema(value_type = Option<String>, example = "link-guard")]
    #[serde(skip_serializing_if = "Option::is_none")]
    plugin: Option<Arc<str>>,
}

impl From<moderation::Note> for Note {
    fn from(note: moderation::Note) -> Self {
        let moderation::Note { id, at, kind, text, plugin } = note;
        Self { id, at: written(at), kind: kind.as_str(), text, plugin }
    }
}

/// What moderators should know: plugins that were set aside or could not be loaded, and the like.
///
/// The last 1000 notes since the start are kept. Ask again with the last `id` as `after`.
#[utoipa::path(
    get, path = "/moderation/feed", tag = "moderation", params(Which), security(("moderator" = [])),
    responses(
        (status = 200, body = Notes),
        (status = 401, body = Detail, description = "No token, or none of a moderator"),
        (status = 422, body = Detail, description = "The query is not what this call takes; the detail names the field"),
        (status = 429, body = Detail, description = "Too many wrong tokens; `Retry-After` tells how long to wait"),
    ),
)]
pub(in crate::api) async fn feed(
    State(api): State<Arc<Api>>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Notes>, ApiError> {
    let Which { after, limit } = in_query(which)?;
    if !(1..=MAX_NOTES).contains(&limit) {
        return Err(ApiError::BadCall(format!("`limit` is {limit}; 1 to {MAX_NOTES} are allowed")));
    }
    Ok(Json(Notes { notes: api.feed.after(after, limit).into_iter().map(Note::from).collect() }))
}

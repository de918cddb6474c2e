//! Notes for moderators.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{format_time, parse_query};
use crate::api::Api;
use crate::api::error::{ApiError, ErrorResponse};
use crate::moderation::{MAX_NOTES, Note, NotePage};

/// Default for `limit`.
const DEFAULT_LIMIT: usize = 100;

/// Selects notes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct FeedQuery {
    /// The `id` of the last note received.
    #[param(example = 0)]
    after: u64,
    /// Maximum number of notes, 1 to 1000.
    #[param(example = 100, minimum = 1, maximum = 1000)]
    limit: usize,
}

impl Default for FeedQuery {
    fn default() -> Self {
        Self { after: 0, limit: DEFAULT_LIMIT }
    }
}

/// Notes, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct FeedResponse {
    notes: Vec<NoteJson>,
    /// Whether notes between `after` and these are no longer kept.
    has_gap: bool,
}

/// A note for moderators.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct NoteJson {
    /// The number of its entry in the stream. It grows, also across restarts.
    #[schema(example = 1_767_268_800_000_017_u64)]
    id: u64,
    #[schema(example = "2026-01-01T12:00:00.000Z")]
    at: String,
    #[schema(example = "plugin_suspended")]
    kind: &'static str,
    /// What happened.
    #[schema(value_type = String, example = "failed too often; suspended for 5 s")]
    text: Arc<str>,
    /// The plugin concerned.
    #[schema(value_type = Option<String>, example = "link-guard")]
    #[serde(skip_serializing_if = "Option::is_none")]
    plugin: Option<Arc<str>>,
}

impl NoteJson {
    fn new((id, note): (u64, Note)) -> Self {
        let Note { at, kind, text, plugin } = note;
        Self { id, at: format_time(at), kind: kind.as_str(), text, plugin }
    }
}

/// List notes for moderators, such as plugins that were suspended or could not be loaded.
///
/// The last 1000 notes since the start are kept, however many messages there are. To poll for more, pass the last `id` as `after`.
#[utoipa::path(
    get, path = "/moderation/feed", tag = "moderation", params(FeedQuery),
    responses(
        (status = 200, body = FeedResponse),
        (status = 422, body = ErrorResponse, description = "Invalid query; `detail` names the field"),
    ),
)]
pub(in crate::api) async fn feed(
    State(api): State<Arc<Api>>,
    query: Result<Query<FeedQuery>, QueryRejection>,
) -> Result<Json<FeedResponse>, ApiError> {
    let FeedQuery { after, limit } = parse_query(query)?;
    if !(1..=MAX_NOTES).contains(&limit) {
        return Err(ApiError::InvalidRequest(format!("`limit` is {limit}; 1 to {MAX_NOTES} are allowed")));
    }
    let NotePage { notes, has_gap } = api.feed.after(after, limit);
    Ok(Json(FeedResponse { notes: notes.into_iter().map(NoteJson::new).collect(), has_gap: has_gap && after > 0 }))
}

//! Reload of settings with tokens, rules and plugins.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Caller;
use super::filters::{RuleJson, rules_in_force};
use crate::actions::{ReloadReport, ReloadTrigger};
use crate::api::Api;
use crate::api::error::ApiError;
use crate::settings::SettingChanges;

/// The result of a reload.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ReloadResponse {
    /// The settings that have changed.
    settings: ChangedSettingsJson,
    /// Number of rules in force.
    #[schema(example = 12)]
    rules: usize,
    /// The plugins, in the order in which they run.
    #[schema(example = json!(["link-guard"]))]
    plugins: Vec<String>,
    /// The rules in force, in their order.
    in_force: Vec<RuleJson>,
}

/// Keys of settings that have changed.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ChangedSettingsJson {
    /// Changes in effect.
    #[schema(example = json!(["instance.rooms"]))]
    changed: Vec<String>,
    /// Changes that take effect after a restart.
    #[schema(example = json!(["server.listen"]))]
    needs_restart: Vec<String>,
}

/// A summary and a list of errors.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ErrorsResponse {
    #[schema(example = "some parts were not reloaded: 2 errors")]
    detail: String,
    /// Each error with its place.
    #[schema(example = json!(["rules.toml:3: unknown key `wrods`", "plugins/mine: there is no filter.wasm, and no source to build it from"]))]
    errors: Vec<String>,
}

/// The errors of the parts that were not reloaded, and what is in force.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct PartialReloadResponse {
    #[serde(flatten)]
    errors: ErrorsResponse,
    #[serde(flatten)]
    loaded: ReloadResponse,
}

/// Reload settings with tokens, rules and plugins.
///
/// Each of these parts is applied entirely, or stays as it was if it has an error; each plugin is a separate part.
/// Files that are being written are read once they have not changed for 0.4 s.
#[utoipa::path(
    post, path = "/moderation/reload", tag = "moderation",
    responses(
        (status = 200, body = ReloadResponse),
        (status = 422, body = PartialReloadResponse, description = "Parts with errors stay as they were; the rest is in force"),
    ),
)]
pub(in crate::api) async fn reload(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, ApiError> {
    caller.require_all_rooms()?;
    let ReloadReport { settings: SettingChanges { changed, needs_restart }, rules, plugins, errors } =
        api.actions.reload(ReloadTrigger::Moderator(caller.name())).await?;
    let settings = ChangedSettingsJson { changed, needs_restart };
    let loaded = ReloadResponse { settings, rules, plugins, in_force: rules_in_force(&api) };
    if errors.is_empty() {
        return Ok(Json(loaded).into_response());
    }
    let errors = ErrorsResponse::new("some parts were not reloaded", errors);
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Json(PartialReloadResponse { errors, loaded })).into_response())
}

impl ErrorsResponse {
    /// Prefixes the summary with `what`.
    pub(super) fn new(what: &str, errors: Vec<String>) -> Self {
        let detail = match errors.len() {
            1 => format!("{what}: 1 error"),
            many => format!("{what}: {many} errors"),
        };
        Self { detail, errors }
    }
}

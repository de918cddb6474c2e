//! Settings with tokens, rules and plugins are read again; each part takes effect or stays as it was.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Caller;
use super::filters::{RuleState, rules_in_force};
use crate::api::error::{ApiError, Detail};
use crate::api::{Api, ReloadedBy, Report};
use crate::model::Cause;
use crate::moderation::What;
use crate::settings::Changes;

/// What is in force now.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Loaded {
    /// The settings that are other than before.
    settings: Settings,
    /// How many rules.
    #[schema(example = 12)]
    rules: usize,
    /// The plugins, in the order in which they are asked.
    #[schema(example = json!(["link-guard"]))]
    plugins: Vec<String>,
    /// The rules, in their order: where each is written and what it does.
    in_force: Vec<RuleState>,
}

/// Settings that differ, by their keys.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Settings {
    /// Those that have taken effect.
    #[schema(example = json!(["instance.rooms"]))]
    changed: Vec<String>,
    /// Those that take effect only when the relay is started again.
    #[schema(example = json!(["server.listen"]))]
    needs_restart: Vec<String>,
}

/// Why a part stays as it was.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Faults {
    #[schema(example = "some parts were not reloaded: there are 2 faults")]
    detail: String,
    /// Each fault with its place.
    #[schema(example = json!(["rules.toml:3: unknown key `wrods`", "plugins/mine: there is no filter.wasm, and no source to build it from"]))]
    faults: Vec<String>,
}

/// What is wrong with the parts that stay as they were, and what is in force now.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct PartlyLoaded {
    #[serde(flatten)]
    faults: Faults,
    #[serde(flatten)]
    loaded: Loaded,
}

/// Read settings with tokens, rules and plugins again.
///
/// Each of these parts takes effect as a whole, or stays as it was when there is an error in it; a plugin is a part of its
/// own. Files that are being written are read once they have stayed the same for 0.4 s.
#[utoipa::path(
    post, path = "/moderation/reload", tag = "moderation", security(("moderator" = [])),
    responses(
        (status = 200, body = Loaded),
        (status = 401, body = Detail, description = "No token, or none of a moderator"),
        (status = 403, body = Detail, description = "The token is not of scope `admin`, or for some rooms only"),
        (status = 422, body = PartlyLoaded, description = "A part with an error stays as it was; the rest is in force"),
        (status = 429, body = Detail, description = "Too many wrong tokens; `Retry-After` tells how long to wait"),
    ),
)]
pub(in crate::api) async fn reload(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, ApiError> {
    caller.check_everywhere()?;
    api.desk.write_down(Cause::Moderator(caller.name()), What::Reloaded).await;
    let Report { settings: Changes { changed, needs_restart }, rules, plugins, errors } =
        Arc::clone(&api.reload).reload(ReloadedBy::Moderator(caller.name())).await;
    let settings = Settings { changed, needs_restart };
    let loaded = Loaded { settings, rules, plugins, in_force: rules_in_force(&api) };
    if errors.is_empty() {
        return Ok(Json(loaded).into_response());
    }
    let faults = Faults::of("some parts were not reloaded", errors);
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Json(PartlyLoaded { faults, loaded })).into_response())
}

impl Faults {
    /// These, with what they amount to.
    pub(super) fn of(what: &str, faults: Vec<String>) -> Self {
        let detail = match faults.len() {
            1 => format!("{what}: there is a fault"),
            many => format!("{what}: there are {many} faults"),
        };
        Self { detail, faults }
    }
}

//! Rules, plugins and the tokens file are read again, all or nothing.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Caller;
use super::filters::{RuleState, rules_in_force};
use crate::api::Api;
use crate::api::error::{ApiError, Detail};
use crate::model::Cause;
use crate::moderation::What;

/// What is in force now.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Loaded {
    /// How many rules.
    #[schema(example = 12)]
    rules: usize,
    /// The plugins, in the order in which they are asked.
    #[schema(example = json!(["link-guard"]))]
    plugins: Vec<String>,
    /// The rules, in their order: where each is written and what it does.
    in_force: Vec<RuleState>,
}

/// Why everything stays as it was.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Faults {
    #[schema(example = "nothing has changed: there are 2 faults")]
    detail: String,
    /// Each fault with its place.
    #[schema(example = json!(["rules.toml:3: unknown key `wrods`", "plugins/mine: there is no filter.wasm, and no source to build it from"]))]
    faults: Vec<String>,
}

/// Read rules, plugins and the tokens file again.
///
/// All of it is put in force at once, or nothing when anything is at fault.
#[utoipa::path(
    post, path = "/moderation/reload", tag = "moderation", security(("moderator" = [])),
    responses(
        (status = 200, body = Loaded),
        (status = 401, body = Detail, description = "No token, or none of a moderator"),
        (status = 403, body = Detail, description = "The token is not of scope `admin`, or for some rooms only"),
        (status = 422, body = Faults, description = "Something is at fault, and everything stays as it was"),
        (status = 429, body = Detail, description = "Too many wrong tokens; `Retry-After` tells how long to wait"),
    ),
)]
pub(in crate::api) async fn reload(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, ApiError> {
    caller.check_everywhere()?;
    api.desk.write_down(Cause::Moderator(caller.name()), What::Reloaded).await;
    let moderators = Arc::clone(&api.moderators);
    let tokens = match tokio::task::spawn_blocking(move || moderators.read()).await {
        Ok(Ok(tokens)) => tokens,
        Ok(Err(faults)) => return Ok(nothing_changed(faults.iter().map(ToString::to_string).collect())),
        Err(_) => return Ok(nothing_changed(vec!["the tokens could not be read".to_owned()])),
    };
    Ok(match api.reload.all(&caller.name()).await {
        Ok(now) => {
            api.moderators.replace(tokens);
            let in_force = rules_in_force(&api);
            Json(Loaded { rules: now.rules, plugins: now.plugins, in_force }).into_response()
        }
        Err(faults) => nothing_changed(faults),
    })
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

fn nothing_changed(faults: Vec<String>) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, Json(Faults::of("nothing has changed", faults))).into_response()
}

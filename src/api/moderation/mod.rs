//! Moderator calls. Each requires a token, which [`auth`](crate::auth) checks.
//!
//! Pages of other origins cannot make these calls: they have no CORS headers, and browsers do not attach tokens
//! automatically.

mod breakers;
mod caller;
mod decisions;
mod degraded;
mod feed;
mod filters;
mod held;
mod held_bulk;
mod level;
mod members;
mod reload;
mod sanctions;
mod stats;
mod try_out;
mod undo;
mod views;
mod what_if;

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use jiff::Timestamp;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;

use self::caller::Caller;
use super::error::ApiError;
use super::request::RequestOrigin;
use super::{Api, docs, with_timeout};
use crate::auth::Scope;

/// Time limit for a reload: a plugin that contains an interpreter takes seconds to compile.
const RELOAD_TIMEOUT: Duration = Duration::from_mins(2);
/// Longest reason, in code points.
const MAX_REASON_CHARS: usize = 500;

/// Returns the moderator routes, each with the scope that it requires, and their description. Requests are answered within
/// `timeout`, except reloads and what-if runs.
pub(super) fn router(api: Arc<Api>, timeout: Duration) -> (Router, OpenApi) {
    let within = |timeout, scope, (schemas, mut paths, call): UtoipaMethodRouter<Arc<Api>>| {
        docs::require_scope(&mut paths, scope);
        let call = call
            .layer(middleware::from_fn_with_state(timeout, with_timeout))
            .layer(middleware::from_fn_with_state(scope, require_scope));
        (schemas, paths, call)
    };
    let read = |call| within(timeout, Scope::Read, call);
    let act = |call| within(timeout, Scope::Act, call);
    let admin = |call| within(RELOAD_TIMEOUT, Scope::Admin, call);
    let (calls, description) = OpenApiRouter::new()
        .routes(read(routes!(try_out::try_out)))
        .routes(within(RELOAD_TIMEOUT, Scope::Read, routes!(what_if::what_if)))
        .routes(read(routes!(filters::filters)))
        .routes(read(routes!(feed::feed)))
        .routes(read(routes!(stats::stats)))
        .routes(read(routes!(decisions::decisions)))
        .routes(read(routes!(decisions::stream)))
        .routes(read(routes!(held::list)))
        .routes(act(routes!(held::show)))
        .routes(act(routes!(held::release)))
        .routes(act(routes!(held::refuse)))
        .routes(act(routes!(held_bulk::release_all)))
        .routes(act(routes!(held_bulk::refuse_all)))
        .routes(read(routes!(sanctions::list)))
        .routes(act(routes!(sanctions::impose)))
        .routes(act(routes!(sanctions::lift)))
        .routes(act(routes!(members::members)))
        .routes(act(routes!(members::delete_message)))
        .routes(act(routes!(members::kick)))
        .routes(act(routes!(members::trust, members::distrust)))
        .routes(read(routes!(level::levels)))
        .routes(act(routes!(level::set_level)))
        .routes(read(routes!(level::preset)))
        .routes(admin(routes!(level::set_preset)))
        .routes(admin(routes!(reload::reload)))
        .routes(admin(routes!(undo::undo)))
        .routes(admin(routes!(breakers::reset)))
        .split_for_parts();
    let calls = calls
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(middleware::from_fn_with_state(Arc::clone(&api), authenticate))
        .layer(SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .with_state(api);
    (calls, description)
}

/// Rejects requests without a valid moderator token.
async fn authenticate(
    State(api): State<Arc<Api>>,
    origin: RequestOrigin,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let token = bearer_token(request.headers()).ok_or(ApiError::MissingToken)?;
    let moderator = api.moderators.authenticate(origin.client.address(), token)?;
    request.extensions_mut().insert(Caller(moderator));
    Ok(next.run(request).await)
}

/// Rejects requests whose token lacks `scope`.
async fn require_scope(
    State(scope): State<Scope>,
    Extension(Caller(moderator)): Extension<Caller>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    if moderator.has_scope(scope) {
        return Ok(next.run(request).await);
    }
    Err(ApiError::Forbidden(format!("this call requires the scope `{scope}`")))
}

/// Returns the parsed query, or an error that names the field.
fn parse_query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, ApiError> {
    query.map(|Query(query)| query).map_err(|error| ApiError::InvalidRequest(error.body_text()))
}

/// Trims a reason; `None` if it is blank.
///
/// # Errors
/// When it is longer than [`MAX_REASON_CHARS`].
fn normalize_reason(reason: Option<String>) -> Result<Option<String>, ApiError> {
    let reason = reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    match &reason {
        Some(reason) if reason.chars().count() > MAX_REASON_CHARS => {
            Err(ApiError::InvalidRequest(format!("`reason` is longer than {MAX_REASON_CHARS} characters")))
        }
        _ => Ok(reason),
    }
}

/// Returns the token of `Authorization: Bearer TOKEN`.
pub(super) fn bearer_token(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"Bearer ") && !token.is_empty()).then_some(token)
}

/// Formats a time with milliseconds.
fn format_time(at: Timestamp) -> String {
    format!("{at:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bearer_scheme_is_matched_in_any_letter_case() {
        let token = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            bearer_token(&headers).map(|token| String::from_utf8(token.to_vec()).unwrap())
        };
        for good in ["Bearer sesame", "bearer sesame", "BEARER   sesame "] {
            assert_eq!(token(good).as_deref(), Some("sesame"), "{good}");
        }
        for bad in ["", "Bearer", "Bearer ", "Bearersesame", "Basic sesame", "sesame"] {
            assert_eq!(token(bad), None, "{bad}");
        }
        assert_eq!(bearer_token(&HeaderMap::new()), None);
    }
}

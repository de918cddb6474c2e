//! Moderator calls. Each requires a token, which [`moderation`](crate::moderation) checks.
//!
//! Pages of other origins cannot make these calls: they have no CORS headers, and browsers do not attach tokens
//! automatically.

mod caller;
pub(super) mod decisions;
mod degraded;
pub(super) mod feed;
pub(super) mod filters;
pub(super) mod held;
pub(super) mod level;
pub(super) mod members;
pub(super) mod reload;
pub(super) mod sanctions;
pub(super) mod stats;
pub(super) mod try_out;
pub(super) mod undo;
mod views;
pub(super) mod what_if;

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodRouter, delete, get, post, put};
use jiff::Timestamp;
use tower_http::set_header::SetResponseHeaderLayer;

use self::caller::Caller;
use super::error::ApiError;
use super::request::RequestOrigin;
use super::{Api, with_timeout};
use crate::live::rooms::RoomUnavailable;
use crate::moderation::{HeldMessage, Scope};

/// Time limit for a reload: a plugin that contains an interpreter takes seconds to compile.
const RELOAD_TIMEOUT: Duration = Duration::from_mins(2);
/// Longest reason, in code points.
const MAX_REASON_CHARS: usize = 500;

/// Returns the moderator routes, each with the scope that it requires. Requests are answered within `timeout`, except
/// reloads and what-if runs.
pub(super) fn router(api: Arc<Api>, timeout: Duration) -> Router {
    let within = |timeout, scope, call: MethodRouter<Arc<Api>>| {
        call.layer(middleware::from_fn_with_state(timeout, with_timeout))
            .layer(middleware::from_fn_with_state(scope, require_scope))
    };
    let read = |call| within(timeout, Scope::Read, call);
    let act = |call| within(timeout, Scope::Act, call);
    let admin = |call| within(RELOAD_TIMEOUT, Scope::Admin, call);
    Router::new()
        .route("/moderation/try", read(post(try_out::try_out)))
        .route("/moderation/whatif", within(RELOAD_TIMEOUT, Scope::Read, post(what_if::what_if)))
        .route("/moderation/filters", read(get(filters::filters)))
        .route("/moderation/feed", read(get(feed::feed)))
        .route("/moderation/stats", read(get(stats::stats)))
        .route("/moderation/decisions", read(get(decisions::decisions)))
        .route("/moderation/decisions/stream", read(get(decisions::stream)))
        .route("/moderation/held", read(get(held::list)))
        .route("/moderation/held/{id}/release", act(post(held::release)))
        .route("/moderation/held/{id}/refuse", act(post(held::refuse)))
        .route("/moderation/sanctions", read(get(sanctions::list)).merge(act(post(sanctions::impose))))
        .route("/moderation/sanctions/{id}", act(delete(sanctions::lift)))
        .route("/moderation/rooms/{room}/members", act(get(members::members)))
        .route("/moderation/rooms/{room}/last/{message_id}", act(delete(members::delete_message)))
        .route("/moderation/members/{id}/kick", act(post(members::kick)))
        .route("/moderation/trusted", act(post(members::trust).delete(members::distrust)))
        .route("/moderation/level", read(get(level::levels)).merge(act(put(level::set_level))))
        .route("/moderation/preset", read(get(level::preset)).merge(admin(put(level::set_preset))))
        .route("/moderation/reload", admin(post(reload::reload)))
        .route("/moderation/undo", admin(post(undo::undo)))
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(middleware::from_fn_with_state(Arc::clone(&api), authenticate))
        .layer(SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .with_state(api)
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
    Err(ApiError::Forbidden(format!("this call requires the scope `{}`", scope.as_str())))
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

/// Delivers held messages to their rooms, in this order.
///
/// # Cancel safety
/// Dropping the future does not stop the delivery: the messages have left the queue already.
async fn release_all(api: &Api, held: Vec<HeldMessage>) -> Result<(), ApiError> {
    let rooms = Arc::clone(&api.rooms);
    let releasing = tokio::spawn(async move {
        for HeldMessage { recorded: judged, .. } in held {
            let name = judged.sender.room.clone();
            let released = match rooms.find(name.as_str()) {
                Some(room) => room.release(judged).await,
                None => Err(RoomUnavailable::Removed(name)),
            };
            match released {
                // The room was removed from the configuration in the meantime.
                Err(RoomUnavailable::Removed(room)) => {
                    tracing::warn!(%room, "room of a released message no longer exists")
                }
                other => other?,
            }
        }
        Ok(())
    });
    releasing.await.map_err(|_| ApiError::Unavailable("the message could not be released".to_owned()))?
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

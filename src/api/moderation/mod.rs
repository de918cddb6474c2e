//! The calls of moderators. Each of them needs a token; what a token is worth, [`moderation`](crate::moderation) knows.
//!
//! Pages of other origins cannot make these calls: there is no CORS for them, and a browser adds no token by itself.

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
mod shown;
pub(super) mod stats;
pub(super) mod try_out;
pub(super) mod undo;
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
use super::request::From;
use super::{Api, in_time};
use crate::live::rooms::NoAnswer;
use crate::moderation::{HeldMessage, Scope};

/// How long it may take to read everything again: a plugin with an interpreter in it is compiled for seconds.
const RELOAD_TIMEOUT: Duration = Duration::from_mins(2);
/// Longest reason that a moderator gives, in code points.
const MAX_REASON: usize = 500;

/// The routes of moderators, each with the scope that it takes. A request is answered within `timeout`, but for those
/// that read everything again.
pub(super) fn router(api: Arc<Api>, timeout: Duration) -> Router {
    let within = |timeout, scope, call: MethodRouter<Arc<Api>>| {
        call.layer(middleware::from_fn_with_state(timeout, in_time))
            .layer(middleware::from_fn_with_state(scope, check_scope))
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
        .route("/moderation/rooms/{room}/last/{message_id}", act(delete(members::forget)))
        .route("/moderation/members/{id}/kick", act(post(members::kick)))
        .route("/moderation/trusted", act(post(members::trust).delete(members::distrust)))
        .route("/moderation/level", read(get(level::levels)).merge(act(put(level::set_level))))
        .route("/moderation/preset", read(get(level::preset)).merge(admin(put(level::set_preset))))
        .route("/moderation/reload", admin(post(reload::reload)))
        .route("/moderation/undo", admin(post(undo::undo)))
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(middleware::from_fn_with_state(Arc::clone(&api), admit))
        .layer(SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .with_state(api)
}

/// Lets only moderators through.
async fn admit(
    State(api): State<Arc<Api>>,
    from: From,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let token = bearer(request.headers()).ok_or(ApiError::NoToken)?;
    let moderator = api.moderators.admit(from.client.address(), token)?;
    request.extensions_mut().insert(Caller(moderator));
    Ok(next.run(request).await)
}

/// Lets only those through who have this scope.
async fn check_scope(
    State(scope): State<Scope>,
    Extension(Caller(moderator)): Extension<Caller>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    if moderator.may(scope) {
        return Ok(next.run(request).await);
    }
    Err(ApiError::NotForYou(format!("this call needs the scope `{}`, which this token has not", scope.as_str())))
}

/// What a query says, or what is wrong with it.
fn in_query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, ApiError> {
    query.map(|Query(query)| query).map_err(|fault| ApiError::BadCall(fault.body_text()))
}

/// A reason that somebody is told, without blanks around it; nothing where it is blank.
fn for_sender(reason: Option<String>) -> Result<Option<String>, ApiError> {
    let reason = reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    match &reason {
        Some(reason) if reason.chars().count() > MAX_REASON => {
            Err(ApiError::BadCall(format!("`reason` is longer than {MAX_REASON} characters")))
        }
        _ => Ok(reason),
    }
}

/// Lets the rooms hear messages that were held, in this order. They are heard also when whoever made the call has gone:
/// they wait nowhere any more.
async fn release_all(api: &Api, held: Vec<HeldMessage>) -> Result<(), ApiError> {
    let rooms = Arc::clone(&api.rooms);
    let releasing = tokio::spawn(async move {
        for HeldMessage { recorded, .. } in held {
            let name = recorded.sender.room.clone();
            let released = match rooms.find(name.as_str()) {
                Some(room) => room.release(recorded).await,
                None => Err(NoAnswer::Removed(name)),
            };
            match released {
                // The configuration has changed since it was held.
                Err(NoAnswer::Removed(room)) => tracing::warn!(%room, "a released message has no room any more"),
                other => other?,
            }
        }
        Ok(())
    });
    releasing.await.map_err(|_| ApiError::Unable("the message could not be released".to_owned()))?
}

/// The token of `Authorization: Bearer TOKEN`.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"Bearer ") && !token.is_empty()).then_some(token)
}

/// A time as all calls write it.
fn written(at: Timestamp) -> String {
    format!("{at:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_stands_behind_its_scheme_in_any_letter_case() {
        let token = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            bearer(&headers).map(|token| String::from_utf8(token.to_vec()).unwrap())
        };
        for good in ["Bearer sesame", "bearer sesame", "BEARER   sesame "] {
            assert_eq!(token(good).as_deref(), Some("sesame"), "{good}");
        }
        for bad in ["", "Bearer", "Bearer ", "Bearersesame", "Basic sesame", "sesame"] {
            assert_eq!(token(bad), None, "{bad}");
        }
        assert_eq!(bearer(&HeaderMap::new()), None);
    }
}

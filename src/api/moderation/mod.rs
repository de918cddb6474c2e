//! The calls of moderators. Each of them needs a token; what a token is worth, [`moderation`](crate::moderation) knows.
//!
//! Pages of other origins cannot make these calls: there is no CORS for them, and a browser adds no token by itself.

pub(super) mod feed;
pub(super) mod filters;
pub(super) mod reload;
pub(super) mod try_out;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use jiff::Timestamp;
use tower_http::set_header::SetResponseHeaderLayer;

use super::error::ApiError;
use super::request::From;
use super::{Api, in_time};

/// How long it may take to read everything again: a plugin with an interpreter in it is compiled for seconds.
const RELOAD_TIMEOUT: Duration = Duration::from_mins(2);

/// The name of the moderator who makes a call.
#[derive(Clone, Debug)]
pub(super) struct Caller(Arc<str>);

/// The routes of moderators. A request is answered within `timeout`, but for the one that reads everything again.
pub(super) fn router(api: Arc<Api>, timeout: Duration) -> Router {
    let within = |timeout, call: MethodRouter<Arc<Api>>| call.layer(middleware::from_fn_with_state(timeout, in_time));
    Router::new()
        .route("/moderation/try", within(timeout, post(try_out::try_out)))
        .route("/moderation/filters", within(timeout, get(filters::filters)))
        .route("/moderation/feed", within(timeout, get(feed::feed)))
        .route("/moderation/reload", within(RELOAD_TIMEOUT, post(reload::reload)))
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
    let name = api.moderators.admit(from.client.address(), token)?;
    request.extensions_mut().insert(Caller(name));
    Ok(next.run(request).await)
}

/// The token of `Authorization: Bearer TOKEN`.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
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

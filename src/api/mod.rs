//! HTTP: the public calls and those of moderators, their documentation, health and figures. [`error`] maps each refusal
//! to its status.

mod config;
mod docs;
pub mod error;
mod moderation;
mod operations;
mod reload;
mod request;
mod rooms;
mod rules;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use tokio_util::sync::CancellationToken;
use tower_http::cors::{AllowOrigin, Any, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;

pub use config::Config;

use self::error::ApiError;
use crate::filter::rules::Current;
use crate::filter::{self, RulesReload};
use crate::live::Live;
use crate::live::client::{Origins, TrustedProxies};
use crate::live::rooms::Rooms;
use crate::moderation::{Desk, Feed, Moderators};
use crate::pages::{CONTENT_SECURITY_POLICY, PAGES, Page};
use crate::settings::Swap;
use crate::telemetry::{Degraded, Metrics};

/// What the handlers share.
#[derive(Debug)]
pub struct Api {
    /// The rooms.
    pub rooms: Arc<Rooms>,
    /// Live connections and the path of a message.
    pub live: Arc<Live>,
    /// Figures.
    pub metrics: Arc<Metrics>,
    /// What the instance says of itself.
    pub rules: Arc<Swap<Rules>>,
    /// Pages that may connect.
    pub origins: Origins,
    /// Whose word on a client's address is taken.
    pub proxies: TrustedProxies,
    /// Longest body of a request, in bytes.
    pub max_body_bytes: usize,
    /// Whether figures have a port of their own.
    pub metrics_elsewhere: bool,
    /// Who may moderate.
    pub moderators: Arc<Moderators>,
    /// What is decided and done.
    pub desk: Arc<Desk>,
    /// One act of a moderator after the other, so that what is written down is what happens.
    pub acting: tokio::sync::Mutex<()>,
    /// One moderator after the other tries rules.
    pub trying: Arc<tokio::sync::Mutex<()>>,
    /// The chain as it is configured.
    pub filter: Arc<Swap<filter::Config>>,
    /// The rules in force.
    pub rules_in_force: Arc<Current>,
    /// Ends what would go on for ever.
    pub stop: CancellationToken,
    /// What moderators should know.
    pub feed: Arc<Feed>,
    /// The parts that the relay runs without.
    pub degraded: Arc<Degraded>,
    /// Reads rules again, as another preset asks for it.
    pub rules_reload: Arc<RulesReload>,
    /// Reads settings, rules and plugins again.
    pub reload: Arc<dyn Reload>,
}

pub use reload::{Reload, ReloadedBy, Report};
pub use rules::Rules;

/// The routes that everybody uses. A request is answered within `timeout`, or with 408.
pub fn router(api: Arc<Api>, timeout: Duration) -> Router {
    let cors = CorsLayer::new()
        .allow_methods([Method::GET, Method::PUT])
        .allow_headers(Any)
        .expose_headers([header::RETRY_AFTER])
        .allow_origin(allowed_origins(&api.origins));
    Router::new()
        .route("/rooms", get(rooms::names))
        .route("/rules", get(rules::rules))
        .route("/status", get(rooms::status))
        .route("/version", get(rooms::version))
        .route("/room/{room}/users", get(rooms::users))
        .route("/room/{room}/message", put(rooms::put_message))
        .route("/room/{room}/ws", get(rooms::websocket))
        .route("/healthz", get(operations::healthz))
        .with_state(Arc::clone(&api))
        .merge(docs::router())
        .merge(pages())
        .fallback(async || ApiError::NoSuchPath)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(cors)
        .merge(figures(Arc::clone(&api)))
        .layer(middleware::from_fn_with_state(timeout, in_time))
        .merge(moderation::router(api, timeout))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
}

/// Answers with 408 what takes longer than `timeout`.
async fn in_time(State(timeout): State<Duration>, request: Request, next: Next) -> Response {
    let answered = tokio::time::timeout(timeout, next.run(request)).await;
    answered.unwrap_or_else(|_| ApiError::TooLate.into_response())
}

/// Not for pages of other origins: the operator's own browser is on the machine that may see figures.
fn figures(api: Arc<Api>) -> Router {
    Router::new()
        .route("/metrics", get(operations::metrics))
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .with_state(api)
}

/// The routes of the port that is for figures alone.
pub fn metrics_router(metrics: Arc<Metrics>) -> Router {
    Router::new()
        .route("/metrics", get(operations::metrics_for_all))
        .with_state(metrics)
        .route("/healthz", get(operations::healthz))
        .fallback(async || ApiError::NoSuchFigures)
}

fn pages() -> Router {
    PAGES.into_iter().fold(Router::new(), |router, Page { path, content_type, text }| {
        let headers = [
            (header::CONTENT_TYPE, content_type),
            (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
            (header::CACHE_CONTROL, "no-cache"),
        ];
        router.route(path, get(async move || (headers, text)))
    })
}

fn allowed_origins(origins: &Origins) -> AllowOrigin {
    if origins.0.is_empty() {
        return AllowOrigin::any();
    }
    let origins = origins.clone();
    AllowOrigin::predicate(move |origin, _| origin.to_str().is_ok_and(|origin| origins.lists(origin)))
}

//! The HTTP API: public and moderator calls, their documentation, health and metrics. [`error`] maps each error to its
//! status.

mod config;
mod docs;
pub mod error;
mod host;
mod join;
mod moderation;
mod operations;
mod posting;
mod qfield;
mod request;
mod rooms;
mod rules;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio_util::sync::CancellationToken;
use tower_http::cors::{AllowOrigin, Any, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use config::Config;
pub use host::HostCheck;

use self::error::ApiError;
use crate::actions::Actions;
use crate::auth::Moderators;
use crate::filter::rules::ActiveRules;
use crate::filter::{self, RulesReload};
use crate::live::Live;
use crate::live::client::Origins;
use crate::live::proxies::TrustedProxies;
use crate::live::rooms::Rooms;
use crate::moderation::{Feed, Moderation, WidestPrefix};
use crate::pages::{CONTENT_SECURITY_POLICY, PAGES, Page};
use crate::settings::Swap;
use crate::telemetry::{Degraded, Metrics};
use crate::wire::RoomGeneration;

/// State shared by all handlers.
#[derive(Debug)]
pub struct Api {
    /// The rooms.
    pub rooms: Arc<Rooms>,
    /// Live connections and the message path.
    pub live: Arc<Live>,
    /// Metrics.
    pub metrics: Arc<Metrics>,
    /// The description of the instance, served at `/rules`.
    pub instance: Arc<Swap<InstanceInfo>>,
    /// Origins whose pages may connect.
    pub origins: Origins,
    /// Proxies trusted to report a client's address.
    pub proxies: TrustedProxies,
    /// Longest request body, in bytes.
    pub max_body_bytes: usize,
    /// Longest body of a call that takes a message of any kind, in bytes.
    pub max_frame_bytes: usize,
    /// Whether moderators see positions and extents.
    pub shows_places: bool,
    /// The widest networks that a sanction may concern.
    pub widest_sanction: WidestPrefix,
    /// Whether metrics are served on a separate port.
    pub has_metrics_listener: bool,
    /// Moderators and their tokens.
    pub moderators: Arc<Moderators>,
    /// The state and the history of moderation.
    pub moderation: Arc<Moderation>,
    /// Carries out what moderators do.
    pub actions: Arc<Actions>,
    /// Held while `/moderation/whatif` runs, which serves one request at a time.
    pub what_if_lock: Arc<tokio::sync::Mutex<()>>,
    /// The configuration of the filter chain.
    pub filter: Arc<Swap<filter::Config>>,
    /// The rules in force.
    pub rules_in_force: Arc<ActiveRules>,
    /// Cancelled on shutdown; ends event streams.
    pub shutdown: CancellationToken,
    /// Notes for moderators.
    pub feed: Arc<Feed>,
    /// The rules, if the chain has any.
    pub rules_reload: Arc<RulesReload>,
    /// The parts that are unavailable.
    pub degraded: Arc<Degraded>,
    /// The generation of clients that connect to `/room/{room}/ws`.
    pub room_generation: RoomGeneration,
    /// The QField plugin, which may be missing.
    pub qfield_file: PathBuf,
}

pub use rules::InstanceInfo;

/// Returns the routes of the main port. A request that takes longer than `timeout` is answered with 408, and one whose host
/// does not pass `hosts` with 400.
pub fn router(api: Arc<Api>, timeout: Duration, hosts: Arc<HostCheck>) -> Router {
    let cors = CorsLayer::new()
        .allow_methods([Method::GET, Method::PUT])
        .allow_headers(Any)
        .expose_headers([header::RETRY_AFTER])
        .allow_origin(allowed_origins(&api.origins));
    let (calls, mut description) = OpenApiRouter::with_openapi(docs::description())
        .routes(routes!(rooms::room_names))
        .routes(routes!(rules::rules))
        .routes(routes!(rooms::status))
        .routes(routes!(rooms::version))
        .routes(routes!(rooms::channel_names))
        .routes(routes!(rooms::users))
        .routes(routes!(rooms::channel_users))
        .routes(routes!(rooms::last))
        .routes(routes!(rooms::channel_last))
        .routes(routes!(posting::put_message))
        .routes(routes!(posting::put_text))
        .routes(routes!(posting::put_channel_text))
        .routes(routes!(join::websocket))
        .routes(routes!(join::channel_websocket))
        .routes(routes!(qfield::qfield))
        .routes(routes!(operations::healthz))
        .with_state(Arc::clone(&api))
        .split_for_parts();
    // Without CORS headers: the operator's browser runs on the machine that may read metrics, and pages of other origins
    // must not read them through it.
    let (metrics, metrics_description) =
        OpenApiRouter::new().routes(routes!(operations::metrics)).with_state(Arc::clone(&api)).split_for_parts();
    let (moderation, moderation_description) = moderation::router(api, timeout);
    description.merge(metrics_description);
    description.merge(moderation_description);
    calls
        .merge(docs::router(description))
        .merge(pages())
        .fallback(async || ApiError::PathNotFound)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(cors)
        .merge(metrics.method_not_allowed_fallback(async || ApiError::MethodNotAllowed))
        .layer(middleware::from_fn_with_state(timeout, with_timeout))
        .merge(moderation)
        .layer(middleware::from_fn_with_state(hosts, request::check_host))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
}

/// Responds with 408 when a request takes longer than `timeout`.
async fn with_timeout(State(timeout): State<Duration>, request: Request, next: Next) -> Response {
    let response = tokio::time::timeout(timeout, next.run(request)).await;
    response.unwrap_or_else(|_| ApiError::RequestTimeout.into_response())
}

/// Returns the routes of the metrics port. A request whose host does not pass `hosts` is answered with 400.
pub fn metrics_router(metrics: Arc<Metrics>, hosts: Arc<HostCheck>) -> Router {
    Router::new()
        .route("/metrics", get(operations::unrestricted_metrics))
        .with_state(metrics)
        .route("/healthz", get(operations::healthz))
        .fallback(async || ApiError::MetricsPathNotFound)
        .layer(middleware::from_fn_with_state(hosts, request::check_host))
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

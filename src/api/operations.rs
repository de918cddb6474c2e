//! Calls for operators and their tools.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::error::{ApiError, ErrorResponse, InternalError};
use super::host::HostIsOwn;
use super::moderation::bearer_token;
use super::request::RequestOrigin;
use crate::telemetry::Metrics;

/// The liveness status.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HealthResponse {
    #[schema(example = "ok")]
    status: &'static str,
}

/// Liveness check, for supervisors and containers.
#[utoipa::path(get, path = "/healthz", tag = "operation", responses((status = 200, body = HealthResponse)))]
pub(super) async fn healthz() -> Json<HealthResponse> {
    Json(HealthResponse { status: "ok" })
}

/// Metrics for Prometheus.
///
/// Served to moderators, and to clients that connect from the same machine without a proxy,
/// addressing it as `localhost`, 127.0.0.1 or `[::1]`. `METRICS_LISTEN` serves them on a separate port instead.
#[utoipa::path(get, path = "/metrics", tag = "operation", security((), ("moderator" = [])), responses(
    (status = 200, body = String, content_type = "text/plain"),
    (status = 401, body = ErrorResponse, description = "The client is not local, and its token is not a moderator's"),
    (status = 403, body = ErrorResponse, description = "The client is not local, and sent no token"),
    (status = 429, body = ErrorResponse, description = "Too many wrong tokens; see `Retry-After`"),
))]
pub(super) async fn metrics(
    State(api): State<Arc<Api>>,
    Extension(HostIsOwn(host_is_own)): Extension<HostIsOwn>,
    origin: RequestOrigin,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    if api.has_metrics_listener {
        return Err(ApiError::PathNotFound);
    }
    if !(origin.client.is_local() && host_is_own) {
        let token = bearer_token(&headers).ok_or(ApiError::MetricsForbidden)?;
        // Every moderator has the scope `read`.
        api.moderators.authenticate(origin.client.address(), token)?;
    }
    exposition(&api.metrics)
}

pub(super) async fn unrestricted_metrics(State(metrics): State<Arc<Metrics>>) -> Result<impl IntoResponse, ApiError> {
    exposition(&metrics)
}

fn exposition(metrics: &Metrics) -> Result<impl IntoResponse + use<>, ApiError> {
    let text = metrics.encode().map_err(InternalError::from)?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}

//! The calls that operators and their tools make.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::error::{ApiError, Detail};
use super::moderation::bearer;
use super::request::From;
use crate::telemetry::Metrics;

/// A sign of life.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    #[schema(example = "ok")]
    status: &'static str,
}

/// A sign of life, for supervisors and containers.
#[utoipa::path(get, path = "/healthz", tag = "operation", responses((status = 200, body = Health)))]
pub(super) async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Figures for Prometheus, for clients on the same machine and for moderators. `METRICS_LISTEN` gives them a port of
/// their own instead.
#[utoipa::path(get, path = "/metrics", tag = "operation", security((), ("moderator" = [])), responses(
    (status = 200, body = String, content_type = "application/openmetrics-text"),
    (status = 401, body = Detail, description = "The client is not on this machine, and the token is no moderator's"),
    (status = 403, body = Detail, description = "The client is not on this machine, and brings no token"),
    (status = 429, body = Detail, description = "Too many wrong tokens; `Retry-After` tells how long to wait"),
))]
pub(super) async fn metrics(
    State(api): State<Arc<Api>>,
    from: From,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    if api.metrics_elsewhere {
        return Err(ApiError::NoSuchPath);
    }
    if !from.client.is_local() {
        let token = bearer(&headers).ok_or(ApiError::MetricsNotForYou)?;
        // Every moderator has the scope `read`.
        api.moderators.admit(from.client.address(), token)?;
    }
    Ok(exposition(&api.metrics))
}

pub(super) async fn metrics_for_all(State(metrics): State<Arc<Metrics>>) -> impl IntoResponse {
    exposition(&metrics)
}

fn exposition(metrics: &Metrics) -> impl IntoResponse + use<> {
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], metrics.text())
}

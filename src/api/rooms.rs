//! Calls for chat clients: rooms, their users and their last messages.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::error::{ApiError, ErrorResponse};
use super::request::{ChannelPath, RoomPath};
use crate::live::rooms::RoomHandle;
use crate::wire::{self, Generation};

/// The status of the relay and of its rooms.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StatusResponse {
    #[serde(rename = "status")]
    #[schema(example = "ok")]
    state: &'static str,
    healthy: bool,
    rooms: Vec<RoomStatusJson>,
    /// The same as `rooms`, for v3 clients.
    channels: Vec<RoomStatusJson>,
    /// Parts that are unavailable: `plugins`, `cache`, `store`, `audit`. Absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, example = json!(["plugins", "store"]))]
    degraded: Vec<&'static str>,
}

/// One room.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct RoomStatusJson {
    #[schema(example = "QGIS")]
    name: String,
    /// Current connections, with or without a nickname.
    #[schema(example = 36)]
    nb_connected_users: usize,
}

/// The version of the relay.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VersionResponse {
    #[schema(example = "1.2.3")]
    version: &'static str,
}

/// Names of the rooms.
#[utoipa::path(get, path = "/rooms", tag = "rooms", responses((status = 200, body = Vec<String>, example = json!(["QGIS", "QField"]))))]
pub(super) async fn room_names(State(api): State<Arc<Api>>) -> Json<Vec<String>> {
    Json(api.rooms.list().iter().map(|room| room.name().to_string()).collect())
}

/// Names of the channels, as v3 calls rooms.
#[utoipa::path(get, path = "/channels", tag = "rooms", responses((status = 200, body = Vec<String>, example = json!(["QGIS", "QField"]))))]
pub(super) async fn channel_names(api: State<Arc<Api>>) -> Json<Vec<String>> {
    room_names(api).await
}

/// Health, unavailable parts, and the number of connections in each room.
#[utoipa::path(get, path = "/status", tag = "instance", responses((status = 200, body = StatusResponse)))]
pub(super) async fn status(State(api): State<Arc<Api>>) -> Json<StatusResponse> {
    let listed = api.rooms.list();
    let rooms: Vec<_> = listed
        .iter()
        .map(|room| RoomStatusJson { name: room.name().to_string(), nb_connected_users: room.connections() })
        .collect();
    let degraded = api.degraded.list().into_iter().map(|missing| missing.subsystem.as_str());
    let channels = rooms.clone();
    Json(StatusResponse { state: "ok", healthy: true, rooms, channels, degraded: degraded.collect() })
}

/// Version of the relay.
#[utoipa::path(get, path = "/version", tag = "instance", responses((status = 200, body = VersionResponse)))]
pub(super) async fn version() -> Json<VersionResponse> {
    Json(VersionResponse { version: env!("CARGO_PKG_VERSION") })
}

/// Registered nicknames of a room, sorted without regard to letter case.
#[utoipa::path(
    get, path = "/room/{room}/users", tag = "rooms", params(("room" = String, Path, description = "Name of a room", example = "QGIS")),
    responses(
        (status = 200, body = Vec<String>, example = json!(["Hans_Hibbel", "jane"])),
        (status = 404, body = ErrorResponse, description = "No such room"),
    ),
)]
pub(super) async fn users(RoomPath(room): RoomPath) -> Result<Json<Arc<[String]>>, ApiError> {
    Ok(Json(room.nicknames().await?))
}

/// Registered nicknames of a channel, sorted without regard to letter case.
#[utoipa::path(
    get, path = "/channel/{channel}/users", tag = "rooms", params(("channel" = String, Path, description = "Name of a channel", example = "QGIS")),
    responses(
        (status = 200, body = Vec<String>, example = json!(["Hans_Hibbel", "jane"])),
        (status = 404, body = ErrorResponse, description = "No such channel"),
    ),
)]
pub(super) async fn channel_users(ChannelPath(room): ChannelPath) -> Result<Json<Arc<[String]>>, ApiError> {
    Ok(Json(room.nicknames().await?))
}

/// Last messages of a room, oldest first, as frames of v2.
///
/// Empty unless the instance keeps messages (`MAX_STORED_MESSAGES`).
#[utoipa::path(
    get, path = "/room/{room}/last", tag = "rooms", params(("room" = String, Path, description = "Name of a room", example = "QGIS")),
    responses(
        (status = 200, body = Vec<Object>, example = json!([{"type": "text", "author": "jane", "avatar": null, "text": "hello"}])),
        (status = 404, body = ErrorResponse, description = "No such room"),
    ),
)]
pub(super) async fn last(RoomPath(room): RoomPath) -> Result<impl IntoResponse, ApiError> {
    last_messages(&room, Generation::V2).await
}

/// Last messages of a channel, oldest first, as frames of v3.
///
/// Empty unless the instance keeps messages (`MAX_STORED_MESSAGES`).
#[utoipa::path(
    get, path = "/channel/{channel}/last", tag = "rooms", params(("channel" = String, Path, description = "Name of a channel", example = "QGIS")),
    responses(
        (status = 200, body = Vec<Object>, example = json!([{"type": "text", "author": "jane", "avatar": null, "text": "hello", "id": "3f2b8e8e-7c36-4ad6-8d8a-0d2d9c7d0d5b", "timestamp": 1_796_029_248}])),
        (status = 404, body = ErrorResponse, description = "No such channel"),
    ),
)]
pub(super) async fn channel_last(ChannelPath(room): ChannelPath) -> Result<impl IntoResponse, ApiError> {
    last_messages(&room, Generation::V3).await
}

async fn last_messages(room: &RoomHandle, generation: Generation) -> Result<impl IntoResponse + use<>, ApiError> {
    let mut body = vec![b'['];
    for message in room.last_messages().await? {
        if body.len() > 1 {
            body.push(b',');
        }
        body.extend_from_slice(&wire::encode_message(generation, &message));
    }
    body.push(b']');
    Ok(([(header::CONTENT_TYPE, "application/json")], body))
}

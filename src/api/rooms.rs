//! Calls for chat clients.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::error::{ApiError, ErrorResponse, InternalError};
use super::moderation::bearer_token;
use super::request::{AllowedOrigin, RequestOrigin, RoomPath, read_body};
use crate::live::rooms::RoomHandle;
use crate::model::{MessageKind, Notice, Sender, SenderContext, SenderNotice};
use crate::moderation::refusal_reason;
use crate::wire::{Generation, v1};

/// The status of the relay and of its rooms.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StatusResponse {
    #[serde(rename = "status")]
    #[schema(example = "ok")]
    state: &'static str,
    healthy: bool,
    rooms: Vec<RoomStatusJson>,
    /// Parts that are unavailable: `plugins`, `cache`, `store`, `audit`. Absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, example = json!(["plugins", "store"]))]
    degraded: Vec<&'static str>,
}

/// One room.
#[derive(Debug, Serialize, ToSchema)]
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

/// A chat message of generation v1.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChatMessageJson {
    /// The text: 1 to `max_message_length` code points.
    #[schema(example = "hello")]
    message: String,
    /// The nickname: `A-Z a-z 0-9 _ -`.
    #[schema(example = "Hans_Hibbel")]
    author: String,
    /// The file name of a QGIS icon.
    #[schema(example = "mGeoPackage.svg")]
    avatar: Option<String>,
}

/// Names of the rooms.
#[utoipa::path(get, path = "/rooms", tag = "rooms", responses((status = 200, body = Vec<String>, example = json!(["QGIS", "QField"]))))]
pub(super) async fn room_names(State(api): State<Arc<Api>>) -> Json<Vec<String>> {
    Json(api.rooms.list().iter().map(|room| room.name().to_string()).collect())
}

/// Health, unavailable parts, and the number of connections in each room.
#[utoipa::path(get, path = "/status", tag = "instance", responses((status = 200, body = StatusResponse)))]
pub(super) async fn status(State(api): State<Arc<Api>>) -> Json<StatusResponse> {
    let listed = api.rooms.list();
    let rooms = listed
        .iter()
        .map(|room| RoomStatusJson { name: room.name().to_string(), nb_connected_users: room.connections() });
    let degraded = api.degraded.list().into_iter().map(|missing| missing.subsystem.as_str());
    Json(StatusResponse { state: "ok", healthy: true, rooms: rooms.collect(), degraded: degraded.collect() })
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

/// Post a message without being connected.
///
/// The message passes the same filters as any other. The response is the message as it was broadcast. If the instance
/// has given the owner of the nickname a token, `Authorization: Bearer TOKEN` proves the nickname: the sender is then
/// trusted.
#[utoipa::path(
    put, path = "/room/{room}/message", tag = "rooms", params(("room" = String, Path, description = "Name of a room", example = "QGIS")),
    request_body = ChatMessageJson,
    responses(
        (status = 200, body = ChatMessageJson, description = "The message as it was broadcast"),
        (status = 202, body = ErrorResponse, description = "The message is held for a moderator"),
        (status = 401, body = ErrorResponse, description = "The token proves no nickname"),
        (status = 403, body = ErrorResponse, description = "Rejected by a filter, or the nickname belongs to another member of the room"),
        (status = 404, body = ErrorResponse, description = "No such room"),
        (status = 413, body = ErrorResponse, description = "The body exceeds the limit"),
        (status = 422, body = ErrorResponse, description = "Invalid message; `detail` names the field and the limit"),
        (status = 429, body = ErrorResponse, description = "Too many messages; see `Retry-After`"),
    ),
)]
pub(super) async fn put_message(
    State(api): State<Arc<Api>>,
    RoomPath(room): RoomPath,
    _: AllowedOrigin,
    origin: RequestOrigin,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let text = read_body(body, api.max_body_bytes).await?;
    let message = v1::decode(&text).map_err(|notice| match notice {
        Notice::Refused(reason) => ApiError::Rejected(reason),
        Notice::Uncompliant(reason) | Notice::Held(reason) | Notice::Moderation(reason) => {
            ApiError::InvalidMessage(reason.text.into_owned())
        }
    })?;
    if !matches!(message.kind, MessageKind::Text { .. }) {
        return Err(ApiError::InvalidMessage("only chat messages can be sent this way".to_owned()));
    }
    let proven = proven_nickname(&api, &origin, &room, &headers)?;
    let context = SenderContext { trusted: proven.as_deref() == Some(&*message.author), ..SenderContext::default() };
    let sender = Sender { connection: None, address: origin.client.address(), room: room.name().clone(), context };
    let judged = room.submit(sender, message).await?;
    match judged.decision.sender_notice().map_err(InternalError::from)? {
        SenderNotice::Accepted => {
            let headers = [(header::CONTENT_TYPE, "application/json")];
            Ok((headers, v1::encode_message(&judged.decision.message)).into_response())
        }
        SenderNotice::Held(reason) => {
            let body = ErrorResponse { detail: reason.text.to_string() };
            Ok((StatusCode::ACCEPTED, Json(body)).into_response())
        }
        SenderNotice::Rejected(reason) => Err(ApiError::Rejected(reason.clone())),
    }
}

/// Join a room over a WebSocket.
///
/// Frames are JSON objects. Send `{"author":"internal","newcomer":"jane"}` to register a nickname and
/// `{"message":"hello","author":"jane","avatar":null}` to send a message. If the instance has given the owner of a
/// nickname a token, `Authorization: Bearer TOKEN` proves the nickname: under that nickname the sender is trusted.
#[utoipa::path(
    get, path = "/room/{room}/ws", tag = "rooms", params(("room" = String, Path, description = "Name of a room", example = "QGIS")),
    responses(
        (status = 101, description = "Switching to WebSocket"),
        (status = 401, body = ErrorResponse, description = "The token proves no nickname"),
        (status = 403, body = ErrorResponse, description = "The origin is not allowed, or the address is banned"),
        (status = 404, body = ErrorResponse, description = "No such room"),
        (status = 400, body = ErrorResponse, description = "Invalid `Sec-WebSocket-Key`"),
        (status = 426, body = ErrorResponse, description = "Not a WebSocket handshake, or not version 13"),
        (status = 429, body = ErrorResponse, description = "Too many connections from this address, or opened too fast"),
        (status = 503, description = "The relay is at its connection limit, or shutting down"),
    ),
)]
pub(super) async fn websocket(
    State(api): State<Arc<Api>>,
    RoomPath(room): RoomPath,
    _: AllowedOrigin,
    origin: RequestOrigin,
    mut request: Request,
) -> Result<Response, ApiError> {
    let address = origin.client.address();
    let now = Timestamp::now();
    if let Some(ban) = api.moderation.state().sanctions().address_ban(room.name(), address, now) {
        return Err(ApiError::Rejected(refusal_reason(&ban, now)));
    }
    let proven = proven_nickname(&api, &origin, &room, request.headers())?;
    Ok(api.live.upgrade(room, Generation::V1, address, &origin.info, proven, &mut request)?)
}

/// Returns the nickname that the client proves to own in this room, by a token from the tokens file.
fn proven_nickname(
    api: &Api,
    origin: &RequestOrigin,
    room: &RoomHandle,
    headers: &HeaderMap,
) -> Result<Option<Arc<str>>, ApiError> {
    let Some(token) = bearer_token(headers) else { return Ok(None) };
    let proven = api.moderators.trusted_nickname(origin.client.address(), token)?;
    let here = proven.filter(|trusted| trusted.covers(room.name()));
    Ok(here.map(|trusted| Arc::from(trusted.nickname().as_str())))
}

//! The calls that chat clients make.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::error::{ApiError, Detail};
use super::moderation::bearer;
use super::request::{AllowedOrigin, From, InRoom, read};
use crate::live::rooms::RoomHandle;
use crate::model::{Facts, Kind, Notice, Outcome, Sender};
use crate::moderation::refusal;
use crate::wire::{Generation, v1};

/// The rooms and how many are in each.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Status {
    #[serde(rename = "status")]
    #[schema(example = "ok")]
    state: &'static str,
    healthy: bool,
    rooms: Vec<RoomStatus>,
    /// The parts that the relay runs without: `plugins`, `cache`, `store`, `audit`. Absent when it has all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, example = json!(["plugins", "store"]))]
    degraded: Vec<&'static str>,
}

/// One room.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RoomStatus {
    #[schema(example = "QGIS")]
    name: String,
    /// Connections now, with a nickname or without.
    #[schema(example = 36)]
    nb_connected_users: usize,
}

/// Which version runs here.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Version {
    #[schema(example = "1.2.3")]
    version: &'static str,
}

/// A chat message of generation v1.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Line {
    /// What is said: 1 to `max_message_length` code points.
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
pub(super) async fn names(State(api): State<Arc<Api>>) -> Json<Vec<String>> {
    Json(api.rooms.list().iter().map(|room| room.name().to_string()).collect())
}

/// Whether the relay works, which parts it works without, and how many are connected to each room.
#[utoipa::path(get, path = "/status", tag = "instance", responses((status = 200, body = Status)))]
pub(super) async fn status(State(api): State<Arc<Api>>) -> Json<Status> {
    let listed = api.rooms.list();
    let rooms =
        listed.iter().map(|room| RoomStatus { name: room.name().to_string(), nb_connected_users: room.connections() });
    let degraded = api.degraded.list().into_iter().map(|missing| missing.part.as_str());
    Json(Status { state: "ok", healthy: true, rooms: rooms.collect(), degraded: degraded.collect() })
}

/// Version of the relay.
#[utoipa::path(get, path = "/version", tag = "instance", responses((status = 200, body = Version)))]
pub(super) async fn version() -> Json<Version> {
    Json(Version { version: env!("CARGO_PKG_VERSION") })
}

/// Registered nicknames of a room, sorted without regard to letter case.
#[utoipa::path(
    get, path = "/room/{room}/users", tag = "rooms", params(("room" = String, Path, description = "Name of a room", example = "QGIS")),
    responses(
        (status = 200, body = Vec<String>, example = json!(["Hans_Hibbel", "jane"])),
        (status = 404, body = Detail, description = "There is no room of that name"),
    ),
)]
pub(super) async fn users(InRoom(room): InRoom) -> Result<Json<Arc<[String]>>, ApiError> {
    Ok(Json(room.users().await?))
}

/// Post a message without being connected.
///
/// It passes the same filters as any other. Answers the message as it was broadcast. `Authorization: Bearer TOKEN` may
/// prove the nickname, where the instance has given its owner a token: then the sender is trusted.
#[utoipa::path(
    put, path = "/room/{room}/message", tag = "rooms", params(("room" = String, Path, description = "Name of a room", example = "QGIS")),
    request_body = Line,
    responses(
        (status = 200, body = Line, description = "The message as it was broadcast"),
        (status = 202, body = Detail, description = "The message waits for a moderator"),
        (status = 401, body = Detail, description = "The token proves no nickname"),
        (status = 403, body = Detail, description = "Refused: by a rule, or because the name belongs to somebody in the room"),
        (status = 404, body = Detail, description = "There is no room of that name"),
        (status = 413, body = Detail, description = "The body is too long"),
        (status = 422, body = Detail, description = "No message, or one out of bounds; the detail names field and bound"),
        (status = 429, body = Detail, description = "Too many messages; `Retry-After` tells how long to wait"),
    ),
)]
pub(super) async fn put_message(
    State(api): State<Arc<Api>>,
    InRoom(room): InRoom,
    _: AllowedOrigin,
    from: From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let text = read(body, api.max_body_bytes).await?;
    let message = v1::decode(&text).map_err(|notice| match notice {
        Notice::Refused(reason) => ApiError::Refused(reason),
        Notice::Uncompliant(reason) | Notice::Held(reason) | Notice::Act(reason) => {
            ApiError::NotAMessage(reason.text.into_owned())
        }
    })?;
    if !matches!(message.kind, Kind::Text { .. }) {
        return Err(ApiError::NotAMessage("only chat messages can be sent this way".to_owned()));
    }
    let proven = proven(&api, &from, &room, &headers)?;
    let facts = Facts { trusted: proven.as_deref() == Some(&*message.author), ..Facts::default() };
    let sender = Sender { connection: None, address: from.client.address(), room: room.name().clone(), facts };
    let recorded = room.say(sender, message).await?;
    let decision = &recorded.decision;
    match (decision.outcome, &decision.reason) {
        (Outcome::Reject, Some(reason)) => Err(ApiError::Refused(reason.clone())),
        (Outcome::Hold, Some(reason)) => Err(ApiError::Held(reason.clone())),
        _ => {
            let headers = [(header::CONTENT_TYPE, "application/json")];
            Ok((headers, v1::encode_message(&decision.message)).into_response())
        }
    }
}

/// Join a room over a WebSocket.
///
/// Frames are JSON objects. Send `{"author":"internal","newcomer":"jane"}` to register a nickname and
/// `{"message":"hello","author":"jane","avatar":null}` to speak. `Authorization: Bearer TOKEN` may prove a nickname,
/// where the instance has given its owner a token: under that name the sender is trusted.
#[utoipa::path(
    get, path = "/room/{room}/ws", tag = "rooms", params(("room" = String, Path, description = "Name of a room", example = "QGIS")),
    responses(
        (status = 101, description = "The connection is a WebSocket from here on"),
        (status = 401, body = Detail, description = "The token proves no nickname"),
        (status = 403, body = Detail, description = "Pages of this origin may not connect, or the address is banned"),
        (status = 404, body = Detail, description = "There is no room of that name"),
        (status = 400, body = Detail, description = "The handshake has a bad key"),
        (status = 426, body = Detail, description = "Not a WebSocket handshake, or another version than 13"),
        (status = 429, body = Detail, description = "This address holds too many connections or opens them too fast"),
        (status = 503, description = "The relay is full, or shutting down"),
    ),
)]
pub(super) async fn websocket(
    State(api): State<Arc<Api>>,
    InRoom(room): InRoom,
    _: AllowedOrigin,
    from: From,
    mut request: Request,
) -> Result<Response, ApiError> {
    let address = from.client.address();
    let now = Timestamp::now();
    if let Some(ban) = api.desk.state().sanctions().bans(room.name(), address, now) {
        return Err(ApiError::Refused(refusal(&ban, now)));
    }
    let proven = proven(&api, &from, &room, request.headers())?;
    Ok(api.live.upgrade(room, Generation::V1, address, &from.info, proven, &mut request)?)
}

/// The nickname that a client of this room shows to be its own, by a token of the tokens file.
fn proven(api: &Api, from: &From, room: &RoomHandle, headers: &HeaderMap) -> Result<Option<Arc<str>>, ApiError> {
    let Some(token) = bearer(headers) else { return Ok(None) };
    let proven = api.moderators.proves(from.client.address(), token)?;
    let here = proven.filter(|trusted| trusted.holds_in(room.name()));
    Ok(here.map(|trusted| Arc::from(trusted.nickname().as_str())))
}

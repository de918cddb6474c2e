//! Members of rooms: listing, kicking and trusting them.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Caller;
use super::normalize_reason;
use crate::api::Api;
use crate::api::error::{ApiError, ErrorResponse};
use crate::api::request::{RoomPath, parse_json, read_body};
use crate::model::{ConnectionId, Nickname, RoomName};
use crate::room::MemberView;

/// The members of a room.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct MembersResponse {
    members: Vec<MemberJson>,
}

/// A connection in a room.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct MemberJson {
    /// Identifies the connection; not reused while the relay runs.
    #[schema(example = "4294967296")]
    id: String,
    /// The registered nickname, or else the one last used.
    #[schema(example = "jane")]
    nickname: Option<String>,
    /// Whether the nickname is registered.
    registered: bool,
    /// The IP address without its last part.
    #[schema(example = "192.0.2.x")]
    address: String,
    #[schema(example = 86)]
    connected_seconds: u64,
    /// Messages accepted.
    #[schema(example = 12)]
    accepted: u32,
    /// Messages refused.
    #[schema(example = 0)]
    refused: u32,
    trusted: bool,
}

impl From<MemberView> for MemberJson {
    fn from(view: MemberView) -> Self {
        Self {
            id: view.id.to_string(),
            nickname: view.nickname.map(|nickname| nickname.to_string()),
            registered: view.registered,
            address: view.address.to_string(),
            connected_seconds: view.connected.as_secs(),
            accepted: view.accepted,
            refused: view.refused,
            trusted: view.trusted,
        }
    }
}

/// The reason for a kick.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::api) struct KickRequest {
    /// Shown to the member.
    #[schema(example = "please come back under another name")]
    reason: Option<String>,
}

/// Selects a member: by `member`, or by `nickname` and `room`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct TrustRequest {
    /// The id of the member.
    #[schema(example = "4294967296")]
    member: Option<String>,
    /// The registered nickname; requires `room`.
    #[schema(example = "jane")]
    nickname: Option<String>,
    #[schema(example = "QGIS")]
    room: Option<String>,
}

/// List the members of a room.
#[utoipa::path(
    get, path = "/moderation/rooms/{room}/members", tag = "moderation",
    params(("room" = String, Path, description = "Name of a room", example = "QGIS")),
    responses(
        (status = 200, body = MembersResponse),
        (status = 404, body = ErrorResponse, description = "No such room"),
    ),
)]
pub(in crate::api) async fn members(
    RoomPath(room): RoomPath,
    Extension(caller): Extension<Caller>,
) -> Result<Json<MembersResponse>, ApiError> {
    caller.require_room(Some(room.name()))?;
    Ok(Json(MembersResponse { members: room.members().await?.into_iter().map(MemberJson::from).collect() }))
}

/// Kick a member: close the connection. The member may reconnect.
#[utoipa::path(
    post, path = "/moderation/members/{id}/kick", tag = "moderation",
    params(("id" = String, Path, description = "The id of a member", example = "4294967296")),
    request_body(content = KickRequest, description = "Optional"),
    responses(
        (status = 200, body = MemberJson, description = "The member before the kick"),
        (status = 404, body = ErrorResponse, description = "No such member"),
        (status = 422, body = ErrorResponse, description = "Invalid body; `detail` names the field"),
    ),
)]
pub(in crate::api) async fn kick(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<MemberJson>, ApiError> {
    let body = read_body(body, api.max_body_bytes).await?;
    let KickRequest { reason } = if body.trim().is_empty() { KickRequest::default() } else { parse_json(&body)? };
    let reason = normalize_reason(reason)?;
    let id = parse_member_id(&id)?;
    let (room, _) = find_member(&api, id).await?;
    caller.require_room(Some(&room))?;
    let view = api.actions.kick(caller.actor(), id, reason).await?;
    Ok(Json(MemberJson::from(view)))
}

/// Trust a member until the connection closes.
///
/// Rules may exempt trusted members, and the levels `newcomers` and `slow` do not apply to them.
#[utoipa::path(
    post, path = "/moderation/trusted", tag = "moderation", request_body = TrustRequest,
    responses(
        (status = 200, body = MemberJson),
        (status = 404, body = ErrorResponse, description = "No such member or room"),
        (status = 422, body = ErrorResponse, description = "Invalid body; `detail` names the field"),
    ),
)]
pub(in crate::api) async fn trust(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<MemberJson>, ApiError> {
    set_trust(&api, &caller, body, true).await
}

/// Stop trusting a member.
///
/// This does not affect trust in a nickname that the client proves with a token from the tokens file.
#[utoipa::path(
    delete, path = "/moderation/trusted", tag = "moderation", request_body = TrustRequest,
    responses(
        (status = 200, body = MemberJson),
        (status = 404, body = ErrorResponse, description = "No such member or room"),
        (status = 422, body = ErrorResponse, description = "Invalid body; `detail` names the field"),
    ),
)]
pub(in crate::api) async fn distrust(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<MemberJson>, ApiError> {
    set_trust(&api, &caller, body, false).await
}

async fn set_trust(api: &Api, caller: &Caller, body: Body, is_trusted: bool) -> Result<Json<MemberJson>, ApiError> {
    let TrustRequest { member, nickname, room } = parse_json(&read_body(body, api.max_body_bytes).await?)?;
    let id = match (member, nickname, room) {
        (Some(member), None, None) => parse_member_id(&member)?,
        (None, Some(nickname), Some(room)) => find_registered(api, &nickname, &room).await?,
        _ => return Err(ApiError::InvalidRequest("give either `member`, or `nickname` and `room`".to_owned())),
    };
    let (room, _) = find_member(api, id).await?;
    caller.require_room(Some(&room))?;
    let trusted = api.actions.set_trusted(caller.actor(), id, is_trusted).await?;
    Ok(Json(MemberJson::from(trusted)))
}

async fn find_registered(api: &Api, nickname: &str, room: &str) -> Result<ConnectionId, ApiError> {
    let room = api.rooms.find(room).ok_or_else(|| ApiError::UnknownRoom(room.to_owned()))?;
    let is = |view: &MemberView| view.registered && view.nickname.as_ref().map(Nickname::as_str) == Some(nickname);
    let found = room.members().await?.into_iter().find(is);
    let none =
        || ApiError::NotFound(format!("no member of {} is registered as {}", room.name(), nickname.escape_debug()));
    found.map(|view| view.id).ok_or_else(none)
}

/// Finds a member and its room.
pub(super) async fn find_member(api: &Api, id: ConnectionId) -> Result<(RoomName, MemberView), ApiError> {
    api.rooms.member(id).await?.ok_or_else(no_such_member)
}

/// Parses the id of a member.
pub(super) fn parse_member_id(text: &str) -> Result<ConnectionId, ApiError> {
    text.parse().map_err(|_| no_such_member())
}

fn no_such_member() -> ApiError {
    ApiError::NotFound("no such member".to_owned())
}

/// Delete a stored message.
///
/// Clients that join later do not receive it. Clients that understand it are told to remove it.
#[utoipa::path(
    delete, path = "/moderation/rooms/{room}/last/{message_id}", tag = "moderation",
    params(
        ("room" = String, Path, description = "Name of a room", example = "QGIS"),
        ("message_id" = String, Path, description = "The id of a message"),
    ),
    responses(
        (status = 204, description = "The message is forgotten"),
        (status = 404, body = ErrorResponse, description = "No such room, or no such message"),
    ),
)]
pub(in crate::api) async fn delete_message(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path((room, id)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let unknown = || ApiError::NotFound(format!("no such message: {}", id.escape_debug()));
    let room = caller.resolve_room(&api, Some(&room))?.ok_or_else(unknown)?;
    let message = id.parse().map_err(|_| unknown())?;
    api.actions.retract(caller.actor(), room, message).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! Who is connected, who is trusted, and who has to go.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Caller;
use super::for_sender;
use crate::api::Api;
use crate::api::error::{ApiError, Detail};
use crate::api::request::{InRoom, json, read};
use crate::model::{Cause, Code, Nickname, Notice, Reason, RoomName, SenderId};
use crate::moderation::What;
use crate::room::MemberView;

/// Members of a room.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Members {
    members: Vec<Member>,
}

/// A connection in a room.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Member {
    /// Its number, never used again while the relay runs.
    #[schema(example = "4294967296")]
    id: String,
    /// The nickname that it has registered, or else has spoken under last.
    #[schema(example = "jane")]
    nickname: Option<String>,
    /// Whether it has registered it.
    registered: bool,
    /// Where it comes from, without the last part.
    #[schema(example = "192.0.2.x")]
    address: String,
    #[schema(example = 86)]
    connected_seconds: u64,
    /// Messages of its that were let through.
    #[schema(example = 12)]
    accepted: u32,
    /// And that were not.
    #[schema(example = 0)]
    refused: u32,
    trusted: bool,
}

impl From<MemberView> for Member {
    fn from(view: MemberView) -> Self {
        Self {
            id: view.id.0.to_string(),
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

/// Why somebody has to go.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::api) struct Kick {
    /// For the one who has to go.
    #[schema(example = "please come back under another name")]
    reason: Option<String>,
}

/// Who is meant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Whom {
    /// The number of a member.
    #[schema(example = "4294967296")]
    member: Option<String>,
    /// Or the nickname that it has registered, together with `room`.
    #[schema(example = "jane")]
    nickname: Option<String>,
    #[schema(example = "QGIS")]
    room: Option<String>,
}

/// Who is connected to a room.
#[utoipa::path(
    get, path = "/moderation/rooms/{room}/members", tag = "moderation", security(("moderator" = [])),
    params(("room" = String, Path, description = "Name of a room", example = "QGIS")),
    responses(
        (status = 200, body = Members),
        (status = 401, body = Detail, description = "No token, or none of a moderator"),
        (status = 403, body = Detail, description = "The token has not the scope `act`, or not for this room"),
        (status = 404, body = Detail, description = "There is no room of that name"),
        (status = 429, body = Detail, description = "Too many wrong tokens; `Retry-After` tells how long to wait"),
    ),
)]
pub(in crate::api) async fn members(
    InRoom(room): InRoom,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Members>, ApiError> {
    caller.check_place(Some(room.name()))?;
    Ok(Json(Members { members: room.members().await?.into_iter().map(Member::from).collect() }))
}

/// Close the connection of a member, who may come back.
#[utoipa::path(
    post, path = "/moderation/members/{id}/kick", tag = "moderation", security(("moderator" = [])),
    params(("id" = String, Path, description = "The number of a member", example = "4294967296")),
    request_body(content = Kick, description = "May be empty"),
    responses(
        (status = 200, body = Member, description = "The member as it was"),
        (status = 401, body = Detail, description = "No token, or none of a moderator"),
        (status = 403, body = Detail, description = "The token has not the scope `act`, or not for this room"),
        (status = 404, body = Detail, description = "There is no such member"),
        (status = 422, body = Detail, description = "The body is not what this call takes; the detail names the field"),
        (status = 429, body = Detail, description = "Too many wrong tokens; `Retry-After` tells how long to wait"),
    ),
)]
pub(in crate::api) async fn kick(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<Member>, ApiError> {
    let body = read(body, api.max_body_bytes).await?;
    let Kick { reason } = if body.trim().is_empty() { Kick::default() } else { json(&body)? };
    let reason = for_sender(reason)?;
    let id = member_id(&id)?;
    let (room, view) = find(&api, id).await?;
    caller.check_place(Some(&room))?;
    let what = What::Kicked { room, member: id, nickname: view.nickname.clone() };
    api.desk.write_down(Cause::Moderator(caller.name()), what).await;
    let text = match reason {
        Some(reason) => format!("You are removed from this room; you may come back: {reason}"),
        None => "You are removed from this room; you may come back".to_owned(),
    };
    api.rooms.kick(id, Notice::Act(Reason::new(Code::Kicked, text))).await;
    Ok(Json(Member::from(view)))
}

/// Trust a member, as long as it stays connected.
///
/// Rules may exempt those who are trusted, and the levels `newcomers` and `slow` let them speak.
#[utoipa::path(
    post, path = "/moderation/trusted", tag = "moderation", request_body = Whom, security(("moderator" = [])),
    responses(
        (status = 200, body = Member),
        (status = 401, body = Detail, description = "No token, or none of a moderator"),
        (status = 403, body = Detail, description = "The token has not the scope `act`, or not for this room"),
        (status = 404, body = Detail, description = "There is no such member or room"),
        (status = 422, body = Detail, description = "The body is not what this call takes; the detail names the field"),
        (status = 429, body = Detail, description = "Too many wrong tokens; `Retry-After` tells how long to wait"),
    ),
)]
pub(in crate::api) async fn trust(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Member>, ApiError> {
    set_trust(&api, &caller, body, true).await
}

/// Trust a member no longer.
///
/// A nickname that its client proves by a token of its own stays trusted: that token is in the tokens file.
#[utoipa::path(
    delete, path = "/moderation/trusted", tag = "moderation", request_body = Whom, security(("moderator" = [])),
    responses(
        (status = 200, body = Member),
        (status = 401, body = Detail, description = "No token, or none of a moderator"),
        (status = 403, body = Detail, description = "The token has not the scope `act`, or not for this room"),
        (status = 404, body = Detail, description = "There is no such member or room"),
        (status = 422, body = Detail, description = "The body is not what this call takes; the detail names the field"),
        (status = 429, body = Detail, description = "Too many wrong tokens; `Retry-After` tells how long to wait"),
    ),
)]
pub(in crate::api) async fn distrust(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Member>, ApiError> {
    set_trust(&api, &caller, body, false).await
}

async fn set_trust(api: &Api, caller: &Caller, body: Body, on: bool) -> Result<Json<Member>, ApiError> {
    let Whom { member, nickname, room } = json(&read(body, api.max_body_bytes).await?)?;
    let id = match (member, nickname, room) {
        (Some(member), None, None) => member_id(&member)?,
        (None, Some(nickname), Some(room)) => registered(api, &nickname, &room).await?,
        _ => return Err(ApiError::BadCall("either `member`, or `nickname` and `room`, says whom".to_owned())),
    };
    let (room, view) = find(api, id).await?;
    caller.check_place(Some(&room))?;
    let what = What::Trusted { room, member: id, nickname: view.nickname, on };
    api.desk.write_down(Cause::Moderator(caller.name()), what).await;
    let trusted = api.rooms.trust(id, on).await?.ok_or_else(gone)?;
    Ok(Json(Member::from(trusted)))
}

async fn registered(api: &Api, nickname: &str, room: &str) -> Result<SenderId, ApiError> {
    let room = api.rooms.find(room).ok_or_else(|| ApiError::UnknownRoom(room.to_owned()))?;
    let is = |view: &MemberView| view.registered && view.nickname.as_ref().map(Nickname::as_str) == Some(nickname);
    let found = room.members().await?.into_iter().find(is);
    let none = || ApiError::Nothing(format!("nobody in {} is registered as {}", room.name(), nickname.escape_debug()));
    found.map(|view| view.id).ok_or_else(none)
}

/// The member of this number, and its room.
pub(super) async fn find(api: &Api, id: SenderId) -> Result<(RoomName, MemberView), ApiError> {
    api.rooms.member(id).await?.ok_or_else(gone)
}

/// The number of a member, as the list shows it.
pub(super) fn member_id(text: &str) -> Result<SenderId, ApiError> {
    text.parse().map(SenderId).map_err(|_| gone())
}

fn gone() -> ApiError {
    ApiError::Nothing("there is no member of this number".to_owned())
}

/// Forget a stored message.
///
/// This relay stores no messages, so that there is none to forget.
#[utoipa::path(
    delete, path = "/moderation/rooms/{room}/last/{message_id}", tag = "moderation", security(("moderator" = [])),
    params(
        ("room" = String, Path, description = "Name of a room", example = "QGIS"),
        ("message_id" = String, Path, description = "The id of a message"),
    ),
    responses(
        (status = 401, body = Detail, description = "No token, or none of a moderator"),
        (status = 403, body = Detail, description = "The token has not the scope `act`, or not for this room"),
        (status = 404, body = Detail, description = "There is no such room, or no such message is stored"),
        (status = 429, body = Detail, description = "Too many wrong tokens; `Retry-After` tells how long to wait"),
    ),
)]
pub(in crate::api) async fn forget(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path((room, id)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    caller.check_room_named(&api, Some(&room))?;
    Err(ApiError::Nothing(format!("no message {} is stored: this relay stores none", id.escape_debug())))
}

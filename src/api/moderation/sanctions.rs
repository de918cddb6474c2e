//! Listing, imposing and lifting sanctions.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::caller::Caller;
use super::members::parse_member_id;
use super::normalize_reason;
use super::views::{self, SanctionView};
use crate::api::Api;
use crate::api::error::{ApiError, ErrorResponse};
use crate::api::request::{parse_json, read_body};
use crate::model::{Penalty, Target};
use crate::moderation::PenaltyRequest;

/// Longest sanction that expires.
const MAX_DURATION: Duration = Duration::from_hours(24 * 366 * 10);

/// Sanctions, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct SanctionsResponse {
    #[schema(value_type = Vec<Object>, example = json!([{
        "id": 17, "kind": "mute", "nickname": "jane", "room": "QGIS", "at": "2026-01-01T12:00:00.000Z",
        "until": "2026-01-01T12:10:00.000Z", "reason": "be kind", "by": {"moderator": "hans"},
    }]))]
    sanctions: Vec<SanctionView>,
}

/// A sanction to impose. The target is one of `nickname`, `address`, `member` and `decision`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct SanctionRequest {
    /// `warn`, `mute`, `kick`, `ban`, or `ladder` for the next step of the ladder.
    #[schema(example = "mute")]
    kind: String,
    /// The target nickname, and with it all that look like it.
    #[schema(example = "jane")]
    nickname: Option<String>,
    /// The target address: an IPv4 address, any address of an IPv6 /64, or a network such as `198.51.100.0/24`, within the
    /// bounds that the operator has set.
    #[schema(example = "192.0.2.7")]
    address: Option<String>,
    /// The target member, by id.
    #[schema(example = "4294967296")]
    member: Option<String>,
    /// The sender of the message with this id, if the decision is still in memory.
    #[schema(value_type = Option<String>)]
    decision: Option<Uuid>,
    /// For `member` and `decision`: whether to target the `nickname` (default) or the `address`.
    #[schema(example = "address")]
    on: Option<TargetKind>,
    /// The room; all rooms if absent.
    #[schema(example = "QGIS")]
    room: Option<String>,
    /// Duration in seconds, for `mute` and `ban`. Without `seconds` or `until`, they last until lifted.
    #[schema(example = 600)]
    seconds: Option<u64>,
    /// When the sanction ends, instead of `seconds`.
    #[schema(value_type = Option<String>, example = "2026-01-01T12:10:00Z")]
    until: Option<Timestamp>,
    /// Shown to the target.
    #[schema(example = "be kind")]
    reason: Option<String>,
}

/// How a sanction identifies its target.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::api) enum TargetKind {
    /// The nickname.
    #[default]
    Nickname,
    /// The address.
    Address,
}

/// List mutes and bans in force.
#[utoipa::path(
    get, path = "/moderation/sanctions", tag = "moderation",
    responses(
        (status = 200, body = SanctionsResponse),
    ),
)]
pub(in crate::api) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
) -> Json<SanctionsResponse> {
    let in_force = api.moderation.state().sanctions().in_force(api.moderation.now());
    let visible = in_force.iter().filter(|sanction| caller.can_see(sanction.room.as_ref()));
    Json(SanctionsResponse { sanctions: visible.map(views::sanction).collect() })
}

/// Impose a sanction: a warning, mute, kick or ban.
///
/// When the response arrives, the sanction is in effect and, if there is a store, persisted. Affected connections are
/// notified or closed.
#[utoipa::path(
    post, path = "/moderation/sanctions", tag = "moderation", request_body = SanctionRequest,
    responses(
        (status = 201, body = Object, description = "The sanction, as listed"),
        (status = 404, body = ErrorResponse, description = "No such room, member or decision"),
        (status = 413, body = ErrorResponse, description = "The body exceeds the limit"),
        (status = 422, body = ErrorResponse, description = "Invalid body; `detail` names the field"),
        (status = 503, body = ErrorResponse, description = "Too many sanctions, or applied but not yet persisted; see `detail`"),
    ),
)]
pub(in crate::api) async fn impose(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, ApiError> {
    let request: SanctionRequest = parse_json(&read_body(body, api.max_body_bytes).await?)?;
    let now = api.moderation.now();
    let penalty = parse_penalty(&request, Timestamp::now())?;
    let room = caller.resolve_room(&api, request.room.as_deref())?;
    if room.is_none() {
        caller.require_all_rooms()?;
    }
    let reason = normalize_reason(request.reason.clone())?;
    let target = resolve_target(&api, &caller, &request).await?;
    let request = PenaltyRequest { penalty, target, room, reason: reason.map(Arc::from), actor: caller.actor() };
    let sanction = api.actions.impose(request, now).await?;
    Ok((StatusCode::CREATED, Json(views::sanction(&sanction))).into_response())
}

/// Lift a sanction before its end.
#[utoipa::path(
    delete, path = "/moderation/sanctions/{id}", tag = "moderation",
    params(("id" = u64, Path, description = "The id of a sanction", example = 17)),
    responses(
        (status = 200, body = Object, description = "The lifted sanction"),
        (status = 404, body = ErrorResponse, description = "No such sanction in force"),
        (status = 503, body = ErrorResponse, description = "Lifted, but not yet persisted"),
    ),
)]
pub(in crate::api) async fn lift(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let none = || ApiError::NotFound(format!("no sanction {id} in force"));
    let number: u64 = id.parse().map_err(|_| none())?;
    let sanction = api.moderation.state().sanctions().get(number).ok_or_else(none)?;
    caller.require_room(sanction.room.as_ref())?;
    let lifted = api.actions.lift(caller.actor(), number).await?;
    Ok(Json(views::sanction(&lifted)).into_response())
}

fn parse_penalty(request: &SanctionRequest, now: Timestamp) -> Result<Penalty, ApiError> {
    let bad = |text: String| Err(ApiError::InvalidRequest(text));
    let duration = match (request.seconds, request.until) {
        (Some(_), Some(_)) => return bad("give either `seconds` or `until`, not both".to_owned()),
        (Some(seconds), None) => Some(Duration::from_secs(seconds)),
        (None, Some(until)) => match Duration::try_from(until.duration_since(now)) {
            Ok(left) => Some(left),
            Err(_) => return bad("`until` is in the past".to_owned()),
        },
        (None, None) => None,
    };
    if let Some(duration) = duration.filter(|duration| duration.is_zero() || *duration > MAX_DURATION) {
        return bad(format!("the duration is {} s; 1 to {} are allowed", duration.as_secs(), MAX_DURATION.as_secs()));
    }
    match Penalty::from_name(&request.kind, duration) {
        None => {
            bad(format!("`kind` is `{}`; warn, mute, kick, ban and ladder are allowed", request.kind.escape_debug()))
        }
        Some(penalty) if duration.is_some() && penalty.duration().is_zero() => {
            bad(format!("a {} has no duration; omit `seconds` and `until`", penalty.as_str()))
        }
        Some(penalty) => Ok(penalty),
    }
}

async fn resolve_target(api: &Api, caller: &Caller, request: &SanctionRequest) -> Result<Target, ApiError> {
    let SanctionRequest { nickname, address, member, decision, on, .. } = request;
    let on_address = on.unwrap_or_default() == TargetKind::Address;
    let named = |name: &str| {
        name.parse().map(Target::Nickname).map_err(|error| ApiError::InvalidRequest(format!("`nickname` {error}")))
    };
    match (nickname, address, member, decision) {
        (Some(name), None, None, None) if on.is_none() => named(name),
        (None, Some(address), None, None) if on.is_none() => {
            let parsed = api.widest_sanction.parse(address);
            parsed.map(Target::Address).map_err(|error| ApiError::InvalidRequest(format!("`address` {error}")))
        }
        (None, None, Some(member), None) => {
            let (room, view) = super::members::find_member(api, parse_member_id(member)?).await?;
            caller.require_room(Some(&room))?;
            match view.nickname {
                _ if on_address => Ok(Target::Address(view.address)),
                Some(nickname) => Ok(Target::Nickname(nickname)),
                None => Err(ApiError::InvalidRequest("this member has no nickname; set `on` to `address`".to_owned())),
            }
        }
        (None, None, None, Some(id)) => {
            let none = || ApiError::NotFound(format!("no decision on message {id}; it may no longer be in memory"));
            let judged = api.moderation.journal().decision(*id).ok_or_else(none)?;
            caller.require_room(Some(&judged.sender.room))?;
            if on_address { Ok(Target::Address(judged.sender.address)) } else { named(&judged.decision.message.author) }
        }
        _ => Err(ApiError::InvalidRequest(
            "give one of `nickname`, `address`, `member` and `decision`; `on` is only valid with the last two"
                .to_owned(),
        )),
    }
}

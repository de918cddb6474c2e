//! Sanctions in force: who is muted or banned, and how that is begun and ended.

use std::net::IpAddr;
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
use super::members::member_id;
use super::{for_sender, shown};
use crate::api::Api;
use crate::api::error::{ApiError, Detail};
use crate::api::request::{json, read};
use crate::model::{Address, Cause, Nickname, Penalty, Target};
use crate::moderation::{Order, What};

/// Longest sanction with an end.
const LONGEST: Duration = Duration::from_hours(24 * 366 * 10);
/// Sanctions, the oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Sanctions {
    #[schema(value_type = Vec<Object>, example = json!([{
        "id": 17, "kind": "mute", "nickname": "jane", "room": "QGIS", "at": "2026-01-01T12:00:00.000Z",
        "until": "2026-01-01T12:10:00.000Z", "reason": "be kind", "by": {"moderator": "hans"},
    }]))]
    sanctions: Vec<serde_json::Value>,
}

/// A sanction to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Wanted {
    /// `warn`, `mute`, `kick`, `ban`, or `ladder` for the next step of the ladder.
    #[schema(example = "mute")]
    kind: String,
    /// On whom, by nickname: on all names that look like it too.
    #[schema(example = "jane")]
    nickname: Option<String>,
    /// On whom, by address: an IPv4 address or one of an IPv6 /64.
    #[schema(example = "192.0.2.7")]
    address: Option<String>,
    /// On whom, by the number of a member.
    #[schema(example = "4294967296")]
    member: Option<String>,
    /// On whom, by the id of a message that it sent, as long as the decision is kept.
    #[schema(value_type = Option<String>)]
    decision: Option<Uuid>,
    /// For `member` and `decision`: on its `nickname` (without a word) or its `address`.
    #[schema(example = "address")]
    on: Option<On>,
    /// Where; everywhere without a word.
    #[schema(example = "QGIS")]
    room: Option<String>,
    /// For how long, in seconds: for `mute` and `ban`, which without an end last until they are lifted.
    #[schema(example = 600)]
    seconds: Option<u64>,
    /// Until when, instead of `seconds`.
    #[schema(value_type = Option<String>, example = "2026-01-01T12:10:00Z")]
    until: Option<Timestamp>,
    /// For the one it is on.
    #[schema(example = "be kind")]
    reason: Option<String>,
}

/// What of somebody a sanction is on.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::api) enum On {
    /// The nickname.
    #[default]
    Nickname,
    /// The address.
    Address,
}

/// Mutes and bans in force.
#[utoipa::path(
    get, path = "/moderation/sanctions", tag = "moderation", security(("moderator" = [])),
    responses(
        (status = 200, body = Sanctions),
        (status = 401, body = Detail, description = "No token, or none of a moderator"),
        (status = 403, body = Detail, description = "The token has not the scope `read`"),
        (status = 429, body = Detail, description = "Too many wrong tokens; `Retry-After` tells how long to wait"),
    ),
)]
pub(in crate::api) async fn list(State(api): State<Arc<Api>>, Extension(caller): Extension<Caller>) -> Json<Sanctions> {
    let in_force = api.desk.state().sanctions().in_force(Timestamp::now());
    let seen = in_force.iter().filter(|sanction| caller.may_see(sanction.room.as_ref()));
    Json(Sanctions { sanctions: seen.map(shown::sanction).collect() })
}

/// Warn, mute, kick or ban somebody.
///
/// It is in force, and kept by the store where there is one, when the answer comes. Connections that it concerns are told
/// or closed.
#[utoipa::path(
    post, path = "/moderation/sanctions", tag = "moderation", request_body = Wanted, security(("moderator" = [])),
    responses(
        (status = 201, body = Object, description = "The sanction, as the list shows it"),
        (status = 401, body = Detail, description = "No token, or none of a moderator"),
        (status = 403, body = Detail, description = "The token has not the scope `act`, or not for this room"),
        (status = 404, body = Detail, description = "There is no such room, member or decision"),
        (status = 413, body = Detail, description = "The body is too long"),
        (status = 422, body = Detail, description = "The body is not what this call takes; the detail names the field"),
        (status = 429, body = Detail, description = "Too many wrong tokens; `Retry-After` tells how long to wait"),
        (status = 503, body = Detail, description = "There are too many sanctions, or the store could not keep it; the detail says which"),
    ),
)]
pub(in crate::api) async fn impose(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, ApiError> {
    let wanted: Wanted = json(&read(body, api.max_body_bytes).await?)?;
    let now = Timestamp::now();
    let penalty = penalty(&wanted, now)?;
    let room = caller.check_room_named(&api, wanted.room.as_deref())?;
    if room.is_none() {
        caller.check_everywhere()?;
    }
    let reason = for_sender(wanted.reason.clone())?;
    let target = target(&api, &caller, &wanted).await?;
    let cause = Cause::Moderator(caller.name());
    let order = Order { penalty, target, room, reason: reason.map(Arc::from), cause: cause.clone() };

    let one_at_a_time = api.acting.lock().await;
    let sanctions = api.desk.state().sanctions();
    if let Some(foreseen) = sanctions.foresee(&order, now) {
        api.desk.write_down(cause, What::Sanctioned(foreseen)).await;
    }
    let sanction = sanctions.impose(order, now).map_err(|full| ApiError::Unable(full.to_string()))?;
    api.rooms.feel(&sanction, false).await;
    drop(one_at_a_time);
    api.desk.state().saved().await.map_err(|fault| ApiError::Unsaved(fault.to_string()))?;
    Ok((StatusCode::CREATED, Json(shown::sanction(&sanction))).into_response())
}

/// Lift a sanction before its end.
#[utoipa::path(
    delete, path = "/moderation/sanctions/{id}", tag = "moderation", security(("moderator" = [])),
    params(("id" = u64, Path, description = "The number of a sanction", example = 17)),
    responses(
        (status = 200, body = Object, description = "The sanction that was lifted"),
        (status = 401, body = Detail, description = "No token, or none of a moderator"),
        (status = 403, body = Detail, description = "The token has not the scope `act`, or not for this room"),
        (status = 404, body = Detail, description = "There is no such sanction in force"),
        (status = 429, body = Detail, description = "Too many wrong tokens; `Retry-After` tells how long to wait"),
        (status = 503, body = Detail, description = "The store could not keep that it is lifted"),
    ),
)]
pub(in crate::api) async fn lift(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let none = || ApiError::Nothing(format!("there is no sanction {id} in force"));
    let number: u64 = id.parse().map_err(|_| none())?;
    let one_at_a_time = api.acting.lock().await;
    let (sanctions, now) = (api.desk.state().sanctions(), Timestamp::now());
    let sanction = sanctions.get(number).ok_or_else(none)?;
    caller.check_place(sanction.room.as_ref())?;
    api.desk.write_down(Cause::Moderator(caller.name()), What::Lifted(sanction)).await;
    let lifted = sanctions.lift(number, now).ok_or_else(none)?;
    api.rooms.feel(&lifted, true).await;
    drop(one_at_a_time);
    api.desk.state().saved().await.map_err(|fault| ApiError::Unsaved(fault.to_string()))?;
    Ok(Json(shown::sanction(&lifted)).into_response())
}

fn penalty(wanted: &Wanted, now: Timestamp) -> Result<Penalty, ApiError> {
    let bad = |text: String| Err(ApiError::BadCall(text));
    let lasts = match (wanted.seconds, wanted.until) {
        (Some(_), Some(_)) => return bad("`seconds` and `until` say the same; one of them is enough".to_owned()),
        (Some(seconds), None) => Some(Duration::from_secs(seconds)),
        (None, Some(until)) => match Duration::try_from(until.duration_since(now)) {
            Ok(left) => Some(left),
            Err(_) => return bad("`until` is past".to_owned()),
        },
        (None, None) => None,
    };
    if let Some(lasts) = lasts.filter(|lasts| lasts.is_zero() || *lasts > LONGEST) {
        return bad(format!("it would last {} s; 1 to {} are allowed", lasts.as_secs(), LONGEST.as_secs()));
    }
    match Penalty::of_name(&wanted.kind, lasts) {
        None => {
            bad(format!("`kind` is `{}`; warn, mute, kick, ban and ladder are allowed", wanted.kind.escape_debug()))
        }
        Some(penalty) if lasts.is_some() && penalty.duration().is_zero() => {
            bad(format!("a {} has no end of its own: leave `seconds` and `until` out", penalty.as_str()))
        }
        Some(penalty) => Ok(penalty),
    }
}

async fn target(api: &Api, caller: &Caller, wanted: &Wanted) -> Result<Target, ApiError> {
    let Wanted { nickname, address, member, decision, on, .. } = wanted;
    let on_address = on.unwrap_or_default() == On::Address;
    let named = |name: &str| {
        Nickname::parse(name).map(Target::Nickname).map_err(|fault| ApiError::BadCall(format!("`nickname` {fault}")))
    };
    match (nickname, address, member, decision) {
        (Some(name), None, None, None) if on.is_none() => named(name),
        (None, Some(address), None, None) if on.is_none() => {
            let ip: IpAddr =
                address.parse().map_err(|_| ApiError::BadCall("`address` is no IPv4 or IPv6 address".to_owned()))?;
            Ok(Target::Address(Address::from(ip)))
        }
        (None, None, Some(member), None) => {
            let (room, view) = super::members::find(api, member_id(member)?).await?;
            caller.check_place(Some(&room))?;
            match view.nickname {
                _ if on_address => Ok(Target::Address(view.address)),
                Some(nickname) => Ok(Target::Nickname(nickname)),
                None => Err(ApiError::BadCall("this member has no nickname: say `\"on\": \"address\"`".to_owned())),
            }
        }
        (None, None, None, Some(id)) => {
            let none = || ApiError::Nothing(format!("the decision on message {id} is not kept any more, or never was"));
            let recorded = api.desk.journal().decision(*id).ok_or_else(none)?;
            caller.check_place(Some(&recorded.sender.room))?;
            if on_address {
                Ok(Target::Address(recorded.sender.address))
            } else {
                named(&recorded.decision.message.author)
            }
        }
        _ => Err(ApiError::BadCall(
            "one of `nickname`, `address`, `member` and `decision` says on whom; `on` goes with the last two"
                .to_owned(),
        )),
    }
}

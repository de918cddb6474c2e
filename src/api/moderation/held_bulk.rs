//! Releasing and refusing many held messages at once.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::{Extension, Json};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::caller::Caller;
use super::normalize_reason;
use crate::api::Api;
use crate::api::error::{ApiError, ErrorResponse};
use crate::api::request::{parse_json, read_body};
use crate::model::{Actor, Address};
use crate::moderation::HeldMessage;

/// Selects held messages: exactly one of `ids`, `room`, `rule`, `author`, `address` and `since`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ReleaseAllRequest {
    /// The messages with these ids.
    #[schema(value_type = Option<Vec<String>>)]
    ids: Option<Vec<Uuid>>,
    /// The messages in this room.
    #[schema(example = "QGIS")]
    room: Option<String>,
    /// The messages that this rule or plugin holds.
    #[schema(example = "first-links")]
    rule: Option<String>,
    /// The messages of this author.
    #[schema(example = "jane")]
    author: Option<String>,
    /// The messages from this address: an IPv4 address, or any address of an IPv6 /64.
    #[schema(example = "192.0.2.7")]
    address: Option<String>,
    /// The messages held since this time.
    #[schema(value_type = Option<String>, example = "2026-01-01T12:00:00Z")]
    since: Option<Timestamp>,
}

/// Selects held messages: exactly one of `ids`, `room`, `rule`, `author`, `address` and `since`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct RefuseAllRequest {
    /// The messages with these ids.
    #[schema(value_type = Option<Vec<String>>)]
    ids: Option<Vec<Uuid>>,
    /// The messages in this room.
    #[schema(example = "QGIS")]
    room: Option<String>,
    /// The messages that this rule or plugin holds.
    #[schema(example = "first-links")]
    rule: Option<String>,
    /// The messages of this author.
    #[schema(example = "jane")]
    author: Option<String>,
    /// The messages from this address: an IPv4 address, or any address of an IPv6 /64.
    #[schema(example = "192.0.2.7")]
    address: Option<String>,
    /// The messages held since this time.
    #[schema(value_type = Option<String>, example = "2026-01-01T12:00:00Z")]
    since: Option<Timestamp>,
    /// Shown to the senders.
    #[schema(example = "please take this to the other room")]
    reason: Option<String>,
}

/// The messages that were released.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ReleaseAllResponse {
    /// Ids of released messages, oldest first.
    #[schema(value_type = Vec<String>)]
    released: Vec<Uuid>,
    /// Those of the requested `ids` that are not held, or not in a room of the token.
    #[schema(value_type = Vec<String>)]
    not_held: Vec<Uuid>,
}

/// The messages that were refused.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct RefuseAllResponse {
    /// Ids of refused messages, oldest first.
    #[schema(value_type = Vec<String>)]
    refused: Vec<Uuid>,
    /// Those of the requested `ids` that are not held, or not in a room of the token.
    #[schema(value_type = Vec<String>)]
    not_held: Vec<Uuid>,
}

/// A valid selection.
#[derive(Clone, Debug)]
enum Selection {
    Ids(Vec<Uuid>),
    Room(String),
    Rule(String),
    Author(String),
    Address(Address),
    Since(Timestamp),
}

impl Selection {
    fn new(request: ReleaseAllRequest) -> Result<Self, ApiError> {
        let ReleaseAllRequest { ids, room, rule, author, address, since } = request;
        let address = address.map(|address| {
            let invalid = |_| ApiError::InvalidRequest("`address` is not an IP address".to_owned());
            address.parse::<IpAddr>().map(Address::from).map_err(invalid)
        });
        let mut given = [
            ids.map(Self::Ids),
            room.map(Self::Room),
            rule.map(Self::Rule),
            author.map(Self::Author),
            address.transpose()?.map(Self::Address),
            since.map(Self::Since),
        ]
        .into_iter()
        .flatten();
        match (given.next(), given.next()) {
            (Some(selection), None) => Ok(selection),
            _ => Err(ApiError::InvalidRequest(
                "give exactly one of `ids`, `room`, `rule`, `author`, `address` and `since`".to_owned(),
            )),
        }
    }

    fn includes(&self, held: &HeldMessage) -> bool {
        let (sender, message) = (&held.recorded.sender, &held.recorded.decision.message);
        match self {
            Self::Ids(ids) => ids.contains(&message.id),
            Self::Room(room) => sender.room.as_str() == room,
            Self::Rule(name) => match &held.held_by {
                Some(Actor::Rule(rule) | Actor::Plugin(rule)) => **rule == **name,
                Some(Actor::Moderator(_) | Actor::Relay) | None => false,
            },
            Self::Author(author) => message.author == *author,
            Self::Address(address) => sender.address == *address,
            Self::Since(since) => held.held_at >= *since,
        }
    }

    /// Returns the test for the messages that the caller has selected and may act on.
    fn within_rooms_of(
        &self,
        caller: &Caller,
        api: &Api,
    ) -> Result<impl Fn(&HeldMessage) -> bool + Send + Sync + use<>, ApiError> {
        if let Self::Room(name) = self {
            // Messages of a room that was removed may still be held.
            let held = api.moderation.state().held().list().into_iter().find(|held| self.includes(held));
            match held {
                Some(held) => caller.require_room(Some(&held.recorded.sender.room))?,
                None => drop(caller.resolve_room(api, Some(name))?),
            }
        }
        let (selection, caller) = (self.clone(), caller.clone());
        Ok(move |held: &HeldMessage| selection.includes(held) && caller.can_see(Some(&held.recorded.sender.room)))
    }

    /// Returns the ids that were requested and are not among these messages.
    fn missing(&self, done: &[Uuid]) -> Vec<Uuid> {
        let Self::Ids(ids) = self else { return Vec::new() };
        let done: HashSet<&Uuid> = done.iter().collect();
        ids.iter().filter(|id| !done.contains(id)).copied().collect()
    }
}

/// Release held messages to their rooms, oldest first, with their original ids and times.
///
/// A token for some rooms releases messages in these only.
#[utoipa::path(
    post, path = "/moderation/held/release", tag = "moderation", request_body = ReleaseAllRequest,
    responses(
        (status = 200, body = ReleaseAllResponse),
        (status = 404, body = ErrorResponse, description = "No such room"),
        (status = 413, body = ErrorResponse, description = "The body exceeds the limit"),
        (status = 422, body = ErrorResponse, description = "Invalid body; `detail` names the field"),
        (status = 503, body = ErrorResponse, description = "The messages were delivered, but this is not yet persisted"),
    ),
)]
pub(in crate::api) async fn release_all(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<ReleaseAllResponse>, ApiError> {
    let selection = Selection::new(parse_json(&read_body(body, api.max_body_bytes).await?)?)?;
    let is_selected = selection.within_rooms_of(&caller, &api)?;
    let released = ids(&api.actions.release_all(caller.actor(), is_selected).await?);
    Ok(Json(ReleaseAllResponse { not_held: selection.missing(&released), released }))
}

/// Refuse held messages, and notify their senders if still connected.
///
/// A token for some rooms refuses messages in these only.
#[utoipa::path(
    post, path = "/moderation/held/refuse", tag = "moderation", request_body = RefuseAllRequest,
    responses(
        (status = 200, body = RefuseAllResponse),
        (status = 404, body = ErrorResponse, description = "No such room"),
        (status = 413, body = ErrorResponse, description = "The body exceeds the limit"),
        (status = 422, body = ErrorResponse, description = "Invalid body; `detail` names the field"),
        (status = 503, body = ErrorResponse, description = "The messages were refused, but this is not yet persisted"),
    ),
)]
pub(in crate::api) async fn refuse_all(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<RefuseAllResponse>, ApiError> {
    let RefuseAllRequest { ids: wanted, room, rule, author, address, since, reason } =
        parse_json(&read_body(body, api.max_body_bytes).await?)?;
    let reason = normalize_reason(reason)?;
    let selection = Selection::new(ReleaseAllRequest { ids: wanted, room, rule, author, address, since })?;
    let is_selected = selection.within_rooms_of(&caller, &api)?;
    let refused = ids(&api.actions.refuse_all(caller.actor(), is_selected, reason).await?);
    Ok(Json(RefuseAllResponse { not_held: selection.missing(&refused), refused }))
}

fn ids(messages: &[HeldMessage]) -> Vec<Uuid> {
    messages.iter().map(HeldMessage::id).collect()
}

//! Calls that send a message without a connection.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::error::{ApiError, ErrorResponse, InternalError};
use super::join::proven_nickname;
use super::request::{AllowedOrigin, ChannelPath, RequestOrigin, RoomPath, read_body};
use crate::live::rooms::RoomHandle;
use crate::model::{Message, MessageKind, Sender, SenderContext, SenderNotice};
use crate::wire::{self, Generation, typed, v1};

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

/// A chat message of generations v2 and v3.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TextMessageJson {
    /// Always `text`. May be absent in a request.
    #[serde(rename = "type")]
    #[schema(required = false, example = "text")]
    kind: &'static str,
    /// The nickname: `A-Z a-z 0-9 _ -`.
    #[schema(example = "Hans_Hibbel")]
    author: String,
    /// The file name of a QGIS icon.
    #[schema(example = "mGeoPackage.svg")]
    avatar: Option<String>,
    /// The text: 1 to `max_message_length` code points.
    #[schema(example = "hello")]
    text: String,
    /// v3: the id of the message, a UUID. The relay replaces one that it knows.
    #[schema(required = false, example = "3f2b8e8e-7c36-4ad6-8d8a-0d2d9c7d0d5b")]
    id: String,
    /// v3: when the relay received the message, in seconds since 1970. Ignored in a request.
    #[schema(required = false, example = 1_796_029_248_u64)]
    timestamp: u64,
}

/// Post a message of v1 without being connected.
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
    let message = v1::decode(&text)?;
    if !matches!(message.kind, MessageKind::Text { .. }) {
        return Err(ApiError::InvalidMessage("only chat messages can be sent this way".to_owned()));
    }
    submit(&api, &room, Generation::V1, &origin, &headers, message).await
}

/// Post a message of v2 without being connected. As `PUT /room/{room}/message`.
#[utoipa::path(
    put, path = "/room/{room}/text", tag = "rooms", params(("room" = String, Path, description = "Name of a room", example = "QGIS")),
    request_body = TextMessageJson,
    responses(
        (status = 200, body = TextMessageJson, description = "The message as it was broadcast"),
        (status = 202, body = ErrorResponse, description = "The message is held for a moderator"),
        (status = 401, body = ErrorResponse, description = "The token proves no nickname"),
        (status = 403, body = ErrorResponse, description = "Rejected by a filter, or the nickname belongs to another member of the room"),
        (status = 404, body = ErrorResponse, description = "No such room"),
        (status = 413, body = ErrorResponse, description = "The body exceeds the limit"),
        (status = 422, body = ErrorResponse, description = "Invalid message; `detail` names the field and the limit"),
        (status = 429, body = ErrorResponse, description = "Too many messages; see `Retry-After`"),
    ),
)]
pub(super) async fn put_text(
    State(api): State<Arc<Api>>,
    RoomPath(room): RoomPath,
    _: AllowedOrigin,
    origin: RequestOrigin,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let text = read_body(body, api.max_body_bytes).await?;
    let message = typed::decode_text(Generation::V2, &text)?;
    submit(&api, &room, Generation::V2, &origin, &headers, message).await
}

/// Post a message of v3 without being connected. As `PUT /room/{room}/message`.
#[utoipa::path(
    put, path = "/channel/{channel}/text", tag = "rooms", params(("channel" = String, Path, description = "Name of a channel", example = "QGIS")),
    request_body = TextMessageJson,
    responses(
        (status = 200, body = TextMessageJson, description = "The message as it was broadcast"),
        (status = 202, body = ErrorResponse, description = "The message is held for a moderator"),
        (status = 401, body = ErrorResponse, description = "The token proves no nickname"),
        (status = 403, body = ErrorResponse, description = "Rejected by a filter, or the nickname belongs to another member of the channel"),
        (status = 404, body = ErrorResponse, description = "No such channel"),
        (status = 413, body = ErrorResponse, description = "The body exceeds the limit"),
        (status = 422, body = ErrorResponse, description = "Invalid message; `detail` names the field and the limit"),
        (status = 429, body = ErrorResponse, description = "Too many messages; see `Retry-After`"),
    ),
)]
pub(super) async fn put_channel_text(
    State(api): State<Arc<Api>>,
    ChannelPath(room): ChannelPath,
    _: AllowedOrigin,
    origin: RequestOrigin,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let text = read_body(body, api.max_body_bytes).await?;
    let message = typed::decode_text(Generation::V3, &text)?;
    submit(&api, &room, Generation::V3, &origin, &headers, message).await
}

async fn submit(
    api: &Api,
    room: &RoomHandle,
    generation: Generation,
    origin: &RequestOrigin,
    headers: &HeaderMap,
    message: Message,
) -> Result<Response, ApiError> {
    let proven = proven_nickname(api, origin, room, headers)?;
    let context = SenderContext { trusted: proven.as_deref() == Some(&*message.author), ..SenderContext::default() };
    let sender = Sender { connection: None, address: origin.client.address(), room: room.name().clone(), context };
    let judged = room.submit(sender, message).await?;
    match judged.decision.sender_notice().map_err(InternalError::from)? {
        SenderNotice::Accepted => {
            let headers = [(header::CONTENT_TYPE, "application/json")];
            Ok((headers, wire::encode_message(generation, &judged.decision.message)).into_response())
        }
        SenderNotice::Held(reason) => {
            if let Some(on_disk) = api.moderation.held_on_disk(judged.decision.message.id) {
                on_disk.await;
            }
            let body = ErrorResponse { detail: reason.text.to_string() };
            Ok((StatusCode::ACCEPTED, Json(body)).into_response())
        }
        SenderNotice::Rejected(reason) => Err(ApiError::Rejected(reason.clone())),
    }
}

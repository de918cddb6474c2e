//! Calls by which clients join a room over a WebSocket.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::Api;
use super::error::{ApiError, ErrorResponse};
use super::moderation::bearer_token;
use super::request::{AllowedOrigin, ChannelPath, RequestOrigin, RoomPath};
use crate::live::client::Client;
use crate::live::rooms::RoomHandle;
use crate::live::{ClientGeneration, upgrade};
use crate::moderation::refusal_reason;
use crate::telemetry::LogGate;
use crate::wire::{Generation, RoomGeneration};

/// Join a room over a WebSocket, as a client of v1 or v2.
///
/// Frames are JSON objects. v1: send `{"author":"internal","newcomer":"jane"}` to register a nickname and
/// `{"message":"hello","author":"jane","avatar":null}` to send a message. v2: frames have a `type`, such as
/// `{"type":"newcomer","newcomer":"jane"}`. The first frame decides. If the instance has given the owner of a nickname a
/// token, `Authorization: Bearer TOKEN` proves the nickname: under that nickname the sender is trusted.
#[utoipa::path(
    get, path = "/room/{room}/ws", tag = "rooms", params(("room" = String, Path, description = "Name of a room", example = "QGIS")),
    responses(
        (status = 101, description = "Switching to WebSocket"),
        (status = 401, body = ErrorResponse, description = "The token proves no nickname"),
        (status = 403, body = ErrorResponse, description = "The origin is not allowed, or the address is banned"),
        (status = 404, body = ErrorResponse, description = "No such room"),
        (status = 400, body = ErrorResponse, description = "A handshake without one valid `Sec-WebSocket-Key`, or the proxy does not report the client's address"),
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
    request: Request,
) -> Result<Response, ApiError> {
    let generation = match api.room_generation {
        RoomGeneration::Auto => ClientGeneration::Undecided,
        RoomGeneration::V1 => ClientGeneration::Known(Generation::V1),
        RoomGeneration::V2 => ClientGeneration::Known(Generation::V2),
    };
    join(&api, room, generation, &origin, request)
}

/// Join a channel over a WebSocket, as a client of v3.
///
/// Frames are JSON objects with a `type`, such as `{"type":"newcomer","newcomer":"jane"}` and
/// `{"type":"text","author":"jane","avatar":null,"text":"hello"}`. A client that offers the subprotocol
/// `gischat.relay.v1` also receives what other clients of v3 do not understand: reasons with codes, and `retract`.
#[utoipa::path(
    get, path = "/channel/{channel}/ws", tag = "rooms", params(("channel" = String, Path, description = "Name of a channel", example = "QGIS")),
    responses(
        (status = 101, description = "Switching to WebSocket"),
        (status = 401, body = ErrorResponse, description = "The token proves no nickname"),
        (status = 403, body = ErrorResponse, description = "The origin is not allowed, or the address is banned"),
        (status = 404, body = ErrorResponse, description = "No such channel"),
        (status = 400, body = ErrorResponse, description = "A handshake without one valid `Sec-WebSocket-Key`, or the proxy does not report the client's address"),
        (status = 426, body = ErrorResponse, description = "Not a WebSocket handshake, or not version 13"),
        (status = 429, body = ErrorResponse, description = "Too many connections from this address, or opened too fast"),
        (status = 503, description = "The relay is at its connection limit, or shutting down"),
    ),
)]
pub(super) async fn channel_websocket(
    State(api): State<Arc<Api>>,
    ChannelPath(room): ChannelPath,
    _: AllowedOrigin,
    origin: RequestOrigin,
    request: Request,
) -> Result<Response, ApiError> {
    let is_relay_client = upgrade::offers_relay_protocol(request.headers());
    let generation = if is_relay_client { Generation::Relay } else { Generation::V3 };
    join(&api, room, ClientGeneration::Known(generation), &origin, request)
}

fn join(
    api: &Api,
    room: RoomHandle,
    generation: ClientGeneration,
    origin: &RequestOrigin,
    mut request: Request,
) -> Result<Response, ApiError> {
    if origin.client == Client::Unknown {
        return Err(refuse_unknown_client(api));
    }
    let address = origin.client.address();
    let now = api.moderation.now();
    if let Some(ban) = api.moderation.state().sanctions().address_ban(room.name(), address, now) {
        return Err(ApiError::Rejected(refusal_reason(&ban, now)));
    }
    let proven = proven_nickname(api, origin, &room, request.headers())?;
    Ok(api.live.upgrade(room, generation, address, &origin.info, proven, &mut request)?)
}

/// Refuses a client whose address the proxy does not report: limits and bans could not tell it from others.
fn refuse_unknown_client(api: &Api) -> ApiError {
    static LOG: LogGate = LogGate::new(Duration::from_mins(1));
    api.metrics.count_refused_connection("unknown_address");
    let error = ApiError::UnknownClient(api.proxies.header());
    if let Some(suppressed) = LOG.pass(Instant::now()) {
        tracing::warn!(%error, suppressed, "WebSockets are refused");
    }
    error
}

/// Returns the nickname that the client proves to own in this room, by a token from the tokens file.
pub(super) fn proven_nickname(
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

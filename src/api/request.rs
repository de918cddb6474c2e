//! Extractors, and the reading of bodies.

use std::sync::Arc;

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;

use super::Api;
use super::error::{ApiError, InternalError};
use super::host::HostCheck;
use crate::live::accept::ConnectionInfo;
use crate::live::client::Client;
use crate::live::rooms::RoomHandle;

/// Extracts the room that the path names. The name may be percent-encoded and may have blanks around it.
#[derive(Debug)]
pub(super) struct RoomPath(pub(super) RoomHandle);

impl FromRequestParts<Arc<Api>> for RoomPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        // The path is not UTF-8, so it names no room.
        let Ok(Path(name)) = Path::<String>::from_request_parts(parts, api).await else {
            return Err(ApiError::UnknownRoom("\u{fffd}".to_owned()));
        };
        api.rooms.find(&name).map(Self).ok_or(ApiError::UnknownRoom(name))
    }
}

/// As [`RoomPath`], for the paths of v3.
#[derive(Debug)]
pub(super) struct ChannelPath(pub(super) RoomHandle);

impl FromRequestParts<Arc<Api>> for ChannelPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        match RoomPath::from_request_parts(parts, api).await {
            Ok(RoomPath(room)) => Ok(Self(room)),
            Err(ApiError::UnknownRoom(name)) => Err(ApiError::UnknownChannel(name)),
            Err(error) => Err(error),
        }
    }
}

/// Extracts the request's connection and its client's address.
#[derive(Debug)]
pub(super) struct RequestOrigin {
    pub(super) client: Client,
    pub(super) info: ConnectionInfo,
}

impl FromRequestParts<Arc<Api>> for RequestOrigin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        let info = parts.extensions.get::<ConnectionInfo>().cloned().ok_or(InternalError::MissingConnectionInfo)?;
        Ok(Self { client: api.proxies.client(info.peer, &parts.headers), info })
    }
}

/// Rejects requests from pages of origins that are not allowed. Requests without an origin pass.
#[derive(Debug)]
pub(super) struct AllowedOrigin;

impl FromRequestParts<Arc<Api>> for AllowedOrigin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        if api.origins.allow(&parts.headers) { Ok(Self) } else { Err(ApiError::OriginNotAllowed) }
    }
}

/// Rejects requests whose host is invalid or not the relay's.
pub(super) async fn check_host(
    State(check): State<Arc<HostCheck>>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let info = request.extensions().get::<ConnectionInfo>().ok_or(InternalError::MissingConnectionInfo)?;
    let own = check.check(info.peer.ip(), request.version(), request.uri().authority(), request.headers())?;
    request.extensions_mut().insert(own);
    Ok(next.run(request).await)
}

/// Reads a body of at most `limit` bytes as text.
pub(super) async fn read_body(body: Body, limit: usize) -> Result<String, ApiError> {
    // Do not read a body whose announced length exceeds the limit.
    if body.size_hint().lower() > limit as u64 {
        return Err(ApiError::BodyTooLong(limit));
    }
    let bytes = to_bytes(body, limit).await.map_err(|error| {
        let too_long = std::error::Error::source(&error).is_some_and(<dyn std::error::Error>::is::<LengthLimitError>);
        if too_long { ApiError::BodyTooLong(limit) } else { ApiError::UnreadableBody }
    })?;
    String::from_utf8(bytes.into()).map_err(|_| ApiError::InvalidMessage("the body is not UTF-8".to_owned()))
}

/// Parses a JSON body. Errors name the field.
pub(super) fn parse_json<T: DeserializeOwned>(body: &str) -> Result<T, ApiError> {
    let mut reader = serde_json::Deserializer::from_str(body);
    let parsed =
        serde_path_to_error::deserialize(&mut reader).map_err(|error| match error.path().to_string().as_str() {
            "." | "?" => ApiError::InvalidRequest(error.inner().to_string()),
            path => ApiError::InvalidRequest(format!("`{path}`: {}", error.inner())),
        })?;
    reader.end().map_err(|error| ApiError::InvalidRequest(error.to_string()))?;
    Ok(parsed)
}

//! What handlers take from a request.

use std::sync::Arc;

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;

use super::Api;
use super::error::ApiError;
use crate::live::accept::ConnectionInfo;
use crate::live::client::Client;
use crate::live::rooms::RoomHandle;

/// The room that the path names, percent-encoded or not, with or without blanks around its name.
#[derive(Debug)]
pub(super) struct InRoom(pub(super) RoomHandle);

impl FromRequestParts<Arc<Api>> for InRoom {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        // A name that is no UTF-8 is none of ours either.
        let Ok(Path(name)) = Path::<String>::from_request_parts(parts, api).await else {
            return Err(ApiError::UnknownRoom("\u{fffd}".to_owned()));
        };
        api.rooms.find(&name).map(Self).ok_or(ApiError::UnknownRoom(name))
    }
}

/// The connection that the request came by, and where its client is.
#[derive(Debug)]
pub(super) struct From {
    pub(super) client: Client,
    pub(super) info: ConnectionInfo,
}

impl FromRequestParts<Arc<Api>> for From {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        let info = parts.extensions.get::<ConnectionInfo>().cloned().ok_or(ApiError::NoConnection)?;
        Ok(Self { client: api.proxies.client(info.peer, &parts.headers), info })
    }
}

/// Proof that the page which sent the request, if one did, may do so.
#[derive(Debug)]
pub(super) struct AllowedOrigin;

impl FromRequestParts<Arc<Api>> for AllowedOrigin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        if api.origins.allow(&parts.headers) { Ok(Self) } else { Err(ApiError::Origin) }
    }
}

/// The text of a body of at most `limit` bytes.
pub(super) async fn read(body: Body, limit: usize) -> Result<String, ApiError> {
    // What announces itself as too long is not waited for.
    if body.size_hint().lower() > limit as u64 {
        return Err(ApiError::BodyTooLong(limit));
    }
    let bytes = to_bytes(body, limit).await.map_err(|fault| {
        let too_long = std::error::Error::source(&fault).is_some_and(<dyn std::error::Error>::is::<LengthLimitError>);
        if too_long { ApiError::BodyTooLong(limit) } else { ApiError::Body }
    })?;
    String::from_utf8(bytes.into()).map_err(|_| ApiError::NotAMessage("the body is not UTF-8".to_owned()))
}

/// Reads a body; what is wrong with it is named together with the field.
pub(super) fn json<T: DeserializeOwned>(body: &str) -> Result<T, ApiError> {
    let mut reader = serde_json::Deserializer::from_str(body);
    let parsed =
        serde_path_to_error::deserialize(&mut reader).map_err(|fault| match fault.path().to_string().as_str() {
            "." | "?" => ApiError::BadCall(fault.inner().to_string()),
            path => ApiError::BadCall(format!("`{path}`: {}", fault.inner())),
        })?;
    reader.end().map_err(|fault| ApiError::BadCall(fault.to_string()))?;
    Ok(parsed)
}

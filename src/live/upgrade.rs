//! The WebSocket handshake (RFC 6455, 4.2) of an HTTP request routed to a room.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use hyper::upgrade::{OnUpgrade, Parts, Upgraded};
use hyper_util::rt::TokioIo;
use mio::net::TcpStream;
use sha1::{Digest, Sha1};

use super::Live;
use super::accept::ConnectionInfo;
use super::admission;
use super::rooms::RoomHandle;
use super::shard::generation::ClientGeneration;
use super::shard::inbox::{ConnectionGuards, NewConnection};
use crate::model::Address;
use crate::wire::Generation;

/// Maximum time to take over the connection once the response is written.
const HANDOVER_TIMEOUT: Duration = Duration::from_secs(10);
/// RFC 6455, 1.3.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Why a handshake is refused.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// The request is not a WebSocket handshake.
    #[error("this path is a WebSocket endpoint; connect with a WebSocket client")]
    NotAnUpgrade,
    /// The request asks for an unsupported protocol version.
    #[error("unsupported WebSocket version; the only supported version is 13")]
    Version,
    /// The key is not 16 bytes in base64.
    #[error("`Sec-WebSocket-Key` must be 16 bytes in base64")]
    Key,
    /// A header that must occur once occurs several times.
    #[error("the handshake has more than one `{0}`")]
    Repeated(&'static str),
    /// The address has reached a limit.
    #[error(transparent)]
    Address(#[from] admission::AdmissionError),
}

impl Live {
    /// Answers a handshake, and then hands the connection over to `room`. `proven` is the nickname that the client
    /// proved to own with a token.
    ///
    /// # Errors
    /// [`HandshakeError`] when the request is not a valid handshake or the address has reached a limit.
    pub fn upgrade(
        self: &Arc<Self>,
        room: RoomHandle,
        generation: ClientGeneration,
        address: Address,
        info: &ConnectionInfo,
        proven: Option<Arc<str>>,
        request: &mut Request<Body>,
    ) -> Result<Response<Body>, HandshakeError> {
        let key = check_handshake(request)?;
        let ticket = self.admission.admit(address).inspect_err(|refused| {
            self.metrics.count_refused_connection(match refused {
                admission::AdmissionError::TooMany { .. } | admission::AdmissionError::NetworkFull { .. } => {
                    "per_address"
                }
                admission::AdmissionError::TooFast { .. } => "join_rate",
            });
        })?;
        let permit = info.permit.for_upgrade();
        let upgrade = hyper::upgrade::on(request);
        self.tasks.spawn(async move {
            let Some((stream, initial_bytes)) = take_socket(upgrade).await else { return };
            let guards = ConnectionGuards::new(permit, ticket);
            let arrival = NewConnection { stream, initial_bytes, generation, address, proven_nickname: proven, guards };
            if room.adopt(arrival).await.is_err() {
                tracing::debug!("connection dropped: the relay is shutting down");
            }
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, key);
        if generation == ClientGeneration::Known(Generation::Relay) {
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(Generation::SUBPROTOCOL));
        }
        Ok(response)
    }
}

/// Whether a handshake offers the subprotocol of [`Generation::Relay`].
#[must_use]
pub fn offers_relay_protocol(headers: &HeaderMap) -> bool {
    has_token(headers, &header::SEC_WEBSOCKET_PROTOCOL, Generation::SUBPROTOCOL)
}

/// Returns the plain socket, and the bytes that the client sent along with its handshake.
async fn take_socket(upgrade: OnUpgrade) -> Option<(TcpStream, Bytes)> {
    let upgraded: Upgraded = match tokio::time::timeout(HANDOVER_TIMEOUT, upgrade).await {
        Ok(Ok(upgraded)) => upgraded,
        Ok(Err(error)) => {
            tracing::debug!(%error, "WebSocket handshake failed");
            return None;
        }
        Err(_) => {
            tracing::debug!("WebSocket handshake timed out");
            return None;
        }
    };
    let Ok(Parts { io, read_buf, .. }) = upgraded.downcast::<TokioIo<tokio::net::TcpStream>>() else {
        tracing::error!("WebSocket handshake failed: not a TCP connection");
        return None;
    };
    match io.into_inner().into_std() {
        // Copied, since the bytes are a small part of an 8 KiB buffer that would be kept until the shard reads them.
        Ok(stream) => Some((TcpStream::from_std(stream), Bytes::copy_from_slice(&read_buf))),
        Err(error) => {
            tracing::warn!(%error, "handing a WebSocket over failed");
            None
        }
    }
}

/// Validates a handshake, and returns the value of `Sec-WebSocket-Accept`.
fn check_handshake(request: &Request<Body>) -> Result<HeaderValue, HandshakeError> {
    let headers = request.headers();
    let asks = request.method() == Method::GET
        && request.version() == Version::HTTP_11
        && has_token(headers, &header::CONNECTION, "upgrade")
        && has_token(headers, &header::UPGRADE, "websocket");
    if !asks {
        return Err(HandshakeError::NotAnUpgrade);
    }
    for (name, shown) in
        [(header::SEC_WEBSOCKET_KEY, "Sec-WebSocket-Key"), (header::SEC_WEBSOCKET_VERSION, "Sec-WebSocket-Version")]
    {
        if headers.get_all(name).iter().nth(1).is_some() {
            return Err(HandshakeError::Repeated(shown));
        }
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(HandshakeError::Version);
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).unwrap_or_default();
    if BASE64_STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16) {
        HeaderValue::from_str(&accept_key(key)).map_err(|_| HandshakeError::Key)
    } else {
        Err(HandshakeError::Key)
    }
}

/// Computes the value of `Sec-WebSocket-Accept` (RFC 6455, 4.2.2).
fn accept_key(key: &[u8]) -> String {
    BASE64_STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(changes: &[(HeaderName, Option<&str>)]) -> Request<Body> {
        let mut request = Request::new(Body::empty());
        let headers = request.headers_mut();
        for (name, value) in [
            (header::CONNECTION, "keep-alive, Upgrade"),
            (header::UPGRADE, "websocket"),
            (header::SEC_WEBSOCKET_VERSION, "13"),
            (header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ=="),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        for (name, value) in changes {
            headers.remove(name);
            if let Some(value) = value {
                headers.insert(name, value.parse().unwrap());
            }
        }
        request
    }

    #[test]
    fn the_rfc_example_yields_its_accept_key() {
        assert_eq!(check_handshake(&request(&[])).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn an_invalid_handshake_is_refused_with_a_reason() {
        let refusal = |name, value| check_handshake(&request(&[(name, value)])).unwrap_err().to_string();
        assert_eq!(refusal(header::CONNECTION, Some("keep-alive")), HandshakeError::NotAnUpgrade.to_string());
        assert_eq!(refusal(header::UPGRADE, None), HandshakeError::NotAnUpgrade.to_string());
        assert_eq!(refusal(header::SEC_WEBSOCKET_VERSION, Some("8")), HandshakeError::Version.to_string());
        assert_eq!(refusal(header::SEC_WEBSOCKET_KEY, Some("c2hvcnQ=")), HandshakeError::Key.to_string());
        assert_eq!(refusal(header::SEC_WEBSOCKET_KEY, None), HandshakeError::Key.to_string());
    }

    #[test]
    fn a_key_or_version_that_occurs_twice_is_refused() {
        for name in [header::SEC_WEBSOCKET_KEY, header::SEC_WEBSOCKET_VERSION] {
            let mut twice = request(&[]);
            let value = twice.headers()[&name].clone();
            twice.headers_mut().append(&name, value);
            assert!(matches!(check_handshake(&twice), Err(HandshakeError::Repeated(_))), "{name}");
        }
    }
}

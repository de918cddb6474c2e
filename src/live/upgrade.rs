//! The WebSocket handshake (RFC 6455, 4.2), as part of an HTTP request that was routed to a room.

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
use super::shard::inbox::{Arrival, Held};
use super::shard::rooms::RoomKey;
use crate::model::Address;
use crate::wire::Generation;

/// How long the connection may take to change hands once the answer is written.
const HANDOVER_TIMEOUT: Duration = Duration::from_secs(10);
/// RFC 6455, 1.3.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Why a request gets no WebSocket.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It asks for none.
    #[error("this address is a WebSocket's: connect to it with a WebSocket client")]
    NotAnUpgrade,
    /// It asks for another version of the protocol.
    #[error("only version 13 of the WebSocket protocol is spoken here")]
    Version,
    /// Its key is not 16 bytes in base64.
    #[error("`Sec-WebSocket-Key` must be 16 bytes in base64")]
    Key,
    /// The address is at one of its limits.
    #[error(transparent)]
    Address(#[from] admission::Refused),
}

impl Live {
    /// Answers a handshake and, when it is one, lets a session in `room` begin. `proven` is the nickname that the client
    /// has shown to be its own.
    ///
    /// # Errors
    /// [`Refusal`] when the request is no proper handshake or the address may not open another WebSocket now.
    pub fn upgrade(
        self: &Arc<Self>,
        room: RoomHandle,
        generation: Generation,
        address: Address,
        info: &ConnectionInfo,
        proven: Option<Arc<str>>,
        request: &mut Request<Body>,
    ) -> Result<Response<Body>, Refusal> {
        let key = check(request)?;
        let ticket = self.admission.admit(address).inspect_err(|refused| {
            self.metrics.count_refused_connection(match refused {
                admission::Refused::TooMany { .. } => "per_address",
                admission::Refused::TooFast { .. } => "join_rate",
            });
        })?;
        let permit = info.permit.successor();
        let upgrade = hyper::upgrade::on(request);
        self.tasks.spawn(async move {
            let Some((stream, first)) = take_over(upgrade).await else { return };
            let held = Held::new(permit, ticket);
            let arrival = Arrival { stream, first, generation, address, proven, held, room: RoomKey::default() };
            if room.adopt(arrival).await.is_err() {
                tracing::debug!("a connection came too late: the relay is shutting down");
            }
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, key);
        Ok(response)
    }
}

/// The plain socket and what the client sent together with its handshake.
async fn take_over(upgrade: OnUpgrade) -> Option<(TcpStream, Bytes)> {
    let upgraded: Upgraded = match tokio::time::timeout(HANDOVER_TIMEOUT, upgrade).await {
        Ok(Ok(upgraded)) => upgraded,
        Ok(Err(fault)) => {
            tracing::debug!(%fault, "a connection ended during its handshake");
            return None;
        }
        Err(_) => {
            tracing::debug!("a connection did not take the answer to its handshake");
            return None;
        }
    };
    let Ok(Parts { io, read_buf, .. }) = upgraded.downcast::<TokioIo<tokio::net::TcpStream>>() else {
        tracing::error!("a WebSocket runs over something else than TCP, which this relay does not serve");
        return None;
    };
    match io.into_inner().into_std() {
        // A copy: what was read is a part, mostly an empty one, of a buffer of 8 KiB, which must not wait for the shard.
        Ok(stream) => Some((TcpStream::from_std(stream), Bytes::copy_from_slice(&read_buf))),
        Err(fault) => {
            tracing::warn!(%fault, "a connection could not be handed over");
            None
        }
    }
}

/// Checks a handshake and gives the value that accepts it.
fn check(request: &Request<Body>) -> Result<HeaderValue, Refusal> {
    let headers = request.headers();
    let asks = request.method() == Method::GET
        && request.version() == Version::HTTP_11
        && has_token(headers, &header::CONNECTION, "upgrade")
        && has_token(headers, &header::UPGRADE, "websocket");
    if !asks {
        return Err(Refusal::NotAnUpgrade);
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(Refusal::Version);
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).unwrap_or_default();
    if BASE64_STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16) {
        HeaderValue::from_str(&accept(key)).map_err(|_| Refusal::Key)
    } else {
        Err(Refusal::Key)
    }
}

/// The value of `Sec-WebSocket-Accept` (RFC 6455, 4.2.2).
fn accept(key: &[u8]) -> String {
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
    fn the_example_of_the_rfc_is_accepted_with_its_value() {
        assert_eq!(check(&request(&[])).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn what_is_no_handshake_is_refused_with_its_reason() {
        let refusal = |name, value| check(&request(&[(name, value)])).unwrap_err().to_string();
        assert_eq!(refusal(header::CONNECTION, Some("keep-alive")), Refusal::NotAnUpgrade.to_string());
        assert_eq!(refusal(header::UPGRADE, None), Refusal::NotAnUpgrade.to_string());
        assert_eq!(refusal(header::SEC_WEBSOCKET_VERSION, Some("8")), Refusal::Version.to_string());
        assert_eq!(refusal(header::SEC_WEBSOCKET_KEY, Some("c2hvcnQ=")), Refusal::Key.to_string());
        assert_eq!(refusal(header::SEC_WEBSOCKET_KEY, None), Refusal::Key.to_string());
    }
}

//! The server side of the HTTP upgrade, the only request that is supported.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha1::{Digest, Sha1};

const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// An upgrade request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request<'a> {
    /// The name of the room, as in the path.
    pub(crate) room: &'a str,
    /// The response that accepts the client.
    pub(crate) answer: String,
    /// Length of the request. Bytes.
    pub(crate) len: usize,
}

/// Parses the request at the start of `bytes`; `None` while it is incomplete.
///
/// # Errors
/// If it is not an upgrade on the path of a room.
pub(crate) fn request(bytes: &[u8]) -> Result<Option<Request<'_>>, ()> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = str::from_utf8(&bytes[..end]).map_err(|_| ())?;
    let mut lines = head.split("\r\n");
    let path = lines.next().and_then(|line| line.strip_prefix("GET ")?.strip_suffix(" HTTP/1.1")).ok_or(())?;
    let room = path.strip_prefix("/room/").and_then(|path| path.strip_suffix("/ws")).ok_or(())?;
    let (_, key) = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"))
        .ok_or(())?;
    let accept = BASE64_STANDARD.encode(Sha1::new().chain_update(key.trim()).chain_update(GUID).finalize());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    Ok(Some(Request { room, answer, len: end + 4 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str =
        "GET /room/a%20b/ws HTTP/1.1\r\nHost: x\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    #[test]
    fn the_example_of_the_rfc_is_accepted_in_its_room() {
        let bytes = format!("{EXAMPLE}\u{1}").into_bytes();
        let request = request(&bytes).unwrap().unwrap();
        assert_eq!((request.room, request.len), ("a%20b", EXAMPLE.len()));
        assert!(request.answer.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"));
    }

    #[test]
    fn incomplete_requests_are_awaited_and_other_paths_are_refused() {
        assert_eq!(request(&EXAMPLE.as_bytes()[..EXAMPLE.len() - 1]), Ok(None));
        for other in ["GET / HTTP/1.1\r\n\r\n", "PUT /room/a/ws HTTP/1.1\r\n\r\n", "GET /room/a/ws HTTP/1.1\r\n\r\n"] {
            assert_eq!(request(other.as_bytes()), Err(()), "{other}");
        }
    }
}

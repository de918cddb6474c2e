//! The client side of the HTTP upgrade.

use std::net::SocketAddr;

use crate::generation::Generation;

/// Returns the name of a room by its number.
pub(crate) fn room_name(room: usize) -> String {
    if room == 0 { "bench".to_owned() } else { format!("bench-{room}") }
}

/// The key of RFC 6455's example. With a constant key the expected response is constant, too, so no SHA-1 is needed.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Longest head of a response. Bytes.
const MAX_HEAD: usize = 8_192;

/// Returns the upgrade request for a room at `address`.
pub(crate) fn request(address: SocketAddr, room: usize, generation: Generation) -> Vec<u8> {
    let path = generation.path(&room_name(room));
    format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\n\
         Upgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    .into_bytes()
}

/// Checks the response at the start of `buf`. Returns its length, or `None` while it is incomplete.
///
/// # Errors
/// The status line, or a description, if the response is not a valid 101.
pub(crate) fn answer(buf: &[u8]) -> Result<Option<usize>, String> {
    let Some(end) = buf.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if buf.len() > MAX_HEAD { Err(format!("more than {MAX_HEAD} bytes of head")) } else { Ok(None) };
    };
    let head = String::from_utf8_lossy(&buf[..end]);
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default();
    if !status.starts_with("HTTP/1.1 101") {
        return Err(status.to_owned());
    }
    let accepted = lines
        .filter_map(|line| line.split_once(':'))
        .any(|(name, value)| name.eq_ignore_ascii_case("sec-websocket-accept") && value.trim() == ACCEPT);
    if accepted { Ok(Some(end + 4)) } else { Err("101 without the right Sec-WebSocket-Accept".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valid_response_ends_before_the_frames() {
        let head = format!("HTTP/1.1 101 Switching Protocols\r\nSEC-websocket-accept: {ACCEPT}\r\n\r\n");
        let mut bytes = head.clone().into_bytes();
        assert_eq!(answer(&bytes[..bytes.len() - 1]), Ok(None));
        bytes.extend_from_slice(b"\x81\x02hi");
        assert_eq!(answer(&bytes), Ok(Some(head.len())));
    }

    #[test]
    fn refusals_name_the_status_and_a_wrong_key_is_detected() {
        assert_eq!(answer(b"HTTP/1.1 404 Not Found\r\n\r\n"), Err("HTTP/1.1 404 Not Found".to_owned()));
        assert!(answer(b"HTTP/1.1 101 Fine\r\nSec-WebSocket-Accept: x\r\n\r\n").is_err());
        assert!(answer(&[b'x'; MAX_HEAD + 1]).is_err());
    }
}

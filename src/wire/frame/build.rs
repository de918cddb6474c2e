//! What leaves: whole frames of a server.

use bytes::Bytes;

use super::{CloseCode, MAX_CONTROL};

/// A text message as a single frame.
#[must_use]
pub fn text(payload: &[u8]) -> Bytes {
    build(0x81, payload)
}

/// A ping.
#[must_use]
pub fn ping() -> Bytes {
    Bytes::from_static(&[0x89, 0])
}

/// The answer to a ping; `payload` is the ping's own, at most 125 bytes.
#[must_use]
pub fn pong(payload: &[u8]) -> Bytes {
    build(0x8a, payload.get(..MAX_CONTROL).unwrap_or(payload))
}

/// A close frame with a code and a reason for people, which is cut to the 123 bytes that there are for it.
#[must_use]
pub fn close(code: CloseCode, reason: &str) -> Bytes {
    close_number(code.number(), reason)
}

/// The close frame that answers a client's own: its code again.
#[must_use]
pub fn close_echo(code: Option<u16>) -> Bytes {
    code.map_or_else(|| build(0x88, &[]), |code| close_number(code, ""))
}

fn close_number(code: u16, reason: &str) -> Bytes {
    let reason = reason.get(..reason.floor_char_boundary(MAX_CONTROL - 2)).unwrap_or_default();
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(reason.as_bytes());
    build(0x88, &payload)
}

pub(super) fn build(first: u8, payload: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(payload.len() + 10);
    frame.push(first);
    match payload.len() {
        short @ 0..=125 => frame.push(u8::try_from(short).unwrap_or(0)),
        medium @ 126..=0xffff => {
            frame.push(126);
            frame.extend_from_slice(&u16::try_from(medium).unwrap_or(0).to_be_bytes());
        }
        long => {
            frame.push(127);
            frame.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame.into()
}

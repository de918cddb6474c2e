//! Encodes server frames.

use bytes::{BufMut, Bytes, BytesMut};

use super::{CloseCode, MAX_CONTROL_PAYLOAD};

/// Maximum bytes of a server frame head.
const MAX_HEAD: usize = 10;

/// Encodes a text message as a single frame.
#[must_use]
pub fn text(payload: &[u8]) -> Bytes {
    encode(0x81, payload)
}

/// Appends a text message to `buffer`, as a single frame.
pub fn append_text(payload: &[u8], buffer: &mut BytesMut) {
    buffer.reserve(payload.len() + MAX_HEAD);
    append(0x81, payload, buffer);
}

/// Returns the end of the frame in `frames` that contains the byte at `place`. `frames` must be frames encoded here; if
/// they are truncated, their end is returned.
#[must_use]
pub fn end_of_frame(frames: &[u8], place: usize) -> usize {
    let mut end = 0;
    while end <= place {
        let length = match frames.get(end + 1).map(|short| short & 0x7f) {
            Some(127) => length_at(frames, end + 2, 8).map(|length| length + 10),
            Some(126) => length_at(frames, end + 2, 2).map(|length| length + 4),
            Some(short) => Some(usize::from(short) + 2),
            None => None,
        };
        match length {
            Some(length) => end += length,
            None => return frames.len(),
        }
    }
    end.min(frames.len())
}

fn length_at(frames: &[u8], at: usize, bytes: usize) -> Option<usize> {
    let bytes = frames.get(at..at + bytes)?;
    Some(bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}

/// Encodes a ping.
#[must_use]
pub fn ping() -> Bytes {
    Bytes::from_static(&[0x89, 0])
}

/// Encodes a pong for a ping with this payload of at most 125 bytes.
#[must_use]
pub fn pong(payload: &[u8]) -> Bytes {
    encode(0x8a, payload.get(..MAX_CONTROL_PAYLOAD).unwrap_or(payload))
}

/// Encodes a close frame. The reason is truncated to 123 bytes.
#[must_use]
pub fn close(code: CloseCode, reason: &str) -> Bytes {
    close_frame(code.as_u16(), reason)
}

/// Encodes the reply to a close frame, with the same code.
#[must_use]
pub fn close_echo(code: Option<u16>) -> Bytes {
    code.map_or_else(|| encode(0x88, &[]), |code| close_frame(code, ""))
}

fn close_frame(code: u16, reason: &str) -> Bytes {
    let reason = reason.get(..reason.floor_char_boundary(MAX_CONTROL_PAYLOAD - 2)).unwrap_or_default();
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(reason.as_bytes());
    encode(0x88, &payload)
}

pub(super) fn encode(first: u8, payload: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(payload.len() + MAX_HEAD);
    append(first, payload, &mut frame);
    frame.freeze()
}

fn append(first: u8, payload: &[u8], frame: &mut BytesMut) {
    frame.put_u8(first);
    match payload.len() {
        short @ 0..=125 => frame.put_u8(u8::try_from(short).unwrap_or(0)),
        medium @ 126..=0xffff => {
            frame.put_u8(126);
            frame.put_u16(u16::try_from(medium).unwrap_or(0));
        }
        long => {
            frame.put_u8(127);
            frame.put_u64(long as u64);
        }
    }
    frame.put_slice(payload);
}

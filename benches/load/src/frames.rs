//! The client's side of RFC 6455 framing, as far as it is needed.

use thiserror::Error;

/// The masking key of every frame. RFC 6455 requires an unpredictable key because of proxies; there is none on the
/// loopback, and with a constant, frames can be masked once and patched afterwards. It is not zero, so that the server
/// has to unmask.
pub(crate) const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A text message.
pub(crate) const TEXT: u8 = 0x1;
/// The rest of a fragmented message.
pub(crate) const CONTINUATION: u8 = 0x0;
/// A close frame.
pub(crate) const CLOSE: u8 = 0x8;
/// A ping.
pub(crate) const PING: u8 = 0x9;
/// A pong.
pub(crate) const PONG: u8 = 0xA;

/// An invalid frame of a server.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum FrameError {
    #[error("frame with first bytes {0:#04x} {1:#04x}: a mask or reserved bits from a server")]
    Illegal(u8, u8),
    #[error("unexpected opcode {0:#x}")]
    Opcode(u8),
}

/// The header of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// The opcode, one of the constants above or an unknown one.
    pub(crate) opcode: u8,
    /// Bytes of the header itself.
    pub(crate) len: usize,
    /// Bytes of the payload.
    pub(crate) payload: usize,
}

/// One frame of the server, borrowed from the read buffer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// As in [`Header`].
    pub(crate) opcode: u8,
    /// The payload; servers do not mask.
    pub(crate) payload: &'a [u8],
    /// Bytes of header and payload together.
    pub(crate) len: usize,
}

/// A text message of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Text<'a> {
    /// The payload, or the start of one that does not fit the read buffer.
    pub(crate) head: &'a [u8],
    /// Bytes of the payload.
    pub(crate) len: usize,
}

impl<'a> Text<'a> {
    /// A text of which everything is known.
    pub(crate) fn whole(payload: &'a [u8]) -> Self {
        Self { head: payload, len: payload.len() }
    }

    /// Whether everything is known.
    pub(crate) fn is_whole(self) -> bool {
        self.head.len() == self.len
    }
}

/// Parses the header at the start of `buf`; `None` while it is incomplete.
///
/// # Errors
/// [`FrameError::Illegal`] for frames that a server must not send.
#[inline]
pub(crate) fn header(buf: &[u8]) -> Result<Option<Header>, FrameError> {
    let [first, second, rest @ ..] = buf else {
        return Ok(None);
    };
    if first & 0x70 != 0 || second & 0x80 != 0 {
        return Err(FrameError::Illegal(*first, *second));
    }
    let (len, payload) = match second {
        126 => match rest.first_chunk::<2>() {
            Some(size) => (4, usize::from(u16::from_be_bytes(*size))),
            None => return Ok(None),
        },
        127 => match rest.first_chunk::<8>() {
            Some(size) => (10, usize::try_from(u64::from_be_bytes(*size)).unwrap_or(usize::MAX)),
            None => return Ok(None),
        },
        size => (2, usize::from(*size)),
    };
    Ok(Some(Header { opcode: first & 0x0f, len, payload }))
}

/// Parses the frame at the start of `buf`; `None` while it is incomplete.
///
/// # Errors
/// As [`header`].
#[inline]
pub(crate) fn next(buf: &[u8]) -> Result<Option<Frame<'_>>, FrameError> {
    let Some(Header { opcode, len: header, payload }) = header(buf)? else { return Ok(None) };
    let len = payload.saturating_add(header);
    Ok(buf.get(header..len).map(|payload| Frame { opcode, payload, len }))
}

/// Returns a complete client frame: header, masking key, masked payload.
pub(crate) fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + 14);
    frame.push(0x80 | opcode);
    match payload.len() {
        size @ 0..126 => frame.push(0x80 | size as u8),
        size @ 126..65_536 => {
            frame.push(0x80 | 0x7e);
            frame.extend_from_slice(&(size as u16).to_be_bytes());
        }
        size => {
            frame.push(0x80 | 0x7f);
            frame.extend_from_slice(&(size as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

#[cfg(test)]
#[path = "frames_tests.rs"]
pub(crate) mod tests;

//! Decodes client bytes into messages and control frames.

use super::message::{Complete, LongText, MessageBytes, append_unmasked};
use super::{CloseCode, MAX_CONTROL_PAYLOAD};

/// A protocol violation by the client, which ends its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A frame violates RFC 6455.
    #[error("{0}")]
    Protocol(&'static str),
    /// A binary message.
    #[error("binary messages are not part of the protocol")]
    Binary,
    /// A text message or a close reason is not UTF-8.
    #[error("text is not valid UTF-8")]
    Utf8,
    /// A message exceeds the limit.
    #[error("a message is longer than {limit} bytes")]
    TooBig {
        /// The limit, in bytes.
        limit: usize,
    },
}

impl Violation {
    /// Returns the close code for it.
    #[must_use]
    pub fn close_code(self) -> CloseCode {
        match self {
            Self::Protocol(_) => CloseCode::Protocol,
            Self::Binary => CloseCode::Unsupported,
            Self::Utf8 => CloseCode::InvalidUtf8,
            Self::TooBig { .. } => CloseCode::TooBig,
        }
    }
}

/// A message or control frame from a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A complete text message of up to 64 KiB.
    Text(String),
    /// A longer one.
    LongText(LongText),
    /// A ping. The pong must carry the same payload.
    Ping(Vec<u8>),
    /// A pong, solicited or not.
    Pong,
    /// A close frame, with its code if it has one.
    Close(Option<u16>),
}

/// The header of a frame whose payload is incomplete.
#[derive(Clone, Copy, Debug)]
struct FrameHeader {
    fin: bool,
    opcode: Opcode,
    mask: [u8; 4],
    /// Payload bytes still missing.
    remaining: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opcode {
    Continuation,
    Text,
    Close,
    Ping,
    Pong,
}

impl Opcode {
    fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// Decodes the byte stream of one connection.
///
/// An incomplete message is buffered, up to the limit; the buffer may be 128 KiB larger. So are an incomplete frame header (14 bytes) and an incomplete control frame (125 bytes). While [`Decoder::has_partial`] is
/// false, the decoder buffers nothing that matters and may be replaced.
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    header_bytes: [u8; 14],
    header_received: usize,
    header: Option<FrameHeader>,
    /// The incomplete text message; `None` between messages.
    message: Option<MessageBytes>,
    control: Vec<u8>,
}

impl Decoder {
    /// Creates a decoder for text messages of up to `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, header_bytes: [0; 14], header_received: 0, header: None, message: None, control: Vec::new() }
    }

    /// Returns the memory used by an incomplete message, in bytes.
    #[must_use]
    pub fn buffered_bytes(&self) -> usize {
        self.message.as_ref().map_or(0, MessageBytes::capacity)
    }

    /// Whether a message or frame is incomplete.
    #[must_use]
    pub fn has_partial(&self) -> bool {
        self.header_received > 0 || self.header.is_some() || self.message.is_some()
    }

    /// Consumes bytes from the front of `input` up to the end of the next message or control frame.
    ///
    /// Returns `Ok(None)` once all of `input` is consumed and more is needed.
    ///
    /// # Errors
    ///
    /// [`Violation`] when the client breaks the protocol. The decoder must not be used after that.
    pub fn decode(&mut self, input: &mut &[u8]) -> Result<Option<Incoming>, Violation> {
        loop {
            let mut header = match self.header.take() {
                Some(header) => header,
                None => match self.read_header(input)? {
                    Some(header) => header,
                    None => return Ok(None),
                },
            };
            let (payload, rest) = input.split_at(header.remaining.min(input.len()));
            *input = rest;
            if header.opcode.is_control() {
                append_unmasked(&mut self.control, payload, header.mask);
            } else {
                self.message.get_or_insert_default().append_unmasked(payload, header.mask);
            }
            header.remaining -= payload.len();
            if header.remaining > 0 {
                header.mask.rotate_left(payload.len() % 4);
                self.header = Some(header);
                return Ok(None);
            }
            if let Some(incoming) = self.finish(header)? {
                return Ok(Some(incoming));
            }
        }
    }

    /// Collects and checks a frame header; `Ok(None)` while it is incomplete.
    fn read_header(&mut self, input: &mut &[u8]) -> Result<Option<FrameHeader>, Violation> {
        // The first two bytes tell how long the header is.
        if !self.collect_header(2, input) {
            return Ok(None);
        }
        let [first, second, ..] = self.header_bytes;
        if second & 0x80 == 0 {
            return Err(Violation::Protocol("a frame of a client is not masked"));
        }
        let length_bytes = match second & 0x7f {
            127 => 8,
            126 => 2,
            _ => 0,
        };
        // Report a violation without waiting for the rest of the header.
        let opcode = self.check_first(first, second & 0x7f)?;
        if !self.collect_header(2 + length_bytes + 4, input) {
            return Ok(None);
        }
        self.header_received = 0;
        let [_, _, extended @ ..] = self.header_bytes;
        let big_endian = |bytes: &[u8]| bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let length = match length_bytes {
            0 => u64::from(second & 0x7f),
            bytes => big_endian(extended.get(..bytes).unwrap_or_default()),
        };
        if (length_bytes == 2 && length < 126) || (length_bytes == 8 && length <= 0xffff) {
            return Err(Violation::Protocol("the length of a frame is not written in the shortest form"));
        }
        let mut mask = [0; 4];
        mask.copy_from_slice(extended.get(length_bytes..length_bytes + 4).unwrap_or(&[0; 4]));
        let before = self.message.as_ref().map_or(0, MessageBytes::len);
        let remaining = usize::try_from(length)
            .ok()
            .filter(|&length| opcode.is_control() || length <= self.limit.saturating_sub(before))
            .ok_or(Violation::TooBig { limit: self.limit })?;
        Ok(Some(FrameHeader { fin: first & 0x80 != 0, opcode, mask, remaining }))
    }

    /// Takes bytes of `input` until `wanted` bytes of the header are there. Returns `false` if `input` is too short.
    fn collect_header(&mut self, wanted: usize, input: &mut &[u8]) -> bool {
        while self.header_received < wanted {
            let Some((&byte, rest)) = input.split_first() else { return false };
            let Some(place) = self.header_bytes.get_mut(self.header_received) else { return false };
            *place = byte;
            self.header_received += 1;
            *input = rest;
        }
        true
    }

    /// Checks the first byte of a header, and the length of a control frame, before the rest has arrived.
    fn check_first(&self, first: u8, short_length: u8) -> Result<Opcode, Violation> {
        if first & 0x70 != 0 {
            return Err(Violation::Protocol("a reserved bit is set, but no extension was agreed on"));
        }
        let opcode = match first & 0x0f {
            0 => Opcode::Continuation,
            1 => Opcode::Text,
            2 => return Err(Violation::Binary),
            8 => Opcode::Close,
            9 => Opcode::Ping,
            10 => Opcode::Pong,
            _ => return Err(Violation::Protocol("a frame has a reserved opcode")),
        };
        match opcode {
            Opcode::Continuation if self.message.is_none() => {
                Err(Violation::Protocol("a continuation frame continues nothing"))
            }
            Opcode::Text if self.message.is_some() => {
                Err(Violation::Protocol("a message begins before the last one has ended"))
            }
            control if control.is_control() && first & 0x80 == 0 => {
                Err(Violation::Protocol("a control frame is fragmented"))
            }
            control if control.is_control() && usize::from(short_length) > MAX_CONTROL_PAYLOAD => {
                Err(Violation::Protocol("a control frame has more than 125 bytes"))
            }
            opcode => Ok(opcode),
        }
    }

    /// Ends a frame whose payload is complete. Returns `Ok(None)` if its message continues in another frame.
    fn finish(&mut self, header: FrameHeader) -> Result<Option<Incoming>, Violation> {
        match header.opcode {
            Opcode::Continuation | Opcode::Text if !header.fin => Ok(None),
            Opcode::Continuation | Opcode::Text => match self.message.take().unwrap_or_default().finish() {
                Complete::Short(bytes) => {
                    String::from_utf8(bytes).map(|text| Some(Incoming::Text(text))).map_err(|_| Violation::Utf8)
                }
                Complete::Long(text) => Ok(Some(Incoming::LongText(text))),
            },
            Opcode::Ping => Ok(Some(Incoming::Ping(std::mem::take(&mut self.control)))),
            Opcode::Pong => {
                self.control = Vec::new();
                Ok(Some(Incoming::Pong))
            }
            Opcode::Close => parse_close(&std::mem::take(&mut self.control)).map(|code| Some(Incoming::Close(code))),
        }
    }
}

/// Checks the payload of a close frame (RFC 6455, 5.5.1 and 7.4).
fn parse_close(payload: &[u8]) -> Result<Option<u16>, Violation> {
    match payload {
        [] => Ok(None),
        [_] => Err(Violation::Protocol("the payload of a close frame has one byte")),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
                return Err(Violation::Protocol("a close frame has a code that may not be sent"));
            }
            std::str::from_utf8(reason).map_err(|_| Violation::Utf8)?;
            Ok(Some(code))
        }
    }
}

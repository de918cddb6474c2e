//! The client's side of RFC 6455 framing, as far as it is needed.
//!
//! Splits bytes into frames and turns messages into masked bytes. Chat and presence are distinguished by their first
//! bytes, because parsing JSON a million times a second would measure the parser.

use thiserror::Error;

/// The masking key of every frame. RFC 6455 requires an unpredictable key because of proxies; there is none on the
/// loopback, and with a constant, frames can be masked once and patched afterwards. It is not zero, so that the server
/// has to unmask.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

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

const HEAD: &[u8] = br#"{"message":""#;
/// The keys after the text, with an author as long as those of [`author`].
const TAIL: &str = r#"","author":"sender000","avatar":null}"#;
/// The start of a `nb_users` frame, before the number.
const USERS: &[u8] = br#"{"author":"internal","nb_users":"#;
/// Ordinary words of the same length. Each message has different words, so that no filter against shouting or repetition
/// acts on it.
const WORDS: [&[u8; WORD]; 64] = [
    b" about", b" after", b" again", b" basin", b" beach", b" below", b" block", b" bound", b" brook", b" build",
    b" check", b" class", b" clear", b" cliff", b" coast", b" count", b" cover", b" cross", b" dunes", b" earth",
    b" every", b" field", b" first", b" forms", b" found", b" front", b" globe", b" grass", b" green", b" group",
    b" hills", b" hotel", b" house", b" index", b" inner", b" label", b" layer", b" level", b" local", b" lower",
    b" manor", b" marsh", b" metre", b" north", b" ocean", b" order", b" parks", b" paths", b" place", b" plain",
    b" point", b" ready", b" ridge", b" river", b" roads", b" scale", b" shape", b" slope", b" south", b" tiles",
    b" track", b" under", b" value", b" woods",
];
/// Bytes of a word, the blank before it included.
const WORD: usize = 6;
/// Digits of the sequence number at the start of each text.
const DIGITS: usize = 8;

/// An invalid frame of a server.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum FrameError {
    #[error("frame with first bytes {0:#04x} {1:#04x}: a mask or reserved bits from a server")]
    Illegal(u8, u8),
    #[error("unexpected opcode {0:#x}")]
    Opcode(u8),
    #[error("frame does not fit the read buffer of {0} bytes")]
    TooLarge(usize),
}

/// One frame of the server, borrowed from the read buffer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// The opcode, one of the constants above or an unknown one.
    pub(crate) opcode: u8,
    /// The payload; servers do not mask.
    pub(crate) payload: &'a [u8],
    /// Bytes of header and payload together.
    pub(crate) len: usize,
}

/// Parses the frame at the start of `buf`; `None` while it is incomplete.
///
/// # Errors
/// [`FrameError::Illegal`] for frames that a server must not send.
#[inline]
pub(crate) fn next(buf: &[u8]) -> Result<Option<Frame<'_>>, FrameError> {
    let [first, second, rest @ ..] = buf else {
        return Ok(None);
    };
    if first & 0x70 != 0 || second & 0x80 != 0 {
        return Err(FrameError::Illegal(*first, *second));
    }
    let (header, size) = match second {
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
    let len = size.saturating_add(header);
    Ok(buf.get(header..len).map(|payload| Frame { opcode: first & 0x0f, payload, len }))
}

/// The kind of a text frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A chat message, counted as a delivery.
    Chat,
    /// A frame of presence such as `nb_users`.
    Presence,
    /// A notice that a message was refused.
    Refusal,
}

/// Returns the kind by the prefix, see the module's documentation.
#[inline]
pub(crate) fn kind(payload: &[u8]) -> Kind {
    match payload.strip_prefix(br#"{"author":""#) {
        Some(rest) if rest.starts_with(br#"internal""#) => Kind::Presence,
        Some(rest) if rest.starts_with(br#"moderation""#) => Kind::Refusal,
        _ => Kind::Chat,
    }
}

/// Returns the sequence number that [`ChatFrame::numbered`] wrote, for any order of keys.
pub(crate) fn sequence(payload: &[u8]) -> Option<usize> {
    let key = &HEAD[1..];
    let at = if payload.starts_with(HEAD) { 1 } else { payload.windows(key.len()).position(|window| window == key)? };
    let digits = payload.get(at + key.len()..at + key.len() + DIGITS)?;
    digits.iter().try_fold(0, |value, digit| digit.is_ascii_digit().then(|| value * 10 + usize::from(digit - b'0')))
}

/// Returns the user count of a frame of presence, if it has one.
#[inline]
pub(crate) fn users(payload: &[u8]) -> Option<u32> {
    let digits = payload.strip_prefix(USERS)?.strip_suffix(b"}")?;
    digits.iter().try_fold(0_u32, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| u32::from(digit - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// Returns the author of the sender with this number. Only the last three digits count.
fn author(sender: usize) -> String {
    format!("sender{:03}", sender % 1_000)
}

/// A masked chat message. Only its number and words are patched before each send.
#[derive(Debug)]
pub(crate) struct ChatFrame {
    bytes: Vec<u8>,
    /// Where the payload starts in `bytes`.
    payload_at: usize,
    /// Bytes of its words.
    filler: usize,
}

impl ChatFrame {
    /// The shortest payload with a numbered message.
    pub(crate) const MIN_SIZE: usize = HEAD.len() + DIGITS + TAIL.len();
    /// The longest payload. The relay may have a lower limit.
    pub(crate) const MAX_SIZE: usize = 32_768;

    /// A frame of `sender` with a payload of exactly `size` bytes, between [`Self::MIN_SIZE`] and
    /// [`Self::MAX_SIZE`].
    pub(crate) fn new(size: usize, sender: usize) -> Self {
        let filler = size.clamp(Self::MIN_SIZE, Self::MAX_SIZE) - Self::MIN_SIZE;
        let digits = [b'0'; DIGITS];
        let text = digits.into_iter().chain(std::iter::repeat_n(b' ', filler));
        let tail = TAIL.replace(&author(0), &author(sender));
        let payload: Vec<u8> = HEAD.iter().copied().chain(text).chain(tail.bytes()).collect();
        let bytes = masked(TEXT, &payload);
        Self { payload_at: bytes.len() - payload.len(), bytes, filler }
    }

    /// Returns the bytes of message number `sequence`. Only the last eight digits count.
    pub(crate) fn numbered(&mut self, sequence: usize) -> &[u8] {
        let mut left = sequence;
        for at in (HEAD.len()..HEAD.len() + DIGITS).rev() {
            self.bytes[self.payload_at + at] = (b'0' + (left % 10) as u8) ^ MASK[at % 4];
            left /= 10;
        }
        let start = HEAD.len() + DIGITS;
        let mut random = sequence as u64;
        for (at, byte) in (start..start + self.filler).zip(words(&mut random)) {
            self.bytes[self.payload_at + at] = byte ^ MASK[at % 4];
        }
        &self.bytes
    }
}

/// Returns an endless sequence of words. The same seed gives the same words.
fn words(random: &mut u64) -> impl Iterator<Item = u8> {
    std::iter::repeat_with(|| {
        // SplitMix64.
        *random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (*random ^ (*random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        *WORDS[(mixed >> 58) as usize]
    })
    .flatten()
}

/// Returns a complete client frame: header, masking key, masked payload.
pub(crate) fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
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
mod tests;

//! The generations of the protocol: their paths, their chat messages, and the frames that they receive.
//!
//! Frames are told apart by their first and last bytes, because parsing JSON a million times a second would measure the
//! parser.

use crate::frames::Text;

/// Digits of the number at the start of each numbered text.
pub(crate) const DIGITS: usize = 8;
/// The ID of a v3 message. Its last [`DIGITS`] digits are the message's number, since an ID is used once in a room.
pub(crate) const ID: &str = "00000000-0000-4000-8000-000000000000";

/// The start of a v1 message, before its text.
pub(crate) const V1_HEAD: &str = r#"{"message":""#;
/// The start of every frame of v2 and v3.
const TYPED: &[u8] = br#"{"type":""#;
/// The last member of every frame of v3 from the relay. Ten digits and a brace follow.
const TIMESTAMP: &[u8] = br#""timestamp":"#;
const STAMP_LEN: usize = TIMESTAMP.len() + 11;

/// A generation of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Generation {
    /// Messages without a `type`.
    V1,
    /// Frames with a `type`.
    V2,
    /// As v2, with an `id` and a `timestamp`, on a path of its own.
    V3,
}

/// The generations of the members of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Generations {
    /// All are the same.
    All(Generation),
    /// A third each are v1, v2 and v3.
    Mixed,
}

/// The kind of a text frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A message of a member, counted as a delivery.
    Message,
    /// A frame of presence such as `nb_users`.
    Presence,
    /// A notice that a message was refused.
    Refusal,
    /// A frame of another generation.
    Foreign,
}

impl Generation {
    /// All generations, the oldest first.
    pub(crate) const ALL: [Self; 3] = [Self::V1, Self::V2, Self::V3];

    /// The name in tables.
    fn title(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
            Self::V3 => "v3",
        }
    }

    /// The path of a room's WebSocket.
    pub(crate) fn path(self, room: &str) -> String {
        match self {
            Self::V1 | Self::V2 => format!("/room/{room}/ws"),
            Self::V3 => format!("/channel/{room}/ws"),
        }
    }

    /// The text that a client sends as soon as it is connected. v1 and v2 share a path, so the first frame of v2 tells
    /// the relay the generation. This one has no other effect.
    pub(crate) fn first_text(self) -> Option<&'static [u8]> {
        match self {
            Self::V1 | Self::V3 => None,
            Self::V2 => Some(br#"{"type":"exiter","exiter":"nobody"}"#),
        }
    }

    /// The JSON of a chat message before and after its text.
    pub(crate) fn around_text(self, author: &str) -> (String, String) {
        match self {
            Self::V1 => (V1_HEAD.to_owned(), format!(r#"","author":"{author}","avatar":null}}"#)),
            Self::V2 => (format!(r#"{{"type":"text","author":"{author}","avatar":null,"text":""#), r#""}"#.to_owned()),
            Self::V3 => (
                format!(
                    r#"{{"type":"text","id":"{ID}","timestamp":1796029248,"author":"{author}","avatar":null,"text":""#
                ),
                r#""}"#.to_owned(),
            ),
        }
    }

    /// Returns the kind of a text.
    #[inline]
    pub(crate) fn kind(self, text: Text<'_>) -> Kind {
        if self != Self::V1 {
            return self.typed_kind(text);
        }
        match text.head.strip_prefix(br#"{"author":""#) {
            Some(rest) if rest.starts_with(br#"internal""#) => Kind::Presence,
            Some(rest) if rest.starts_with(br#"moderation""#) => Kind::Refusal,
            None if text.head.starts_with(TYPED) => Kind::Foreign,
            _ => Kind::Message,
        }
    }

    fn typed_kind(self, text: Text<'_>) -> Kind {
        let Some(rest) = text.head.strip_prefix(TYPED) else { return Kind::Foreign };
        if text.is_whole() && is_stamped(text.head) != (self == Self::V3) {
            return Kind::Foreign;
        }
        let is = |kinds: &[&[u8]]| kinds.iter().any(|kind| rest.starts_with(kind));
        if is(&[br#"nb_users""#, br#"newcomer""#, br#"exiter""#]) {
            Kind::Presence
        } else if is(&[br#"uncompliant""#]) {
            Kind::Refusal
        } else {
            Kind::Message
        }
    }

    /// Returns the number that [`ChatFrame::numbered`](crate::chat::ChatFrame::numbered) wrote, for any order of keys.
    pub(crate) fn sequence(self, payload: &[u8]) -> Option<usize> {
        let (key, usual): (&[u8], usize) = match self {
            Self::V1 => (br#""message":""#, 1),
            Self::V2 | Self::V3 => (br#""text":""#, br#"{"type":"text","author":"sender000","avatar":null,"#.len()),
        };
        let at = if payload.get(usual..).is_some_and(|rest| rest.starts_with(key)) {
            usual
        } else {
            payload.windows(key.len()).position(|window| window == key)?
        };
        let digits = payload.get(at + key.len()..at + key.len() + DIGITS)?;
        digits.iter().try_fold(0, |value, digit| digit.is_ascii_digit().then(|| value * 10 + usize::from(digit - b'0')))
    }

    /// Returns the user count of a frame of presence, if it has one.
    #[inline]
    pub(crate) fn users(self, payload: &[u8]) -> Option<u32> {
        let start: &[u8] = match self {
            Self::V1 => br#"{"author":"internal","nb_users":"#,
            Self::V2 | Self::V3 => br#"{"type":"nb_users","nb_users":"#,
        };
        let rest = payload.strip_prefix(start)?;
        let (digits, end) = rest.split_at(rest.iter().position(|byte| !byte.is_ascii_digit())?);
        let is_whole = match self {
            Self::V1 | Self::V2 => end == b"}",
            Self::V3 => end.starts_with(br#","id":"#),
        };
        if digits.is_empty() || !is_whole {
            return None;
        }
        digits.iter().try_fold(0_u32, |value, digit| value.checked_mul(10)?.checked_add(u32::from(digit - b'0')))
    }
}

impl Generations {
    /// The name in tables.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::All(generation) => generation.title(),
            Self::Mixed => "v1, v2, v3",
        }
    }
}

/// Whether a frame ends with a timestamp.
fn is_stamped(payload: &[u8]) -> bool {
    payload.len().checked_sub(STAMP_LEN).is_some_and(|at| payload[at..].starts_with(TIMESTAMP))
}

#[cfg(test)]
#[path = "generation_tests.rs"]
mod tests;

//! The form of a case.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::raw::{CLOSE, PONG, Received, masked};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    pub(super) case: Vec<Case>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// The claim.
    pub(super) name: String,
    /// A single text frame to send; an alternative to `send`.
    pub(super) text: Option<String>,
    /// The frames to send.
    #[serde(default)]
    pub(super) send: Vec<Step>,
    /// The frames expected, in order; none if absent.
    #[serde(default)]
    pub(super) expect: Vec<Expected>,
    /// The nickname of the client at the end.
    pub(super) registers: Option<String>,
    /// Whether the client then disconnects without a close frame.
    #[serde(default)]
    pub(super) leaves: bool,
}

/// A frame, or raw bytes. The payload of a frame is `text` or `hex`, then `repeat` repeated `times`, then `then`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Step {
    /// Raw bytes in hex, repeated `times`; the other fields are then ignored.
    pub(super) raw: Option<String>,
    pub(super) opcode: u8,
    pub(super) fin: bool,
    pub(super) rsv: u8,
    pub(super) masked: bool,
    pub(super) text: String,
    pub(super) hex: String,
    pub(super) repeat: String,
    pub(super) times: usize,
    pub(super) then: String,
    /// Number of times to send the frame.
    pub(super) copies: usize,
    /// Whether to send each byte in a separate packet.
    pub(super) bytewise: bool,
}

impl Default for Step {
    fn default() -> Self {
        Self {
            raw: None,
            opcode: 1,
            fin: true,
            rsv: 0,
            masked: true,
            text: String::new(),
            hex: String::new(),
            repeat: String::new(),
            times: 1,
            then: String::new(),
            copies: 1,
            bytewise: false,
        }
    }
}

/// An expected frame and its recipients.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Expected {
    /// A frame for the whole room.
    Room(Text),
    /// A frame for the sender only.
    Sender(Text),
    /// A frame for the bystander only.
    Bystander(Text),
    /// The notice of a refusal, in the configured form.
    Refused(String),
    /// The notice of an unknown frame, if configured.
    Uncompliant(String),
    /// A pong with this payload.
    Pong(Step),
    /// A close frame initiated by the relay, with this code.
    Close(u16),
    /// The response to the client's close frame, its payload in hex.
    Echo(String),
}

/// JSON, written out or assembled like a payload.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Text {
    Whole(String),
    Parts(Box<Step>),
}

/// A frame that the sender gets.
#[derive(Clone, Debug)]
pub(super) enum ExpectedFrame {
    /// A text frame with this JSON.
    Json(Value),
    /// Exactly this frame.
    Exactly(Received),
    /// A close frame with this code.
    Close(u16),
}

/// `V1_NOTICES`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notices {
    Visible,
    Internal,
    Off,
}

pub(super) fn unhex(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        hex.chars().filter(|c| !c.is_whitespace()).map(|c| u8::try_from(c.to_digit(16).unwrap()).unwrap()).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

impl Step {
    pub(super) fn payload(&self) -> Vec<u8> {
        let mut payload = self.text.clone().into_bytes();
        payload.extend(unhex(&self.hex));
        payload.extend(self.repeat.repeat(self.times).bytes());
        payload.extend(self.then.bytes());
        payload
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        if let Some(raw) = &self.raw {
            return unhex(raw).repeat(self.times);
        }
        let first = u8::from(self.fin) << 7 | self.rsv << 4 | self.opcode;
        let payload = self.payload();
        let frame = if self.masked {
            masked(first, &payload)
        } else {
            [&[first, u8::try_from(payload.len()).unwrap()], &payload[..]].concat()
        };
        frame.repeat(self.copies)
    }
}

impl Text {
    pub(super) fn json(&self) -> Value {
        match self {
            Self::Whole(text) => serde_json::from_str(text).unwrap(),
            Self::Parts(parts) => serde_json::from_slice(&parts.payload()).unwrap(),
        }
    }
}

impl Expected {
    pub(super) fn is_notice(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Uncompliant(_))
    }

    /// Whether it ends the connection.
    pub(super) fn ends(&self) -> bool {
        matches!(self, Self::Close(_) | Self::Echo(_))
    }

    pub(super) fn for_bystander(&self) -> Option<Value> {
        match self {
            Self::Room(text) | Self::Bystander(text) => Some(text.json()),
            _ => None,
        }
    }

    /// The frame that the sender gets, if any.
    pub(super) fn for_sender(&self, notices: Notices) -> Option<ExpectedFrame> {
        match (self, notices) {
            (Self::Room(text) | Self::Sender(text), _) => Some(ExpectedFrame::Json(text.json())),
            (Self::Refused(reason), Notices::Visible) => Some(ExpectedFrame::Json(json!({
                "message": format!("Refused: {reason}"), "author": "moderation", "avatar": "mIconWarning.svg",
            }))),
            (Self::Refused(reason) | Self::Uncompliant(reason), Notices::Internal) => {
                Some(ExpectedFrame::Json(json!({"author": "internal", "uncompliant": reason})))
            }
            (Self::Bystander(_), _)
            | (Self::Uncompliant(_), Notices::Visible)
            | (Self::Refused(_) | Self::Uncompliant(_), Notices::Off) => None,
            (Self::Pong(payload), _) => Some(ExpectedFrame::Exactly(Received::Frame(PONG, payload.payload()))),
            (Self::Close(code), _) => Some(ExpectedFrame::Close(*code)),
            (Self::Echo(payload), _) => Some(ExpectedFrame::Exactly(Received::Frame(CLOSE, unhex(payload)))),
        }
    }
}

impl ExpectedFrame {
    pub(super) fn is(&self, seen: &Received) -> bool {
        match self {
            Self::Json(json) => seen.json().as_ref() == Some(json),
            Self::Exactly(wanted) => seen == wanted,
            Self::Close(code) => seen.is_close(*code),
        }
    }
}

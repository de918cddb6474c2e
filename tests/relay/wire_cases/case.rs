//! The form of a case.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::raw::{CLOSE, PONG, Seen, masked};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    pub(super) case: Vec<Case>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// What is claimed.
    pub(super) name: String,
    /// The one text frame that is sent, or else
    pub(super) text: Option<String>,
    /// all that is sent.
    #[serde(default)]
    pub(super) send: Vec<Step>,
    /// What is heard then, in this order; nothing when it is not there.
    #[serde(default)]
    pub(super) expect: Vec<Expected>,
    /// The nickname that the client has in the end.
    pub(super) registers: Option<String>,
    /// Whether the client vanishes then without a word.
    #[serde(default)]
    pub(super) leaves: bool,
}

/// A frame, or bytes as they are. Its payload is `text` or `hex`, then `repeat` so many `times`, then `then`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Step {
    /// Bytes to send as they are, in hex, so many `times`; what follows is not looked at then.
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
    /// How often the whole frame is sent.
    pub(super) copies: usize,
    /// Whether each byte goes into a packet of its own.
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

/// What is heard, and by whom.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Expected {
    /// A frame that everybody gets.
    Room(Text),
    /// A frame that only the sender gets.
    Sender(Text),
    /// A frame that only the bystander gets.
    Bystander(Text),
    /// The notice that a message was refused, in the form that the setting asks for.
    Refused(String),
    /// The notice that the frame was none of the protocol's, where the setting asks for it.
    Uncompliant(String),
    /// A pong with this payload.
    Pong(Step),
    /// A close frame of the relay's own with this code.
    Close(u16),
    /// A close frame that answers the client's, its payload in hex.
    Echo(String),
}

/// JSON, written out or put together like a payload.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Text {
    Whole(String),
    Parts(Box<Step>),
}

/// What the sender gets.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    /// A text frame with this JSON.
    Json(Value),
    /// This very frame.
    Exactly(Seen),
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

    /// What the sender gets; `None` stands for nothing at all.
    pub(super) fn for_sender(&self, notices: Notices) -> Option<Wanted> {
        match (self, notices) {
            (Self::Room(text) | Self::Sender(text), _) => Some(Wanted::Json(text.json())),
            (Self::Refused(reason), Notices::Visible) => Some(Wanted::Json(json!({
                "message": format!("Refused: {reason}"), "author": "moderation", "avatar": "mIconWarning.svg",
            }))),
            (Self::Refused(reason) | Self::Uncompliant(reason), Notices::Internal) => {
                Some(Wanted::Json(json!({"author": "internal", "uncompliant": reason})))
            }
            (Self::Bystander(_), _)
            | (Self::Uncompliant(_), Notices::Visible)
            | (Self::Refused(_) | Self::Uncompliant(_), Notices::Off) => None,
            (Self::Pong(payload), _) => Some(Wanted::Exactly(Seen::Frame(PONG, payload.payload()))),
            (Self::Close(code), _) => Some(Wanted::Close(*code)),
            (Self::Echo(payload), _) => Some(Wanted::Exactly(Seen::Frame(CLOSE, unhex(payload)))),
        }
    }
}

impl Wanted {
    pub(super) fn is(&self, seen: &Seen) -> bool {
        match self {
            Self::Json(json) => seen.json().as_ref() == Some(json),
            Self::Exactly(wanted) => seen == wanted,
            Self::Close(code) => seen.is_close(*code),
        }
    }
}

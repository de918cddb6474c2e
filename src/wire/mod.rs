//! Wire formats: WebSocket frames ([`frame`]) and the generations of the protocol, one file each.
//!
//! An event is encoded once per generation in the room, not once per member. To add a generation, add a file next to
//! [`v1`] and a variant of [`Generation`]; the compiler finds the encoders, but not the call by which clients join.

pub mod frame;
pub mod v1;

use bytes::{Bytes, BytesMut};

use crate::model::{Message, Notice, RoomEvent};
use crate::names::named;
use crate::settings::{Section, Setting};

/// A generation of the protocol, named after the major version of the backend that introduced it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Generation {
    /// 2024: chat lines, newcomers, exiters, number of users.
    V1,
}

impl Generation {
    /// All generations.
    pub const ALL: [Self; Self::COUNT] = [Self::V1];
    /// Number of generations. The newest one is named here, so that tables by generation have a place for it.
    pub const COUNT: usize = Self::V1 as usize + 1;

    /// Index in [`Generation::ALL`], for tables by generation.
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }
}

named! {
    /// How a v1 client is notified about its refused messages; v1 has no frame for that.
    pub enum V1Notices {
        /// A chat line from the reserved author `moderation`, which every client shows.
        Visible = "visible",
        /// A frame of the author `internal`, which old clients ignore.
        Internal = "internal",
        /// No notice, as in the first backend.
        Off = "off",
    }
}

/// Settings of the wire formats.
#[derive(Clone, Debug)]
pub struct Config {
    /// How a v1 client is notified about its refused messages.
    pub v1_notices: V1Notices,
}

impl Config {
    /// Declares and reads the settings of the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        Self {
            v1_notices: section.read(
                Setting::new("v1_notices", V1Notices::Visible)
                    .doc(
                        "How a v1 client is told that its message was refused: as a chat message, as an internal \
                          frame, or not at all.",
                    )
                    .env(&["V1_NOTICES"]),
            ),
        }
    }
}

/// Appends an event to `buffer`, as a frame for clients of `generation`.
pub fn append_event(generation: Generation, event: RoomEvent<'_>, buffer: &mut BytesMut) {
    match generation {
        Generation::V1 => frame::append_text(&v1::encode(event), buffer),
    }
}

/// Decodes the text of a message from a client of `generation`.
///
/// # Errors
/// The [`Notice`] for the sender when the frame is not a valid message of the protocol.
pub fn decode_message(generation: Generation, text: &str) -> Result<Message, Notice> {
    match generation {
        Generation::V1 => v1::decode(text),
    }
}

/// Encodes a notice to a sender; `None` when the generation and the settings provide no frame for it.
#[must_use]
pub fn encode_notice(generation: Generation, notice: &Notice, config: &Config) -> Option<Bytes> {
    match generation {
        Generation::V1 => v1::encode_notice(notice, config.v1_notices).map(|json| frame::text(&json)),
    }
}

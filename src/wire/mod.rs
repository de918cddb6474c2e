//! Wire formats: WebSocket frames ([`frame`]) and the generations of the protocol: [`v1`], and [`typed`] for v2 and v3.
//!
//! An event is encoded once per generation in the room, not once per member. The compiler asks a new variant of
//! [`Generation`] for its encoders, but not for the call by which clients join.

mod detect;
mod fallback;
mod field;
pub mod frame;
pub mod typed;
pub mod v1;

use bytes::{Bytes, BytesMut};
use uuid::Uuid;

pub use self::detect::is_typed;
pub use self::fallback::fallback_text;
use crate::model::{Message, Notice, RoomEvent};
use crate::names::named;
use crate::settings::{Section, Setting};

/// A generation of the protocol, named after the major version of the backend that introduced it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Generation {
    /// 2024: chat lines, newcomers, exiters, number of users.
    V1,
    /// Late 2024: frames with a `type`, images and geodata.
    V2,
    /// Since 2025: channels, and frames with `id` and `timestamp`.
    V3,
    /// v3 with the additions of this relay, for clients that ask for them by the subprotocol
    /// [`Generation::SUBPROTOCOL`].
    Relay,
}

impl Generation {
    /// All generations.
    pub const ALL: [Self; Self::COUNT] = [Self::V1, Self::V2, Self::V3, Self::Relay];
    /// Number of generations. The newest one is named here, so that tables by generation have a place for it.
    pub const COUNT: usize = Self::Relay as usize + 1;
    /// The WebSocket subprotocol by which a client asks for [`Generation::Relay`].
    pub const SUBPROTOCOL: &'static str = "gischat.relay.v1";

    /// Index in [`Generation::ALL`], for tables by generation.
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }

    /// Whether it calls a room a channel.
    #[must_use]
    pub fn has_channels(self) -> bool {
        matches!(self, Self::V3 | Self::Relay)
    }

    /// Whether everyone in the room receives a like. In other generations, only the author of the liked message does.
    #[must_use]
    pub fn broadcasts_likes(self) -> bool {
        self.has_channels()
    }
}

named! {
    /// The generation of clients that connect to `/room/{room}/ws`, which v1 and v2 share.
    pub enum RoomGeneration {
        /// The first frame of the client decides.
        Auto = "auto",
        /// All are v1.
        V1 = "v1",
        /// All are v2.
        V2 = "v2",
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
    /// The generation of clients that connect to `/room/{room}/ws`.
    pub room_generation: RoomGeneration,
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
            room_generation: section.read(
                Setting::new("room_generation", RoomGeneration::Auto)
                    .doc(
                        "The generation of clients that connect to /room/{room}/ws: v1, v2, or auto, by their first \
                          message. Clients on /channel/{channel}/ws are always v3.",
                    )
                    .env(&["ROOM_GENERATION"]),
            ),
        }
    }
}

/// Appends an event to `buffer`, as a frame for clients of `generation`; nothing if the generation has no frame for it.
pub fn append_event(generation: Generation, event: RoomEvent<'_>, buffer: &mut BytesMut) {
    let encoded = match generation {
        Generation::V1 => v1::encode(event),
        Generation::V2 | Generation::V3 | Generation::Relay => typed::encode(generation, event),
    };
    if let Some(json) = encoded {
        frame::append_text(&json, buffer);
    }
}

/// Encodes a message as broadcast JSON.
#[must_use]
pub fn encode_message(generation: Generation, message: &Message) -> Vec<u8> {
    match generation {
        Generation::V1 => v1::encode_message(message),
        Generation::V2 | Generation::V3 | Generation::Relay => typed::encode_message(generation, message),
    }
}

/// Decodes the text of a message from a client of `generation`; `None` for a frame that is ignored in silence.
///
/// # Errors
/// The [`Notice`] for the sender when the frame is not a valid message of the protocol.
pub fn decode_message(generation: Generation, text: &str) -> Result<Option<Message>, Notice> {
    match generation {
        Generation::V1 => v1::decode(text).map(Some),
        Generation::V2 | Generation::V3 | Generation::Relay => typed::decode(generation, text),
    }
}

/// Encodes a notice to a sender about its message `message_id`; `None` when the generation and the settings provide no
/// frame for it.
#[must_use]
pub fn encode_notice(
    generation: Generation,
    notice: &Notice,
    message_id: Option<Uuid>,
    config: &Config,
) -> Option<Bytes> {
    let encoded = match generation {
        Generation::V1 => v1::encode_notice(notice, config.v1_notices)?,
        Generation::V2 | Generation::V3 | Generation::Relay => typed::encode_notice(generation, notice, message_id),
    };
    Some(frame::text(&encoded))
}

//! Bytes to model and back: WebSocket frames ([`frame`]) and the generations of the protocol, one file each.
//!
//! An event is encoded once for each generation that is present, never once for each member. To add a generation: a
//! file beside [`v1`], a variant of [`Generation`], and the compiler names the places that must know it.

pub mod frame;
pub mod v1;

use bytes::{Bytes, BytesMut};

use crate::model::{Event, Message, Notice};
use crate::settings::{Choice, Section, Setting};

/// A generation of the protocol, named after the major version of the backend that introduced it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Generation {
    /// 2024: chat lines, newcomers, exiters, number of users.
    V1,
}

impl Generation {
    /// All of them.
    pub const ALL: [Self; Self::COUNT] = [Self::V1];
    /// How many there are.
    pub const COUNT: usize = 1;

    /// Its place in [`Generation::ALL`], for tables by generation.
    #[must_use]
    pub fn index(self) -> usize {
        match self {
            Self::V1 => 0,
        }
    }
}

/// What a v1 client is told of its own refused messages; v1 itself has no frame for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum V1Notices {
    /// An ordinary chat line from the reserved author `moderation`, which every client shows.
    Visible,
    /// A frame of the author `internal`, which old clients ignore.
    Internal,
    /// Nothing, as the first backend did.
    Off,
}

impl Choice for V1Notices {
    const NAMES: &'static [(&'static str, Self)] =
        &[("visible", Self::Visible), ("internal", Self::Internal), ("off", Self::Off)];
}

/// Settings of the wire.
#[derive(Clone, Debug)]
pub struct Config {
    /// What a v1 client is told of its own refused messages.
    pub v1_notices: V1Notices,
}

impl Config {
    /// Reads the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        Self {
            v1_notices: section.read(
                Setting::new("v1_notices", V1Notices::Visible)
                    .doc("How a v1 client learns that its message was refused: a chat line, an internal frame, not at all.")
                    .env(&["V1_NOTICES"]),
            ),
        }
    }
}

/// Adds an event to `buffer`, as the frame that clients of `generation` get.
pub fn append(generation: Generation, event: Event<'_>, buffer: &mut BytesMut) {
    match generation {
        Generation::V1 => frame::append_text(&v1::encode(event), buffer),
    }
}

/// Reads a frame of a client of `generation`.
///
/// # Errors
/// The [`Notice`] for the sender when the frame is no message of the protocol.
pub fn decode(generation: Generation, text: &str) -> Result<Message, Notice> {
    match generation {
        Generation::V1 => v1::decode(text),
    }
}

/// The frame that tells the sender alone, or `None` when its generation and the settings have none for that.
#[must_use]
pub fn notice(generation: Generation, notice: &Notice, config: &Config) -> Option<Bytes> {
    match generation {
        Generation::V1 => v1::encode_notice(notice, config.v1_notices).map(|json| frame::text(&json)),
    }
}

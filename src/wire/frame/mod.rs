//! WebSocket frames (RFC 6455), without I/O: a [`Decoder`] for client frames, and encoders for server frames, which are
//! not masked and so identical for all receivers.
//!
//! Rejects extensions and binary messages, which the protocol does not use, and messages over the limit.

mod decoder;
mod encode;
mod message;

pub use decoder::{Decoder, Incoming, Violation};
pub use encode::{append_text, close, close_echo, end_of_frame, ping, pong, text};
pub use message::LongText;

/// Maximum payload of a control frame, in bytes (RFC 6455, 5.5).
const MAX_CONTROL_PAYLOAD: usize = 125;

/// The close codes that the relay sends (RFC 6455, 7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseCode {
    /// 1000: normal closure.
    Normal,
    /// 1001: the relay is shutting down, or the room was removed.
    GoingAway,
    /// 1002: a violation of RFC 6455.
    Protocol,
    /// 1003: a binary message.
    Unsupported,
    /// 1007: text that is not UTF-8.
    InvalidUtf8,
    /// 1008: kicked, banned, nickname reclaimed, or a message took too long to arrive.
    Policy,
    /// 1009: a message over the limit.
    TooBig,
    /// 1011: an internal error.
    Internal,
    /// 1013: the client reads too slowly, or there is no memory for its message.
    TryAgainLater,
}

impl CloseCode {
    /// Returns the code on the wire.
    #[must_use]
    pub fn as_u16(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::GoingAway => 1001,
            Self::Protocol => 1002,
            Self::Unsupported => 1003,
            Self::InvalidUtf8 => 1007,
            Self::Policy => 1008,
            Self::TooBig => 1009,
            Self::Internal => 1011,
            Self::TryAgainLater => 1013,
        }
    }
}

#[cfg(test)]
mod tests;

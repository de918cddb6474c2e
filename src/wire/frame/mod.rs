//! WebSocket frames as RFC 6455 has them, without any I/O: a [`Decoder`] that is fed with what arrives, and the frames
//! that a server sends, which are not masked and so the same for every receiver.
//!
//! Refuses what a client of this protocol has no use for: extensions, binary messages, messages over the limit.

mod build;
mod decoder;

pub use build::{append_text, close, close_echo, end_of_frame, ping, pong, text};
pub use decoder::{Decoder, Incoming, Violation};

/// Most bytes of a control frame's payload (RFC 6455, 5.5).
const MAX_CONTROL: usize = 125;

/// Status codes of a close frame (RFC 6455, 7.4) that the relay sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseCode {
    /// 1000: done.
    Normal,
    /// 1001: the relay is shutting down.
    GoingAway,
    /// 1002: not RFC 6455.
    Protocol,
    /// 1003: a binary message.
    Unsupported,
    /// 1007: a text that is not UTF-8.
    InvalidUtf8,
    /// 1008: kicked, banned, or too long over one message.
    Policy,
    /// 1009: a message over the limit.
    TooBig,
    /// 1011: a fault of the relay.
    Internal,
    /// 1013: the client reads too slowly, or the relay has no room for its message now.
    TryAgainLater,
}

impl CloseCode {
    /// The number on the wire.
    #[must_use]
    pub fn number(self) -> u16 {
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

//! Closing connections, one by one or all together.

use std::time::Instant;

use bytes::Bytes;

use super::Shard;
use crate::model::{ConnectionId, MissingReason};
use crate::wire::frame::{self, CloseCode, Violation};

/// Why a connection closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::live) enum CloseReason {
    /// The client has disconnected.
    Disconnected,
    /// No pong arrived in time.
    PongTimeout,
    /// The client sent a close frame.
    ByClient(Option<u16>),
    /// The client violated the WebSocket protocol.
    Protocol(Violation),
    /// A message took too long to arrive.
    MessageTimeout,
    /// The limit of memory for incomplete messages is reached.
    PartialMessagesLimit,
    /// The client reads too slowly.
    SlowReader,
    /// The relay closes the connection.
    ByRelay(CloseCode, &'static str),
}

impl CloseReason {
    /// An error of the relay, which is logged where it occurs.
    pub(super) const INTERNAL: Self = Self::ByRelay(CloseCode::Internal, "internal error");

    /// The code and reason of the relay's close frame, unless the client closes or is gone.
    pub(super) fn code_and_text(self) -> Option<(CloseCode, String)> {
        match self {
            Self::Disconnected | Self::PongTimeout | Self::ByClient(_) => None,
            Self::Protocol(violation) => Some((violation.close_code(), violation.to_string())),
            Self::MessageTimeout => Some((CloseCode::Policy, "a message took too long to arrive".to_owned())),
            Self::PartialMessagesLimit => Some((CloseCode::TryAgainLater, "too many incomplete messages".to_owned())),
            Self::SlowReader => Some((CloseCode::TryAgainLater, "too slow".to_owned())),
            Self::ByRelay(code, reason) => Some((code, reason.to_owned())),
        }
    }

    /// Returns the close frame; `None` when the client is gone.
    pub(super) fn close_frame(self) -> Option<Bytes> {
        match self {
            Self::ByClient(code) => Some(frame::close_echo(code)),
            other => other.code_and_text().map(|(code, reason)| frame::close(code, &reason)),
        }
    }
}

/// A contradiction in the state of a shard, which is a bug. It is logged once, and the connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum ShardError {
    /// The room of a connection that is not closing does not exist.
    #[error("the room of an open connection does not exist")]
    NoRoom,
    /// A connection that is not closing is not a member of its room.
    #[error("an open connection is not a member of its room")]
    NotMember,
    /// A member of a room has no connection, or one that is closing.
    #[error("a member of a room has no open connection")]
    NotConnected,
    /// A result arrived for a connection that does not wait for one.
    #[error("a result arrived for a connection that does not wait for one")]
    NotWaiting,
    /// See [`MissingReason`].
    #[error(transparent)]
    MissingReason(#[from] MissingReason),
}

impl ShardError {
    /// Logs the error.
    pub(super) fn log(self, id: ConnectionId) {
        tracing::error!(connection = id.0, error = %self, "internal error");
    }
}

impl Shard {
    /// Closes a connection: it leaves its room immediately, and has a limited time to receive a close frame. One that
    /// is closing already is dropped.
    pub(super) fn close_connection(&mut self, id: ConnectionId, reason: CloseReason, now: Instant) {
        self.leave_and_close(id, reason, now);
        self.resolve_claims_of(id, now);
    }

    /// As [`Shard::close_connection`]. The claims on and by the connection are left to the caller.
    pub(super) fn leave_and_close(&mut self, id: ConnectionId, reason: CloseReason, now: Instant) {
        let Some(connection) = self.connections.get(id) else { return };
        if connection.is_closing() {
            return self.connections.remove(id);
        }
        if !connection.is_member() {
            return self.begin_close(id, reason, Vec::new(), now);
        }
        match self.rooms.leave(connection.room, id) {
            Some(unsent) => self.begin_close(id, reason, unsent, now),
            None => self.fail_connection(id, ShardError::NotMember, now),
        }
    }

    /// Closes a connection after an internal error, which is logged.
    pub(super) fn fail_connection(&mut self, id: ConnectionId, error: ShardError, now: Instant) {
        error.log(id);
        let Some(connection) = self.connections.get(id).filter(|connection| !connection.is_closing()) else { return };
        // The error may be that it is in no room.
        let unsent = self.rooms.leave(connection.room, id).unwrap_or_default();
        self.begin_close(id, CloseReason::INTERNAL, unsent, now);
        self.resolve_claims_of(id, now);
    }

    /// Closes a connection that has left its room, or has not joined it. It still receives the `unsent` output.
    pub(super) fn begin_close(&mut self, id: ConnectionId, reason: CloseReason, unsent: Vec<Bytes>, now: Instant) {
        let Some(connection) = self.connections.get(id).filter(|connection| !connection.is_closing()) else { return };
        tracing::debug!(connection = id.0, ?reason, "connection closes");
        let Some(close) = reason.close_frame() else { return self.connections.remove(id) };
        if let Some((code, text)) = reason.code_and_text() {
            let (code, address) = (code.as_u16(), connection.address);
            self.live.metrics.count_close(code);
            // Connections that the relay itself closes are not logged one by one.
            if !matches!(reason, CloseReason::ByRelay(..)) {
                tracing::info!(code, reason = text, %address, "closing connection");
            }
        }
        match connection.begin_close(reason, unsent, close, &self.live.config, now) {
            Ok(deadline) => {
                self.schedule_check(id, deadline, now);
                self.queue_write(id);
                // Read what is left: closing a socket with unread data resets it.
                self.queue_read(id);
            }
            Err(_) => self.connections.remove(id),
        }
    }

    /// Closes all connections at shutdown: pending output is delivered, then everyone leaves without presence events.
    pub(super) fn close_all(&mut self, code: CloseCode, text: &'static str, now: Instant) {
        let reason = CloseReason::ByRelay(code, text);
        self.shutdown = Some(reason);
        self.deliver_all(now);
        self.rooms.clear_members();
        self.claims.forget(|_| true);
        let members = self.connections.not_closing(None);
        if !members.is_empty() {
            tracing::info!(connections = members.len(), code = code.as_u16(), reason = text, "closing connections");
        }
        for id in members {
            self.begin_close(id, reason, Vec::new(), now);
        }
    }
}

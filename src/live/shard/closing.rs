//! Closing connections, one by one or all together.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::{READ_BYTES, Shard, slab_key};
use crate::model::ConnectionId;
use crate::wire::frame::{self, CloseCode, Violation};

/// Why a connection closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CloseReason {
    /// The client has disconnected.
    Disconnected,
    /// No pong arrived in time.
    PongTimeout,
    /// The client sent a close frame.
    ByPeer(Option<u16>),
    /// The client violated the WebSocket protocol.
    Protocol(Violation),
    /// A message took too long to arrive.
    MessageTimeout,
    /// The memory for incomplete messages is exhausted.
    OutOfMemory,
    /// The client reads too slowly.
    SlowReader,
    /// The relay closes the connection.
    ByServer(CloseCode, &'static str),
}

impl CloseReason {
    /// The code and reason of the relay's close frame, unless the client closes or is gone.
    pub(super) fn code_and_text(self) -> Option<(CloseCode, String)> {
        match self {
            Self::Disconnected | Self::PongTimeout | Self::ByPeer(_) => None,
            Self::Protocol(violation) => Some((violation.close_code(), violation.to_string())),
            Self::MessageTimeout => Some((CloseCode::Policy, "a message took too long to arrive".to_owned())),
            Self::OutOfMemory => Some((CloseCode::TryAgainLater, "too many incomplete messages".to_owned())),
            Self::SlowReader => Some((CloseCode::TryAgainLater, "too slow".to_owned())),
            Self::ByServer(code, reason) => Some((code, reason.to_owned())),
        }
    }

    /// Returns the close frame; `None` when the client is gone.
    pub(super) fn close_frame(self) -> Option<Bytes> {
        match self {
            Self::ByPeer(code) => Some(frame::close_echo(code)),
            other => other.code_and_text().map(|(code, reason)| frame::close(code, &reason)),
        }
    }
}

impl Shard {
    /// Closes a connection: it leaves its room immediately, and has a limited time to receive a close frame.
    pub(super) fn close_connection(&mut self, id: ConnectionId, reason: CloseReason, now: Instant) {
        let live = Arc::clone(&self.live);
        let Some(connection) = self.connection(id) else { return };
        let room = connection.room;
        if connection.is_closing() {
            return self.drop_connection(id);
        }
        connection.release_partial(&live);
        connection.backlog = None;
        let due = self.leave_room(room, id);
        self.resolve_claims_of(id, now);
        tracing::debug!(connection = id.0, ?reason, "connection closes");
        let Some(close) = reason.close_frame() else { return self.drop_connection(id) };
        let Some(connection) = self.connection(id) else { return };
        if let Some((code, text)) = reason.code_and_text() {
            let (code, address) = (code.as_u16(), connection.address);
            live.metrics.count_close(code);
            // Shutdown and removal of a room are logged once for all connections.
            if !matches!(reason, CloseReason::ByServer(..)) {
                tracing::info!(code, reason = text, %address, "closing connection");
            }
        }
        let deadline = now + live.config.close_timeout;
        // Enough for one message with its frame heads, and the client's close frame.
        let drain_budget = live.config.max_frame_bytes + READ_BYTES;
        match connection.begin_close(reason, due, close, deadline, drain_budget) {
            Ok(()) => {
                self.schedule_check(id, deadline, now);
                // Unread data would reset the socket when it is closed.
                self.queue_read(id);
            }
            Err(_) => self.drop_connection(id),
        }
    }

    /// Drops a connection, which closes its socket.
    fn drop_connection(&mut self, id: ConnectionId) {
        if self.connection(id).is_some() {
            self.connections.remove(slab_key(id));
        }
    }

    /// Closes all connections at shutdown: pending output is delivered, then everyone leaves without presence events.
    pub(super) fn close_all(&mut self, code: CloseCode, reason: &'static str, now: Instant) {
        self.closing = Some((code, reason));
        self.deliver_all(now);
        for local in self.rooms.values_mut() {
            local.room.clear();
        }
        let ids: Vec<ConnectionId> = self.connections.iter().map(|(_, connection)| connection.id).collect();
        if !ids.is_empty() {
            tracing::info!(connections = ids.len(), code = code.as_u16(), reason, "closing connections");
        }
        for id in ids {
            if self.connection(id).is_some_and(|connection| !connection.is_closing()) {
                self.close_connection(id, CloseReason::ByServer(code, reason), now);
            }
        }
    }
}

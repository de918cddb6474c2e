//! How connections end: one by one, or all at once.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::{READ_BYTES, Shard, key_of};
use crate::model::SenderId;
use crate::wire::frame::{self, CloseCode, Violation};

/// Why a connection comes to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It is gone.
    Gone,
    /// No answer to a ping.
    Silent,
    /// The client closes.
    Asked(Option<u16>),
    /// The client broke the rules of the wire.
    Broke(Violation),
    /// A message took too long to arrive.
    Endless,
    /// There is no memory left for unfinished messages.
    NoMemory,
    /// The client reads too slowly.
    Slow,
    /// The relay closes.
    Told(CloseCode, &'static str),
}

impl End {
    /// What the relay's close frame says, when the relay is the one who closes.
    pub(super) fn words(self) -> Option<(CloseCode, String)> {
        match self {
            Self::Gone | Self::Silent | Self::Asked(_) => None,
            Self::Broke(violation) => Some((violation.close_code(), violation.to_string())),
            Self::Endless => Some((CloseCode::Policy, "a message took too long to arrive".to_owned())),
            Self::NoMemory => Some((CloseCode::TryAgainLater, "too many long messages at once".to_owned())),
            Self::Slow => Some((CloseCode::TryAgainLater, "too slow".to_owned())),
            Self::Told(code, reason) => Some((code, reason.to_owned())),
        }
    }

    /// The close frame; `None` when nobody is there to get it.
    pub(super) fn close_frame(self) -> Option<Bytes> {
        match self {
            Self::Asked(code) => Some(frame::close_echo(code)),
            other => other.words().map(|(code, reason)| frame::close(code, &reason)),
        }
    }
}

impl Shard {
    /// Ends a connection: its room hears of it at once, the client gets a close frame and a while to take it.
    pub(super) fn end(&mut self, id: SenderId, end: End, now: Instant) {
        let live = Arc::clone(&self.live);
        let Some(connection) = self.connection(id) else { return };
        let room = connection.room;
        if connection.is_leaving() {
            return self.forget(id);
        }
        connection.release(&live);
        connection.pending = None;
        let due = self.leave_room(room, id);
        self.settle_of(id, now);
        tracing::debug!(connection = id.0, ?end, "a connection ends");
        let Some(close) = end.close_frame() else { return self.forget(id) };
        let Some(connection) = self.connection(id) else { return };
        if let Some((code, reason)) = end.words() {
            let (code, address) = (code.number(), connection.address);
            live.metrics.count_close(code);
            // One line tells of all when the relay shuts down or a room is removed.
            if !matches!(end, End::Told(..)) {
                tracing::info!(code, reason, %address, "closing a connection");
            }
        }
        let deadline = now + live.config.close_timeout;
        // A whole message, the heads of its frames, and the client's own close frame.
        let ear = live.config.max_frame_bytes + READ_BYTES;
        match connection.leave(end, due, close, deadline, ear) {
            Ok(()) => {
                self.look_at(id, deadline, now);
                // What is unread keeps the socket from closing in peace.
                self.queue(id);
            }
            Err(_) => self.forget(id),
        }
    }

    /// Forgets a connection, which closes its socket.
    fn forget(&mut self, id: SenderId) {
        if self.connection(id).is_some() {
            self.connections.remove(key_of(id));
        }
    }

    /// Closes everything: what was said is delivered, then everyone leaves at once, without a word of presence.
    pub(super) fn close(&mut self, code: CloseCode, reason: &'static str, now: Instant) {
        self.closing = Some((code, reason));
        self.deliver_all(now);
        for local in self.rooms.values_mut() {
            local.room.empty();
        }
        let ids: Vec<SenderId> = self.connections.iter().map(|(_, connection)| connection.id).collect();
        if !ids.is_empty() {
            tracing::info!(connections = ids.len(), code = code.number(), reason, "closing connections");
        }
        for id in ids {
            if self.connection(id).is_some_and(|connection| !connection.is_leaving()) {
                self.end(id, End::Told(code, reason), now);
            }
        }
    }
}

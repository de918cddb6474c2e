//! A WebSocket connection. Takes a few hundred bytes while idle.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mio::net::TcpStream;

use super::closing::CloseReason;
use super::inbox::{ConnectionGuards, NewConnection};
use super::outbox::{Flushed, Outbox};
use super::rooms::RoomKey;
use crate::live::{Config, Live};
use crate::model::{Address, ConnectionId};
use crate::wire::Generation;
use crate::wire::frame::{self, Decoder, Incoming};

/// Size up to which an incomplete message is not accounted for, so that long messages cannot use up the memory for a
/// chat line that arrives in two packets.
const UNACCOUNTED_BYTES: usize = 4 * 1024;

/// An incomplete message or frame, or a complete one that is still accounted for.
#[derive(Debug)]
struct Partial {
    decoder: Decoder,
    /// When the current message began.
    since: Instant,
    /// The size accounted for, in bytes.
    accounted: usize,
}

/// Bytes received while an earlier message is decoded or judged elsewhere.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    pub(super) bytes: Vec<u8>,
    /// Whether the earlier message is being judged, rather than decoded.
    pub(super) awaiting_decision: bool,
}

/// The state of a closing connection.
#[derive(Debug)]
struct Closing {
    /// When the socket is reset, at the latest.
    deadline: Instant,
    /// Number of bytes still read. The client must be able to finish a message before it gets to the close frame, but
    /// must not occupy the shard indefinitely. Once the budget is used up, the socket is not read again.
    drain_budget: usize,
}

/// A WebSocket connection of a shard. There may be a hundred thousand, most of them idle, so temporary state is boxed.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent flags, not the states of one machine")]
pub(super) struct Connection {
    pub(super) id: ConnectionId,
    pub(super) room: RoomKey,
    pub(super) generation: Generation,
    pub(super) address: Address,
    pub(super) stream: TcpStream,
    partial: Option<Box<Partial>>,
    outbox: Option<Box<Outbox>>,
    /// When data was last received.
    last_received: Instant,
    /// When it was last pinged, or when it joined.
    last_pinged: Instant,
    /// Whether a pong is due.
    awaiting_pong: bool,
    /// Set while a message is decoded or judged elsewhere.
    pub(super) backlog: Option<Box<Backlog>>,
    /// Whether it is in the shard's list of connections to read.
    pub(super) queued: bool,
    /// The client has shut down its side, or the connection is broken; read it to its end.
    pub(super) hung_up: bool,
    /// When the timer wheel checks it next.
    pub(super) next_check: Instant,
    /// Whether another connection has claimed its nickname and waits for a response.
    pub(super) awaiting_reclaim: bool,
    /// Set while closing.
    closing: Option<Box<Closing>>,
    _guards: ConnectionGuards,
}

impl Connection {
    pub(super) fn new(id: ConnectionId, arrival: NewConnection, now: Instant) -> Self {
        let NewConnection { stream, generation, address, guards, room, .. } = arrival;
        Self {
            id,
            room,
            generation,
            address,
            stream,
            partial: None,
            outbox: None,
            last_received: now,
            last_pinged: now,
            awaiting_pong: false,
            backlog: None,
            queued: false,
            hung_up: false,
            next_check: now,
            awaiting_reclaim: false,
            closing: None,
            _guards: guards,
        }
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.is_some()
    }

    /// Whether reading is paused while closing: until its outbox is written, or because the drain budget is used up.
    pub(super) fn reads_paused(&self) -> bool {
        self.closing.as_ref().is_some_and(|closing| closing.drain_budget == 0 || self.has_unsent())
    }

    /// Whether the outbox holds unsent frames.
    pub(super) fn has_unsent(&self) -> bool {
        self.outbox.is_some()
    }

    /// Notes that the message judged elsewhere has been decided.
    pub(super) fn mark_decided(&mut self) {
        if let Some(backlog) = &mut self.backlog {
            backlog.awaiting_decision = false;
        }
    }

    /// Reads once. Returns 0 when no data is available.
    pub(super) fn read(&mut self, buffer: &mut [u8], now: Instant) -> Result<usize, CloseReason> {
        match self.stream.read(buffer) {
            Ok(0) => Err(CloseReason::Disconnected),
            Ok(n) => {
                self.last_received = now;
                if let Some(closing) = &mut self.closing {
                    closing.drain_budget = closing.drain_budget.saturating_sub(n);
                }
                Ok(n)
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(0),
            Err(_) => Err(CloseReason::Disconnected),
        }
    }

    /// Decodes the next message from the front of `bytes`; a message may have `limit` bytes.
    pub(super) fn decode(
        &mut self,
        bytes: &mut &[u8],
        limit: usize,
        now: Instant,
    ) -> Result<Option<Incoming>, CloseReason> {
        if let Some(partial) = &mut self.partial {
            if !partial.decoder.has_partial() {
                partial.since = now;
            }
            return partial.decoder.decode(bytes).map_err(CloseReason::Protocol);
        }
        let mut decoder = Decoder::new(limit);
        let incoming = decoder.decode(bytes).map_err(CloseReason::Protocol)?;
        if decoder.has_partial() {
            self.partial = Some(Box::new(Partial { decoder, since: now, accounted: 0 }));
        }
        Ok(incoming)
    }

    /// Returns when the current message must be complete.
    pub(super) fn message_deadline(&self, config: &Config) -> Option<Instant> {
        let partial = self.partial.as_ref().filter(|partial| partial.decoder.has_partial())?;
        Some(partial.since + config.frame_timeout)
    }

    /// Accounts for the memory of an incomplete message.
    pub(super) fn account_partial(&mut self, live: &Live) -> Result<(), CloseReason> {
        let Some(partial) = &mut self.partial else { return Ok(()) };
        let now = partial.decoder.buffered_bytes().saturating_sub(UNACCOUNTED_BYTES);
        let before = std::mem::replace(&mut partial.accounted, now);
        if !partial.decoder.has_partial() {
            self.partial = None;
        }
        if before == now || live.account_partial(before, now) { Ok(()) } else { Err(CloseReason::OutOfMemory) }
    }

    /// Releases the memory accounted for.
    pub(super) fn release_partial(&mut self, live: &Live) {
        if let Some(partial) = self.partial.take() {
            live.account_partial(partial.accounted, 0);
        }
    }

    /// Sends whole frames, or appends them to the outbox if it is not empty.
    pub(super) fn send(&mut self, frames: Bytes, limit: usize) -> Result<(), CloseReason> {
        if let Some(outbox) = &mut self.outbox {
            if outbox.queued_bytes() > limit {
                return Err(CloseReason::SlowReader);
            }
            outbox.push(frames, 0);
            return Ok(());
        }
        let written = match self.stream.write(&frames) {
            Ok(written) => written,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => 0,
            Err(_) => return Err(CloseReason::Disconnected),
        };
        if written < frames.len() {
            self.outbox.get_or_insert_default().push(frames, written);
            // The socket signals that it is writable only after a write has blocked.
            return self.flush();
        }
        Ok(())
    }

    /// Writes as much of the outbox as the socket takes.
    pub(super) fn flush(&mut self) -> Result<(), CloseReason> {
        if let Some(outbox) = &mut self.outbox
            && outbox.flush(&mut self.stream).map_err(|_| CloseReason::Disconnected)? == Flushed::All
        {
            self.outbox = None;
            if self.is_closing() {
                self.stream.shutdown(Shutdown::Write).map_err(|_| CloseReason::Disconnected)?;
            }
        }
        Ok(())
    }

    /// Starts closing with the unsent frames in `due` and a close frame. Both must be sent by `deadline`; until then,
    /// up to `drain_budget` bytes of the client are read.
    pub(super) fn begin_close(
        &mut self,
        reason: CloseReason,
        due: Vec<Bytes>,
        close: Bytes,
        deadline: Instant,
        drain_budget: usize,
    ) -> Result<(), CloseReason> {
        let outbox = self.outbox.get_or_insert_default();
        if matches!(reason, CloseReason::SlowReader | CloseReason::OutOfMemory) {
            // Complete only the current frame. The client is too slow for the rest.
            outbox.keep_partial_frame();
        } else {
            for frames in due {
                outbox.push(frames, 0);
            }
        }
        outbox.push(close, 0);
        self.closing = Some(Box::new(Closing { deadline, drain_budget }));
        self.flush()
    }

    /// Resets the connection.
    pub(super) fn reset(&self) {
        // If this fails, the socket is closed already.
        let _gone = socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }

    /// Handles timeouts, and returns when to check next.
    pub(super) fn on_timer(&mut self, now: Instant, config: &Config) -> Result<Instant, CloseReason> {
        if let Some(deadline) = self.closing.as_ref().map(|closing| closing.deadline) {
            if now >= deadline {
                self.reset();
                return Err(CloseReason::Disconnected);
            }
            return Ok(deadline);
        }
        if self.awaiting_pong && now >= self.last_pinged + config.pong_timeout {
            if self.last_received < self.last_pinged {
                return Err(CloseReason::PongTimeout);
            }
            self.awaiting_pong = false;
        }
        if !self.awaiting_pong && now >= self.last_pinged + config.ping_interval {
            self.send_ping(now, config)?;
        }
        let turn = if self.awaiting_pong { config.pong_timeout } else { config.ping_interval };
        let next = self.last_pinged + turn;
        match self.message_deadline(config) {
            Some(deadline) if now >= deadline => Err(CloseReason::MessageTimeout),
            Some(deadline) => Ok(next.min(deadline)),
            None => Ok(next),
        }
    }

    fn send_ping(&mut self, now: Instant, config: &Config) -> Result<(), CloseReason> {
        self.last_pinged = now;
        self.awaiting_pong = true;
        self.send(frame::ping(), config.outbox_bytes)
    }
}

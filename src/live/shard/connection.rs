//! A WebSocket connection. Takes a few hundred bytes while idle.

mod output;
mod timeouts;

use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mio::net::TcpStream;

use super::READ_BYTES;
use super::budget::Budget;
use super::closing::CloseReason;
use super::generation::{ClientGeneration, GRACE, PendingJoin};
use super::inbox::{ConnectionGuards, NewConnection};
use super::outbox::Outbox;
use super::receive::{AccountedBytes, PartialMessage};
use super::rooms::RoomKey;
use crate::live::{Config, Live};
use crate::model::{Address, ConnectionId};
use crate::wire::frame::Incoming;

/// The state of a connection. Only an open or waiting one is a member of its room.
#[derive(Debug)]
enum State {
    /// It has not joined its room yet.
    New(Box<PendingJoin>),
    /// Its messages are decoded as they arrive.
    Open(PartialMessage),
    /// An earlier message is decoded or judged elsewhere; later ones wait.
    Waiting(Box<Waiting>),
    /// It has left its room, and receives what is pending and a close frame.
    Closing(Box<Closing>),
}

/// The state of a connection whose message is decoded or judged elsewhere.
#[derive(Debug)]
struct Waiting {
    /// Bytes received since.
    backlog: Vec<u8>,
    /// The memory of the message, which remains accounted for.
    _accounted: Option<Arc<AccountedBytes>>,
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
    pub(super) generation: ClientGeneration,
    pub(super) address: Address,
    stream: TcpStream,
    state: State,
    outbox: Option<Box<Outbox>>,
    /// The payload of the last ping that arrived while the outbox was not empty. Only that one is answered (RFC 6455,
    /// 5.5.3), so pings that nobody reads the answers to take no memory.
    pending_ping: Option<Box<Bytes>>,
    /// Bytes that came with the handshake, until its first turn.
    initial_bytes: Option<Box<Bytes>>,
    /// When data was last received.
    last_received: Instant,
    /// When it was last pinged, or when it joined.
    last_pinged: Instant,
    /// Whether a pong is due.
    awaiting_pong: bool,
    /// Whether it is in the shard's list of connections to read.
    pub(super) queued: bool,
    /// The client has shut down its side, or the connection is broken; read it to its end.
    pub(super) hung_up: bool,
    /// When the timer wheel checks it next.
    pub(super) next_check: Instant,
    /// Whether another connection has claimed its nickname and waits for a response.
    pub(super) awaiting_reclaim: bool,
    /// Whether it is read later, because it has sent too many bytes.
    pub(super) is_over_budget: bool,
    /// How much it may send.
    pub(super) budget: Budget,
    _guards: ConnectionGuards,
}

const _: () = assert!(size_of::<Connection>() <= 216, "an idle connection must stay small");

impl Connection {
    pub(super) fn new(id: ConnectionId, room: RoomKey, arrival: NewConnection, now: Instant) -> Self {
        let NewConnection { stream, generation, address, guards, proven_nickname, initial_bytes } = arrival;
        let undecided_until = (generation == ClientGeneration::Undecided).then(|| now + GRACE);
        let pending = PendingJoin { undecided_until, proven_nickname, partial: PartialMessage::default() };
        Self {
            id,
            room,
            generation,
            address,
            stream,
            state: State::New(Box::new(pending)),
            outbox: None,
            pending_ping: None,
            initial_bytes: (!initial_bytes.is_empty()).then(|| Box::new(initial_bytes)),
            last_received: now,
            last_pinged: now,
            awaiting_pong: false,
            queued: false,
            hung_up: false,
            next_check: now,
            awaiting_reclaim: false,
            is_over_budget: false,
            budget: Budget::default(),
            _guards: guards,
        }
    }

    pub(super) fn is_closing(&self) -> bool {
        matches!(self.state, State::Closing(_))
    }

    pub(super) fn is_member(&self) -> bool {
        matches!(self.state, State::Open(_) | State::Waiting(_))
    }

    /// Until when it may stay undecided; `None` if it is decided.
    pub(super) fn undecided_until(&self) -> Option<Instant> {
        match &self.state {
            State::New(pending) => pending.undecided_until,
            State::Open(_) | State::Waiting(_) | State::Closing(_) => None,
        }
    }

    /// Notes that it joins its room. Returns the nickname that it proved to own.
    pub(super) fn become_member(&mut self, generation: ClientGeneration) -> Option<Arc<str>> {
        self.generation = generation;
        let State::New(pending) = &mut self.state else { return None };
        let (proven, partial) = (pending.proven_nickname.take(), std::mem::take(&mut pending.partial));
        self.state = State::Open(partial);
        proven
    }

    /// Whether its message is decoded or judged elsewhere.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting(_))
    }

    /// Whether it may have sent something that is not read yet, because it waits for its turn, for more budget, or for a message
    /// that is decoded or judged elsewhere.
    pub(super) fn may_have_unread(&self) -> bool {
        self.queued || self.is_over_budget || self.is_waiting()
    }

    /// Whether reading is paused: while the backlog is full, and while closing until the outbox is written or because
    /// the drain budget is used up.
    pub(super) fn reads_paused(&self) -> bool {
        match &self.state {
            State::New(_) | State::Open(_) => false,
            State::Waiting(waiting) => waiting.backlog.len() >= READ_BYTES,
            State::Closing(closing) => closing.drain_budget == 0 || self.has_unsent(),
        }
    }

    /// Takes the bytes that came with the handshake.
    pub(super) fn take_initial_bytes(&mut self) -> Option<Bytes> {
        self.initial_bytes.take().map(|bytes| *bytes)
    }

    /// Whether the outbox holds unsent frames.
    pub(super) fn has_unsent(&self) -> bool {
        self.outbox.is_some()
    }

    /// Postpones later messages, because the current one is decoded or judged elsewhere. Returns the memory accounted for it,
    /// which lasts longer than the connection if it is kept.
    pub(super) fn wait(&mut self) -> Option<Arc<AccountedBytes>> {
        let State::Open(partial) = &mut self.state else { return None };
        let accounted = std::mem::take(partial).into_accounted().map(Arc::new);
        self.state = State::Waiting(Box::new(Waiting { backlog: Vec::new(), _accounted: accounted.clone() }));
        accounted
    }

    /// Ends the wait, and returns the bytes received meanwhile; `None` if there was no wait.
    pub(super) fn resume(&mut self) -> Option<Vec<u8>> {
        let State::Waiting(waiting) = &mut self.state else { return None };
        let backlog = std::mem::take(&mut waiting.backlog);
        self.state = State::Open(PartialMessage::default());
        Some(backlog)
    }

    /// Reads once. Returns 0 when no data is available.
    pub(super) fn read(&mut self, buffer: &mut [u8], now: Instant) -> Result<usize, CloseReason> {
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return Err(CloseReason::Disconnected),
                Ok(n) => {
                    self.last_received = now;
                    if let State::Closing(closing) = &mut self.state {
                        closing.drain_budget = closing.drain_budget.saturating_sub(n);
                    }
                    return Ok(n);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
                // The socket reports its data only once.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(CloseReason::Disconnected),
            }
        }
    }

    /// Takes the next message from the front of `bytes`; `None` once they are used up. Bytes that cannot be decoded yet
    /// are kept, and those that arrive while closing are discarded: they are read only so that the socket shuts down
    /// without a reset.
    pub(super) fn receive(
        &mut self,
        bytes: &mut &[u8],
        live: &Arc<Live>,
        now: Instant,
    ) -> Result<Option<Incoming>, CloseReason> {
        match &mut self.state {
            State::New(pending) => pending.partial.decode(bytes, (live, self.address), now),
            State::Open(partial) => partial.decode(bytes, (live, self.address), now),
            State::Waiting(waiting) => {
                waiting.backlog.extend_from_slice(bytes);
                Ok(None)
            }
            State::Closing(_) => Ok(None),
        }
    }

    /// Returns when the current message must be complete; `None` if none is incomplete.
    pub(super) fn message_deadline(&self, config: &Config) -> Option<Instant> {
        match &self.state {
            State::New(pending) => pending.partial.deadline(config),
            State::Open(partial) => partial.deadline(config),
            State::Waiting(_) | State::Closing(_) => None,
        }
    }

    /// Starts closing with the `unsent` frames and a close frame. Returns when the socket is reset, at the latest.
    pub(super) fn begin_close(
        &mut self,
        reason: CloseReason,
        unsent: Vec<Bytes>,
        close: Bytes,
        config: &Config,
        now: Instant,
    ) -> Result<Instant, CloseReason> {
        let outbox = self.outbox.get_or_insert_default();
        if matches!(reason, CloseReason::SlowReader | CloseReason::PartialMessagesLimit) {
            // Complete only the current frame: the client is too slow for the rest, or memory is short.
            outbox.keep_partial_frame();
        } else {
            for frames in unsent {
                outbox.push(frames, 0);
            }
        }
        outbox.push(close, 0);
        let deadline = now + config.close_timeout;
        // Enough for one message with its frame heads, and the client's close frame.
        let drain_budget = config.max_frame_bytes + READ_BYTES;
        self.state = State::Closing(Box::new(Closing { deadline, drain_budget }));
        self.write_outbox()?;
        Ok(deadline)
    }

    /// Resets the connection.
    fn reset(&self) {
        // If this fails, the socket is closed already.
        let _gone = socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }
}

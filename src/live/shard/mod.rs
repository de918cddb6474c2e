//! A shard: a thread that owns sockets and rooms.
//!
//! It goes in rounds. In one round it reads every socket that has something, judges each message, and collects what a
//! room hears in that room's round buffer; then it does one write for each member. Batching like this is what makes
//! fan-out cheap: a member costs a system call a round, not a wake-up and a call for each message. Nothing here waits:
//! what takes long (a plugin, a long message to decode) runs elsewhere and comes back through the `inbox`.

mod bell;
mod claims;
mod connection;
mod deliver;
mod ending;
pub(super) mod inbox;
mod messages;
pub(super) mod moderated;
mod out;
pub(super) mod rooms;
mod start;
mod wheel;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::{Events, Interest, Poll, Token};
use slab::Slab;
use tokio::runtime::Handle;

use self::claims::Claims;
use self::connection::Connection;
use self::ending::End;
use self::inbox::{Arrival, Command, Inbox, Outlet};
use self::rooms::{LocalRooms, RoomKey};
use self::wheel::Wheel;
use super::Live;
use crate::filter::Chain;
use crate::model::SenderId;
use crate::wire::frame::CloseCode;

pub use self::inbox::Ended;
pub(super) use self::start::new_room;
pub use self::start::{Ending, start};

/// Events that one poll takes.
const EVENTS: usize = 1_024;
/// The token of the inbox; connections have the numbers below.
const INBOX: Token = Token(usize::MAX);
/// What one read takes at most. The buffer is one for the shard, not for each connection.
const READ_BYTES: usize = 64 * 1024;
/// Commands that one round takes at most.
const COMMANDS: usize = 1_024;
/// A connection is looked at this often at least: less than a turn of the wheel.
const LONGEST_LOOK: Duration = Duration::from_secs(50);

/// The thread's own state. No other thread sees any of it.
pub(super) struct Shard {
    live: Arc<Live>,
    /// By what messages are judged. A copy, so that a shard takes no lock for a message.
    chain: Chain,
    poll: Poll,
    inbox: Outlet,
    /// The way back for what runs elsewhere.
    me: Inbox,
    runtime: Handle,
    /// Where messages wait for filters that answer later.
    judging: Handle,
    /// Which shard this is, so that ids differ from those of others.
    number: u8,
    serial: u32,
    rooms: LocalRooms,
    /// Rooms in which something was said or a number is due.
    stirred: VecDeque<RoomKey>,
    connections: Slab<Connection>,
    /// Connections that may have something to read.
    ready: VecDeque<SenderId>,
    wheel: Wheel,
    claims: Claims,
    buffer: Vec<u8>,
    /// Set at shutdown.
    closing: Option<(CloseCode, &'static str)>,
}

impl Shard {
    /// Runs until it is told to close and all connections have ended.
    ///
    /// # Errors
    /// When the system's poll fails, which nothing here can mend.
    fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            let patience = self.patience();
            match self.poll.poll(&mut events, patience) {
                Err(fault) if fault.kind() != io::ErrorKind::Interrupted => return Err(fault),
                _ => self.inbox.awake(),
            }
            let now = Instant::now();
            // First of all: what is scheduled in this round counts from now, however long the shard has slept.
            let come = self.wheel.advance(now);
            for event in &events {
                self.on_event(event, now);
            }
            for _ in 0..COMMANDS {
                let Some(command) = self.inbox.next() else { break };
                self.on_command(command, now);
            }
            for _ in 0..self.ready.len() {
                let Some(id) = self.ready.pop_front() else { break };
                self.read(id, now);
            }
            self.keep_time(come, now);
            self.deliver(now);
            if self.closing.is_some() && self.connections.is_empty() {
                return Ok(());
            }
        }
    }

    /// How long the shard may sleep; not at all when something is left to do.
    fn patience(&self) -> Option<Duration> {
        if !self.ready.is_empty() || self.has_undelivered() || !self.inbox.may_sleep() {
            return Some(Duration::ZERO);
        }
        let next = [self.wheel.next(), self.claims.next(), self.number_due()].into_iter().flatten().min()?;
        // Poll counts in whole milliseconds and rounds up.
        Some(next.saturating_duration_since(Instant::now()))
    }

    fn on_event(&mut self, event: &Event, now: Instant) {
        let Token(key) = event.token();
        // An event of a connection that has ended meanwhile, or of the inbox, finds nobody.
        let Some(connection) = self.connections.get_mut(key) else { return };
        let id = connection.id;
        if event.is_writable()
            && let Err(end) = connection.flush()
        {
            return self.end(id, end, now);
        }
        connection.hung_up |= event.is_read_closed() || event.is_error();
        let writes_no_more = connection.is_leaving() && !connection.has_unsent();
        if event.is_readable() || connection.hung_up || writes_no_more {
            self.queue(id);
        }
    }

    fn on_command(&mut self, command: Command, now: Instant) {
        match command {
            Command::Adopt(arrival) => self.adopt(*arrival, now),
            Command::Say { room, sender, message, reply } => self.on_call(room, sender, *message, reply, now),
            Command::Try { room, sender, message, reply } => self.on_trial(room, sender, *message, reply),
            Command::Judged { room, origin, decision } => self.on_judged(room, origin, *decision, now),
            Command::Lost { id } => self.end(id, End::Told(CloseCode::Internal, "internal error"), now),
            Command::Decoded { id, decoded } => self.on_decoded_elsewhere(id, *decoded, now),
            Command::Users { room, reply } => {
                if let Some(local) = self.rooms.get_mut(&room) {
                    // The caller may have timed out.
                    let _gone = reply.send(local.room.users());
                }
            }
            Command::Moderate(wish) => self.on_wish(*wish, now),
            Command::Open { room, opened } => self.open_room(room, *opened),
            Command::Remove { room, reply } => self.remove_room(room, reply, now),
            Command::JudgeBy { chain, reply } => {
                self.chain = chain;
                let _gone = reply.send(());
            }
            Command::Close { code, reason } => self.close(code, reason, now),
        }
    }

    /// Makes a socket a member of its room.
    fn adopt(&mut self, mut arrival: Arrival, now: Instant) {
        let (room, address, generation) = (arrival.room, arrival.address, arrival.generation);
        let (first, proven) = (std::mem::take(&mut arrival.first), arrival.proven.take());
        let entry = self.connections.vacant_entry();
        let key = entry.key();
        let id = SenderId(u64::from(self.serial) << 32 | u64::from(self.number) << 24 | key as u64 & 0x00ff_ffff);
        self.serial = self.serial.wrapping_add(1);
        let both = Interest::READABLE | Interest::WRITABLE;
        if let Err(fault) = self.poll.registry().register(&mut arrival.stream, Token(key), both) {
            tracing::warn!(%fault, "a connection could not be taken over");
            return;
        }
        entry.insert(Connection::new(id, arrival, now));
        self.look_at(id, now + self.live.config.ping_interval, now);
        if let Some((code, reason)) = self.closing {
            return self.end(id, End::Told(code, reason), now);
        }
        // The room may have been removed after the handshake was answered.
        if !self.has_room(room) {
            return self.turn_away(id, now);
        }
        // A ban may have come meanwhile, too.
        let banned = self.rooms.get(&room).is_some_and(|local| self.live.intake.bans(local.room.name(), address));
        if banned {
            return self.end(id, End::Told(CloseCode::Policy, "this address is banned"), now);
        }
        if let Some(local) = self.rooms.get_mut(&room) {
            local.room.join(id, address, generation, proven, now);
            self.stir(room);
        }
        self.take_bytes(id, &first, now);
    }

    /// Reads a connection once. What is left over comes with the next round, so that a loud client keeps nobody out.
    fn read(&mut self, id: SenderId, now: Instant) {
        let mut buffer = std::mem::take(&mut self.buffer);
        if let Some(connection) = self.connection(id) {
            connection.queued = false;
        }
        let read = match self.connection(id) {
            // A client is heard while its message is looked at elsewhere, but not without bound: the rest waits in the
            // socket.
            Some(Connection { pending: Some(waiting), .. }) if waiting.bytes.len() >= READ_BYTES => Ok(0),
            None => Ok(0),
            Some(connection) if connection.is_deaf() => Ok(0),
            Some(connection) => connection.read(&mut buffer, now),
        };
        match read {
            Ok(0) => {}
            Ok(n) => {
                // A read that does not fill the buffer has emptied the socket (epoll(7)), and what comes later makes a
                // new event; but for the end of the stream, which may have been part of the last one.
                if n == buffer.len() || self.connection(id).is_some_and(|connection| connection.hung_up) {
                    self.queue(id);
                }
                self.heard(id, now);
                self.take_bytes(id, buffer.get(..n).unwrap_or_default(), now);
            }
            Err(end) => self.end(id, end, now),
        }
        self.buffer = buffer;
    }

    /// Looks at those whose time has come.
    fn keep_time(&mut self, come: Vec<SenderId>, now: Instant) {
        for id in come {
            let live = Arc::clone(&self.live);
            let Some(connection) = self.connection(id) else { continue };
            // Looked at already, with a later time since.
            if now < connection.look_at {
                continue;
            }
            match connection.on_time(now, &live.config) {
                Ok(next) => self.look_at(id, next, now),
                Err(end) => self.end(id, end, now),
            }
        }
        self.settle_overdue(now);
    }

    fn look_at(&mut self, id: SenderId, when: Instant, now: Instant) {
        let when = when.min(now + LONGEST_LOOK);
        if let Some(connection) = self.connections.get_mut(key_of(id)).filter(|connection| connection.id == id) {
            connection.look_at = when;
            self.wheel.schedule(id, when);
        }
    }

    /// Has a connection read in the next round: once, however often it is asked for, so that none gets more turns
    /// than the others.
    fn queue(&mut self, id: SenderId) {
        if let Some(connection) = self.connection(id)
            && !std::mem::replace(&mut connection.queued, true)
        {
            self.ready.push_back(id);
        }
    }

    fn connection(&mut self, id: SenderId) -> Option<&mut Connection> {
        self.connections.get_mut(key_of(id)).filter(|connection| connection.id == id)
    }
}

/// Where in the slab a connection is; its id tells it apart from others that were there before.
fn key_of(id: SenderId) -> usize {
    usize::try_from(id.0 & 0x00ff_ffff).unwrap_or(usize::MAX)
}

/// The number of the shard that a connection is on.
pub(super) fn number_of(id: SenderId) -> usize {
    usize::from(id.0.to_le_bytes()[3])
}

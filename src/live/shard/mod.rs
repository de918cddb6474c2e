//! A shard: a thread that owns sockets and rooms.
//!
//! A shard works in rounds. Each round, it reads all sockets that have data, judges each message, and collects the
//! output of each room in the round buffer; then it does one write per member. Batching makes fan-out cheap: a member
//! costs one system call per round, instead of a wake-up and a call per message. Nothing here blocks: slow work (a
//! plugin call, decoding a long message) runs elsewhere, and its result comes back through the `inbox`.

mod claims;
mod closing;
mod connection;
mod deliver;
pub(super) mod inbox;
mod messages;
pub(super) mod moderation;
mod outbox;
pub(super) mod rooms;
mod start;
mod timer_wheel;
mod wake_flag;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::{Events, Interest, Poll, Token};
use slab::Slab;
use tokio::runtime::Handle;

use self::claims::PendingClaims;
use self::closing::CloseReason;
use self::connection::Connection;
use self::inbox::{Inbox, InboxReceiver, NewConnection, ShardCommand};
use self::rooms::{LocalRooms, RoomKey};
use self::timer_wheel::TimerWheel;
use super::Live;
use crate::filter::Chain;
use crate::model::ConnectionId;
use crate::wire::frame::CloseCode;

pub use self::inbox::ShuttingDown;
pub(super) use self::start::new_room;
pub use self::start::{ShardExit, start};

/// Maximum number of events per poll.
const MAX_EVENTS: usize = 1_024;
/// The token of the inbox. Connections use smaller numbers.
const INBOX_TOKEN: Token = Token(usize::MAX);
/// Maximum size of one read. The buffer is shared by all connections of the shard.
const READ_BYTES: usize = 64 * 1024;
/// Maximum number of commands per round.
const MAX_COMMANDS: usize = 1_024;
/// Maximum interval between checks of a connection; less than one revolution of the timer wheel.
const MAX_CHECK_INTERVAL: Duration = Duration::from_secs(50);

/// The state of a shard, owned by its thread.
pub(super) struct Shard {
    live: Arc<Live>,
    /// Judges messages. A copy, so that judging takes no lock.
    chain: Chain,
    poll: Poll,
    inbox: InboxReceiver,
    /// For results of work that runs elsewhere.
    self_inbox: Inbox,
    runtime: Handle,
    /// Runs filters that answer later.
    filter_runtime: Handle,
    /// Index of this shard, part of its connection IDs.
    index: u8,
    next_serial: u32,
    rooms: LocalRooms,
    /// Rooms with output or a pending user count.
    dirty_rooms: VecDeque<RoomKey>,
    connections: Slab<Connection>,
    /// Connections that may have data to read.
    ready: VecDeque<ConnectionId>,
    timers: TimerWheel,
    claims: PendingClaims,
    read_buffer: Vec<u8>,
    /// Set during shutdown.
    closing: Option<(CloseCode, &'static str)>,
}

impl Shard {
    /// Runs until all connections have closed after [`ShardCommand::Close`].
    ///
    /// # Errors
    /// When polling fails, which is not recoverable.
    fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(MAX_EVENTS);
        loop {
            let poll_timeout = self.poll_timeout();
            match self.poll.poll(&mut events, poll_timeout) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => self.inbox.set_awake(),
            }
            let now = Instant::now();
            // Advance the timers first, so that checks scheduled in this round count from now, however long the shard
            // slept.
            let expired = self.timers.advance(now);
            for event in &events {
                self.on_event(event, now);
            }
            for _ in 0..MAX_COMMANDS {
                let Some(command) = self.inbox.try_next() else { break };
                self.on_command(command, now);
            }
            for _ in 0..self.ready.len() {
                let Some(id) = self.ready.pop_front() else { break };
                self.read_connection(id, now);
            }
            self.run_timers(expired, now);
            self.deliver(now);
            if self.closing.is_some() && self.connections.is_empty() {
                return Ok(());
            }
        }
    }

    /// How long the shard may sleep; zero if work is left.
    fn poll_timeout(&self) -> Option<Duration> {
        if !self.ready.is_empty() || self.has_undelivered() || !self.inbox.prepare_sleep() {
            return Some(Duration::ZERO);
        }
        let next = [self.timers.next_expiry(), self.claims.next_deadline(), self.next_count_due()]
            .into_iter()
            .flatten()
            .min()?;
        // Poll has a resolution of milliseconds and rounds up.
        Some(next.saturating_duration_since(Instant::now()))
    }

    fn on_event(&mut self, event: &Event, now: Instant) {
        let Token(key) = event.token();
        // Ignores events of the inbox, and of connections that have closed in the meantime.
        let Some(connection) = self.connections.get_mut(key) else { return };
        let id = connection.id;
        if event.is_writable()
            && let Err(reason) = connection.flush()
        {
            return self.close_connection(id, reason, now);
        }
        connection.hung_up |= event.is_read_closed() || event.is_error();
        let is_drained = connection.is_closing() && !connection.has_unsent();
        if event.is_readable() || connection.hung_up || is_drained {
            self.queue_read(id);
        }
    }

    fn on_command(&mut self, command: ShardCommand, now: Instant) {
        match command {
            ShardCommand::Adopt(arrival) => self.adopt(*arrival, now),
            ShardCommand::Submit { room, sender, message, reply } => self.on_submit(room, sender, *message, reply, now),
            ShardCommand::Try { room, sender, message, reply } => self.on_try(room, sender, *message, reply),
            ShardCommand::Judged { room, origin, decision } => self.on_judged(room, origin, *decision, now),
            ShardCommand::Failed { id } => {
                self.close_connection(id, CloseReason::ByServer(CloseCode::Internal, "internal error"), now)
            }
            ShardCommand::Decoded { id, decoded } => self.on_decoded_elsewhere(id, *decoded, now),
            ShardCommand::Nicknames { room, reply } => {
                if let Some(local) = self.rooms.get_mut(&room) {
                    // The caller may have timed out.
                    let _gone = reply.send(local.room.nicknames());
                }
            }
            ShardCommand::Moderate(command) => self.handle_moderation(*command, now),
            ShardCommand::AddRoom { room, state } => self.add_room(room, *state),
            ShardCommand::RemoveRoom { room, reply } => self.remove_room(room, reply, now),
            ShardCommand::SetChain { chain, reply } => {
                self.chain = chain;
                let _gone = reply.send(());
            }
            ShardCommand::Close { code, reason } => self.close_all(code, reason, now),
        }
    }

    /// Takes over a socket as a member of its room.
    fn adopt(&mut self, mut arrival: NewConnection, now: Instant) {
        let (room, address, generation) = (arrival.room, arrival.address, arrival.generation);
        let (initial_bytes, proven) = (std::mem::take(&mut arrival.initial_bytes), arrival.proven.take());
        let entry = self.connections.vacant_entry();
        let key = entry.key();
        let id =
            ConnectionId(u64::from(self.next_serial) << 32 | u64::from(self.index) << 24 | key as u64 & 0x00ff_ffff);
        self.next_serial = self.next_serial.wrapping_add(1);
        let both = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = self.poll.registry().register(&mut arrival.stream, Token(key), both) {
            tracing::warn!(%error, "registering a connection failed");
            return;
        }
        entry.insert(Connection::new(id, arrival, now));
        self.schedule_check(id, now + self.live.config.ping_interval, now);
        if let Some((code, reason)) = self.closing {
            return self.close_connection(id, CloseReason::ByServer(code, reason), now);
        }
        // The room may have been removed since the handshake.
        if !self.has_room(room) {
            return self.close_removed(id, now);
        }
        // The address may have been banned since the handshake.
        let banned = self.rooms.get(&room).is_some_and(|local| self.live.intake.is_banned(local.room.name(), address));
        if banned {
            return self.close_connection(id, CloseReason::ByServer(CloseCode::Policy, "this address is banned"), now);
        }
        if let Some(local) = self.rooms.get_mut(&room) {
            local.room.join(id, address, generation, proven, now);
            self.mark_dirty(room);
        }
        self.process_bytes(id, &initial_bytes, now);
    }

    /// Reads a connection once. Further data is read in the next round, so that a busy client does not starve others.
    fn read_connection(&mut self, id: ConnectionId, now: Instant) {
        let mut buffer = std::mem::take(&mut self.read_buffer);
        if let Some(connection) = self.connection(id) {
            connection.queued = false;
        }
        let read = match self.connection(id) {
            // While a message is decoded or judged elsewhere, buffer a limited amount; the rest stays in the socket.
            Some(Connection { backlog: Some(backlog), .. }) if backlog.bytes.len() >= READ_BYTES => Ok(0),
            None => Ok(0),
            Some(connection) if connection.reads_paused() => Ok(0),
            Some(connection) => connection.read(&mut buffer, now),
        };
        match read {
            Ok(0) => {}
            Ok(n) => {
                // A short read means that the socket is empty (epoll(7)), and new data causes a new event. The end of
                // the stream may have been part of the last event, though.
                if n == buffer.len() || self.connection(id).is_some_and(|connection| connection.hung_up) {
                    self.queue_read(id);
                }
                self.on_activity(id, now);
                self.process_bytes(id, buffer.get(..n).unwrap_or_default(), now);
            }
            Err(reason) => self.close_connection(id, reason, now),
        }
        self.read_buffer = buffer;
    }

    /// Checks connections whose timers have expired.
    fn run_timers(&mut self, expired: Vec<ConnectionId>, now: Instant) {
        for id in expired {
            let live = Arc::clone(&self.live);
            let Some(connection) = self.connection(id) else { continue };
            // Rescheduled in the meantime.
            if now < connection.next_check {
                continue;
            }
            match connection.on_timer(now, &live.config) {
                Ok(next) => self.schedule_check(id, next, now),
                Err(reason) => self.close_connection(id, reason, now),
            }
        }
        self.expire_claims(now);
    }

    fn schedule_check(&mut self, id: ConnectionId, when: Instant, now: Instant) {
        let when = when.min(now + MAX_CHECK_INTERVAL);
        if let Some(connection) = self.connections.get_mut(slab_key(id)).filter(|connection| connection.id == id) {
            connection.next_check = when;
            self.timers.schedule(id, when);
        }
    }

    /// Queues a connection for reading in the next round, at most once, so that all connections get equal turns.
    fn queue_read(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connection(id)
            && !std::mem::replace(&mut connection.queued, true)
        {
            self.ready.push_back(id);
        }
    }

    fn connection(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.connections.get_mut(slab_key(id)).filter(|connection| connection.id == id)
    }
}

/// The slab key of a connection. Keys are reused; the rest of the ID tells connections apart.
fn slab_key(id: ConnectionId) -> usize {
    usize::try_from(id.0 & 0x00ff_ffff).unwrap_or(usize::MAX)
}

/// The index of the shard that owns a connection.
pub(super) fn shard_of_id(id: ConnectionId) -> usize {
    usize::from(id.0.to_le_bytes()[3])
}

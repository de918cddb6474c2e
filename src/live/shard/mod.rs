//! A shard: a thread that owns sockets and rooms.
//!
//! A shard works in rounds. Each round, it reads all sockets that have data, judges each message, and collects the
//! output of each room in the round buffer; then it does one write per member. Batching makes fan-out cheap: a member
//! costs one system call per round, instead of a wake-up and a call per message. Nothing here blocks: slow work (a
//! plugin call, decoding a long message) runs elsewhere, and its result comes back through the `inbox`.

pub(super) mod budget;
mod charge;
mod claims;
mod closing;
mod connection;
mod connections;
mod deliver;
pub(super) mod generation;
mod images;
pub(super) mod inbox;
mod messages;
pub(super) mod moderation;
mod notices;
mod outbox;
mod reading;
mod receive;
mod relief;
pub(super) mod rooms;
mod start;
mod timer_wheel;
mod turns;
mod wake_flag;
mod writing;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::{Events, Poll, Token};
use tokio::runtime::Handle;

use self::claims::PendingClaims;
use self::closing::CloseReason;
use self::connections::Connections;
use self::generation::{ClientGeneration, GRACE};
use self::inbox::{Inbox, InboxReceiver, NewConnection, ShardCommand};
use self::rooms::{LocalRooms, REMOVED, RoomKey};
use self::timer_wheel::TimerWheel;
use self::turns::Turns;
use self::writing::Writes;
use super::Live;
use crate::filter::Chain;
use crate::model::ConnectionId;
use crate::wire::frame::CloseCode;

pub(super) use self::connections::shard_of_id;
pub use self::inbox::{JudgingPanicked, ShuttingDown};
pub use self::start::ShardExit;
pub(super) use self::start::spawn;

/// Maximum number of events per poll.
const MAX_EVENTS: usize = 1_024;
/// The token of the inbox. Connections use smaller numbers.
const INBOX_TOKEN: Token = Token(usize::MAX);
/// Maximum size of one read. The buffer is shared by all connections of the shard.
const READ_BYTES: usize = 64 * 1024;
/// Maximum number of commands per round.
const MAX_COMMANDS: usize = 1_024;
/// Time after which no further commands are taken in a round.
const MAX_COMMAND_TIME: Duration = Duration::from_millis(4);
/// Maximum interval between checks of a connection; less than one revolution of the timer wheel.
const MAX_CHECK_INTERVAL: Duration = Duration::from_secs(50);

/// The close reason for a client whose address was banned after its handshake.
const BANNED: CloseReason = CloseReason::ByRelay(CloseCode::Policy, "this address is banned");

/// The state of a shard, owned by its thread.
pub(super) struct Shard {
    live: Arc<Live>,
    /// Judges messages. A copy, so that judging takes no lock.
    chain: Chain,
    poll: Poll,
    inbox: InboxReceiver,
    /// A handle to its own inbox, for the results of work that runs elsewhere.
    self_inbox: Inbox,
    runtime: Handle,
    /// Runs filters that answer later.
    filter_runtime: Handle,
    rooms: LocalRooms,
    connections: Connections,
    /// Connections that may have data to read.
    turns: Turns,
    /// Connections whose sockets may take more of their outboxes.
    writes: Writes,
    timers: TimerWheel,
    claims: PendingClaims,
    read_buffer: Vec<u8>,
    /// When it started, from which budgets count.
    started: Instant,
    /// The close reason for everyone during shutdown.
    shutdown: Option<CloseReason>,
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
                self.on_event(event);
            }
            self.write_outboxes(now);
            let commands_began = Instant::now();
            for _ in 0..MAX_COMMANDS {
                let Some(command) = self.inbox.try_next() else { break };
                self.on_command(command, now);
                if commands_began.elapsed() >= MAX_COMMAND_TIME {
                    break;
                }
            }
            self.turns.begin_round();
            while let Some(id) = self.turns.next() {
                self.read_connection(id, now);
            }
            self.run_timers(expired, now);
            self.deliver(now);
            if self.shutdown.is_some() && self.connections.is_empty() {
                return Ok(());
            }
        }
    }

    /// How long the shard may sleep: zero if work is left; `None` if only an event can bring work.
    fn poll_timeout(&self) -> Option<Duration> {
        if !self.turns.is_empty()
            || !self.writes.is_empty()
            || self.rooms.has_undelivered()
            || !self.inbox.prepare_sleep()
        {
            return Some(Duration::ZERO);
        }
        let next = [self.timers.next_expiry(), self.claims.next_deadline(), self.rooms.next_count_due()]
            .into_iter()
            .flatten()
            .min()?;
        // Poll has a resolution of milliseconds and rounds up.
        Some(next.saturating_duration_since(Instant::now()))
    }

    fn on_event(&mut self, event: &Event) {
        // No connection: the event of the inbox, which only wakes the shard, or of a connection dropped in this round.
        let Some(connection) = self.connections.by_token(event.token()) else { return };
        let id = connection.id;
        if event.is_writable() {
            connection.unblock();
        }
        connection.hung_up |= event.is_read_closed() || event.is_error();
        let is_flushed = connection.is_closing() && !connection.has_unsent();
        if event.is_readable() || connection.hung_up || is_flushed {
            self.queue_read(id);
        }
        self.queue_write(id);
    }

    fn on_command(&mut self, command: ShardCommand, now: Instant) {
        match command {
            ShardCommand::Adopt { room, arrival } => self.adopt(room, *arrival, now),
            ShardCommand::Submit { room, sender, message, reply } => self.on_submit(room, sender, *message, reply, now),
            ShardCommand::Try { room, sender, message, reply } => self.on_try(room, sender, *message, reply),
            ShardCommand::Judged { room, origin, decision } => self.on_judged(room, origin, *decision, now),
            ShardCommand::Failed { id, reason } => {
                if self.connections.member(id).is_some() {
                    self.close_connection(id, reason, now);
                }
            }
            ShardCommand::Decoded { id, decoded } => self.on_decoded_elsewhere(id, *decoded, now),
            ShardCommand::Nicknames { room, reply } => {
                if let Some(room) = self.rooms.get_mut(room) {
                    // The caller may have timed out.
                    let _gone = reply.send(room.nicknames());
                }
            }
            ShardCommand::LastMessages { room, reply } => {
                if let Some(room) = self.rooms.get(room) {
                    // The caller may have timed out.
                    let _gone = reply.send(room.last_messages());
                }
            }
            ShardCommand::Moderate(command) => self.handle_moderation(*command, now),
            ShardCommand::AddRoom { room, state } => self.rooms.add(room, *state),
            ShardCommand::RemoveRoom { room, reply } => self.remove_room(room, reply, now),
            ShardCommand::SetChain { chain, reply } => {
                self.chain = chain;
                let _gone = reply.send(());
            }
            ShardCommand::SetGuardedNames { names, reply } => self.set_guarded_names(&names, reply),
            ShardCommand::Close { code, reason } => self.close_all(code, reason, now),
        }
    }

    /// Takes over a socket. It joins its room at once, unless its first frame has to show its generation.
    fn adopt(&mut self, key: RoomKey, arrival: NewConnection, now: Instant) {
        let generation = arrival.generation;
        let has_initial_bytes = !arrival.initial_bytes.is_empty();
        let id = match self.connections.add(arrival, key, self.poll.registry(), now) {
            Ok(id) => id,
            Err(error) => return tracing::warn!(%error, "polling the socket of a new connection failed"),
        };
        if let Some(shutdown) = self.shutdown {
            return self.begin_close(id, shutdown, Vec::new(), now);
        }
        let first_check = match generation {
            ClientGeneration::Undecided => GRACE,
            ClientGeneration::AssumedV1 | ClientGeneration::Known(_) => self.live.config.ping_interval,
        };
        self.schedule_check(id, now + first_check, now);
        if generation != ClientGeneration::Undecided {
            self.join(id, generation, now);
        }
        if has_initial_bytes {
            self.queue_read(id);
        }
    }

    /// Checks connections whose timers have expired.
    fn run_timers(&mut self, expired: Vec<ConnectionId>, now: Instant) {
        for id in expired {
            let Some(connection) = self.connections.get(id) else { continue };
            // Rescheduled in the meantime.
            if now < connection.next_check {
                continue;
            }
            if std::mem::take(&mut connection.is_over_budget) {
                self.queue_read(id);
            }
            self.end_grace(id, now);
            let Some(connection) = self.connections.get(id) else { continue };
            match connection.on_timer(now, &self.live.config) {
                Ok(next) => self.schedule_check(id, next, now),
                Err(reason) => self.close_connection(id, reason, now),
            }
        }
        self.expire_claims(now);
    }

    fn schedule_check(&mut self, id: ConnectionId, when: Instant, now: Instant) {
        if let Some(connection) = self.connections.get(id) {
            connection.next_check = when.min(now + MAX_CHECK_INTERVAL);
            self.timers.schedule(id, connection.next_check);
        }
    }
}

/// Microseconds from the start of a shard to `now`.
fn micros(started: Instant, now: Instant) -> u64 {
    u64::try_from(now.saturating_duration_since(started).as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;

//! The members of a swarm and the frames they received.
//!
//! Owns the clients, their shared read buffer, and the counts of frames. The swarm decides when each client is served.

use std::collections::BTreeMap;

use crate::client::{Client, ClientError};
use crate::frames::{self, Text};
use crate::generation::Kind;
use crate::presence::PresenceTracker;
use crate::tally::Tally;

/// Small enough to stay in the processor's second-level cache, large enough that a backlog costs
/// few calls. Bytes.
const BUFFER: usize = 128 * 1024;

/// What a socket is ready for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ready {
    /// There may be something to read.
    pub(crate) read: bool,
    /// There may be room to write.
    pub(crate) write: bool,
    /// The peer sends nothing more.
    pub(crate) closed: bool,
}

/// All members, by number.
#[derive(Debug)]
pub(crate) struct Clients {
    members: Vec<Client>,
    buffer: Box<[u8]>,
    /// Successful handshakes.
    opened: usize,
    tally: Tally,
    presence: PresenceTracker,
    /// Connections that ended early, by error.
    errors: BTreeMap<String, u64>,
}

impl Clients {
    /// Creates an empty set.
    pub(crate) fn new() -> Self {
        Self {
            members: Vec::new(),
            buffer: vec![0; BUFFER].into(),
            opened: 0,
            tally: Tally::default(),
            presence: PresenceTracker::default(),
            errors: BTreeMap::new(),
        }
    }

    /// Adds a member whose room has `expected` members in the end.
    pub(crate) fn add(&mut self, client: Client, expected: usize) {
        self.members.push(client);
        self.presence.add(expected);
    }

    /// Reads and writes what the socket of `member` is ready for. `on_message` receives each message.
    pub(crate) fn serve(&mut self, member: usize, ready: Ready, mut on_message: impl FnMut(usize, Text<'_>)) {
        let client = &mut self.members[member];
        if client.is_closed() {
            return;
        }
        let (was_open, generation) = (client.is_open(), client.generation());
        let (tally, presence) = (&mut self.tally, &mut self.presence);
        let mut step = if ready.write { client.writable() } else { Ok(()) };
        if step.is_ok() && (ready.read || ready.closed) {
            step = client.readable(&mut self.buffer, ready.closed, |text| match tally.count(generation, text) {
                Kind::Message => on_message(member, text),
                Kind::Presence => {
                    if let Some(number) = generation.users(text.head) {
                        presence.record(member, number);
                    }
                }
                Kind::Refusal | Kind::Foreign => {}
            });
        }
        if !was_open && client.is_open() {
            self.opened += 1;
        }
        if let Err(error) = step {
            self.record_error(member, &error);
        }
    }

    /// Queues `frame` for `member`. The next [`Self::flush`] sends it.
    pub(crate) fn queue(&mut self, member: usize, frame: &[u8]) {
        self.members[member].queue(frame);
    }

    /// Sends everything that is queued for `member`.
    pub(crate) fn flush(&mut self, member: usize) {
        if let Err(error) = self.members[member].writable() {
            self.record_error(member, &error);
        }
    }

    fn record_error(&mut self, member: usize, error: &ClientError) {
        *self.errors.entry(error.to_string()).or_default() += 1;
        self.members[member].abandon();
    }

    /// The client of `member`.
    pub(crate) fn client_mut(&mut self, member: usize) -> &mut Client {
        &mut self.members[member]
    }

    /// Members, including those that are connecting or closed.
    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    /// Successful handshakes.
    pub(crate) fn opened(&self) -> usize {
        self.opened
    }

    /// Texts received so far.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The user counts that members received.
    pub(crate) fn presence(&self) -> &PresenceTracker {
        &self.presence
    }

    /// Whether `member`'s connection has ended.
    pub(crate) fn is_closed(&self, member: usize) -> bool {
        self.members[member].is_closed()
    }

    /// Whether any connection has ended.
    pub(crate) fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// Connections that ended early, refused messages and foreign frames, one line for each reason.
    pub(crate) fn problems(&self) -> Vec<String> {
        let ended = self.errors.iter().map(|(reason, count)| format!("{count} connections ended early: {reason}"));
        ended.chain(self.tally.problems()).collect()
    }

    /// Sends a close frame on every connection, so that a relay that keeps running logs ordinary closes.
    pub(crate) fn close(mut self) {
        let close = frames::masked(frames::CLOSE, &1000_u16.to_be_bytes());
        for client in self.members.iter_mut().filter(|client| client.is_open()) {
            // The relay may be gone already.
            client.send(&close).ok();
        }
    }
}

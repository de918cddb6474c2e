//! The members of a swarm and what they have heard.
//!
//! Owns the clients, the read buffer that they share, and the counts of frames. When to serve whom
//! is the swarm's business.

use std::collections::BTreeMap;

use crate::client::{Client, Ending};
use crate::frames;
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
pub(crate) struct Crowd {
    clients: Vec<Client>,
    buffer: Box<[u8]>,
    /// Handshakes that have succeeded.
    opened: usize,
    /// Chat messages received, by member.
    heard: Vec<u64>,
    tally: Tally,
    /// Early endings, by reason.
    endings: BTreeMap<String, u64>,
}

impl Crowd {
    /// Nobody yet.
    pub(crate) fn new() -> Self {
        Self {
            clients: Vec::new(),
            buffer: vec![0; BUFFER].into(),
            opened: 0,
            heard: Vec::new(),
            tally: Tally::default(),
            endings: BTreeMap::new(),
        }
    }

    /// One more member.
    pub(crate) fn add(&mut self, client: Client) {
        self.clients.push(client);
        self.heard.push(0);
    }

    /// Does for `member` what its socket is ready for; `on_chat` gets each chat message.
    pub(crate) fn serve(&mut self, member: usize, ready: Ready, mut on_chat: impl FnMut(usize, &[u8])) {
        let client = &mut self.clients[member];
        if client.is_gone() {
            return;
        }
        let was_open = client.is_open();
        let (heard, tally) = (&mut self.heard[member], &mut self.tally);
        let mut step = if ready.write { client.writable() } else { Ok(()) };
        if step.is_ok() && (ready.read || ready.closed) {
            step = client.readable(&mut self.buffer, ready.closed, |text| {
                if tally.take(text) {
                    *heard += 1;
                    on_chat(member, text);
                }
            });
        }
        if !was_open && client.is_open() {
            self.opened += 1;
        }
        if let Err(ending) = step {
            self.note(member, &ending);
        }
    }

    /// Sends `frame` as `member`.
    pub(crate) fn send(&mut self, member: usize, frame: &[u8]) {
        if let Err(ending) = self.clients[member].send(frame) {
            self.note(member, &ending);
        }
    }

    fn note(&mut self, member: usize, ending: &Ending) {
        *self.endings.entry(ending.to_string()).or_default() += 1;
        self.clients[member].give_up();
    }

    /// The client of `member`.
    pub(crate) fn client_mut(&mut self, member: usize) -> &mut Client {
        &mut self.clients[member]
    }

    /// Members, those included that are still connecting or gone.
    pub(crate) fn len(&self) -> usize {
        self.clients.len()
    }

    /// Handshakes that have succeeded.
    pub(crate) fn opened(&self) -> usize {
        self.opened
    }

    /// Texts received so far.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Chat messages received so far, by member.
    pub(crate) fn heard(&self) -> &[u64] {
        &self.heard
    }

    /// Whether `member`'s connection has ended.
    pub(crate) fn is_gone(&self, member: usize) -> bool {
        self.clients[member].is_gone()
    }

    /// Early endings and refusals, one line for each reason.
    pub(crate) fn problems(&self) -> Vec<String> {
        let ended = self.endings.iter().map(|(reason, count)| format!("{count} connections ended early: {reason}"));
        ended.chain(self.tally.problem()).collect()
    }

    /// Says goodbye on every connection, so that a relay that lives on logs ordinary leavings.
    pub(crate) fn leave(mut self) {
        let goodbye = frames::masked(frames::CLOSE, &1000_u16.to_be_bytes());
        for client in self.clients.iter_mut().filter(|client| client.is_open()) {
            // A relay that is gone by now needs no goodbye.
            client.send(&goodbye).ok();
        }
    }
}

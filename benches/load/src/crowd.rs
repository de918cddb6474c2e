//! The members of a swarm and what they have heard.
//!
//! Owns the clients, the read buffer that they share, and the counts of frames. When to serve whom
//! is the swarm's business.

use std::collections::BTreeMap;

use crate::client::{Client, Ending};
use crate::frames::{self, Kind};
use crate::tally::Tally;
use crate::told::Told;

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
    tally: Tally,
    told: Told,
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
            tally: Tally::default(),
            told: Told::default(),
            endings: BTreeMap::new(),
        }
    }

    /// One more member, in whose room `due` are in the end.
    pub(crate) fn add(&mut self, client: Client, due: usize) {
        self.clients.push(client);
        self.told.add(due);
    }

    /// Does for `member` what its socket is ready for; `on_chat` gets each chat message.
    pub(crate) fn serve(&mut self, member: usize, ready: Ready, mut on_chat: impl FnMut(usize, &[u8])) {
        let client = &mut self.clients[member];
        if client.is_gone() {
            return;
        }
        let was_open = client.is_open();
        let (tally, told) = (&mut self.tally, &mut self.told);
        let mut step = if ready.write { client.writable() } else { Ok(()) };
        if step.is_ok() && (ready.read || ready.closed) {
            step = client.readable(&mut self.buffer, ready.closed, |text| match tally.take(text) {
                Kind::Chat => on_chat(member, text),
                Kind::Presence => {
                    if let Some(number) = frames::users(text) {
                        told.hear(member, number);
                    }
                }
                Kind::Refusal => {}
            });
        }
        if !was_open && client.is_open() {
            self.opened += 1;
        }
        if let Err(ending) = step {
            self.note(member, &ending);
        }
    }

    /// Keeps `frame` to be sent as `member` with the next [`Self::flush`].
    pub(crate) fn queue(&mut self, member: usize, frame: &[u8]) {
        self.clients[member].queue(frame);
    }

    /// Sends all that `member` has queued.
    pub(crate) fn flush(&mut self, member: usize) {
        if let Err(ending) = self.clients[member].writable() {
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

    /// What members were told about how many they are.
    pub(crate) fn told(&self) -> &Told {
        &self.told
    }

    /// Whether `member`'s connection has ended.
    pub(crate) fn is_gone(&self, member: usize) -> bool {
        self.clients[member].is_gone()
    }

    /// Whether any connection has ended.
    pub(crate) fn has_endings(&self) -> bool {
        !self.endings.is_empty()
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

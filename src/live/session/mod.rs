//! One WebSocket, from the end of its handshake to its last byte: one task that reads, writes and keeps watch.
//!
//! Reading and writing do not wait for each other: a client that sends without reading, or the other way round, is
//! served until its outbox is full or it falls silent.

mod farewell;
mod reader;
mod writer;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout_at};

use self::farewell::End;
use self::reader::Reader;
use self::writer::{Unsent, Written};
use super::Live;
use super::accept::Permit;
use super::admission::Ticket;
use super::outbox::Outbox;
use crate::model::{Address, Message, Notice, Outcome, Sender, SenderId};
use crate::room::{Mailbox, SharedRoom};
use crate::wire::frame::{self, Incoming};
use crate::wire::{self, Generation};

/// Frames above this size are decoded on a thread where that may take its time.
const LONG_FRAME: usize = 64 * 1024;
/// What one read takes at most. The buffer is one for each thread, not for each connection.
const READ_BYTES: usize = 16 * 1024;

thread_local! {
    static READ_BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

/// What a connection holds as long as it lives.
#[derive(Debug)]
pub(super) struct Held {
    _permit: Arc<Permit>,
    _ticket: Ticket,
}

impl Held {
    pub(super) fn new(permit: Arc<Permit>, ticket: Ticket) -> Self {
        Self { _permit: permit, _ticket: ticket }
    }
}

/// One WebSocket in one room.
#[derive(Debug)]
pub(super) struct Session {
    live: Arc<Live>,
    room: SharedRoom,
    sender: Sender,
    id: SenderId,
    generation: Generation,
    stream: TcpStream,
    outbox: Arc<Outbox>,
    started: Instant,
    /// Milliseconds after `started` at which the client was last heard.
    heard: AtomicU64,
}

impl Session {
    pub(super) fn new(
        live: Arc<Live>,
        room: SharedRoom,
        generation: Generation,
        address: Address,
        stream: TcpStream,
    ) -> Self {
        let id = live.next_id();
        let sender = Sender { connection: Some(id), address, room: room.name().clone() };
        let outbox = Arc::new(Outbox::new(live.config.outbox_bytes));
        Self { live, room, sender, id, generation, stream, outbox, started: Instant::now(), heard: AtomicU64::new(0) }
    }

    /// Runs until the connection has ended; `first` came together with the handshake.
    pub(super) async fn run(self, first: Bytes, held: Held) {
        let mut unsent = Unsent::default();
        let end = {
            let _presence = Presence::join(&self);
            // Whoever ends first ends the others, none of which keeps anything over an await that must not be lost.
            tokio::select! {
                end = self.read(first) => end,
                end = self.write(&mut unsent) => end,
                end = self.watch() => end,
            }
        };
        let Self { id, room, .. } = &self;
        tracing::debug!(connection = id.0, room = %room.name(), ?end, "a connection ends");
        self.part(end, unsent).await;
        drop(held);
    }

    /// Reads and answers, one message after the other.
    async fn read(&self, first: Bytes) -> End {
        let mut reader = Reader::new(&self.live);
        let mut arrived = VecDeque::new();
        let mut violation = reader.feed(&first, &mut arrived).err();
        loop {
            while let Some(incoming) = arrived.pop_front() {
                match incoming {
                    Incoming::Text(text) => self.on_text(text).await,
                    Incoming::Ping(payload) => {
                        self.outbox.deliver(frame::pong(&payload));
                    }
                    Incoming::Pong => {}
                    Incoming::Close(code) => return End::Asked(code),
                }
            }
            if let Some(violation) = violation {
                return End::Broke(violation);
            }
            if !reader.account() {
                return End::NoMemory;
            }
            let readable = match reader.deadline {
                None => self.stream.readable().await,
                Some(deadline) => match timeout_at(deadline, self.stream.readable()).await {
                    Ok(readable) => readable,
                    Err(_) => return End::Endless,
                },
            };
            if readable.is_err() {
                return End::Gone;
            }
            let read = READ_BUFFER.with_borrow_mut(|buffer| match self.stream.try_read(buffer) {
                Ok(0) => Err(End::Gone),
                Ok(n) => {
                    self.note_heard();
                    Ok(reader.feed(buffer.get(..n).unwrap_or_default(), &mut arrived).err())
                }
                Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => Ok(None),
                Err(_) => Err(End::Gone),
            });
            match read {
                Ok(broken) => violation = broken,
                Err(end) => return end,
            }
        }
    }

    async fn on_text(&self, text: String) {
        let generation = self.generation;
        let decoded: Result<Message, Notice> = if text.len() > LONG_FRAME {
            match tokio::task::spawn_blocking(move || wire::decode(generation, &text)).await {
                Ok(decoded) => decoded,
                // The runtime is shutting down.
                Err(_) => return,
            }
        } else {
            wire::decode(generation, &text)
        };
        let notice = match decoded {
            Ok(message) => {
                let decision = self.live.intake.accept(&self.room, &self.sender, message).await;
                match (decision.outcome, decision.reason) {
                    (Outcome::Reject | Outcome::Hold, Some(reason)) => Notice::Refused(reason),
                    // Who is shadowed must not learn it.
                    _ => return,
                }
            }
            Err(notice) => notice,
        };
        self.room.lock().notify(self.id, &notice, &self.live.wire);
    }

    /// Writes what is queued, as fast as the client takes it.
    async fn write(&self, unsent: &mut Unsent) -> End {
        loop {
            if let Err(closing) = self.outbox.take(&mut unsent.frames) {
                return End::Told(closing);
            }
            if unsent.frames.is_empty() {
                // Memory that a crowded moment took is not kept over a quiet one.
                *unsent = Unsent::default();
                self.outbox.changed().await;
                continue;
            }
            match unsent.write_some(&self.stream) {
                Ok(Written { bytes, frames }) => self.outbox.written(bytes, frames),
                Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => {
                    tokio::select! {
                        writable = self.stream.writable() => if writable.is_err() {
                            return End::Gone;
                        },
                        () = self.outbox.changed() => {}
                    }
                }
                Err(_) => return End::Gone,
            }
        }
    }

    /// Asks the client from time to time whether it is there.
    async fn watch(&self) -> End {
        let super::Config { ping_interval, pong_timeout, .. } = self.live.config;
        sleep(ping_interval).await;
        loop {
            let asked = self.now();
            self.outbox.deliver(frame::ping());
            sleep(pong_timeout).await;
            if self.heard.load(Ordering::Relaxed) < asked {
                return End::Silent;
            }
            sleep(ping_interval.saturating_sub(pong_timeout)).await;
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn note_heard(&self) {
        self.heard.store(self.now(), Ordering::Relaxed);
        self.outbox.heard();
    }
}

/// Membership that ends when this is dropped, however the task ends.
struct Presence<'a>(&'a Session);

impl<'a> Presence<'a> {
    fn join(session: &'a Session) -> Self {
        let Session { id, sender, generation, outbox, .. } = session;
        let mailbox = Arc::clone(outbox) as Arc<dyn Mailbox>;
        session.room.lock().join(*id, sender.address, *generation, mailbox);
        Self(session)
    }
}

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        self.0.room.lock().leave(self.0.id);
    }
}

//! How the rest of the program reaches a shard: a bounded inbox, and one wake-up when the shard sleeps.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use mio::Waker;
use mio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};

use crate::live::accept::Permit;
use crate::live::admission::Ticket;
use crate::model::{Address, Decision, Message, Notice, Sender, SenderId};
use crate::wire::Generation;
use crate::wire::frame::CloseCode;

/// Commands that may wait for a shard. When that many do, who posts another one waits too.
const INBOX_LENGTH: usize = 4_096;

/// What a shard can be asked to do.
#[derive(Debug)]
pub(in crate::live) enum Command {
    /// Take a connection over.
    Adopt(Box<Arrival>),
    /// Judge a message that came without a connection.
    Say { room: usize, sender: Sender, message: Box<Message>, reply: oneshot::Sender<Decision> },
    /// Go on with a message that the chain has decided elsewhere.
    Judged { room: usize, origin: Origin, decision: Box<Decision> },
    /// Go on with a message that was decoded elsewhere.
    Decoded { id: SenderId, decoded: Box<Result<Message, Notice>> },
    /// Tell who is registered in a room.
    Users { room: usize, reply: oneshot::Sender<Arc<[String]>> },
    /// Close all connections and then end.
    Close { code: CloseCode, reason: &'static str },
}

/// Where a message came from, and so who is told what became of it.
#[derive(Debug)]
pub(in crate::live) enum Origin {
    Connection(Sender, SenderId),
    Call(Sender, oneshot::Sender<Decision>),
}

impl Origin {
    pub(super) fn sender(&self) -> &Sender {
        match self {
            Self::Connection(sender, _) | Self::Call(sender, _) => sender,
        }
    }
}

/// A WebSocket whose handshake is done.
#[derive(Debug)]
pub(in crate::live) struct Arrival {
    pub(in crate::live) stream: TcpStream,
    /// What came together with the handshake.
    pub(in crate::live) first: Bytes,
    pub(in crate::live) generation: Generation,
    pub(in crate::live) address: Address,
    pub(in crate::live) held: Held,
    pub(in crate::live) room: usize,
}

/// What a connection gives back when it ends.
#[derive(Debug)]
pub(in crate::live) struct Held {
    _permit: Arc<Permit>,
    _ticket: Ticket,
}

impl Held {
    pub(in crate::live) fn new(permit: Arc<Permit>, ticket: Ticket) -> Self {
        Self { _permit: permit, _ticket: ticket }
    }
}

/// The shard has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the relay is shutting down")]
pub struct Ended;

/// The way into a shard.
#[derive(Clone)]
pub(in crate::live) struct Inbox {
    commands: mpsc::Sender<Command>,
    bell: Arc<Bell>,
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").finish_non_exhaustive()
    }
}

/// The shard's end of the inbox.
pub(super) struct Outlet {
    commands: mpsc::Receiver<Command>,
    bell: Arc<Bell>,
}

/// Wakes a shard that sleeps, and only then: a wake-up is a system call.
#[derive(Debug)]
struct Bell {
    waker: Waker,
    asleep: AtomicBool,
}

/// Both ends of a shard's inbox.
pub(super) fn inbox(waker: Waker) -> (Inbox, Outlet) {
    let (sender, receiver) = mpsc::channel(INBOX_LENGTH);
    let bell = Arc::new(Bell { waker, asleep: AtomicBool::new(false) });
    (Inbox { commands: sender, bell: Arc::clone(&bell) }, Outlet { commands: receiver, bell })
}

impl Inbox {
    /// Posts a command, waiting while the inbox is full.
    ///
    /// # Errors
    /// [`Ended`] when nobody reads the inbox any more.
    ///
    /// # Cancel safety
    /// Dropping the future before it is ready posts nothing.
    pub(in crate::live) async fn post(&self, command: Command) -> Result<(), Ended> {
        self.commands.send(command).await.map_err(|_| Ended)?;
        // The command is in the inbox before this swap, and the shard looks into the inbox after its own: one of the
        // two sees the other.
        if self.bell.asleep.swap(false, Ordering::SeqCst) && self.bell.waker.wake().is_err() {
            tracing::error!("a shard could not be woken");
        }
        Ok(())
    }
}

impl Outlet {
    /// The next command, if there is one.
    pub(super) fn next(&mut self) -> Option<Command> {
        self.commands.try_recv().ok()
    }

    /// Says that the shard goes to sleep; `false` when it must not, because something waits.
    pub(super) fn may_sleep(&self) -> bool {
        self.bell.asleep.swap(true, Ordering::SeqCst);
        self.commands.is_empty()
    }

    /// Says that the shard is awake and will look into the inbox by itself.
    pub(super) fn awake(&self) {
        self.bell.asleep.store(false, Ordering::SeqCst);
    }
}

//! How the rest of the program reaches a shard: a bounded inbox, and one wake-up when the shard sleeps.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use mio::Waker;
use mio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};

use super::bell::Bell;
use super::moderated::Wish;
use super::rooms::RoomKey;
use crate::filter::Chain;
use crate::live::accept::Permit;
use crate::live::admission::Ticket;
use crate::model::{Address, Decision, Message, Notice, Recorded, Sender, SenderId};
use crate::room::Room;
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
    Say { room: RoomKey, sender: Sender, message: Box<Message>, reply: oneshot::Sender<Arc<Recorded>> },
    /// Judge a message as if it came without a connection, without any effect.
    Try { room: RoomKey, sender: Sender, message: Box<Message>, reply: oneshot::Sender<Decision> },
    /// Go on with a message that the chain has decided elsewhere.
    Judged { room: RoomKey, origin: Origin, decision: Box<Decision> },
    /// What a connection has said came to no end elsewhere, by a fault of the relay.
    Lost { id: SenderId },
    /// Go on with a message that was decoded elsewhere.
    Decoded { id: SenderId, decoded: Box<Result<Message, Notice>> },
    /// Tell who is registered in a room.
    Users { room: RoomKey, reply: oneshot::Sender<Arc<[String]>> },
    /// Do what a moderator wants.
    Moderate(Box<Wish>),
    /// Add a room.
    Open { room: RoomKey, opened: Box<Room> },
    /// Remove a room and close the connections in it.
    Remove { room: RoomKey, reply: oneshot::Sender<()> },
    /// Judge messages to come by this chain.
    JudgeBy { chain: Chain, reply: oneshot::Sender<()> },
    /// Close all connections and then end.
    Close { code: CloseCode, reason: &'static str },
}

/// Where a message came from, and so who is told what became of it.
#[derive(Debug)]
pub(in crate::live) enum Origin {
    Connection(Sender, SenderId),
    Call(Sender, oneshot::Sender<Arc<Recorded>>),
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
    /// The nickname that its client has shown to be its own.
    pub(in crate::live) proven: Option<Arc<str>>,
    pub(in crate::live) held: Held,
    pub(in crate::live) room: RoomKey,
}

/// What a connection gives back when it ends.
#[derive(Debug)]
pub(in crate::live) struct Held {
    _permit: Permit,
    _ticket: Ticket,
}

impl Held {
    pub(in crate::live) fn new(permit: Permit, ticket: Ticket) -> Self {
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
    alarm: Arc<Alarm>,
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").finish_non_exhaustive()
    }
}

/// The shard's end of the inbox.
pub(super) struct Outlet {
    commands: mpsc::Receiver<Command>,
    alarm: Arc<Alarm>,
}

/// What wakes a shard that sleeps.
#[derive(Debug)]
struct Alarm {
    bell: Bell,
    waker: Waker,
}

/// Both ends of a shard's inbox.
pub(super) fn inbox(waker: Waker) -> (Inbox, Outlet) {
    let (sender, receiver) = mpsc::channel(INBOX_LENGTH);
    let alarm = Arc::new(Alarm { bell: Bell::default(), waker });
    (Inbox { commands: sender, alarm: Arc::clone(&alarm) }, Outlet { commands: receiver, alarm })
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
        if self.alarm.bell.ring() && self.alarm.waker.wake().is_err() {
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
        self.alarm.bell.fall_asleep();
        self.commands.is_empty()
    }

    /// Says that the shard is awake and will look into the inbox by itself.
    pub(super) fn awake(&self) {
        self.alarm.bell.awake();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mio::{Events, Poll, Token};

    use super::*;

    fn pair() -> (Poll, Inbox, Outlet) {
        let poll = Poll::new().unwrap();
        let (inbox, outlet) = inbox(Waker::new(poll.registry(), Token(7)).unwrap());
        (poll, inbox, outlet)
    }

    fn command() -> Command {
        Command::Close { code: CloseCode::Normal, reason: "" }
    }

    #[tokio::test]
    async fn who_posts_to_a_full_inbox_waits_until_there_is_room() {
        let (_poll, inbox, mut outlet) = pair();
        for _ in 0..INBOX_LENGTH {
            inbox.post(command()).await.unwrap();
        }
        let mut waiting = std::pin::pin!(inbox.post(command()));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        assert!(outlet.next().is_some());
        assert_eq!(waiting.await, Ok(()));
        assert_eq!(std::iter::from_fn(|| outlet.next()).count(), INBOX_LENGTH);
    }

    #[tokio::test]
    async fn an_inbox_that_nobody_reads_any_more_says_so() {
        let (_poll, inbox, outlet) = pair();
        drop(outlet);
        assert_eq!(inbox.post(command()).await, Err(Ended));
    }

    #[tokio::test]
    async fn a_shard_is_woken_once_when_it_sleeps_and_not_when_it_is_awake() {
        let (mut poll, inbox, outlet) = pair();
        let mut events = Events::with_capacity(4);
        inbox.post(command()).await.unwrap();
        poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
        assert!(events.is_empty());
        assert!(!outlet.may_sleep());
        inbox.post(command()).await.unwrap();
        poll.poll(&mut events, Some(Duration::from_secs(20))).unwrap();
        assert_eq!(events.iter().count(), 1);
        inbox.post(command()).await.unwrap();
        poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
        assert!(events.is_empty());
    }
}

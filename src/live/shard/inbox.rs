//! The inbox of a shard: a bounded queue of commands that wakes the shard if it sleeps.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use mio::Waker;
use mio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};

use super::closing::CloseReason;
use super::generation::ClientGeneration;
use super::moderation::ModerationCommand;
use super::rooms::RoomKey;
use super::wake_flag::WakeFlag;
use crate::filter::Chain;
use crate::live::accept::Permit;
use crate::live::admission::Ticket;
use crate::model::{Address, ConnectionId, Decision, GuardedNames, JudgedMessage, Message, Notice, Sender};
use crate::room::Room;
use crate::wire::frame::CloseCode;

/// Capacity of an inbox. When it is full, senders wait.
const INBOX_LENGTH: usize = 4_096;

/// A command to a shard.
#[derive(Debug)]
pub(in crate::live) enum ShardCommand {
    /// Take over a connection as a member of a room.
    Adopt { room: RoomKey, arrival: Box<NewConnection> },
    /// Judge and deliver a message sent without a connection.
    Submit { room: RoomKey, sender: Sender, message: Box<Message>, reply: oneshot::Sender<Judged<Arc<JudgedMessage>>> },
    /// Judge a message sent without a connection, without side effects.
    Try { room: RoomKey, sender: Sender, message: Box<Message>, reply: oneshot::Sender<Judged<Decision>> },
    /// Continue with a message that was judged elsewhere.
    Judged { room: RoomKey, origin: MessageOrigin, decision: Box<Decision> },
    /// Close a connection whose message is not legal, or could not be decoded or judged because of an internal error.
    Failed { id: ConnectionId, reason: CloseReason },
    /// Continue with a message that was decoded elsewhere.
    Decoded { id: ConnectionId, decoded: Box<Result<Option<Message>, Notice>> },
    /// Return the last messages of a room, oldest first.
    LastMessages { room: RoomKey, reply: oneshot::Sender<Vec<Arc<Message>>> },
    /// Return the registered nicknames of a room.
    Nicknames { room: RoomKey, reply: oneshot::Sender<Arc<[String]>> },
    /// Execute a moderation command.
    Moderate(Box<ModerationCommand>),
    /// Add a room.
    AddRoom { room: RoomKey, state: Box<Room> },
    /// Remove a room and close the connections in it.
    RemoveRoom { room: RoomKey, reply: oneshot::Sender<()> },
    /// Replace the chain for new messages.
    SetChain { chain: Chain, reply: oneshot::Sender<()> },
    /// Replace the names that not everybody may use.
    SetGuardedNames { names: Arc<GuardedNames>, reply: oneshot::Sender<()> },
    /// Close all connections and then exit.
    Close { code: CloseCode, reason: &'static str },
}

/// The answer to a caller that sent a message.
pub(in crate::live) type Judged<T> = Result<T, JudgingPanicked>;

/// A filter panicked. The shard has logged it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message could not be judged because of an internal error")]
pub struct JudgingPanicked;

/// The origin of a message, which is notified of the result.
#[derive(Debug)]
pub(in crate::live) enum MessageOrigin {
    Connection(Sender, ConnectionId),
    Call(Sender, oneshot::Sender<Judged<Arc<JudgedMessage>>>),
}

impl MessageOrigin {
    pub(super) fn sender(&self) -> &Sender {
        match self {
            Self::Connection(sender, _) | Self::Call(sender, _) => sender,
        }
    }
}

/// A WebSocket after its handshake.
#[derive(Debug)]
pub(in crate::live) struct NewConnection {
    pub(in crate::live) stream: TcpStream,
    /// Bytes that arrived along with the handshake.
    pub(in crate::live) initial_bytes: Bytes,
    pub(in crate::live) generation: ClientGeneration,
    pub(in crate::live) address: Address,
    /// The nickname that the client proved to own with a token.
    pub(in crate::live) proven_nickname: Option<Arc<str>>,
    pub(in crate::live) guards: ConnectionGuards,
}

/// Counters released when the connection is dropped.
#[derive(Debug)]
pub(in crate::live) struct ConnectionGuards {
    _permit: Permit,
    _ticket: Ticket,
}

impl ConnectionGuards {
    pub(in crate::live) fn new(permit: Permit, ticket: Ticket) -> Self {
        Self { _permit: permit, _ticket: ticket }
    }
}

/// The relay is shutting down, and the shard has exited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the relay is shutting down")]
pub struct ShuttingDown;

/// The sending half of a shard's inbox.
#[derive(Clone)]
pub(in crate::live) struct Inbox {
    commands: mpsc::Sender<ShardCommand>,
    notifier: Arc<Notifier>,
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").finish_non_exhaustive()
    }
}

/// The receiving half of a shard's inbox.
pub(super) struct InboxReceiver {
    commands: mpsc::Receiver<ShardCommand>,
    notifier: Arc<Notifier>,
}

/// Wakes a sleeping shard.
#[derive(Debug)]
struct Notifier {
    wake_flag: WakeFlag,
    waker: Waker,
}

/// Creates the inbox of a shard.
pub(super) fn channel(waker: Waker) -> (Inbox, InboxReceiver) {
    let (sender, receiver) = mpsc::channel(INBOX_LENGTH);
    let notifier = Arc::new(Notifier { wake_flag: WakeFlag::default(), waker });
    (Inbox { commands: sender, notifier: Arc::clone(&notifier) }, InboxReceiver { commands: receiver, notifier })
}

impl Inbox {
    /// Posts a command, waiting while the inbox is full.
    ///
    /// # Errors
    /// [`ShuttingDown`] when the shard has exited.
    ///
    /// # Cancel safety
    /// Dropping the future before it completes posts nothing.
    pub(in crate::live) async fn post(&self, command: ShardCommand) -> Result<(), ShuttingDown> {
        self.commands.send(command).await.map_err(|_| ShuttingDown)?;
        if self.notifier.wake_flag.take_asleep() && self.notifier.waker.wake().is_err() {
            tracing::error!("waking a shard failed");
        }
        Ok(())
    }
}

impl InboxReceiver {
    /// Returns the next command, if any.
    pub(super) fn try_next(&mut self) -> Option<ShardCommand> {
        self.commands.try_recv().ok()
    }

    /// Prepares for sleep; `false` if commands are waiting and the shard must not sleep.
    pub(super) fn prepare_sleep(&self) -> bool {
        self.notifier.wake_flag.set_asleep();
        self.commands.is_empty()
    }

    /// Notes that the shard is awake and will read the inbox.
    pub(super) fn set_awake(&self) {
        self.notifier.wake_flag.set_awake();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mio::{Events, Poll, Token};

    use super::*;

    fn pair() -> (Poll, Inbox, InboxReceiver) {
        let poll = Poll::new().unwrap();
        let (inbox, receiver) = channel(Waker::new(poll.registry(), Token(7)).unwrap());
        (poll, inbox, receiver)
    }

    fn command() -> ShardCommand {
        ShardCommand::Close { code: CloseCode::Normal, reason: "" }
    }

    #[tokio::test]
    async fn posting_to_a_full_inbox_waits_for_capacity() {
        let (_poll, inbox, mut receiver) = pair();
        for _ in 0..INBOX_LENGTH {
            inbox.post(command()).await.unwrap();
        }
        let mut waiting = std::pin::pin!(inbox.post(command()));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        assert!(receiver.try_next().is_some());
        assert_eq!(waiting.await, Ok(()));
        assert_eq!(std::iter::from_fn(|| receiver.try_next()).count(), INBOX_LENGTH);
    }

    #[tokio::test]
    async fn posting_to_a_closed_inbox_fails() {
        let (_poll, inbox, receiver) = pair();
        drop(receiver);
        assert_eq!(inbox.post(command()).await, Err(ShuttingDown));
    }

    #[tokio::test]
    async fn a_shard_is_woken_once_and_only_while_asleep() {
        let (mut poll, inbox, receiver) = pair();
        let mut events = Events::with_capacity(4);
        inbox.post(command()).await.unwrap();
        poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
        assert!(events.is_empty());
        assert!(!receiver.prepare_sleep());
        inbox.post(command()).await.unwrap();
        poll.poll(&mut events, Some(Duration::from_secs(20))).unwrap();
        assert_eq!(events.iter().count(), 1);
        inbox.post(command()).await.unwrap();
        poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
        assert!(events.is_empty());
    }
}

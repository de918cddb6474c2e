//! The way to one room.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::oneshot;

use crate::live::shard::Ended;
use crate::live::shard::inbox::{Arrival, Command, Inbox};
use crate::live::shard::moderated::Wish;
use crate::live::shard::rooms::RoomKey;
use crate::model::{Decision, Message, Recorded, RoomName, Sender};
use crate::room::MemberView;

/// The way to one room.
#[derive(Clone, Debug)]
pub struct RoomHandle {
    name: RoomName,
    shard: Inbox,
    place: Place,
    connections: Arc<AtomicUsize>,
    /// Whether the room was removed.
    removed: Arc<AtomicBool>,
}

/// Where a room is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::live) struct Place {
    /// The number of its shard.
    pub(in crate::live) shard: usize,
    /// Which of the shard's rooms it is.
    pub(in crate::live) key: RoomKey,
}

/// Why a room does not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// It was removed while the relay ran.
    #[error("the room {0} was removed")]
    Removed(RoomName),
    /// Its shard has ended.
    #[error(transparent)]
    Ended(#[from] Ended),
}

impl RoomHandle {
    pub(in crate::live) fn new(name: RoomName, shard: Inbox, place: Place, connections: Arc<AtomicUsize>) -> Self {
        Self { name, shard, place, connections, removed: Arc::default() }
    }

    /// The room's name.
    #[must_use]
    pub fn name(&self) -> &RoomName {
        &self.name
    }

    /// How many connections it has.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// The registered nicknames, sorted without regard to letter case.
    ///
    /// # Errors
    /// [`NoAnswer`] when the room was removed or the relay is shutting down.
    pub async fn users(&self) -> Result<Arc<[String]>, NoAnswer> {
        let (reply, answer) = oneshot::channel();
        self.shard.post(Command::Users { room: self.place.key, reply }).await?;
        answer.await.map_err(|_| self.silent())
    }

    /// Judges a message that came without a connection and, if it may be, lets the room hear it.
    ///
    /// # Errors
    /// [`NoAnswer`] when the room was removed or the relay is shutting down.
    ///
    /// # Cancel safety
    /// Once posted, the message goes its way even when nobody waits for the decision any more.
    pub async fn say(&self, sender: Sender, message: Message) -> Result<Arc<Recorded>, NoAnswer> {
        let (reply, answer) = oneshot::channel();
        let message = Box::new(message);
        self.shard.post(Command::Say { room: self.place.key, sender, message, reply }).await?;
        answer.await.map_err(|_| self.silent())
    }

    /// Judges a message without any effect: nobody hears it, and nothing is counted, taken or remembered.
    ///
    /// # Errors
    /// [`NoAnswer`] when the room was removed or the relay is shutting down.
    ///
    /// # Cancel safety
    /// Dropping the future drops the decision.
    pub async fn try_out(&self, sender: Sender, message: Message) -> Result<Decision, NoAnswer> {
        let (reply, answer) = oneshot::channel();
        let message = Box::new(message);
        self.shard.post(Command::Try { room: self.place.key, sender, message, reply }).await?;
        answer.await.map_err(|_| self.silent())
    }

    /// Who is in the room.
    ///
    /// # Errors
    /// [`NoAnswer`] when the room was removed or the relay is shutting down.
    pub async fn members(&self) -> Result<Vec<MemberView>, NoAnswer> {
        self.wish(|reply| Wish::Members { room: self.place.key, reply }).await
    }

    /// Lets the room hear a message that was held, as it was decided then.
    ///
    /// # Errors
    /// [`NoAnswer`] when the room was removed or the relay is shutting down.
    ///
    /// # Cancel safety
    /// Once posted, the message is heard even when nobody waits any more.
    pub async fn release(&self, recorded: Arc<Recorded>) -> Result<(), NoAnswer> {
        self.wish(|reply| Wish::Release { room: self.place.key, recorded, reply }).await
    }

    async fn wish<T>(&self, wish: impl FnOnce(oneshot::Sender<T>) -> Wish) -> Result<T, NoAnswer> {
        let (reply, answer) = oneshot::channel();
        self.shard.post(Command::Moderate(Box::new(wish(reply)))).await?;
        answer.await.map_err(|_| self.silent())
    }

    /// Why there was no answer.
    fn silent(&self) -> NoAnswer {
        if self.removed.load(Ordering::Relaxed) { NoAnswer::Removed(self.name.clone()) } else { Ended.into() }
    }

    /// The place of the room.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// Removes the room from its shard and closes the connections in it. Whoever asks this handle for something from
    /// now on gets no answer.
    pub(super) async fn remove(&self) -> Result<(), Ended> {
        self.removed.store(true, Ordering::Relaxed);
        let (reply, answer) = oneshot::channel();
        self.shard.post(Command::Remove { room: self.place.key, reply }).await?;
        answer.await.map_err(|_| Ended)
    }

    /// Hands a WebSocket over. Where the room was removed meanwhile, the shard closes it.
    pub(in crate::live) async fn adopt(&self, arrival: Arrival) -> Result<(), Ended> {
        self.shard.post(Command::Adopt(Box::new(Arrival { room: self.place.key, ..arrival }))).await
    }
}

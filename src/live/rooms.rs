//! The rooms of an instance, as the rest of the program knows them: by name, and through the inboxes of their shards.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::oneshot;

use super::shard::Ended;
use super::shard::inbox::{Arrival, Command, Inbox};
use crate::model::{Decision, Message, RoomName, Sender};
use crate::wire::frame::CloseCode;

/// The way to one room.
#[derive(Clone, Debug)]
pub struct RoomHandle {
    name: RoomName,
    shard: Inbox,
    /// Which of the shard's rooms it is.
    place: usize,
    connections: Arc<AtomicUsize>,
}

impl RoomHandle {
    pub(super) fn new(name: RoomName, shard: Inbox, place: usize, connections: Arc<AtomicUsize>) -> Self {
        Self { name, shard, place, connections }
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
    /// [`Ended`] when the relay is shutting down.
    pub async fn users(&self) -> Result<Arc<[String]>, Ended> {
        let (reply, answer) = oneshot::channel();
        self.shard.post(Command::Users { room: self.place, reply }).await?;
        answer.await.map_err(|_| Ended)
    }

    /// Judges a message that came without a connection and, if it may be, lets the room hear it.
    ///
    /// # Errors
    /// [`Ended`] when the relay is shutting down.
    ///
    /// # Cancel safety
    /// Once posted, the message goes its way even when nobody waits for the decision any more.
    pub async fn say(&self, sender: Sender, message: Message) -> Result<Decision, Ended> {
        let (reply, answer) = oneshot::channel();
        let message = Box::new(message);
        self.shard.post(Command::Say { room: self.place, sender, message, reply }).await?;
        answer.await.map_err(|_| Ended)
    }

    /// Judges a message without any effect: nobody hears it, and nothing is counted, taken or remembered.
    ///
    /// # Errors
    /// [`Ended`] when the relay is shutting down.
    ///
    /// # Cancel safety
    /// Dropping the future drops the decision.
    pub async fn try_out(&self, sender: Sender, message: Message) -> Result<Decision, Ended> {
        let (reply, answer) = oneshot::channel();
        let message = Box::new(message);
        self.shard.post(Command::Try { room: self.place, sender, message, reply }).await?;
        answer.await.map_err(|_| Ended)
    }

    /// Hands a WebSocket over.
    pub(super) async fn adopt(&self, arrival: Arrival) -> Result<(), Ended> {
        self.shard.post(Command::Adopt(Box::new(Arrival { room: self.place, ..arrival }))).await
    }
}

/// The rooms of an instance, which stay the same while it runs.
#[derive(Debug)]
pub struct Rooms {
    in_order: Vec<RoomHandle>,
    by_name: HashMap<RoomName, usize>,
    shards: Vec<Inbox>,
}

impl Rooms {
    pub(super) fn new(in_order: Vec<RoomHandle>, shards: Vec<Inbox>) -> Self {
        let by_name = in_order.iter().enumerate().map(|(at, room)| (room.name.clone(), at)).collect();
        Self { in_order, by_name, shards }
    }

    /// The room of this name; blanks around the name do not count.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&RoomHandle> {
        let name = RoomName::parse(name).ok()?;
        self.by_name.get(&name).and_then(|&at| self.in_order.get(at))
    }

    /// Each room, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = &RoomHandle> {
        self.in_order.iter()
    }

    /// Ends all connections of all rooms; nobody joins after that.
    pub async fn close(&self, code: CloseCode, reason: &'static str) {
        for shard in &self.shards {
            // A shard that has ended has closed its connections already.
            let _ended = shard.post(Command::Close { code, reason }).await;
        }
    }
}

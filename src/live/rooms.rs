//! The rooms of an instance, as the rest of the program knows them: by name, and through the inboxes of their shards.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::oneshot;

use super::shard::inbox::{Arrival, Command, Inbox};
use super::shard::moderated::Wish;
use super::shard::{self, Ended};
use crate::model::{Decision, Message, Notice, Recorded, RoomName, Sanction, Sender, SenderId};
use crate::room::MemberView;
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
    pub async fn say(&self, sender: Sender, message: Message) -> Result<Arc<Recorded>, Ended> {
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

    /// Who is in the room.
    ///
    /// # Errors
    /// [`Ended`] when the relay is shutting down.
    pub async fn members(&self) -> Result<Vec<MemberView>, Ended> {
        self.wish(|reply| Wish::Members { room: self.place, reply }).await
    }

    /// Lets the room hear a message that was held, as it was decided then.
    ///
    /// # Errors
    /// [`Ended`] when the relay is shutting down.
    ///
    /// # Cancel safety
    /// Once posted, the message is heard even when nobody waits any more.
    pub async fn release(&self, recorded: Arc<Recorded>) -> Result<(), Ended> {
        self.wish(|reply| Wish::Release { room: self.place, recorded, reply }).await
    }

    async fn wish<T>(&self, wish: impl FnOnce(oneshot::Sender<T>) -> Wish) -> Result<T, Ended> {
        ask(&self.shard, wish).await
    }

    /// Hands a WebSocket over.
    pub(super) async fn adopt(&self, arrival: Arrival) -> Result<(), Ended> {
        self.shard.post(Command::Adopt(Box::new(Arrival { room: self.place, ..arrival }))).await
    }
}

/// Asks a shard for something of moderation.
async fn ask<T>(shard: &Inbox, wish: impl FnOnce(oneshot::Sender<T>) -> Wish) -> Result<T, Ended> {
    let (reply, answer) = oneshot::channel();
    shard.post(Command::Moderate(Box::new(wish(reply)))).await?;
    answer.await.map_err(|_| Ended)
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

    /// The member of this number, and the room that it is in.
    ///
    /// # Errors
    /// [`Ended`] when the relay is shutting down.
    pub async fn member(&self, id: SenderId) -> Result<Option<(RoomName, MemberView)>, Ended> {
        let Some(shard) = self.shard_of(id) else { return Ok(None) };
        ask(shard, |reply| Wish::Find { id, reply }).await
    }

    /// Trusts a member from now on, or no longer; `None` when it is gone.
    ///
    /// # Errors
    /// [`Ended`] when the relay is shutting down.
    pub async fn trust(&self, id: SenderId, on: bool) -> Result<Option<MemberView>, Ended> {
        let Some(shard) = self.shard_of(id) else { return Ok(None) };
        ask(shard, |reply| Wish::Trust { id, on, reply }).await
    }

    /// Closes the connection of a member, who is told why. Nothing happens when it is gone.
    pub async fn kick(&self, id: SenderId, notice: Notice) {
        self.to_member(id, Wish::Kick { id, notice }).await;
    }

    /// Tells a member something. Nothing happens when it is gone.
    pub async fn tell(&self, id: SenderId, notice: Notice) {
        self.to_member(id, Wish::Tell { id, notice }).await;
    }

    /// Lets those feel a sanction whom it is on, in all rooms that it is about: it begins, or was lifted.
    pub async fn feel(&self, sanction: &Sanction, lifted: bool) {
        for shard in &self.shards {
            let wish = Wish::Feel { sanction: Box::new(sanction.clone()), lifted };
            // A shard that has ended has no members any more.
            let _ended = shard.post(Command::Moderate(Box::new(wish))).await;
        }
    }

    async fn to_member(&self, id: SenderId, wish: Wish) {
        if let Some(shard) = self.shard_of(id) {
            // A shard that has ended has no members any more.
            let _ended = shard.post(Command::Moderate(Box::new(wish))).await;
        }
    }

    fn shard_of(&self, id: SenderId) -> Option<&Inbox> {
        self.shards.get(shard::number_of(id))
    }

    /// Ends all connections of all rooms; nobody joins after that.
    pub async fn close(&self, code: CloseCode, reason: &'static str) {
        for shard in &self.shards {
            // A shard that has ended has closed its connections already.
            let _ended = shard.post(Command::Close { code, reason }).await;
        }
    }
}

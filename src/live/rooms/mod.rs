//! The rooms of an instance, as the rest of the program knows them: by name, and through the inboxes of their shards.

mod change;
mod handle;

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Mutex, oneshot};

pub(in crate::live) use self::handle::Place;
pub use self::handle::{NoAnswer, RoomHandle};
use super::shard::inbox::{Command, Inbox};
use super::shard::moderated::Wish;
use super::shard::{self, Ended};
use crate::model::{Notice, RoomName, Sanction, SenderId};
use crate::room::MemberView;
use crate::settings::Swap;
use crate::telemetry::Metrics;
use crate::wire::frame::CloseCode;

/// Asks a shard for something of moderation.
async fn ask<T>(shard: &Inbox, wish: impl FnOnce(oneshot::Sender<T>) -> Wish) -> Result<T, Ended> {
    let (reply, answer) = oneshot::channel();
    shard.post(Command::Moderate(Box::new(wish(reply)))).await?;
    answer.await.map_err(|_| Ended)
}

/// The rooms of an instance, which come and go with its configuration.
#[derive(Debug)]
pub struct Rooms {
    listed: Swap<Listed>,
    shards: Vec<Inbox>,
    metrics: Arc<Metrics>,
    /// The key of the next room that is added. Held while rooms change, which they do one change at a time.
    next_key: Mutex<u64>,
}

/// The rooms as they are at some moment.
#[derive(Debug)]
pub struct Listed {
    in_order: Vec<RoomHandle>,
    by_name: HashMap<RoomName, usize>,
}

impl Listed {
    fn new(in_order: Vec<RoomHandle>) -> Self {
        let by_name = in_order.iter().enumerate().map(|(at, room)| (room.name().clone(), at)).collect();
        Self { in_order, by_name }
    }

    /// Each room, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = &RoomHandle> {
        self.in_order.iter()
    }

    fn find(&self, name: &RoomName) -> Option<&RoomHandle> {
        self.by_name.get(name).and_then(|&at| self.in_order.get(at))
    }
}

impl Rooms {
    pub(super) fn new(in_order: Vec<RoomHandle>, shards: Vec<Inbox>, metrics: Arc<Metrics>) -> Self {
        let next_key = in_order.iter().map(|room| room.place().key.0 + 1).max().unwrap_or(0);
        Self { listed: Swap::new(Listed::new(in_order)), shards, metrics, next_key: Mutex::new(next_key) }
    }

    /// The room of this name; blanks around the name do not count.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<RoomHandle> {
        self.listed.get().find(&RoomName::parse(name).ok()?).cloned()
    }

    /// All rooms as they are now.
    #[must_use]
    pub fn list(&self) -> Arc<Listed> {
        self.listed.get()
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

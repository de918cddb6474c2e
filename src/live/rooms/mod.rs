//! The rooms of an instance, by name, reached through the inboxes of their shards.

mod handle;
mod reconfigure;
mod start;

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Mutex, oneshot};

use self::handle::RoomLocation;
pub use self::handle::{RoomHandle, RoomUnavailable};
use super::shard::inbox::{Inbox, ShardCommand};
use super::shard::moderation::ModerationCommand;
use super::shard::{self, ShuttingDown};
use crate::model::{ConnectionId, GuardedNames, Notice, RoomName};
use crate::moderation::SanctionEvent;
use crate::room::{LastLimits, MemberView};
use crate::settings::Swap;
use crate::telemetry::Metrics;
use crate::wire::frame::CloseCode;

/// Sends a moderation command to a shard, and waits for its reply.
async fn request<T>(
    shard: &Inbox,
    command: impl FnOnce(oneshot::Sender<T>) -> ModerationCommand,
) -> Result<T, ShuttingDown> {
    let (reply, answer) = oneshot::channel();
    shard.post(ShardCommand::Moderate(Box::new(command(reply)))).await?;
    answer.await.map_err(|_| ShuttingDown)
}

/// The rooms of an instance, which change with its configuration.
#[derive(Debug)]
pub struct Rooms {
    listed: Swap<RoomList>,
    shards: Vec<Inbox>,
    metrics: Arc<Metrics>,
    guarded: Swap<GuardedNames>,
    /// Limits of the last messages of each room. A room that is added later has the share of the first ones.
    last_limits: LastLimits,
    /// The key for the next room. The lock is held while rooms change, so that changes are serialized.
    next_key: Mutex<u64>,
}

/// A snapshot of the rooms.
#[derive(Debug)]
pub struct RoomList {
    in_order: Vec<RoomHandle>,
    by_name: HashMap<RoomName, usize>,
}

impl RoomList {
    fn new(in_order: Vec<RoomHandle>) -> Self {
        let by_name = in_order.iter().enumerate().map(|(at, room)| (room.name().clone(), at)).collect();
        Self { in_order, by_name }
    }

    /// Iterates over the rooms in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = &RoomHandle> {
        self.in_order.iter()
    }

    fn find(&self, name: &RoomName) -> Option<&RoomHandle> {
        self.by_name.get(name).and_then(|&at| self.in_order.get(at))
    }
}

impl Rooms {
    fn new(
        in_order: Vec<RoomHandle>,
        shards: Vec<Inbox>,
        metrics: Arc<Metrics>,
        guarded: &Arc<GuardedNames>,
        last_limits: LastLimits,
    ) -> Self {
        let next_key = in_order.iter().map(|room| room.location().key.0 + 1).max().unwrap_or(0);
        let listed = Swap::new(RoomList::new(in_order));
        let names = Swap::default();
        names.set_arc(Arc::clone(guarded));
        Self { listed, shards, metrics, guarded: names, last_limits, next_key: Mutex::new(next_key) }
    }

    /// Returns the room with this name; surrounding whitespace is ignored.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<RoomHandle> {
        self.listed.get().find(&name.parse().ok()?).cloned()
    }

    /// Returns a snapshot of the rooms.
    #[must_use]
    pub fn list(&self) -> Arc<RoomList> {
        self.listed.get()
    }

    /// Returns a member and its room.
    ///
    /// # Errors
    /// [`ShuttingDown`] when the relay is shutting down.
    pub async fn member(&self, id: ConnectionId) -> Result<Option<(RoomName, MemberView)>, ShuttingDown> {
        let Some(shard) = self.shard_of(id) else { return Ok(None) };
        request(shard, |reply| ModerationCommand::Find { id, reply }).await
    }

    /// Sets or clears a moderator's trust in a member; `None` if it has left.
    ///
    /// # Errors
    /// [`ShuttingDown`] when the relay is shutting down.
    pub async fn set_trusted(&self, id: ConnectionId, on: bool) -> Result<Option<MemberView>, ShuttingDown> {
        let Some(shard) = self.shard_of(id) else { return Ok(None) };
        request(shard, |reply| ModerationCommand::SetTrusted { id, on, reply }).await
    }

    /// Notifies a member and closes its connection. Does nothing if it has left.
    pub async fn kick(&self, id: ConnectionId, notice: Notice) {
        self.send_to_member(id, ModerationCommand::Kick { id, notice }).await;
    }

    /// Sends a notice to a member. Does nothing if it has left.
    pub async fn notify(&self, id: ConnectionId, notice: Notice) {
        self.send_to_member(id, ModerationCommand::Notify { id, notice, message: None }).await;
    }

    /// Notifies or closes all connections that a sanction targets, in all rooms where it applies.
    pub async fn enforce(&self, event: SanctionEvent) {
        for shard in &self.shards {
            let command = ModerationCommand::Enforce(event.clone());
            // A shard that has exited has no members.
            let _exited = shard.post(ShardCommand::Moderate(Box::new(command))).await;
        }
    }

    async fn send_to_member(&self, id: ConnectionId, command: ModerationCommand) {
        if let Some(shard) = self.shard_of(id) {
            // A shard that has exited has no members.
            let _exited = shard.post(ShardCommand::Moderate(Box::new(command))).await;
        }
    }

    fn shard_of(&self, id: ConnectionId) -> Option<&Inbox> {
        self.shards.get(shard::shard_of_id(id))
    }

    /// Closes all connections in all rooms. No connection can join after that.
    pub async fn close(&self, code: CloseCode, reason: &'static str) {
        for shard in &self.shards {
            // A shard that has exited has closed its connections.
            let _exited = shard.post(ShardCommand::Close { code, reason }).await;
        }
    }
}

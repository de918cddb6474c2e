//! Handles to rooms.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::oneshot;
use uuid::Uuid;

use crate::live::shard::inbox::{Inbox, NewConnection, ShardCommand};
use crate::live::shard::moderation::ModerationCommand;
use crate::live::shard::rooms::RoomKey;
use crate::live::shard::{JudgingPanicked, ShuttingDown};
use crate::model::{Decision, JudgedMessage, Message, RoomName, Sender};
use crate::room::MemberView;

/// A handle to one room.
#[derive(Clone, Debug)]
pub struct RoomHandle {
    name: RoomName,
    shard: Inbox,
    location: RoomLocation,
    connections: Arc<AtomicUsize>,
    /// Whether the room was removed.
    removed: Arc<AtomicBool>,
}

/// The location of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RoomLocation {
    /// Index of its shard.
    pub(super) shard: usize,
    /// Its key on that shard.
    pub(super) key: RoomKey,
}

/// Why a room is unavailable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoomUnavailable {
    /// The room was removed.
    #[error("room {0} was removed")]
    Removed(RoomName),
    /// The relay is shutting down.
    #[error(transparent)]
    ShuttingDown(#[from] ShuttingDown),
    /// A filter panicked.
    #[error(transparent)]
    Internal(#[from] JudgingPanicked),
}

impl RoomHandle {
    pub(super) fn new(name: RoomName, shard: Inbox, location: RoomLocation, connections: Arc<AtomicUsize>) -> Self {
        Self { name, shard, location, connections, removed: Arc::default() }
    }

    /// Returns the name of the room.
    #[must_use]
    pub fn name(&self) -> &RoomName {
        &self.name
    }

    /// Returns the number of connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Returns the registered nicknames, sorted case-insensitively.
    ///
    /// # Errors
    /// [`RoomUnavailable`] when the room was removed or the relay is shutting down.
    pub async fn nicknames(&self) -> Result<Arc<[String]>, RoomUnavailable> {
        let (reply, answer) = oneshot::channel();
        self.shard.post(ShardCommand::Nicknames { room: self.location.key, reply }).await?;
        answer.await.map_err(|_| self.unavailable())
    }

    /// Returns the last messages, oldest first.
    ///
    /// # Errors
    /// [`RoomUnavailable`] when the room was removed or the relay is shutting down.
    pub async fn last_messages(&self) -> Result<Vec<Arc<Message>>, RoomUnavailable> {
        let (reply, answer) = oneshot::channel();
        self.shard.post(ShardCommand::LastMessages { room: self.location.key, reply }).await?;
        answer.await.map_err(|_| self.unavailable())
    }

    /// Forgets one of the last messages, and tells members that understand it. Returns whether it was kept.
    ///
    /// # Errors
    /// [`RoomUnavailable`] when the room was removed or the relay is shutting down.
    pub async fn retract(&self, message: Uuid) -> Result<bool, RoomUnavailable> {
        self.command(|reply| ModerationCommand::Retract { room: self.location.key, message, reply }).await
    }

    /// Judges a message sent without a connection, and delivers it.
    ///
    /// # Errors
    /// [`RoomUnavailable`] when the room was removed, the relay is shutting down or a filter panicked.
    ///
    /// # Cancel safety
    /// Once posted, the message is processed even if the future is dropped.
    pub async fn submit(&self, sender: Sender, message: Message) -> Result<Arc<JudgedMessage>, RoomUnavailable> {
        let (reply, answer) = oneshot::channel();
        let message = Box::new(message);
        self.shard.post(ShardCommand::Submit { room: self.location.key, sender, message, reply }).await?;
        Ok(answer.await.map_err(|_| self.unavailable())??)
    }

    /// Judges a message without side effects: it is not delivered, counted or remembered.
    ///
    /// # Errors
    /// [`RoomUnavailable`] when the room was removed, the relay is shutting down or a filter panicked.
    ///
    /// # Cancel safety
    /// Dropping the future drops the decision.
    pub async fn try_out(&self, sender: Sender, message: Message) -> Result<Decision, RoomUnavailable> {
        let (reply, answer) = oneshot::channel();
        let message = Box::new(message);
        self.shard.post(ShardCommand::Try { room: self.location.key, sender, message, reply }).await?;
        Ok(answer.await.map_err(|_| self.unavailable())??)
    }

    /// Returns the members.
    ///
    /// # Errors
    /// [`RoomUnavailable`] when the room was removed or the relay is shutting down.
    pub async fn members(&self) -> Result<Vec<MemberView>, RoomUnavailable> {
        self.command(|reply| ModerationCommand::Members { room: self.location.key, reply }).await
    }

    /// Publishes a released message, without judging it again.
    ///
    /// # Errors
    /// [`RoomUnavailable`] when the room was removed or the relay is shutting down.
    ///
    /// # Cancel safety
    /// Once posted, the message is published even if the future is dropped.
    pub async fn release(&self, judged: Arc<JudgedMessage>) -> Result<(), RoomUnavailable> {
        self.command(|reply| ModerationCommand::Release { room: self.location.key, judged, reply }).await
    }

    async fn command<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> ModerationCommand,
    ) -> Result<T, RoomUnavailable> {
        let (reply, answer) = oneshot::channel();
        self.shard.post(ShardCommand::Moderate(Box::new(command(reply)))).await?;
        answer.await.map_err(|_| self.unavailable())
    }

    /// Why a request got no reply.
    fn unavailable(&self) -> RoomUnavailable {
        if self.removed.load(Ordering::Relaxed) {
            RoomUnavailable::Removed(self.name.clone())
        } else {
            ShuttingDown.into()
        }
    }

    /// Returns the location of the room.
    pub(super) fn location(&self) -> RoomLocation {
        self.location
    }

    /// Removes the room from its shard and closes its connections. Later requests through this handle get no reply.
    pub(super) async fn remove(&self) -> Result<(), ShuttingDown> {
        self.removed.store(true, Ordering::Relaxed);
        let (reply, answer) = oneshot::channel();
        self.shard.post(ShardCommand::RemoveRoom { room: self.location.key, reply }).await?;
        answer.await.map_err(|_| ShuttingDown)
    }

    /// Hands a WebSocket over to the room's shard. If the room has been removed, the shard closes the connection.
    pub(in crate::live) async fn adopt(&self, arrival: NewConnection) -> Result<(), ShuttingDown> {
        self.shard.post(ShardCommand::Adopt { room: self.location.key, arrival: Box::new(arrival) }).await
    }
}

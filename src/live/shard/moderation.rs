//! Moderation of connections.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;
use uuid::Uuid;

use super::Shard;
use super::closing::CloseReason;
use super::rooms::RoomKey;
use crate::model::{ConnectionId, JudgedMessage, Notice, RoomName, SanctionKind};
use crate::moderation::{SanctionEvent, imposed_reason, lifted_reason};
use crate::room::MemberView;
use crate::wire::frame::CloseCode;

/// A moderation command to a shard.
#[derive(Debug)]
pub(in crate::live) enum ModerationCommand {
    /// Return the members of a room.
    Members { room: RoomKey, reply: oneshot::Sender<Vec<MemberView>> },
    /// Return a member and its room.
    Find { id: ConnectionId, reply: oneshot::Sender<Option<(RoomName, MemberView)>> },
    /// Set or clear a moderator's trust in a member.
    SetTrusted { id: ConnectionId, on: bool, reply: oneshot::Sender<Option<MemberView>> },
    /// Notify or close the connections that a sanction targets.
    Enforce(SanctionEvent),
    /// Notify a member and close its connection.
    Kick { id: ConnectionId, notice: Notice },
    /// Publish a released message.
    Release { room: RoomKey, judged: Arc<JudgedMessage>, reply: oneshot::Sender<()> },
    /// Forget one of the last messages. Replies whether it was kept.
    Retract { room: RoomKey, message: Uuid, reply: oneshot::Sender<bool> },
    /// Send a notice to a member, about one of its messages.
    Notify { id: ConnectionId, notice: Notice, message: Option<Uuid> },
}

impl Shard {
    /// Executes a moderation command. The caller may have timed out.
    pub(super) fn handle_moderation(&mut self, command: ModerationCommand, now: Instant) {
        match command {
            ModerationCommand::Members { room, reply } => {
                // Dropping `reply` tells the caller that the room was removed.
                if let Some(room) = self.rooms.get(room) {
                    drop(reply.send(room.member_views()));
                }
            }
            ModerationCommand::Find { id, reply } => {
                let room = self.connections.room_of(id).and_then(|room| self.rooms.get(room));
                let found = room.and_then(|room| Some((room.name().clone(), room.member_view(id)?)));
                drop(reply.send(found));
            }
            ModerationCommand::SetTrusted { id, on, reply } => {
                let room = self.connections.room_of(id).and_then(|room| self.rooms.get_mut(room));
                drop(reply.send(room.and_then(|room| room.set_trusted(id, on))));
            }
            ModerationCommand::Enforce(event) => self.enforce(&event, now),
            ModerationCommand::Kick { id, notice } => {
                if let Some(room) = self.connections.room_of(id) {
                    self.disconnect(room, id, &notice, now);
                }
            }
            ModerationCommand::Release { room, judged, reply } => {
                if let Some(room) = self.rooms.get_mut(room) {
                    room.release(judged.sender.connection, &judged.decision.message);
                    let _gone = reply.send(());
                }
            }
            ModerationCommand::Retract { room, message, reply } => {
                if let Some(room) = self.rooms.get_mut(room) {
                    let _gone = reply.send(room.retract(message));
                }
            }
            ModerationCommand::Notify { id, notice, message } => {
                if let Some(room) = self.connections.room_of(id) {
                    self.notify(room, id, &notice, message);
                }
            }
        }
    }

    /// Notifies the connections that a sanction targets, and closes those of somebody kicked or banned.
    fn enforce(&mut self, event: &SanctionEvent, now: Instant) {
        let (sanction, reason) = match event {
            SanctionEvent::Imposed(sanction) => (sanction, Some(imposed_reason(sanction))),
            SanctionEvent::Lifted(sanction) => (sanction, lifted_reason(sanction)),
        };
        let Some(notice) = reason.map(Notice::Moderation) else { return };
        for (room, id) in self.rooms.targets_of(sanction) {
            match sanction.kind {
                SanctionKind::Kick | SanctionKind::Ban => self.disconnect(room, id, &notice, now),
                SanctionKind::Warn | SanctionKind::Mute => self.notify(room, id, &notice, None),
            }
        }
    }

    /// Notifies a connection and closes it.
    fn disconnect(&mut self, room: RoomKey, id: ConnectionId, notice: &Notice, now: Instant) {
        self.notify(room, id, notice, None);
        self.close_connection(
            id,
            CloseReason::ByRelay(CloseCode::Policy, "a moderator has closed this connection"),
            now,
        );
    }
}

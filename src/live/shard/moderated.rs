//! What moderators see of connections and do to them.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;

use super::Shard;
use super::ending::End;
use super::rooms::RoomKey;
use crate::model::{Notice, Recorded, RoomName, Sanction, SanctionKind, SenderId};
use crate::moderation::{lifted, told};
use crate::room::MemberView;
use crate::wire::frame::CloseCode;

/// What a moderator wants of a shard.
#[derive(Debug)]
pub(in crate::live) enum Wish {
    /// Tell who is in a room.
    Members { room: RoomKey, reply: oneshot::Sender<Vec<MemberView>> },
    /// Tell of one member, and where it is.
    Find { id: SenderId, reply: oneshot::Sender<Option<(RoomName, MemberView)>> },
    /// Trust a member from now on, or no longer.
    Trust { id: SenderId, on: bool, reply: oneshot::Sender<Option<MemberView>> },
    /// Have a sanction felt that is in force now, or that is lifted.
    Feel { sanction: Box<Sanction>, lifted: bool },
    /// Close the connection of a member, who is told why.
    Kick { id: SenderId, notice: Notice },
    /// Let a room hear a message that was held.
    Release { room: RoomKey, recorded: Arc<Recorded>, reply: oneshot::Sender<()> },
    /// Tell a member something.
    Tell { id: SenderId, notice: Notice },
}

impl Shard {
    /// Does what a moderator wants. Who asked may have lost patience.
    pub(super) fn on_wish(&mut self, wish: Wish, now: Instant) {
        match wish {
            Wish::Members { room, reply } => {
                // Without an answer, the caller learns that the room was removed.
                if let Some(local) = self.rooms.get(&room) {
                    drop(reply.send(local.room.views()));
                }
            }
            Wish::Find { id, reply } => {
                let found = self.home(id).and_then(|room| {
                    let local = self.rooms.get(&room)?;
                    Some((local.room.name().clone(), local.room.view(id)?))
                });
                drop(reply.send(found));
            }
            Wish::Trust { id, on, reply } => {
                let trusted = self.home(id).and_then(|room| self.rooms.get_mut(&room)?.room.trust(id, on));
                drop(reply.send(trusted));
            }
            Wish::Feel { sanction, lifted: was_lifted } => self.feel(&sanction, was_lifted, now),
            Wish::Kick { id, notice } => {
                if let Some(room) = self.home(id) {
                    self.turn_out(room, id, &notice, now);
                }
            }
            Wish::Release { room, recorded, reply } => {
                if let Some(local) = self.rooms.get_mut(&room) {
                    local.room.release(recorded.sender.connection, &recorded.decision.message);
                    self.stir(room);
                    let _gone = reply.send(());
                }
            }
            Wish::Tell { id, notice } => {
                if let Some(room) = self.home(id) {
                    self.notify(room, id, &notice);
                }
            }
        }
    }

    /// The room of a connection that has not taken its leave.
    fn home(&mut self, id: SenderId) -> Option<RoomKey> {
        self.connection(id).filter(|connection| !connection.is_leaving()).map(|connection| connection.room)
    }

    /// Lets those feel a sanction whom it is on.
    fn feel(&mut self, sanction: &Sanction, was_lifted: bool, now: Instant) {
        let reason = if was_lifted { lifted(sanction) } else { Some(told(sanction)) };
        let Some(notice) = reason.map(Notice::Act) else { return };
        let rooms: Vec<RoomKey> = self.rooms.keys().copied().collect();
        for room in rooms {
            let concerned = match self.rooms.get(&room) {
                Some(local) if sanction.concerns(local.room.name()) => local.room.targeted(&sanction.target),
                _ => continue,
            };
            for id in concerned {
                match sanction.kind {
                    SanctionKind::Kick | SanctionKind::Ban => self.turn_out(room, id, &notice, now),
                    SanctionKind::Warn | SanctionKind::Mute => self.notify(room, id, &notice),
                }
            }
        }
    }

    /// Closes a connection, which is told why before.
    fn turn_out(&mut self, room: RoomKey, id: SenderId, notice: &Notice, now: Instant) {
        self.notify(room, id, notice);
        self.end(id, End::Told(CloseCode::Policy, "a moderator has closed this connection"), now);
    }
}

//! Nickname ownership: a registered nickname belongs to its connection, in that room, for as long as the connection
//! lives.

use crate::model::{ConnectionId, Decision, Message, MessageKind, Nickname, Reason, Sender, is_reserved};
use crate::room::{NicknameInUse, Room, in_use_reason, reserved_reason};

/// Takes the place of a filter name in traces and metrics.
pub(super) const FILTER_NAME: &str = "identity";

/// A registration of a nickname that belongs to another connection from the same address.
///
/// The owner is probed first: a client whose network broke reconnects before the relay notices, and wants its nickname
/// back.
#[derive(Debug)]
pub struct NicknameClaim {
    /// The connection that registers the nickname.
    pub claimant: ConnectionId,
    /// The connection that the nickname belongs to.
    pub owner: ConnectionId,
    pub(super) nickname: Nickname,
    pub(super) sender: Sender,
    pub(super) decision: Decision,
}

impl NicknameClaim {
    /// Whether the claimed nickname or a look-alike still belongs to the owner in `room`.
    #[must_use]
    pub fn is_owned(&self, room: &Room) -> bool {
        room.owner(&self.nickname, self.claimant) == Some(self.owner)
    }
}

/// Checks that the sender may use its author name. This runs before the chain, so that an impostor does not use up the
/// owner's rate limit.
pub(super) fn check_author(room: &mut Room, sender: &Sender, message: &Message) -> Result<(), Reason> {
    match message.kind {
        MessageKind::Newcomer if is_reserved(&message.author) => Err(reserved_reason()),
        MessageKind::Newcomer => Ok(()),
        MessageKind::Text { .. } | MessageKind::Like { .. } | MessageKind::Content { .. } => {
            room.check_author(sender.connection, &message.author)
        }
    }
}

/// The result of a registration that is not rejected.
pub(super) enum Registration {
    /// The nickname is registered.
    Registered,
    /// The nickname belongs to this connection, which must be probed first.
    OwnedBy(ConnectionId, Nickname),
}

/// Registers a nickname that the chain accepted, unless it belongs to another connection.
pub(super) fn register(room: &mut Room, id: ConnectionId, sender: &Sender, name: &str) -> Result<Registration, Reason> {
    let Ok(nickname) = name.parse() else { return Err(reserved_reason()) };
    if let Some(reason) = room.repeats_registration(id, &nickname) {
        return Err(reason);
    }
    match room.check_free(id, sender.address, &nickname) {
        Err(NicknameInUse { owner, same_address: true }) => Ok(Registration::OwnedBy(owner, nickname)),
        Err(NicknameInUse { same_address: false, .. }) => Err(in_use_reason()),
        Ok(()) => room.register(id, &nickname).map(|()| Registration::Registered).map_err(|_| in_use_reason()),
    }
}

//! Nickname ownership: a registered nickname belongs to its connection, in that room, for as long as the connection
//! lives, unless somebody proves it with a token.

use crate::model::{ConnectionId, Decision, Message, MessageKind, Nickname, Reason, Sender};
use crate::room::{NicknameInUse, Room, in_use_reason, reserved_reason};

/// Takes the place of a filter name in traces and metrics.
pub(super) const FILTER_NAME: &str = "identity";

/// A registration of a nickname that belongs to another connection.
///
/// An owner with the same address is probed first: a client whose network broke reconnects before the relay notices, and
/// wants its nickname back. A claimant that has proven the nickname gets it at once.
#[derive(Debug)]
pub struct NicknameClaim {
    /// The connection that registers the nickname.
    pub claimant: ConnectionId,
    /// The connection that the nickname belongs to.
    pub owner: ConnectionId,
    /// Whether the claimant has proven the nickname.
    pub is_proven: bool,
    pub(super) nickname: Nickname,
    pub(super) sender: Sender,
    pub(super) decision: Decision,
}

impl NicknameClaim {
    /// Whether the claimed nickname or a look-alike still belongs to the owner in `room`.
    #[must_use]
    pub fn is_owned(&self, room: &Room) -> bool {
        self.holder(room) == Some(self.owner)
    }

    /// Returns the connection that the claimed nickname or a look-alike belongs to at present.
    #[must_use]
    pub fn holder(&self, room: &Room) -> Option<ConnectionId> {
        room.owner(&self.nickname, self.claimant)
    }
}

/// Checks that the sender may use its author name. This runs before the chain, so that an impostor does not use up the
/// owner's rate limit.
pub(super) fn check_author(room: &mut Room, sender: &Sender, message: &Message) -> Result<(), Reason> {
    match message.kind {
        MessageKind::Newcomer => room.check_registration(sender.connection, &message.author),
        _ if has_proven(sender) => Ok(()),
        MessageKind::Text { .. } | MessageKind::Like { .. } | MessageKind::Content { .. } => {
            room.check_author(sender.connection, &message.author)
        }
    }
}

/// Whether a sender without a connection has proven its author's name.
pub(super) fn has_proven(sender: &Sender) -> bool {
    sender.connection.is_none() && sender.context.trusted
}

/// The result of a registration that is not rejected.
pub(super) enum Registration {
    /// The nickname is registered.
    Registered,
    /// The nickname belongs to this connection, which must be probed first, or closed if the nickname is proven.
    OwnedBy { owner: ConnectionId, nickname: Nickname, is_proven: bool },
}

/// Registers a nickname that the chain accepted, unless it belongs to another connection.
pub(super) fn register(room: &mut Room, id: ConnectionId, sender: &Sender, name: &str) -> Result<Registration, Reason> {
    let Ok(nickname) = name.parse() else { return Err(reserved_reason()) };
    if let Some(reason) = room.repeats_registration(id, &nickname) {
        return Err(reason);
    }
    // The names that are kept may have changed while a filter judged the message.
    room.check_registration(Some(id), name)?;
    let is_proven = room.has_proven(Some(id), name);
    match room.check_free(id, sender.address, &nickname) {
        Err(NicknameInUse { owner, same_address }) if same_address || is_proven => {
            Ok(Registration::OwnedBy { owner, nickname, is_proven })
        }
        Err(NicknameInUse { .. }) => Err(in_use_reason()),
        Ok(()) => room.register(id, &nickname).map(|()| Registration::Registered).map_err(|_| in_use_reason()),
    }
}

//! Whose name it is: a nickname registered on a live connection of a room belongs to it there.

use crate::model::{Decision, Kind, Message, Nickname, Reason, Sender, SenderId, is_reserved};
use crate::room::{Room, Taken, reserved, taken};

/// What stands in traces and metrics in a filter's place.
pub(super) const NAME: &str = "identity";

/// A connection wants a nickname that belongs to another one of the same address.
///
/// The holder is asked for a sign of life: a client whose network broke comes back before the relay would have
/// noticed, and wants its name.
#[derive(Debug)]
pub struct Claim {
    /// Who wants the name.
    pub claimant: SenderId,
    /// Who holds it.
    pub holder: SenderId,
    pub(super) decision: Decision,
}

impl Claim {
    /// Whether `holder` holds the wanted name in `room`, or one that looks like it.
    #[must_use]
    pub fn is_held_by(&self, holder: SenderId, room: &Room) -> bool {
        Nickname::parse(&self.decision.message.author)
            .is_ok_and(|nickname| room.holder(&nickname, self.claimant) == Some(holder))
    }
}

/// Says whether the sender may use the name that the message is sent under, before the chain spends anything on it:
/// what an impostor sends must not use up the owner's rate.
pub(super) fn check(room: &mut Room, sender: &Sender, message: &Message) -> Result<(), Reason> {
    match message.kind {
        Kind::Newcomer if is_reserved(&message.author) => Err(reserved()),
        Kind::Newcomer => Ok(()),
        Kind::Text { .. } | Kind::Like { .. } => room.may_speak(sender.connection, &message.author),
    }
}

/// Registers a nickname that the chain has let pass, or gives the holder who must be asked first.
pub(super) fn register(room: &mut Room, id: SenderId, sender: &Sender, name: &str) -> Result<Option<SenderId>, Reason> {
    let Ok(nickname) = Nickname::parse(name) else { return Err(reserved()) };
    match room.check_free(id, sender.address, &nickname) {
        Err(Taken { holder, same_address: true }) => Ok(Some(holder)),
        Err(Taken { same_address: false, .. }) => Err(taken()),
        Ok(()) => room.register(id, &nickname).map(|()| None).map_err(|_| taken()),
    }
}

/// Registers a claimed nickname, unless somebody still holds it.
pub(super) fn settle(room: &mut Room, id: SenderId, name: &str) -> Result<(), Reason> {
    let Ok(nickname) = Nickname::parse(name) else { return Err(reserved()) };
    room.register(id, &nickname).map_err(|_| taken())
}

//! Whose name it is: a nickname registered on a live connection of a room belongs to it there.

use std::time::Duration;

use crate::model::{Kind, Message, Nickname, Reason, Sender, SenderId, is_reserved};
use crate::room::{SharedRoom, Taken, reserved, taken};
use crate::wire::frame::CloseCode;

/// What stands in traces and metrics in a filter's place.
pub(super) const NAME: &str = "identity";

/// Says whether the sender may use the name that the message is sent under, before the chain spends anything on it:
/// what an impostor sends must not use up the owner's rate.
pub(super) fn check(room: &SharedRoom, sender: &Sender, message: &Message) -> Result<(), Reason> {
    match message.kind {
        Kind::Newcomer if is_reserved(&message.author) => Err(reserved()),
        Kind::Newcomer => Ok(()),
        Kind::Text { .. } | Kind::Like { .. } => room.lock().may_speak(sender.connection, &message.author),
    }
}

/// Registers a nickname that the chain has let pass.
///
/// When it belongs to a connection from the same address, that one is asked for a sign of life and has `patience` to
/// give it: a client whose network broke comes back before the relay would have noticed, and wants its name.
pub(super) async fn register(
    room: &SharedRoom,
    id: SenderId,
    sender: &Sender,
    name: &str,
    patience: Duration,
) -> Result<(), Reason> {
    let Ok(nickname) = Nickname::parse(name) else { return Err(reserved()) };
    let probe = {
        let room = room.lock();
        match room.check_free(id, sender.address, &nickname) {
            Ok(()) => None,
            Err(Taken { same_address: false, .. }) => return Err(taken()),
            Err(Taken { holder, .. }) => room.probe(holder).map(|answer| (holder, answer)),
        }
    };
    if let Some((holder, answer)) = probe {
        match tokio::time::timeout(patience, answer).await {
            Ok(Ok(())) => return Err(taken()),
            // It closed by itself meanwhile.
            Ok(Err(_)) => {}
            Err(_) => room.lock().evict(holder, CloseCode::Policy, "the nickname was taken back by its address"),
        }
    }
    room.lock().register(id, &nickname).map_err(|_| taken())
}

//! Registration and ownership of nicknames.

use super::Room;
use super::members::{self, LastAuthor};
use crate::model::{Address, ConnectionId, Nickname, Reason, ReasonCode, RoomEvent, is_reserved};
use crate::wire::Generation;

/// The nickname, or a look-alike, belongs to another connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NicknameInUse {
    /// The connection that it belongs to.
    pub owner: ConnectionId,
    /// Whether the owner has the same address as the claimant.
    pub same_address: bool,
}

impl Room {
    /// Checks that neither `nickname` nor a look-alike belongs to another connection.
    ///
    /// # Errors
    /// [`NicknameInUse`] when it belongs to another connection.
    pub fn check_free(&self, id: ConnectionId, address: Address, nickname: &Nickname) -> Result<(), NicknameInUse> {
        let in_use = self.owner(nickname, id).map(|owner| {
            let same_address = self.members.get(&owner).is_some_and(|member| member.address == address);
            NicknameInUse { owner, same_address }
        });
        in_use.map_or(Ok(()), Err)
    }

    /// Returns the connection, other than `except`, that `nickname` or a look-alike belongs to.
    #[must_use]
    pub fn owner(&self, nickname: &Nickname, except: ConnectionId) -> Option<ConnectionId> {
        self.nicknames.owner(&nickname.skeletons(), Some(except))
    }

    /// Registers a nickname for a connection, and announces it to everyone.
    ///
    /// Releases the previous nickname. Has no effect if the connection has this nickname already, or if it has left while
    /// its message was judged elsewhere.
    ///
    /// # Errors
    /// [`NicknameInUse`] when the nickname or a look-alike belongs to another connection.
    pub fn register(&mut self, id: ConnectionId, nickname: &Nickname) -> Result<(), NicknameInUse> {
        let Some(member) = members::find(&mut self.members, Some(id)) else { return Ok(()) };
        if member.nickname.as_ref() == Some(nickname) {
            return Ok(());
        }
        let address = member.address;
        self.check_free(id, address, nickname)?;
        let before = self.members.get_mut(&id).and_then(|member| member.nickname.replace(nickname.clone()));
        if let Some(before) = before {
            self.nicknames.release(&before);
            self.broadcast(RoomEvent::Exiter(&before));
        } else {
            self.gauges.nicknames.inc();
        }
        self.nicknames.assign(nickname, id);
        self.sorted_nicknames = None;
        self.broadcast(RoomEvent::Newcomer(nickname));
        Ok(())
    }

    /// Checks that the sender may use the name `author`. A connection with a nickname may use only that. Others may use
    /// any name that is neither reserved nor registered by another connection, nor looks like such a name.
    ///
    /// # Errors
    /// The [`Reason`] for the sender.
    pub fn check_author(&mut self, connection: Option<ConnectionId>, author: &str) -> Result<(), Reason> {
        let version = self.nicknames.version();
        let mut member = members::find(&mut self.members, connection);
        match member.as_ref().and_then(|member| member.nickname.as_ref()) {
            Some(own) if own.as_str() == author => return Ok(()),
            Some(own) => {
                let text = format!("you are registered as {own} and can speak only under that name");
                return Err(Reason::new(ReasonCode::NotYourNickname, text));
            }
            None => {}
        }
        if member
            .as_ref()
            .and_then(|member| member.last_author.as_ref())
            .is_some_and(|last| last.is_still_free(author, version))
        {
            return Ok(());
        }
        if is_reserved(author) {
            return Err(reserved_reason());
        }
        // An invalid nickname cannot be registered. The `shape` filter rejects it.
        let Ok(nickname) = author.parse::<Nickname>() else { return Ok(()) };
        let skeletons = nickname.skeletons();
        if self.nicknames.owner(&skeletons, connection).is_some() {
            return Err(in_use_reason());
        }
        if let Some(member) = &mut member {
            member.last_author = Some(Box::new(LastAuthor { author: nickname, skeletons, version }));
        }
        Ok(())
    }

    /// Returns why a connection cannot register its own nickname again: in v2 and v3, that is an error. In v1 it has no
    /// effect.
    #[must_use]
    pub fn repeats_registration(&self, id: ConnectionId, nickname: &Nickname) -> Option<Reason> {
        let member = self.members.get(&id).filter(|member| member.nickname.as_ref() == Some(nickname))?;
        let place = match member.generation {
            Generation::V1 => return None,
            Generation::V2 => "room",
            Generation::V3 | Generation::Relay => "channel",
        };
        // The words of the former backend, which clients' tests compare.
        let text = format!("User '{nickname}' already registered in {place} {}", self.name);
        Some(Reason::new(ReasonCode::NicknameTaken, text))
    }
}

/// The reason for refusing a reserved name.
#[must_use]
pub fn reserved_reason() -> Reason {
    Reason::new(ReasonCode::Reserved, "this nickname is reserved")
}

/// The reason for refusing a name that belongs to another connection.
#[must_use]
pub fn in_use_reason() -> Reason {
    Reason::new(
        ReasonCode::NicknameTaken,
        "this name, or one that looks like it, belongs to somebody else in this room; choose another one",
    )
}

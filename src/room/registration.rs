//! Registration and ownership of nicknames.

use std::sync::Arc;

use super::Room;
use super::members::{self, LastAuthor};
use crate::model::{Address, ConnectionId, GuardedNames, Nickname, Reason, ReasonCode, RoomEvent};
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
        let has_proven = self.has_proven(connection, author);
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
        if self.guarded.is_reserved(author) {
            return Err(reserved_reason());
        }
        // An invalid nickname cannot be registered. The `shape` filter rejects it.
        let Ok(nickname) = author.parse::<Nickname>() else { return Ok(()) };
        let skeletons = nickname.skeletons();
        let proven = member.as_ref().and_then(|member| member.proven_nickname.as_deref());
        if self.guarded.is_kept_from(proven, &self.name, &skeletons) {
            return Err(in_use_reason());
        }
        // Another connection of its owner may have registered it.
        if !has_proven && self.nicknames.owner(&skeletons, connection).is_some() {
            return Err(in_use_reason());
        }
        if let Some(member) = &mut member {
            member.last_author = Some(Box::new(LastAuthor { author: nickname, skeletons, version }));
        }
        Ok(())
    }

    /// Checks that a connection may register the name `author`, whoever has it at present.
    ///
    /// # Errors
    /// The [`Reason`] for the sender, when the name is reserved or kept for somebody else.
    pub fn check_registration(&self, connection: Option<ConnectionId>, author: &str) -> Result<(), Reason> {
        if self.guarded.is_reserved(author) {
            return Err(reserved_reason());
        }
        // The `shape` filter rejects an invalid nickname.
        let Ok(nickname) = author.parse::<Nickname>() else { return Ok(()) };
        let is_kept = self.guarded.is_kept_from(self.proven(connection), &self.name, &nickname.skeletons());
        if is_kept { Err(in_use_reason()) } else { Ok(()) }
    }

    /// Whether a connection has proven exactly this nickname, and the nickname is still kept for those who prove it.
    #[must_use]
    pub fn has_proven(&self, connection: Option<ConnectionId>, name: &str) -> bool {
        self.proven(connection) == Some(name) && self.guarded.is_kept(&self.name, name)
    }

    fn proven(&self, connection: Option<ConnectionId>) -> Option<&str> {
        self.members.get(&connection?)?.proven_nickname.as_deref()
    }

    /// Guards other names from now on. Members that have registered one of them without proving it lose their nickname;
    /// they are returned, and are to be told [`kept_reason`].
    pub fn set_guarded_names(&mut self, guarded: Arc<GuardedNames>) -> Vec<ConnectionId> {
        self.guarded = guarded;
        self.nicknames.invalidate();
        let registered = self.members.iter().filter_map(|(id, member)| Some((*id, member.nickname.as_ref()?)));
        let may_not_keep =
            |id: &ConnectionId, nickname: &Nickname| self.check_registration(Some(*id), nickname.as_str()).is_err();
        let losers: Vec<ConnectionId> =
            registered.filter(|(id, nickname)| may_not_keep(id, nickname)).map(|(id, _)| id).collect();
        for id in &losers {
            let Some(nickname) = self.members.get_mut(id).and_then(|member| member.nickname.take()) else { continue };
            self.nicknames.release(&nickname);
            self.gauges.nicknames.dec();
            self.sorted_nicknames = None;
            self.broadcast(RoomEvent::Exiter(&nickname));
        }
        losers
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

/// The reason for taking away a nickname that is guarded from now on.
#[must_use]
pub fn kept_reason() -> Reason {
    Reason::new(
        ReasonCode::NicknameTaken,
        "your nickname is no longer free: it is reserved, or kept for its owner; choose another one",
    )
}

/// The reason for refusing a name that belongs to another connection, or is kept for its owner.
#[must_use]
pub fn in_use_reason() -> Reason {
    Reason::new(
        ReasonCode::NicknameTaken,
        "this name, or one that looks like it, belongs to somebody else in this room; choose another one",
    )
}

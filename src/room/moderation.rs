//! Views and actions of moderators.

use std::time::Duration;

use super::Room;
use super::members::Member;
use crate::model::{Address, ConnectionId, Message, Nickname, Skeletons, Target};

/// A member, as shown to moderators.
#[derive(Clone, Debug)]
pub struct MemberView {
    /// The connection ID, unique while the relay runs.
    pub id: ConnectionId,
    /// The registered nickname, or else the last author name.
    pub nickname: Option<Nickname>,
    /// Whether the nickname is registered.
    pub registered: bool,
    /// The client's address.
    pub address: Address,
    /// How long it has been connected.
    pub connected: Duration,
    /// Number of accepted messages.
    pub accepted: u32,
    /// Number of refused messages.
    pub refused: u32,
    /// Whether it is trusted.
    pub trusted: bool,
}

impl MemberView {
    fn new(id: ConnectionId, member: &Member) -> Self {
        let last_author = || member.last_author.as_ref().map(|spoke| spoke.author.clone());
        let nickname = member.nickname.clone().or_else(last_author);
        let proven = |name: &str| nickname.as_ref().is_some_and(|nickname| nickname.as_str() == name);
        Self {
            id,
            registered: member.nickname.is_some(),
            address: member.address,
            connected: member.joined.elapsed(),
            accepted: member.accepted,
            refused: member.refused,
            trusted: member.trusted || member.proven_nickname.as_deref().is_some_and(proven),
            nickname,
        }
    }
}

impl Room {
    /// Returns all members.
    #[must_use]
    pub fn member_views(&self) -> Vec<MemberView> {
        self.members.iter().map(|(id, member)| MemberView::new(*id, member)).collect()
    }

    /// Returns one member.
    #[must_use]
    pub fn member_view(&self, id: ConnectionId) -> Option<MemberView> {
        self.members.get(&id).map(|member| MemberView::new(id, member))
    }

    /// Returns the members that match a sanction's target: those with the nickname or a look-alike, registered or as
    /// last author name, or those with the address, or the connection.
    #[must_use]
    pub fn members_matching(&self, target: &Target) -> Vec<ConnectionId> {
        let is_at = |id: &ConnectionId, address: &Address| {
            self.members.get(id).is_some_and(|member| member.address == *address)
        };
        match target {
            Target::Address(address) => {
                let from_there = self.members.iter().filter(|(_, member)| address.contains(member.address));
                from_there.map(|(id, _)| *id).collect()
            }
            Target::Nickname(nickname) => self.members_like(nickname),
            Target::Sender { nickname, address } => {
                let alike = self.members_like(nickname).into_iter();
                alike.filter(|id| is_at(id, address)).collect()
            }
            Target::Connection { id, address } => id.iter().filter(|id| is_at(id, address)).copied().collect(),
        }
    }

    fn members_like(&self, nickname: &Nickname) -> Vec<ConnectionId> {
        let wanted = nickname.skeletons();
        let is_similar =
            |skeletons: &Skeletons| skeletons.iter().any(|skeleton| wanted.iter().any(|other| other == skeleton));
        let owner = self.nicknames.owner(&wanted, None);
        let speakers = self.members.iter().filter(|(_, member)| {
            member.nickname.is_none() && member.last_author.as_ref().is_some_and(|spoke| is_similar(&spoke.skeletons))
        });
        owner.into_iter().chain(speakers.map(|(id, _)| *id)).collect()
    }

    /// Sets or clears a moderator's trust in a member; `None` if it is not in this room.
    pub fn set_trusted(&mut self, id: ConnectionId, on: bool) -> Option<MemberView> {
        self.members.get_mut(&id)?.trusted = on;
        self.member_view(id)
    }

    /// Publishes a released message. The author's name was checked when the message arrived, and is not checked again,
    /// since it may belong to another connection by now.
    pub fn release(&mut self, connection: Option<ConnectionId>, message: &Message) {
        self.send_message(message);
        self.count_message(connection, true);
    }
}

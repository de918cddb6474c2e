//! What moderators see of a room and do in it.

use std::time::Duration;

use super::Room;
use super::members::Member;
use crate::model::{Address, Event, Kind, Looks, Message, Nickname, SenderId, Target};

/// A member as moderators see it.
#[derive(Clone, Debug)]
pub struct MemberView {
    /// Its number, never used again while the relay runs.
    pub id: SenderId,
    /// The nickname that it has registered, or else has spoken under last.
    pub nickname: Option<Nickname>,
    /// Whether it has registered it.
    pub registered: bool,
    /// Where it comes from.
    pub address: Address,
    /// For how long it has been connected.
    pub connected: Duration,
    /// Messages of its that were let through.
    pub accepted: u32,
    /// And that were not.
    pub refused: u32,
    /// Whether it is trusted.
    pub trusted: bool,
}

impl MemberView {
    fn of(id: SenderId, member: &Member) -> Self {
        let spoke_as = || member.spoke_as.as_ref().map(|spoke| spoke.author.clone());
        let nickname = member.nickname.clone().or_else(spoke_as);
        let proven = |name: &str| nickname.as_ref().is_some_and(|nickname| nickname.as_str() == name);
        Self {
            id,
            registered: member.nickname.is_some(),
            address: member.address,
            connected: member.joined.elapsed(),
            accepted: member.accepted,
            refused: member.refused,
            trusted: member.trusted || member.proven.as_deref().is_some_and(proven),
            nickname,
        }
    }
}

impl Room {
    /// All members.
    #[must_use]
    pub fn views(&self) -> Vec<MemberView> {
        self.members.iter().map(|(id, member)| MemberView::of(*id, member)).collect()
    }

    /// One member.
    #[must_use]
    pub fn view(&self, id: SenderId) -> Option<MemberView> {
        self.members.get(&id).map(|member| MemberView::of(id, member))
    }

    /// Who is meant by a target: whoever has registered the nickname or speaks under it, or one that looks like it; or
    /// whoever comes from the address.
    #[must_use]
    pub fn targeted(&self, target: &Target) -> Vec<SenderId> {
        let wanted = match target {
            Target::Address(address) => {
                let from_there = self.members.iter().filter(|(_, member)| member.address == *address);
                return from_there.map(|(id, _)| *id).collect();
            }
            Target::Nickname(nickname) => nickname.looks(),
        };
        let looks_like = |looks: &Looks| looks.iter().any(|look| wanted.iter().any(|other| other == look));
        let holder = self.nicknames.holder(&wanted, None);
        let speakers = self.members.iter().filter(|(_, member)| {
            member.nickname.is_none() && member.spoke_as.as_ref().is_some_and(|spoke| looks_like(&spoke.looks))
        });
        holder.into_iter().chain(speakers.map(|(id, _)| *id)).collect()
    }

    /// Trusts a member from now on, or no longer; `None` when it is not here.
    pub fn trust(&mut self, id: SenderId, on: bool) -> Option<MemberView> {
        self.members.get_mut(&id)?.trusted = on;
        self.view(id)
    }

    /// Lets the members hear a message that was held. Whose name it is was asked when it came: the one who has it now
    /// may be another.
    pub fn release(&mut self, connection: Option<SenderId>, message: &Message) {
        match &message.kind {
            Kind::Like { liked, .. } => self.tell_holder(liked, Event::Message(message)),
            Kind::Text { .. } | Kind::Newcomer => self.tell_all(Event::Message(message)),
        }
        self.count(connection, true);
    }
}

//! Rooms as plain data: who is connected, who goes by which nickname, and what everyone hears. No I/O: what is said
//! collects in a round, which somebody else writes to the members ([`Room::end_round`]).

mod members;
mod moderated;
mod nicknames;
mod round;
mod speech;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;

pub use moderated::MemberView;
pub use round::{Delivery, Share};

use self::members::{Member, Members, SpokeAs};
use self::nicknames::Nicknames;
use self::round::{Own, Round};
use crate::model::{Address, Code, Event, Nickname, Reason, RoomName, SenderId, is_reserved};
use crate::telemetry::RoomGauges;
use crate::wire::Generation;

/// How often the number of connections is told at most. A lone change is told at once; a thousand people who join
/// together would otherwise be told a million numbers.
pub const ANNOUNCE_INTERVAL: Duration = Duration::from_millis(20);
/// A room with more members takes as many times longer between two numbers, so that the numbers of one room that no
/// words bring along are never more than 50 000 frames a second: ten thousand people who come together would otherwise
/// keep the shard busy with nothing else.
const MANY_MEMBERS: usize = 1_000;

/// One room.
#[derive(Debug)]
pub struct Room {
    name: RoomName,
    members: Members,
    nicknames: Nicknames,
    /// The registered nicknames as they were asked for last, until one changes.
    users: Option<Arc<[String]>>,
    round: Round,
    /// Members with frames of their own in this round.
    addressed: Vec<SenderId>,
    /// Whether the number of connections has changed since it was told.
    number_changed: bool,
    /// Whether it was told in the round under way.
    told_number: bool,
    /// When it was last told.
    number_told: Option<Instant>,
    /// Members by generation.
    present: [usize; Generation::COUNT],
    /// The number of connections, for other threads to read.
    connections: Arc<AtomicUsize>,
    gauges: RoomGauges,
}

/// A nickname that somebody else holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Who holds it.
    pub holder: SenderId,
    /// Whether the holder's address is that of the one who asks.
    pub same_address: bool,
}

impl Room {
    /// An empty room, which keeps its number of connections in `connections` too.
    #[must_use]
    pub fn new(name: RoomName, connections: Arc<AtomicUsize>, gauges: RoomGauges) -> Self {
        Self {
            name,
            members: Members::default(),
            nicknames: Nicknames::default(),
            users: None,
            round: Round::default(),
            addressed: Vec::new(),
            number_changed: false,
            told_number: false,
            number_told: None,
            present: [0; Generation::COUNT],
            connections,
            gauges,
        }
    }

    /// The room's name.
    #[must_use]
    pub fn name(&self) -> &RoomName {
        &self.name
    }

    /// How many connections it has.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.members.len()
    }

    /// Adds a connection; everyone, itself included, will be told how many there are.
    ///
    /// `proven` is the nickname that it has shown to be its own, by a token.
    pub fn join(
        &mut self,
        id: SenderId,
        address: Address,
        generation: Generation,
        proven: Option<Arc<str>>,
        now: Instant,
    ) {
        let member = Member {
            generation,
            address,
            joined: now,
            accepted: 0,
            refused: 0,
            trusted: false,
            proven,
            nickname: None,
            spoke_as: None,
            from: self.round.len(generation),
            own: Own::default(),
        };
        self.members.insert(id, member);
        self.note_number(generation, 1);
    }

    /// Removes a connection, and gives what it is still due of the round under way. Those who stay will be told.
    /// Nothing happens when it is gone already.
    pub fn leave(&mut self, id: SenderId) -> Vec<Bytes> {
        // What is still due of the number is said before the exiter, and counts the one who leaves. Where nothing is
        // said, the number waits: a thousand who leave together would otherwise be told as a thousand numbers.
        if self.members.get(&id).is_some_and(|member| member.nickname.is_some()) {
            self.tell_number();
        }
        let Some(member) = self.members.swap_remove(&id) else { return Vec::new() };
        let due = self.round.due(member.generation, member.from, member.own);
        self.note_number(member.generation, -1);
        if let Some(nickname) = member.nickname {
            self.nicknames.release(&nickname);
            self.users = None;
            self.gauges.members.dec();
            // The number that follows is told on its own time.
            let number_changed = std::mem::take(&mut self.number_changed);
            self.tell_all(Event::Exiter(&nickname));
            self.number_changed = number_changed;
        }
        due
    }

    /// Says whether `nickname`, or one that looks like it, is free for this connection.
    ///
    /// # Errors
    /// [`Taken`] when another connection holds it.
    pub fn check_free(&self, id: SenderId, address: Address, nickname: &Nickname) -> Result<(), Taken> {
        let taken = self.holder(nickname, id).map(|holder| {
            let same_address = self.members.get(&holder).is_some_and(|member| member.address == address);
            Taken { holder, same_address }
        });
        taken.map_or(Ok(()), Err)
    }

    /// Who, other than `except`, holds `nickname` or one that looks like it.
    #[must_use]
    pub fn holder(&self, nickname: &Nickname, except: SenderId) -> Option<SenderId> {
        self.nicknames.holder(&nickname.looks(), Some(except))
    }

    /// Gives a connection the nickname that it speaks under from now on, and tells everyone.
    ///
    /// A name that it had before is free again. Registering the same name again changes nothing.
    ///
    /// # Errors
    /// [`Taken`] when another connection holds the name or one that looks like it.
    pub fn register(&mut self, id: SenderId, nickname: &Nickname) -> Result<(), Taken> {
        let Some(member) = self.members.get_mut(&id) else { return Ok(()) };
        if member.nickname.as_ref() == Some(nickname) {
            return Ok(());
        }
        let address = member.address;
        self.check_free(id, address, nickname)?;
        let before = self.members.get_mut(&id).and_then(|member| member.nickname.replace(nickname.clone()));
        if let Some(before) = before {
            self.nicknames.release(&before);
            self.tell_all(Event::Exiter(&before));
        } else {
            self.gauges.members.inc();
        }
        self.nicknames.hold(nickname, id);
        self.users = None;
        self.tell_all(Event::Newcomer(nickname));
        Ok(())
    }

    /// Says whether a sender may speak as `author`: a connection that registered only under its nickname, anybody
    /// else under any name that neither is reserved nor belongs to a member.
    ///
    /// # Errors
    /// The [`Reason`] for the sender.
    pub fn may_speak(&mut self, connection: Option<SenderId>, author: &str) -> Result<(), Reason> {
        let changes = self.nicknames.changes();
        let mut member = connection.and_then(|id| self.members.get_mut(&id));
        match member.as_ref().and_then(|member| member.nickname.as_ref()) {
            Some(own) if own.as_str() == author => return Ok(()),
            Some(own) => {
                let text = format!("you are registered as {own} and can speak only under that name");
                return Err(Reason::new(Code::NotYourNickname, text));
            }
            None => {}
        }
        if member
            .as_ref()
            .and_then(|member| member.spoke_as.as_ref())
            .is_some_and(|was| was.still_free(author, changes))
        {
            return Ok(());
        }
        if is_reserved(author) {
            return Err(reserved());
        }
        // What is no nickname cannot be taken; `shape` refuses it.
        let Ok(nickname) = Nickname::parse(author) else { return Ok(()) };
        let looks = nickname.looks();
        if self.nicknames.holder(&looks, connection).is_some() {
            return Err(taken());
        }
        if let Some(member) = &mut member {
            member.spoke_as = Some(Box::new(SpokeAs { author: nickname, looks, changes }));
        }
        Ok(())
    }

    /// Lets everyone leave, without a word.
    pub fn empty(&mut self) {
        self.members.clear();
        self.nicknames = Nicknames::default();
        self.users = None;
        self.present = [0; Generation::COUNT];
        self.number_changed = false;
        self.connections.store(0, Ordering::Relaxed);
        self.gauges.connections.set(0);
        self.gauges.members.set(0);
    }

    /// How often this room tells its number at most.
    fn announce_interval(&self) -> Duration {
        let times = self.members.len().div_ceil(MANY_MEMBERS).max(1);
        ANNOUNCE_INTERVAL * u32::try_from(times).unwrap_or(u32::MAX)
    }

    fn note_number(&mut self, generation: Generation, change: isize) {
        if let Some(present) = self.present.get_mut(generation.index()) {
            *present = present.saturating_add_signed(change);
        }
        self.number_changed = true;
        self.connections.store(self.members.len(), Ordering::Relaxed);
        self.gauges.connections.set(i64::try_from(self.members.len()).unwrap_or(i64::MAX));
    }
}

/// The reason why nobody goes by the relay's own names.
#[must_use]
pub fn reserved() -> Reason {
    Reason::new(Code::Reserved, "this name is kept for the relay itself")
}

/// The reason why a name that belongs to a member is not for others.
#[must_use]
pub fn taken() -> Reason {
    Reason::new(Code::NicknameTaken, "this name, or one that looks like it, belongs to somebody else in this room")
}

#[cfg(test)]
mod tests;

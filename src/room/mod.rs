//! Rooms as plain data: who is connected, who goes by which nickname, and what everyone hears. No I/O: members are
//! reached through their [`Mailbox`].

mod nicknames;
mod rooms;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::oneshot;

pub use rooms::{Rooms, SharedRoom};

use self::nicknames::Nicknames;
use crate::model::{Address, Code, Event, Kind, Message, Nickname, Notice, Reason, RoomName, SenderId, is_reserved};
use crate::telemetry::{Metrics, RoomGauges};
use crate::wire::frame::CloseCode;
use crate::wire::{self, Frames, Generation};

/// Where frames for one member go. Never blocks.
pub trait Mailbox: fmt::Debug + Send + Sync {
    /// Queues a frame; `false` when the member gets no more: its queue is full, or its connection is closing. The
    /// mailbox itself sees to it then that the connection ends.
    fn deliver(&self, frame: Bytes) -> bool;

    /// Ends the connection with a close frame, after what is queued. Only the first call counts.
    fn close(&self, code: CloseCode, reason: &'static str);

    /// Asks the client for a sign of life. The receiver resolves to `Ok` when one came, to an error when the
    /// connection has ended.
    fn probe(&self) -> oneshot::Receiver<()>;
}

/// One room.
#[derive(Debug)]
pub struct Room {
    name: RoomName,
    members: HashMap<SenderId, Member>,
    nicknames: Nicknames,
    gauges: RoomGauges,
    metrics: Arc<Metrics>,
    /// Set at shutdown: nobody joins any more.
    closed: Option<(CloseCode, &'static str)>,
}

/// One connection in a room.
#[derive(Debug)]
struct Member {
    mailbox: Arc<dyn Mailbox>,
    generation: Generation,
    address: Address,
    nickname: Option<Nickname>,
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
    /// An empty room.
    #[must_use]
    pub fn new(name: RoomName, metrics: Arc<Metrics>) -> Self {
        let gauges = metrics.room(&name);
        Self { name, members: HashMap::new(), nicknames: Nicknames::default(), gauges, metrics, closed: None }
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

    /// The registered nicknames, sorted without regard to letter case.
    #[must_use]
    pub fn users(&self) -> Vec<String> {
        let mut users: Vec<String> =
            self.members.values().filter_map(|m| m.nickname.as_ref()).map(|n| n.as_str().to_owned()).collect();
        users.sort_by_cached_key(|name| (name.to_lowercase(), name.clone()));
        users
    }

    /// Adds a connection and tells everyone, itself included, how many there are.
    pub fn join(&mut self, id: SenderId, address: Address, generation: Generation, mailbox: Arc<dyn Mailbox>) {
        if let Some((code, reason)) = self.closed {
            mailbox.close(code, reason);
            return;
        }
        self.members.insert(id, Member { mailbox, generation, address, nickname: None });
        self.announce_number();
    }

    /// Removes a connection and tells those who stay; nothing happens when it is gone already.
    pub fn leave(&mut self, id: SenderId) {
        let Some(member) = self.members.remove(&id) else { return };
        if let Some(nickname) = member.nickname {
            self.nicknames.release(&nickname);
            self.gauges.members.dec();
            self.tell_all(Event::Exiter(&nickname));
        }
        self.announce_number();
    }

    /// Says whether `nickname`, or one that looks like it, is free for this connection.
    ///
    /// # Errors
    /// [`Taken`] when another connection holds it.
    pub fn check_free(&self, id: SenderId, address: Address, nickname: &Nickname) -> Result<(), Taken> {
        let taken = self.nicknames.holder(&nickname.looks(), Some(id)).map(|holder| {
            let same_address = self.members.get(&holder).is_some_and(|member| member.address == address);
            Taken { holder, same_address }
        });
        taken.map_or(Ok(()), Err)
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
        self.tell_all(Event::Newcomer(nickname));
        Ok(())
    }

    /// Says whether a sender may speak as `author`: a connection that registered only under its nickname, anybody
    /// else under any name that neither is reserved nor belongs to a member.
    ///
    /// # Errors
    /// The [`Reason`] for the sender.
    pub fn may_speak(&self, connection: Option<SenderId>, author: &str) -> Result<(), Reason> {
        let own = connection.and_then(|id| self.members.get(&id)).and_then(|member| member.nickname.as_ref());
        match own {
            Some(own) if own.as_str() == author => return Ok(()),
            Some(own) => {
                let text = format!("you are registered as {own} and can speak only under that name");
                return Err(Reason::new(Code::NotYourNickname, text));
            }
            None => {}
        }
        if is_reserved(author) {
            return Err(reserved());
        }
        // What is no nickname cannot be taken; `shape` refuses it.
        let Ok(nickname) = Nickname::parse(author) else { return Ok(()) };
        match self.nicknames.holder(&nickname.looks(), connection) {
            Some(_) => Err(taken()),
            None => Ok(()),
        }
    }

    /// Lets the members hear a message that passed the chain.
    ///
    /// # Errors
    /// The [`Reason`] when the author's name went to somebody else while the chain looked at the message.
    pub fn publish(&mut self, connection: Option<SenderId>, message: &Message) -> Result<(), Reason> {
        self.may_speak(connection, &message.author)?;
        let event = Event::Message(message);
        match &message.kind {
            Kind::Like { liked, .. } => self.tell_holder(liked, event),
            Kind::Text { .. } | Kind::Newcomer => self.tell_all(event),
        }
        Ok(())
    }

    /// Lets only the sender hear a message, as if it had been broadcast.
    pub fn whisper(&self, id: SenderId, message: &Message) {
        self.tell(id, Event::Message(message));
    }

    /// Tells a sender of a refusal, in the words of its generation.
    pub fn notify(&self, id: SenderId, notice: &Notice, config: &wire::Config) {
        let Some(member) = self.members.get(&id) else { return };
        if let Some(frame) = wire::notice(member.generation, notice, config) {
            member.mailbox.deliver(frame);
        }
    }

    /// Asks a member for a sign of life; see [`Mailbox::probe`].
    #[must_use]
    pub fn probe(&self, id: SenderId) -> Option<oneshot::Receiver<()>> {
        self.members.get(&id).map(|member| member.mailbox.probe())
    }

    /// Ends a member's connection; it is no member any more when this returns.
    pub fn evict(&mut self, id: SenderId, code: CloseCode, reason: &'static str) {
        if let Some(member) = self.members.get(&id) {
            member.mailbox.close(code, reason);
        }
        self.leave(id);
    }

    /// Ends all connections, without a word of presence: everyone leaves at once. Nobody joins after that.
    pub fn close(&mut self, code: CloseCode, reason: &'static str) {
        self.closed = Some((code, reason));
        for (_, member) in self.members.drain() {
            member.mailbox.close(code, reason);
        }
        self.nicknames = Nicknames::default();
        self.gauges.connections.set(0);
        self.gauges.members.set(0);
    }

    fn announce_number(&mut self) {
        self.gauges.connections.set(i64::try_from(self.members.len()).unwrap_or(i64::MAX));
        self.tell_all(Event::Users(self.members.len()));
    }

    /// One round: the event is encoded once for each generation and queued for each member.
    fn tell_all(&self, event: Event<'_>) {
        let began = Instant::now();
        let mut frames = Frames::of(event);
        let delivered = self.members.values().filter(|m| m.mailbox.deliver(frames.get(m.generation))).count();
        self.metrics.count_round(delivered, began.elapsed());
    }

    fn tell_holder(&self, name: &str, event: Event<'_>) {
        let nickname = Nickname::parse(name).ok();
        let holder = nickname.and_then(|nickname| self.nicknames.holder(&nickname.looks(), None));
        if let Some(id) = holder {
            self.tell(id, event);
        }
    }

    fn tell(&self, id: SenderId, event: Event<'_>) {
        if let Some(member) = self.members.get(&id) {
            member.mailbox.deliver(Frames::of(event).get(member.generation));
        }
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

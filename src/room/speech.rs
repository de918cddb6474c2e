//! What a room says: messages, presence, and words to one member alone, collected in rounds.

use std::time::Instant;

use bytes::BytesMut;

use super::{Delivery, Member, Room, Share};
use crate::model::{Event, Kind, Message, Nickname, Notice, Reason, SenderId};
use crate::wire;

impl Room {
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
    pub fn whisper(&mut self, id: SenderId, message: &Message) {
        self.tell(id, Event::Message(message));
    }

    /// Tells a sender of a refusal, in the words of its generation.
    pub fn notify(&mut self, id: SenderId, notice: &Notice, config: &wire::Config) {
        let generation = self.members.get(&id).map(|member| member.generation);
        if let Some(frame) = generation.and_then(|generation| wire::notice(generation, notice, config)) {
            self.address(id, &frame);
        }
    }

    /// Whether something was said in the round under way.
    #[must_use]
    pub fn has_words(&self) -> bool {
        !self.round.is_empty() || !self.addressed.is_empty()
    }

    /// Whether something was said, or a number is to be told, now or later.
    #[must_use]
    pub fn has_news(&self) -> bool {
        self.number_changed || self.has_words()
    }

    /// When the number of connections is to be told, if it is.
    #[must_use]
    pub fn number_due(&self) -> Option<Instant> {
        let due = || self.number_told.map(|told| told + self.announce_interval());
        self.number_changed.then(|| due().unwrap_or_else(Instant::now))
    }

    /// Ends the round and gives what is to be written to whom; `None` when nothing was said.
    ///
    /// The number of connections is part of it when that is due.
    pub fn end_round(&mut self, now: Instant) -> Option<Delivery> {
        if self.number_changed
            && self.number_told.is_none_or(|told| now.saturating_duration_since(told) >= self.announce_interval())
        {
            self.tell_number();
        }
        if std::mem::take(&mut self.told_number) {
            self.number_told = Some(now);
        }
        let addressed = std::mem::take(&mut self.addressed);
        if self.round.is_empty() && addressed.is_empty() {
            return None;
        }
        let share = |(id, member): (&SenderId, &mut Member)| Share {
            to: *id,
            generation: member.generation,
            from: std::mem::take(&mut member.from),
            own: std::mem::take(&mut member.own).freeze(),
        };
        let shares = if self.round.is_empty() {
            let found = addressed.iter().filter_map(|id| self.members.get_mut(id).map(|member| share((id, member))));
            found.filter(|share| !share.own.is_empty()).collect()
        } else {
            self.members.iter_mut().map(share).collect()
        };
        let (said, frames) = self.round.take();
        Some(Delivery { said, frames, shares })
    }

    /// Says the number of connections, if it has changed since it was said.
    pub(super) fn tell_number(&mut self) {
        if std::mem::take(&mut self.number_changed) {
            self.round.add(Event::Users(self.members.len()), self.present);
            self.told_number = true;
        }
    }

    /// Says something to everyone. A changed number comes first, so that clients hear things in the order they know.
    pub(super) fn tell_all(&mut self, event: Event<'_>) {
        self.tell_number();
        self.round.add(event, self.present);
    }

    pub(super) fn tell_holder(&mut self, name: &str, event: Event<'_>) {
        let nickname = Nickname::parse(name).ok();
        let holder = nickname.and_then(|nickname| self.nicknames.holder(&nickname.looks(), None));
        if let Some(id) = holder {
            self.tell(id, event);
        }
    }

    fn tell(&mut self, id: SenderId, event: Event<'_>) {
        if let Some(generation) = self.members.get(&id).map(|member| member.generation) {
            let mut frame = BytesMut::new();
            wire::append(generation, event, &mut frame);
            self.address(id, &frame);
        }
    }

    /// Adds a frame for one member, behind what the room has said so far. A number that is not yet due stays so: who
    /// pings must not be able to have all others told.
    pub fn address(&mut self, id: SenderId, frame: &[u8]) {
        let Some(member) = self.members.get_mut(&id) else { return };
        if member.own.is_empty() {
            self.addressed.push(id);
        }
        member.own.push(self.round.len(member.generation), frame);
    }
}

//! Output of a room: messages, presence, and frames to single members, collected in rounds.

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use uuid::Uuid;

use super::members::find;
use super::{Delivery, Room};
use crate::model::{ConnectionId, Message, MessageKind, Nickname, Notice, Reason, RoomEvent};
use crate::wire::{self, Generation};

impl Room {
    /// Publishes a message that passed the chain.
    ///
    /// # Errors
    /// The [`Reason`] when another connection has registered the author's name in the meantime.
    pub fn publish(&mut self, connection: Option<ConnectionId>, message: &Message) -> Result<(), Reason> {
        self.check_author(connection, &message.author)?;
        self.send_message(message);
        Ok(())
    }

    /// Publishes a message without a connection, whose sender has proven the author's name with it.
    pub fn publish_proven(&mut self, message: &Message) {
        self.send_message(message);
    }

    /// Sends a message to its audience.
    pub(super) fn send_message(&mut self, message: &Message) {
        let event = RoomEvent::Message(message);
        match &message.kind {
            MessageKind::Like { liked, .. } => {
                self.broadcast_to(event, Generation::broadcasts_likes);
                self.send_to_owner(liked, event, |generation| !generation.broadcasts_likes());
            }
            MessageKind::Text { .. } | MessageKind::Newcomer | MessageKind::Content { .. } => self.broadcast(event),
        }
        match &message.kind {
            MessageKind::Text { text, .. } => self.recent_texts.add(&message.author, text),
            // As clients see it that do not know the kind.
            MessageKind::Content { content, .. } => {
                self.recent_texts.add(&message.author, &wire::fallback_text(content));
            }
            MessageKind::Like { .. } | MessageKind::Newcomer => {}
        }
        self.last.keep(message);
        self.recent_ids.add(message.id);
    }

    /// Whether a message is a like of something that the liked author has said here lately.
    #[must_use]
    pub fn quotes_recent(&self, message: &Message) -> bool {
        match &message.kind {
            MessageKind::Like { liked, text } => self.recent_texts.contains(liked, text),
            MessageKind::Text { .. } | MessageKind::Content { .. } | MessageKind::Newcomer => false,
        }
    }

    /// Sends a message back to its sender alone, as if it had been broadcast. Does nothing if it has left.
    pub fn echo(&mut self, id: ConnectionId, message: &Message) {
        self.send_event(id, RoomEvent::Message(message));
    }

    /// Sends a notice about a message to one member, as encoded for its generation, unless it has left.
    pub fn notify(&mut self, id: ConnectionId, notice: &Notice, message: Option<Uuid>, config: &wire::Config) {
        let generation = self.members.get(&id).map(|member| member.generation);
        let frame = generation.and_then(|generation| wire::encode_notice(generation, notice, message, config));
        if let Some(frame) = frame {
            self.send_to(id, &frame);
        }
    }

    /// Whether the current round has output.
    #[must_use]
    pub fn has_output(&self) -> bool {
        !self.round.is_empty() || !self.direct_recipients.is_empty()
    }

    /// Whether the current round has output, or a user count is pending.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        self.count_changed || self.has_output()
    }

    /// When the pending user count is due; `None` if there is none.
    #[must_use]
    pub fn count_due_at(&self) -> Option<Instant> {
        let due = || self.count_sent_at.map(|sent_at| sent_at + self.announce_interval());
        self.count_changed.then(|| due().unwrap_or_else(Instant::now))
    }

    /// Ends the round and returns its output; `None` if there is none.
    ///
    /// Includes the user count if that is due.
    pub fn end_round(&mut self, now: Instant) -> Option<Delivery> {
        if self.count_changed
            && self
                .count_sent_at
                .is_none_or(|sent_at| now.saturating_duration_since(sent_at) >= self.announce_interval())
        {
            self.announce_count();
        }
        if std::mem::take(&mut self.count_in_round) {
            self.count_sent_at = Some(now);
        }
        let direct_recipients = std::mem::take(&mut self.direct_recipients);
        if self.round.is_empty() && direct_recipients.is_empty() {
            return None;
        }
        let shares = if self.round.is_empty() {
            // A recipient may have left.
            let shares = direct_recipients.iter().filter_map(|id| Some(self.members.get_mut(id)?.take_share(*id)));
            shares.filter(|share| !share.direct.is_empty()).collect()
        } else {
            self.members.iter_mut().map(|(id, member)| member.take_share(*id)).collect()
        };
        let (broadcast, frame_count, largest_frame) = self.round.take();
        Some(Delivery { broadcast, frame_count, largest_frame, shares })
    }

    /// Adds the user count to the round, if it changed. The last messages follow for members that have joined since.
    pub(super) fn announce_count(&mut self) {
        if std::mem::take(&mut self.count_changed) {
            self.round.add(RoomEvent::UserCount(self.members.len()), self.members_by_generation);
            self.count_in_round = true;
            for id in std::mem::take(&mut self.uncounted) {
                let Some(member) = find(&mut self.members, Some(id)) else { continue };
                member.knows_count = true;
                if member.generation != Generation::V1 {
                    let last = self.last.frames(member.generation);
                    self.send_shared(id, last);
                }
            }
        }
    }

    /// Sends a newcomer the user count if it has not received one. Everyone receives it if it is due.
    fn introduce(&mut self, id: ConnectionId) {
        let Some(member) = find(&mut self.members, Some(id)).filter(|member| !member.knows_count) else { return };
        member.knows_count = true;
        if self.count_due_at().is_some_and(|due| due <= Instant::now()) {
            self.announce_count();
        } else {
            self.send_event(id, RoomEvent::UserCount(self.members.len()));
        }
    }

    /// Sends an event to everyone. A pending user count comes first, the order that clients expect.
    pub(super) fn broadcast(&mut self, event: RoomEvent<'_>) {
        self.announce_count();
        self.round.add(event, self.members_by_generation);
    }

    /// As [`Room::broadcast`], to some generations only. Does nothing if they have no members.
    pub(super) fn broadcast_to(&mut self, event: RoomEvent<'_>, is_recipient: impl Fn(Generation) -> bool) {
        let mut recipients = self.members_by_generation;
        for (generation, count) in Generation::ALL.into_iter().zip(&mut recipients) {
            if !is_recipient(generation) {
                *count = 0;
            }
        }
        if recipients.iter().any(|count| *count > 0) {
            self.announce_count();
            self.round.add(event, recipients);
        }
    }

    /// Sends an event to the member that a nickname belongs to, if there is one of these generations.
    fn send_to_owner(&mut self, name: &str, event: RoomEvent<'_>, is_recipient: impl Fn(Generation) -> bool) {
        let nickname = name.parse::<Nickname>().ok();
        let owner = nickname.and_then(|nickname| self.nicknames.owner(&nickname.skeletons(), None));
        let generation = owner.and_then(|id| self.members.get(&id)).map(|member| member.generation);
        if let Some(id) = owner.filter(|_| generation.is_some_and(is_recipient)) {
            self.send_event(id, event);
        }
    }

    pub(super) fn send_event(&mut self, id: ConnectionId, event: RoomEvent<'_>) {
        if let Some(generation) = self.members.get(&id).map(|member| member.generation) {
            let mut frame = BytesMut::new();
            wire::append_event(generation, event, &mut frame);
            self.send_to(id, &frame);
        }
    }

    /// Sends a frame to one member, after all output so far; nothing if it has left, as it may while its message is
    /// judged elsewhere. Does not flush a pending user count: otherwise a client could trigger counts for everyone by
    /// pinging.
    pub fn send_to(&mut self, id: ConnectionId, frame: &[u8]) {
        self.introduce(id);
        let Some(member) = find(&mut self.members, Some(id)) else { return };
        if member.direct.is_empty() {
            self.direct_recipients.push(id);
        }
        member.direct.push(self.round.len(member.generation), frame);
    }

    /// As [`Room::send_to`], without copying the frames.
    pub(super) fn send_shared(&mut self, id: ConnectionId, frames: Bytes) {
        let Some(member) = find(&mut self.members, Some(id)).filter(|_| !frames.is_empty()) else { return };
        if member.direct.is_empty() {
            self.direct_recipients.push(id);
        }
        member.direct.push_shared(self.round.len(member.generation), frames);
    }
}

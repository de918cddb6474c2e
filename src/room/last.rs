//! The last messages of a room, in memory, for clients that join later.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use uuid::Uuid;

use crate::model::{Message, MessageKind, RoomEvent};
use crate::wire::{self, Generation};

/// Texts that clients turn into effects. They would repeat for everyone who joins, so they are not kept.
const EFFECTS: [&str; 8] = [
    "givemesomecheese",
    "lookattheflickofqgis",
    "iamarobot",
    "its10oclock",
    "qgisprolicense",
    "wizz",
    "spaceandtime",
    "dontcrybaby",
];

/// Limits of the messages that a room keeps. By default it keeps none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastLimits {
    /// Most messages.
    pub messages: usize,
    /// Most bytes of texts and payloads. A message that is larger is not kept.
    pub bytes: usize,
}

impl LastLimits {
    /// Returns the limits of each room if this many rooms share the bytes.
    #[must_use]
    pub fn shared_by(self, rooms: usize) -> Self {
        Self { bytes: self.bytes / rooms.max(1), ..self }
    }
}

/// The last messages, oldest first.
#[derive(Debug, Default)]
pub(super) struct LastMessages {
    limits: LastLimits,
    messages: VecDeque<Arc<Message>>,
    bytes: usize,
    /// The frames of all messages, by generation, until the messages change.
    frames: [Option<Bytes>; Generation::COUNT],
}

impl LastMessages {
    pub(super) fn new(limits: LastLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Keeps a message, and drops the oldest ones beyond the limits.
    pub(super) fn keep(&mut self, message: &Message) {
        let size = message.size();
        if self.limits.messages == 0 || size > self.limits.bytes || !is_kept(message) {
            return;
        }
        self.messages.push_back(Arc::new(message.clone()));
        self.bytes += size;
        while self.messages.len() > self.limits.messages || self.bytes > self.limits.bytes {
            let Some(oldest) = self.messages.pop_front() else { break };
            self.bytes -= oldest.size();
        }
        self.frames = Default::default();
    }

    /// Removes the message with this ID. Returns whether it was kept.
    pub(super) fn remove(&mut self, id: Uuid) -> bool {
        let Some(removed) =
            self.messages.iter().position(|message| message.id == id).and_then(|at| self.messages.remove(at))
        else {
            return false;
        };
        self.bytes -= removed.size();
        self.frames = Default::default();
        true
    }

    pub(super) fn contains(&self, id: Uuid) -> bool {
        self.messages.iter().any(|message| message.id == id)
    }

    /// Returns the messages, oldest first.
    pub(super) fn list(&self) -> Vec<Arc<Message>> {
        self.messages.iter().cloned().collect()
    }

    /// Returns the frames of all messages, encoded once per generation.
    pub(super) fn frames(&mut self, generation: Generation) -> Bytes {
        let Self { messages, frames, .. } = self;
        let encode = || {
            let mut buffer = BytesMut::new();
            for message in &*messages {
                wire::append_event(generation, RoomEvent::Message(message), &mut buffer);
            }
            buffer.freeze()
        };
        frames.get_mut(generation.index()).map(|frames| frames.get_or_insert_with(encode).clone()).unwrap_or_default()
    }
}

fn is_kept(message: &Message) -> bool {
    match &message.kind {
        MessageKind::Text { text, .. } => !EFFECTS.contains(&text.as_str()),
        MessageKind::Content { .. } => true,
        MessageKind::Like { .. } | MessageKind::Newcomer => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::message;

    fn kept(last: &LastMessages) -> Vec<String> {
        last.list().iter().map(|message| message.text().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn the_oldest_messages_are_dropped_beyond_either_limit() {
        let mut last = LastMessages::new(LastLimits { messages: 2, bytes: 20 });
        for text in ["one", "two", "three"] {
            last.keep(&message("jane", text));
        }
        assert_eq!(kept(&last), ["two", "three"]);
        last.keep(&message("jane", "eleven char"));
        assert_eq!(kept(&last), ["eleven char"]);
        last.keep(&message("jane", "longer than all of the room"));
        assert_eq!(kept(&last), ["eleven char"]);
    }

    #[test]
    fn by_default_nothing_is_kept() {
        let mut last = LastMessages::default();
        last.keep(&message("jane", "hello"));
        assert!(last.list().is_empty());
    }

    #[test]
    fn neither_likes_nor_effects_are_kept() {
        let mut last = LastMessages::new(LastLimits { messages: 9, bytes: 900 });
        last.keep(&message("jane", "wizz"));
        last.keep(&Message::new("jane", MessageKind::Like { liked: "hans".to_owned(), text: "hi".to_owned() }));
        last.keep(&message("jane", "wizz!"));
        assert_eq!(kept(&last), ["wizz!"]);
    }

    #[test]
    fn a_removed_message_is_in_no_frame() {
        let mut last = LastMessages::new(LastLimits { messages: 9, bytes: 900 });
        let (one, two) = (message("jane", "first words"), message("jane", "second words"));
        last.keep(&one);
        last.keep(&two);
        let frames = |last: &mut LastMessages| String::from_utf8_lossy(&last.frames(Generation::V2)).into_owned();
        assert!(frames(&mut last).contains("first words"));
        assert!(last.remove(one.id) && !last.remove(one.id));
        assert!(!frames(&mut last).contains("first words") && frames(&mut last).contains("second words"));
    }
}

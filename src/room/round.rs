//! What a room says in one round: frames one after the other, once for each generation that is present.

use bytes::{Bytes, BytesMut};

use crate::model::{Event, SenderId};
use crate::wire::{self, Generation};

/// The round under way.
#[derive(Debug, Default)]
pub(super) struct Round {
    buffers: [BytesMut; Generation::COUNT],
    frames: usize,
}

impl Round {
    /// Adds an event for the generations of which `present` members there are.
    pub(super) fn add(&mut self, event: Event<'_>, present: [usize; Generation::COUNT]) {
        for generation in Generation::ALL {
            let (Some(buffer), Some(1..)) = (self.buffers.get_mut(generation.index()), present.get(generation.index()))
            else {
                continue;
            };
            wire::append(generation, event, buffer);
        }
        self.frames += 1;
    }

    /// How much has been said so far to a generation, in bytes.
    pub(super) fn len(&self, generation: Generation) -> usize {
        self.buffers.get(generation.index()).map_or(0, BytesMut::len)
    }

    /// What a member is due of the round so far.
    pub(super) fn due(&self, generation: Generation, from: usize, own: Own) -> Vec<Bytes> {
        let said = self.buffers.each_ref().map(|buffer| Bytes::copy_from_slice(buffer));
        Share { to: SenderId(0), generation, from, own: own.freeze() }.pieces(&said).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames == 0
    }

    /// Ends the round: its bytes by generation and the number of its frames.
    pub(super) fn take(&mut self) -> ([Bytes; Generation::COUNT], usize) {
        let frames = std::mem::take(&mut self.frames);
        (self.buffers.each_mut().map(|buffer| buffer.split().freeze()), frames)
    }
}

/// Frames for one member alone, with their places in the round under way. What comes at one place is one piece, so
/// that ten thousand pongs are no ten thousand pieces.
#[derive(Debug, Default)]
pub(super) struct Own(Vec<(usize, BytesMut)>);

impl Own {
    /// Adds a frame at `place`, which is at or behind that of the last one.
    pub(super) fn push(&mut self, place: usize, frame: &[u8]) {
        match self.0.last_mut() {
            Some((last, piece)) if *last == place => piece.extend_from_slice(frame),
            _ => self.0.push((place, BytesMut::from(frame))),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn freeze(self) -> Vec<(usize, Bytes)> {
        self.0.into_iter().map(|(place, piece)| (place, piece.freeze())).collect()
    }
}

/// A round to be written to its members.
#[derive(Debug)]
pub struct Delivery {
    /// What was said, by generation.
    pub said: [Bytes; Generation::COUNT],
    /// How many frames that is.
    pub frames: usize,
    /// Who gets which part of it.
    pub shares: Vec<Share>,
}

/// What one member gets of a round.
#[derive(Debug)]
pub struct Share {
    /// The member.
    pub to: SenderId,
    /// Its generation.
    pub generation: Generation,
    /// Where its part begins: who joined in the middle of a round hears the rest.
    pub from: usize,
    /// Frames for this member alone, each with the place in the round at which it comes.
    pub own: Vec<(usize, Bytes)>,
}

impl Share {
    /// The pieces in their order, none of them empty.
    pub fn pieces(self, said: &[Bytes]) -> impl Iterator<Item = Bytes> {
        let said = said.get(self.generation.index()).cloned().unwrap_or_default();
        let mut at = self.from;
        let end = said.len();
        let mut own = self.own.into_iter();
        let mut next = own.next();
        std::iter::from_fn(move || {
            let until = next.as_ref().map_or(end, |(place, _)| (*place).min(end));
            if at < until {
                let piece = said.slice(at..until);
                at = until;
                return Some(piece);
            }
            let (_, frame) = next.take()?;
            next = own.next();
            Some(frame)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(said: &'static str, from: usize, own: &[(usize, &'static str)]) -> String {
        let own = own.iter().map(|(place, frame)| (*place, Bytes::from_static(frame.as_bytes()))).collect();
        let share = Share { to: SenderId(1), generation: Generation::V1, from, own };
        let said = [Bytes::from_static(said.as_bytes())];
        let pieces: Vec<Bytes> = share.pieces(&said).collect();
        assert!(pieces.iter().all(|piece| !piece.is_empty()));
        String::from_utf8(pieces.concat()).unwrap()
    }

    #[test]
    fn a_share_is_the_round_from_where_the_member_joined() {
        assert_eq!(pieces("abcdef", 0, &[]), "abcdef");
        assert_eq!(pieces("abcdef", 4, &[]), "ef");
        assert_eq!(pieces("abcdef", 6, &[]), "");
    }

    #[test]
    fn own_frames_come_at_their_places() {
        assert_eq!(pieces("abcdef", 0, &[(0, "1"), (3, "2"), (3, "3"), (6, "4")]), "1abc23def4");
        assert_eq!(pieces("abcdef", 3, &[(3, "1")]), "1def");
        assert_eq!(pieces("", 0, &[(0, "1"), (0, "2")]), "12");
    }
}

//! One round of output: consecutive frames, once per generation present.

use bytes::{Bytes, BytesMut};

use crate::model::{ConnectionId, RoomEvent};
use crate::wire::{self, Generation};

/// The current round.
#[derive(Debug, Default)]
pub(super) struct Round {
    buffers: [BytesMut; Generation::COUNT],
    frames: usize,
}

impl Round {
    /// Adds an event for each generation that has members.
    pub(super) fn add(&mut self, event: RoomEvent<'_>, members_by_generation: [usize; Generation::COUNT]) {
        for generation in Generation::ALL {
            let (Some(buffer), Some(1..)) =
                (self.buffers.get_mut(generation.index()), members_by_generation.get(generation.index()))
            else {
                continue;
            };
            wire::append_event(generation, event, buffer);
        }
        self.frames += 1;
    }

    /// Returns the output so far for a generation, in bytes.
    pub(super) fn len(&self, generation: Generation) -> usize {
        self.buffers.get(generation.index()).map_or(0, BytesMut::len)
    }

    /// Returns the pieces of a member's share of the round so far.
    pub(super) fn pieces_so_far(&self, share: Share) -> Vec<Bytes> {
        let broadcast = self.buffers.each_ref().map(|buffer| Bytes::copy_from_slice(buffer));
        share.pieces(&broadcast).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames == 0
    }

    /// Ends the round. Returns its bytes by generation and its number of frames.
    pub(super) fn take(&mut self) -> ([Bytes; Generation::COUNT], usize) {
        let frames = std::mem::take(&mut self.frames);
        (self.buffers.each_mut().map(|buffer| buffer.split().freeze()), frames)
    }
}

/// Frames for one member alone, with their offsets in the current round. Frames at the same offset are merged, so that
/// ten thousand pongs are not ten thousand pieces.
#[derive(Debug, Default)]
pub(super) struct DirectFrames(Vec<(usize, DirectPiece)>);

/// Frames at one offset.
#[derive(Debug)]
enum DirectPiece {
    Own(BytesMut),
    /// Shared with other members.
    Shared(Bytes),
}

impl DirectFrames {
    /// Adds a frame at `offset`, which must not be less than the last one.
    pub(super) fn push(&mut self, offset: usize, frame: &[u8]) {
        match self.0.last_mut() {
            Some((last, DirectPiece::Own(piece))) if *last == offset => piece.extend_from_slice(frame),
            _ => self.0.push((offset, DirectPiece::Own(BytesMut::from(frame)))),
        }
    }

    /// As [`DirectFrames::push`], without copying the frames.
    pub(super) fn push_shared(&mut self, offset: usize, frames: Bytes) {
        self.0.push((offset, DirectPiece::Shared(frames)));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn freeze(self) -> Vec<(usize, Bytes)> {
        let freeze = |piece| match piece {
            DirectPiece::Own(frames) => frames.freeze(),
            DirectPiece::Shared(frames) => frames,
        };
        self.0.into_iter().map(|(offset, piece)| (offset, freeze(piece))).collect()
    }
}

/// The output of one round, to be written to the members.
#[derive(Debug)]
pub struct Delivery {
    /// The broadcast frames, by generation.
    pub broadcast: [Bytes; Generation::COUNT],
    /// The number of broadcast frames.
    pub frame_count: usize,
    /// The share of each member.
    pub shares: Vec<Share>,
}

/// One member's share of a round.
#[derive(Debug)]
pub struct Share {
    /// The recipient.
    pub to: ConnectionId,
    /// Its generation.
    pub generation: Generation,
    /// Where its share of the broadcast frames starts: after 0 if it joined during the round.
    pub start: usize,
    /// Frames for this member alone, with their offsets among the broadcast frames.
    pub direct: Vec<(usize, Bytes)>,
}

impl Share {
    /// Returns the non-empty pieces in order.
    pub fn pieces(self, broadcast: &[Bytes]) -> impl Iterator<Item = Bytes> {
        let broadcast = broadcast.get(self.generation.index()).cloned().unwrap_or_default();
        let mut at = self.start;
        let end = broadcast.len();
        let mut direct = self.direct.into_iter();
        let mut next = direct.next();
        std::iter::from_fn(move || {
            let until = next.as_ref().map_or(end, |(offset, _)| (*offset).min(end));
            if at < until {
                let piece = broadcast.slice(at..until);
                at = until;
                return Some(piece);
            }
            let (_, frame) = next.take()?;
            next = direct.next();
            Some(frame)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(broadcast: &'static str, start: usize, direct: &[(usize, &'static str)]) -> String {
        let direct = direct.iter().map(|(offset, frame)| (*offset, Bytes::from_static(frame.as_bytes()))).collect();
        let share = Share { to: ConnectionId(1), generation: Generation::V1, start, direct };
        let broadcast = [Bytes::from_static(broadcast.as_bytes())];
        let pieces: Vec<Bytes> = share.pieces(&broadcast).collect();
        assert!(pieces.iter().all(|piece| !piece.is_empty()));
        String::from_utf8(pieces.concat()).unwrap()
    }

    #[test]
    fn a_share_starts_where_the_member_joined() {
        assert_eq!(pieces("abcdef", 0, &[]), "abcdef");
        assert_eq!(pieces("abcdef", 4, &[]), "ef");
        assert_eq!(pieces("abcdef", 6, &[]), "");
    }

    #[test]
    fn direct_frames_come_at_their_offsets() {
        assert_eq!(pieces("abcdef", 0, &[(0, "1"), (3, "2"), (3, "3"), (6, "4")]), "1abc23def4");
        assert_eq!(pieces("abcdef", 3, &[(3, "1")]), "1def");
        assert_eq!(pieces("", 0, &[(0, "1"), (0, "2")]), "12");
    }
}

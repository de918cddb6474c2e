//! One round of output: consecutive frames, once per generation present.

use bytes::{Bytes, BytesMut};

use crate::model::{ConnectionId, RoomEvent};
use crate::wire::{self, Generation};

/// The current round.
#[derive(Debug, Default)]
pub(super) struct Round {
    buffers: [BytesMut; Generation::COUNT],
    /// Copies of the beginnings of the buffers, shared by the members that leave during the round.
    copies: [Vec<Bytes>; Generation::COUNT],
    frames: usize,
    /// Size of the largest frame.
    largest: usize,
}

/// A part of a buffer of at least this size is copied once for all members that leave, and a smaller one for each.
const SHARED_COPY: usize = 64 * 1024;
/// Larger buffers are not kept for the next round.
const MAX_RETAINED: usize = 64 * 1024;

impl Round {
    /// Adds an event for each generation that has members.
    pub(super) fn add(&mut self, event: RoomEvent<'_>, members_by_generation: [usize; Generation::COUNT]) {
        for generation in Generation::ALL {
            let (Some(buffer), Some(1..)) =
                (self.buffers.get_mut(generation.index()), members_by_generation.get(generation.index()))
            else {
                continue;
            };
            let before = buffer.len();
            wire::append_event(generation, event, buffer);
            self.largest = self.largest.max(buffer.len() - before);
        }
        self.frames += 1;
    }

    /// Returns the output so far for a generation, in bytes.
    pub(super) fn len(&self, generation: Generation) -> usize {
        self.buffers.get(generation.index()).map_or(0, BytesMut::len)
    }

    /// Returns the pieces of a member's share of the round so far.
    pub(super) fn pieces_so_far(&mut self, share: Share) -> Vec<Bytes> {
        let index = share.generation.index();
        let (Some(buffer), Some(copies)) = (self.buffers.get(index), self.copies.get_mut(index)) else {
            return Vec::new();
        };
        let shared_len: usize = copies.iter().map(Bytes::len).sum();
        let rest = buffer.get(shared_len..).unwrap_or_default();
        let mut own = None;
        if rest.len() >= SHARED_COPY {
            copies.push(Bytes::copy_from_slice(rest));
        } else {
            // Its share may begin behind what is shared_len.
            let from = share.start.saturating_sub(shared_len).min(rest.len());
            own = rest.get(from..).map(|rest| (shared_len + from, Bytes::copy_from_slice(rest)));
        }
        let starts = copies.iter().scan(0, |at, copy| {
            let start = *at;
            *at += copy.len();
            Some((start, copy))
        });
        let segments: Vec<(usize, &Bytes)> = starts.chain(own.as_ref().map(|(start, copy)| (*start, copy))).collect();
        let mut pieces = Vec::new();
        let mut at = share.start;
        let push = |pieces: &mut Vec<Bytes>, from: usize, to: usize| {
            for (start, segment) in &segments {
                let (from, to) = (from.max(*start), to.min(start + segment.len()));
                if from < to {
                    pieces.push(segment.slice(from - start..to - start));
                }
            }
        };
        for (offset, frame) in share.direct {
            push(&mut pieces, at, offset);
            at = at.max(offset);
            pieces.push(frame);
        }
        push(&mut pieces, at, buffer.len());
        pieces
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames == 0
    }

    /// Ends the round. Returns its bytes by generation, its number of frames and the size of the largest one.
    pub(super) fn take(&mut self) -> ([Bytes; Generation::COUNT], usize, usize) {
        let (frames, largest) = (std::mem::take(&mut self.frames), std::mem::take(&mut self.largest));
        self.copies.iter_mut().for_each(Vec::clear);
        let take = |buffer: &mut BytesMut| {
            // The rest of a buffer that was split keeps all of its memory.
            if buffer.len() > MAX_RETAINED { std::mem::take(buffer).freeze() } else { buffer.split().freeze() }
        };
        (self.buffers.each_mut().map(take), frames, largest)
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
    /// The size of the largest of them, in bytes.
    pub largest_frame: usize,
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

    /// A share of a member that has received `start` bytes of the round, with a direct frame at an offset.
    fn share(start: usize, direct: Option<usize>) -> Share {
        let direct = direct.map(|offset| (offset, Bytes::from_static(b"!"))).into_iter().collect();
        Share { to: ConnectionId(1), generation: Generation::V2, start, direct }
    }

    #[test]
    fn members_that_leave_during_a_round_share_one_copy_of_its_large_frames() {
        let mut round = Round::default();
        let fill = |round: &mut Round, byte: u8, count: usize| {
            round.buffers[Generation::V2.index()].extend_from_slice(&vec![byte; count]);
        };
        fill(&mut round, b'a', SHARED_COPY);
        let first = round.pieces_so_far(share(0, None));
        fill(&mut round, b'b', 3);
        let second = round.pieces_so_far(share(1, Some(SHARED_COPY + 1)));
        assert_eq!(first[0].as_ptr(), second[0].as_ptr().wrapping_sub(1));
        let third = round.pieces_so_far(share(SHARED_COPY + 2, None));
        let joined = |pieces: &[Bytes]| pieces.concat();
        assert_eq!(joined(&first), vec![b'a'; SHARED_COPY]);
        assert_eq!(joined(&second), [&vec![b'a'; SHARED_COPY - 1][..], b"b!bb"].concat());
        assert_eq!(joined(&third), b"b");
        assert!(round.pieces_so_far(share(SHARED_COPY + 3, None)).is_empty());
    }

    #[test]
    fn the_memory_of_a_large_round_is_not_kept() {
        let mut round = Round::default();
        round.buffers[Generation::V2.index()].extend_from_slice(&vec![b'a'; 10 * MAX_RETAINED]);
        drop(round.take());
        assert_eq!(round.buffers[Generation::V2.index()].capacity(), 0);
    }

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

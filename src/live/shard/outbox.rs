//! The outbox of a connection: output that its socket did not take, or that waits for its turn. Most connections have none.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};

use bytes::{Buf, Bytes};
use mio::net::TcpStream;

use crate::wire::frame;

/// Overhead counted for each queued piece, so that a client cannot use unaccounted memory by requesting a million tiny
/// pongs.
const PIECE_COST: usize = 64;
/// Maximum number of pieces per write.
const WRITE_PIECES: usize = 64;
/// Maximum number of bytes written to a connection at a time, so that one that receives images or layers does not hold up the
/// others of its shard.
pub(super) const WRITE_BYTES: usize = 512 * 1024;

/// A queue of output. Each piece consists of whole frames and is shared with other
/// receivers; the first one may be partially written. The caller bounds its size.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pieces: VecDeque<Bytes>,
    /// The first piece before any of it was written.
    first: Bytes,
    /// Unsent bytes, plus [`PIECE_COST`] per piece.
    queued_bytes: usize,
    /// Size of the largest piece so far.
    largest: usize,
    /// Whether the socket is full. An event tells when it takes more.
    pub(super) is_blocked: bool,
    /// Whether it is in the shard's list of outboxes to write.
    pub(super) is_queued: bool,
}

impl Outbox {
    /// Queues a piece; its first `written` bytes are already sent.
    pub(super) fn push(&mut self, piece: Bytes, written: usize) {
        if self.pieces.is_empty() {
            self.first = piece.clone();
        }
        self.largest = self.largest.max(piece.len());
        let mut rest = piece;
        rest.advance(written.min(rest.len()));
        self.queued_bytes += rest.len() + PIECE_COST;
        self.pieces.push_back(rest);
    }

    /// Returns the size of the queue in bytes, including overhead.
    pub(super) fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    /// Returns the size of the largest piece that was queued since the outbox was empty. The limit of the queue is on top
    /// of it: a single image, or the last messages of a room, must not make a connection too slow.
    pub(super) fn largest(&self) -> usize {
        self.largest
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Writes as much as the socket takes, up to [`WRITE_BYTES`]. Returns the number of bytes.
    ///
    /// # Errors
    /// Errors of the socket other than `WouldBlock`.
    pub(super) fn write(&mut self, stream: &mut TcpStream) -> io::Result<usize> {
        let mut left = WRITE_BYTES;
        self.is_blocked = false;
        while left > 0 && !self.pieces.is_empty() {
            let written = {
                let (mut slices, mut count, mut rest) = ([IoSlice::new(&[]); WRITE_PIECES], 0, left);
                for (slice, piece) in slices.iter_mut().zip(&self.pieces) {
                    let part = piece.get(..rest.min(piece.len())).unwrap_or_default();
                    *slice = IoSlice::new(part);
                    (count, rest) = (count + 1, rest - part.len());
                    if rest == 0 {
                        break;
                    }
                }
                stream.write_vectored(slices.get(..count).unwrap_or_default())
            };
            match written {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    self.advance(written);
                    left -= written.min(left);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.is_blocked = true;
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(WRITE_BYTES - left)
    }

    /// Drops everything except the rest of a partially written frame.
    pub(super) fn keep_partial_frame(&mut self) {
        let begun = self.pieces.front().and_then(|rest| {
            let written = self.first.len() - rest.len();
            let end = frame::end_of_frame(&self.first, written.checked_sub(1)?);
            (end > written).then(|| self.first.slice(written..end))
        });
        *self = Self { is_queued: self.is_queued, ..Self::default() };
        if let Some(begun) = begun {
            self.push(begun, 0);
        }
    }

    fn advance(&mut self, written: usize) {
        let mut left = written;
        while let Some(piece) = self.pieces.front_mut() {
            if left < piece.len() {
                piece.advance(left);
                self.queued_bytes -= left;
                return;
            }
            left -= piece.len();
            self.queued_bytes -= piece.len() + PIECE_COST;
            self.pieces.pop_front();
            self.first = self.pieces.front().cloned().unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(texts: &[&str]) -> Bytes {
        texts.iter().map(|text| frame::text(text.as_bytes())).collect::<Vec<_>>().concat().into()
    }

    fn left(outbox: &Outbox) -> Vec<u8> {
        outbox.pieces.iter().flatten().copied().collect()
    }

    #[test]
    fn written_bytes_are_dropped() {
        let mut outbox = Outbox::default();
        outbox.push(frames(&["one", "two"]), 3);
        outbox.push(frames(&["three"]), 0);
        outbox.advance(7 + 2);
        assert_eq!(left(&outbox), frames(&["three"])[2..]);
        outbox.advance(5);
        assert_eq!((left(&outbox), outbox.queued_bytes()), (vec![], 0));
    }

    #[test]
    fn only_the_rest_of_a_partial_frame_is_kept() {
        for written in 1..5 {
            let mut outbox = Outbox::default();
            outbox.push(frames(&["one", "two"]), written);
            outbox.push(frames(&["three"]), 0);
            outbox.keep_partial_frame();
            assert_eq!(left(&outbox), frames(&["one"])[written..], "{written}");
        }
    }

    #[test]
    fn nothing_is_kept_between_two_frames() {
        for written in [0, 5] {
            let mut outbox = Outbox::default();
            outbox.push(frames(&["one", "two"]), written);
            outbox.keep_partial_frame();
            assert_eq!((left(&outbox), outbox.queued_bytes()), (vec![], 0), "{written}");
        }
    }
}

//! What a slow connection still has to get. A connection that keeps up has none of this.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};

use bytes::{Buf, Bytes};
use mio::net::TcpStream;

use crate::wire::frame;

/// What a queued piece takes beside its bytes. Who asks for a million pongs of two bytes must not get the memory of a
/// million pieces.
const PIECE_COST: usize = 64;
/// Pieces that one write takes at most.
const WRITE_PIECES: usize = 64;

/// A bounded queue of what the socket would not take. Each piece is whole frames, shared with everybody else who
/// still has to get them; of the first one, a part may be written.
#[derive(Debug, Default)]
pub(super) struct Out {
    pieces: VecDeque<Bytes>,
    /// The first piece as it was before anything of it was written.
    first: Bytes,
    /// Bytes that wait, and [`PIECE_COST`] for each piece.
    waiting: usize,
}

/// How far a write came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flushed {
    /// All is written.
    All,
    /// The client must read first.
    Blocked,
}

impl Out {
    /// Queues what is left of a piece of which `written` bytes are written.
    pub(super) fn push(&mut self, piece: Bytes, written: usize) {
        if self.pieces.is_empty() {
            self.first = piece.clone();
        }
        let mut rest = piece;
        rest.advance(written.min(rest.len()));
        self.waiting += rest.len() + PIECE_COST;
        self.pieces.push_back(rest);
    }

    /// How much waits.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Writes as much as the socket takes.
    ///
    /// # Errors
    /// Those of the socket, but for `WouldBlock`.
    pub(super) fn flush(&mut self, stream: &mut TcpStream) -> io::Result<Flushed> {
        while !self.pieces.is_empty() {
            let written = {
                let mut slices = [IoSlice::new(&[]); WRITE_PIECES];
                let mut count = 0;
                for (slice, piece) in slices.iter_mut().zip(&self.pieces) {
                    *slice = IoSlice::new(piece);
                    count += 1;
                }
                stream.write_vectored(slices.get(..count).unwrap_or_default())
            };
            match written {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => self.forget(written),
                Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => return Ok(Flushed::Blocked),
                Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(Flushed::All)
    }

    /// Drops all but the rest of a frame that the client has the beginning of.
    pub(super) fn keep_begun(&mut self) {
        let begun = self.pieces.front().and_then(|rest| {
            let written = self.first.len() - rest.len();
            let end = frame::end_of_frame(&self.first, written.checked_sub(1)?);
            (end > written).then(|| self.first.slice(written..end))
        });
        *self = Self::default();
        if let Some(begun) = begun {
            self.push(begun, 0);
        }
    }

    fn forget(&mut self, written: usize) {
        let mut left = written;
        while let Some(piece) = self.pieces.front_mut() {
            if left < piece.len() {
                piece.advance(left);
                self.waiting -= left;
                return;
            }
            left -= piece.len();
            self.waiting -= piece.len() + PIECE_COST;
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

    fn left(out: &Out) -> Vec<u8> {
        out.pieces.iter().flatten().copied().collect()
    }

    #[test]
    fn what_is_written_is_forgotten_and_waits_no_more() {
        let mut out = Out::default();
        out.push(frames(&["one", "two"]), 3);
        out.push(frames(&["three"]), 0);
        out.forget(7 + 2);
        assert_eq!(left(&out), frames(&["three"])[2..]);
        out.forget(5);
        assert_eq!((left(&out), out.waiting()), (vec![], 0));
    }

    #[test]
    fn a_frame_that_is_begun_is_kept_to_its_end_and_no_further() {
        for written in 1..5 {
            let mut out = Out::default();
            out.push(frames(&["one", "two"]), written);
            out.push(frames(&["three"]), 0);
            out.keep_begun();
            assert_eq!(left(&out), frames(&["one"])[written..], "{written}");
        }
    }

    #[test]
    fn between_two_frames_nothing_is_kept() {
        for written in [0, 5] {
            let mut out = Out::default();
            out.push(frames(&["one", "two"]), written);
            out.keep_begun();
            assert_eq!((left(&out), out.waiting()), (vec![], 0), "{written}");
        }
    }
}

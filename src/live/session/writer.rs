//! What leaves: frames taken from the outbox and not yet written.

use std::collections::VecDeque;
use std::io::{self, IoSlice};

use bytes::{Buf, Bytes};
use tokio::net::TcpStream;

/// Frames that one write takes at most.
const WRITE_FRAMES: usize = 64;

/// Frames to write, of which the first may be written in part.
#[derive(Debug, Default)]
pub(super) struct Unsent {
    pub(super) frames: VecDeque<Bytes>,
    /// Whether the client has the beginning of the first frame already.
    begun: bool,
}

/// What one write has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) bytes: usize,
    /// Frames that are written to their end.
    pub(super) frames: usize,
}

impl Unsent {
    /// Writes once, without waiting.
    ///
    /// # Errors
    /// Those of the socket; `WouldBlock` when the client must read first.
    pub(super) fn write_some(&mut self, stream: &TcpStream) -> io::Result<Written> {
        let written = {
            let mut slices = [IoSlice::new(&[]); WRITE_FRAMES];
            let mut count = 0;
            for (slice, frame) in slices.iter_mut().zip(&self.frames) {
                *slice = IoSlice::new(frame);
                count += 1;
            }
            stream.try_write_vectored(slices.get(..count).unwrap_or_default())?
        };
        let frames = self.frames.len();
        self.forget(written);
        Ok(Written { bytes: written, frames: frames - self.frames.len() })
    }

    /// Writes all.
    ///
    /// # Errors
    /// Those of the socket.
    ///
    /// # Cancel safety
    /// Safe: what was written is forgotten, what was not is kept.
    pub(super) async fn write_all(&mut self, stream: &TcpStream) -> io::Result<()> {
        while !self.frames.is_empty() {
            match self.write_some(stream) {
                Ok(_) => {}
                Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => stream.writable().await?,
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    /// Drops all but the rest of a frame that the client has the beginning of.
    pub(super) fn keep_begun(&mut self) {
        self.frames.truncate(usize::from(self.begun));
    }

    /// Takes `written` bytes off the front.
    fn forget(&mut self, written: usize) {
        let mut left = written;
        while let Some(frame) = self.frames.front_mut() {
            if left < frame.len() {
                frame.advance(left);
                self.begun |= left > 0;
                return;
            }
            left -= frame.len();
            self.begun = false;
            self.frames.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unsent(frames: &[&'static str]) -> Unsent {
        let frames = frames.iter().map(|frame| Bytes::from_static(frame.as_bytes())).collect();
        Unsent { frames, begun: false }
    }

    #[test]
    fn a_frame_that_is_begun_is_kept_to_its_end() {
        let mut unsent = unsent(&["one", "two", "three"]);
        unsent.forget(4);
        unsent.keep_begun();
        assert_eq!(unsent.frames, ["wo"]);
        unsent.forget(1);
        unsent.keep_begun();
        assert_eq!(unsent.frames, ["o"]);
    }

    #[test]
    fn between_two_frames_nothing_is_kept() {
        let mut unsent = unsent(&["one", "two", "three"]);
        unsent.forget(3);
        unsent.keep_begun();
        assert!(unsent.frames.is_empty());
    }
}

//! Output of a connection: direct writes, and the outbox.

use std::io::{self, Write};
use std::net::Shutdown;

use bytes::Bytes;

use super::Connection;
use crate::live::shard::closing::CloseReason;
use crate::live::shard::outbox::WRITE_BYTES;

impl Connection {
    /// Returns the size of the outbox, in bytes.
    pub(in crate::live::shard) fn queued_bytes(&self) -> usize {
        self.outbox.as_ref().map_or(0, |outbox| outbox.queued_bytes())
    }

    /// Sends whole frames, or appends them to the outbox if it is not empty. The rest of long frames
    /// goes there as well: the caller passes the connection to [`Writes::add`](super::super::writing::Writes::add) then.
    pub(in crate::live::shard) fn send(&mut self, frames: Bytes, limit: usize) -> Result<(), CloseReason> {
        if let Some(outbox) = &mut self.outbox {
            // One whose socket takes more waits for the shard, not for its reader.
            if outbox.is_blocked && outbox.queued_bytes() > limit + outbox.largest() {
                return Err(CloseReason::SlowReader);
            }
            outbox.push(frames, 0);
            return Ok(());
        }
        let first = frames.get(..WRITE_BYTES).unwrap_or(&frames);
        let written = match self.stream.write(first) {
            Ok(written) => written,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => 0,
            Err(_) => return Err(CloseReason::Disconnected),
        };
        let is_full = written < first.len();
        if written < frames.len() {
            self.outbox.get_or_insert_default().push(frames, written);
        }
        if is_full {
            // The socket signals that it is writable only after a write has blocked.
            self.write_outbox()?;
        }
        Ok(())
    }

    /// Whether the socket does not take more of the outbox.
    pub(in crate::live::shard) fn is_blocked(&self) -> bool {
        self.outbox.as_ref().is_some_and(|outbox| outbox.is_blocked)
    }

    /// Notes that the socket takes more.
    pub(in crate::live::shard) fn unblock(&mut self) {
        if let Some(outbox) = &mut self.outbox {
            outbox.is_blocked = false;
        }
    }

    /// Notes that the outbox has left the shard's list of those to write.
    pub(in crate::live::shard) fn unmark_write_queued(&mut self) {
        if let Some(outbox) = &mut self.outbox {
            outbox.is_queued = false;
        }
    }

    /// Marks the outbox as being in the shard's list of those to write. Returns `false` if it is there already, or has nothing
    /// that the socket may take.
    pub(in crate::live::shard) fn mark_write_queued(&mut self) -> bool {
        let ready = self.outbox.as_mut().filter(|outbox| !outbox.is_blocked);
        ready.is_some_and(|outbox| !std::mem::replace(&mut outbox.is_queued, true))
    }

    /// Notes a ping to be answered once the outbox is empty. Returns `false` if it is empty already.
    pub(in crate::live::shard) fn postpone_pong(&mut self, payload: &[u8]) -> bool {
        if self.outbox.is_some() {
            self.pending_ping = Some(Box::new(Bytes::copy_from_slice(payload)));
        }
        self.outbox.is_some()
    }

    /// Writes as much of the outbox as the socket takes, up to [`WRITE_BYTES`]. Returns the number of bytes.
    pub(in crate::live::shard) fn write_outbox(&mut self) -> Result<usize, CloseReason> {
        let Some(outbox) = &mut self.outbox else { return Ok(0) };
        let written = outbox.write(&mut self.stream).map_err(|_| CloseReason::Disconnected)?;
        if outbox.is_empty() {
            self.outbox = None;
            if self.is_closing() {
                self.stream.shutdown(Shutdown::Write).map_err(|_| CloseReason::Disconnected)?;
            }
        }
        Ok(written)
    }

    /// Takes the ping to be answered, once the outbox is empty.
    pub(in crate::live::shard) fn take_due_ping(&mut self) -> Option<Bytes> {
        let is_due = self.outbox.is_none() && !self.is_closing();
        if is_due { self.pending_ping.take().map(|payload| *payload) } else { None }
    }
}

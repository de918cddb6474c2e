//! Output of a connection: direct writes, and the outbox of one that is slow.

use std::io::{self, Write};
use std::net::Shutdown;

use bytes::Bytes;

use super::Connection;
use crate::live::shard::closing::CloseReason;
use crate::live::shard::outbox::Flushed;
use crate::wire::frame;

impl Connection {
    /// Returns the size of the outbox, in bytes.
    pub(in crate::live::shard) fn queued_bytes(&self) -> usize {
        self.outbox.as_ref().map_or(0, |outbox| outbox.queued_bytes())
    }

    /// Sends whole frames, or appends them to the outbox if it is not empty.
    pub(in crate::live::shard) fn send(&mut self, frames: Bytes, limit: usize) -> Result<(), CloseReason> {
        if let Some(outbox) = &mut self.outbox {
            if outbox.queued_bytes() > limit + outbox.largest() {
                return Err(CloseReason::SlowReader);
            }
            outbox.push(frames, 0);
            return Ok(());
        }
        let written = match self.stream.write(&frames) {
            Ok(written) => written,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => 0,
            Err(_) => return Err(CloseReason::Disconnected),
        };
        if written < frames.len() {
            self.outbox.get_or_insert_default().push(frames, written);
            // The socket signals that it is writable only after a write has blocked.
            return self.flush();
        }
        Ok(())
    }

    /// Notes a ping to be answered once the outbox is empty. Returns `false` if it is empty already.
    pub(in crate::live::shard) fn postpone_pong(&mut self, payload: &[u8]) -> bool {
        if self.outbox.is_some() {
            self.pending_ping = Some(Box::new(Bytes::copy_from_slice(payload)));
        }
        self.outbox.is_some()
    }

    /// Writes as much of the outbox as the socket takes.
    pub(in crate::live::shard) fn flush(&mut self) -> Result<(), CloseReason> {
        if let Some(outbox) = &mut self.outbox
            && outbox.flush(&mut self.stream).map_err(|_| CloseReason::Disconnected)? == Flushed::All
        {
            self.outbox = None;
            if self.is_closing() {
                self.stream.shutdown(Shutdown::Write).map_err(|_| CloseReason::Disconnected)?;
            } else if let Some(payload) = self.pending_ping.take() {
                // A pong is far below any limit of the outbox, which is empty.
                self.send(frame::pong(&payload), usize::MAX)?;
            }
        }
        Ok(())
    }
}

//! One WebSocket as its shard keeps it. A few hundred bytes when it is at rest.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mio::net::TcpStream;

use super::ending::End;
use super::inbox::{Arrival, Held};
use super::out::{Flushed, Out};
use super::rooms::RoomKey;
use crate::live::{Config, Live};
use crate::model::{Address, SenderId};
use crate::wire::Generation;
use crate::wire::frame::{self, Decoder, Incoming};

/// What an unfinished message may take without being accounted for: who sends long ones must not use up the memory for
/// a line of chat that arrives in two packets.
const FREE_BYTES: usize = 4 * 1024;

/// Whether a connection goes on.
pub(super) type Alive = Result<(), End>;

/// A message or frame that has not all arrived, or just has and is still to be accounted for.
#[derive(Debug)]
struct Partial {
    decoder: Decoder,
    /// When what is under way began.
    since: Instant,
    /// Memory that it is accounted for with.
    accounted: usize,
}

/// What has arrived behind a message that is looked at elsewhere.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) bytes: Vec<u8>,
    /// Whether the wait ends only with the answer to that message.
    pub(super) judging: bool,
}

/// How a connection takes its leave.
#[derive(Debug)]
struct Leaving {
    /// When it is over, whatever the client does.
    deadline: Instant,
    /// How many bytes of the client are still read: it must be able to finish what it is saying, or it never comes to
    /// the close frame; but it must not keep the shard busy by never ending. Then its socket is left alone until it is
    /// reset.
    ear: usize,
}

/// What a shard keeps of a WebSocket. There may be a hundred thousand of them, nearly all at rest: what is there only
/// for a while is behind a pointer.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, no states of one machine")]
pub(super) struct Connection {
    pub(super) id: SenderId,
    pub(super) room: RoomKey,
    pub(super) generation: Generation,
    pub(super) address: Address,
    pub(super) stream: TcpStream,
    partial: Option<Box<Partial>>,
    out: Option<Box<Out>>,
    /// When the client was last heard.
    heard: Instant,
    /// When it was last pinged, or when it came.
    pinged: Instant,
    /// Whether an answer to that is due.
    answer_due: bool,
    /// Its message is looked at elsewhere.
    pub(super) pending: Option<Box<Pending>>,
    /// Whether it stands in the list of those that may have something to read.
    pub(super) queued: bool,
    /// The client sends no more, or the connection is broken: it is to be read to its end.
    pub(super) hung_up: bool,
    /// When the wheel is to look at it.
    pub(super) look_at: Instant,
    /// Whether somebody wants its nickname and waits for a sign of life.
    pub(super) probed: bool,
    /// It takes its leave.
    leaving: Option<Box<Leaving>>,
    _held: Held,
}

impl Connection {
    pub(super) fn new(id: SenderId, arrival: Arrival, now: Instant) -> Self {
        let Arrival { stream, generation, address, held, room, .. } = arrival;
        Self {
            id,
            room,
            generation,
            address,
            stream,
            partial: None,
            out: None,
            heard: now,
            pinged: now,
            answer_due: false,
            pending: None,
            queued: false,
            hung_up: false,
            look_at: now,
            probed: false,
            leaving: None,
            _held: held,
        }
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.is_some()
    }

    /// Whether it takes its leave and is not listened to any more: what is due to it comes first, and an ear has its
    /// end. The rest stays in the socket.
    pub(super) fn is_deaf(&self) -> bool {
        self.leaving.as_ref().is_some_and(|leaving| leaving.ear == 0 || self.has_unsent())
    }

    /// Whether something that is due to it is not yet written.
    pub(super) fn has_unsent(&self) -> bool {
        self.out.is_some()
    }

    /// Notes that the message that was looked at elsewhere has its answer.
    pub(super) fn note_answer(&mut self) {
        if let Some(pending) = &mut self.pending {
            pending.judging = false;
        }
    }

    /// Reads once; the number of bytes is 0 when there is nothing to read now.
    pub(super) fn read(&mut self, buffer: &mut [u8], now: Instant) -> Result<usize, End> {
        match self.stream.read(buffer) {
            Ok(0) => Err(End::Gone),
            Ok(n) => {
                self.heard = now;
                if let Some(leaving) = &mut self.leaving {
                    leaving.ear = leaving.ear.saturating_sub(n);
                }
                Ok(n)
            }
            Err(fault) if matches!(fault.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(0),
            Err(_) => Err(End::Gone),
        }
    }

    /// Takes the next message off the front of `bytes`; one may be `limit` bytes long.
    pub(super) fn decode(&mut self, bytes: &mut &[u8], limit: usize, now: Instant) -> Result<Option<Incoming>, End> {
        if let Some(partial) = &mut self.partial {
            if !partial.decoder.is_midway() {
                partial.since = now;
            }
            return partial.decoder.next(bytes).map_err(End::Broke);
        }
        let mut decoder = Decoder::new(limit);
        let incoming = decoder.next(bytes).map_err(End::Broke)?;
        if decoder.is_midway() {
            self.partial = Some(Box::new(Partial { decoder, since: now, accounted: 0 }));
        }
        Ok(incoming)
    }

    /// When the message under way must have arrived.
    pub(super) fn midway_deadline(&self, config: &Config) -> Option<Instant> {
        let partial = self.partial.as_ref().filter(|partial| partial.decoder.is_midway())?;
        Some(partial.since + config.frame_timeout)
    }

    /// Accounts for the memory of an unfinished message.
    pub(super) fn account(&mut self, live: &Live) -> Alive {
        let Some(partial) = &mut self.partial else { return Ok(()) };
        let now = partial.decoder.buffered().saturating_sub(FREE_BYTES);
        let before = std::mem::replace(&mut partial.accounted, now);
        if !partial.decoder.is_midway() {
            self.partial = None;
        }
        if before == now || live.account_partial(before, now) { Ok(()) } else { Err(End::NoMemory) }
    }

    /// Gives back what it is accounted for with.
    pub(super) fn release(&mut self, live: &Live) {
        if let Some(partial) = self.partial.take() {
            live.account_partial(partial.accounted, 0);
        }
    }

    /// Sends whole frames: at once when nothing waits, behind what waits otherwise.
    pub(super) fn send(&mut self, frames: Bytes, limit: usize) -> Alive {
        if let Some(out) = &mut self.out {
            if out.waiting() > limit {
                return Err(End::Slow);
            }
            out.push(frames, 0);
            return Ok(());
        }
        let written = match self.stream.write(&frames) {
            Ok(written) => written,
            Err(fault) if matches!(fault.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => 0,
            Err(_) => return Err(End::Gone),
        };
        if written < frames.len() {
            self.out.get_or_insert_default().push(frames, written);
            // The socket tells when it takes more only if it was seen to be full.
            return self.flush();
        }
        Ok(())
    }

    /// Writes what waits, as far as the socket takes it.
    pub(super) fn flush(&mut self) -> Alive {
        if let Some(out) = &mut self.out
            && out.flush(&mut self.stream).map_err(|_| End::Gone)? == Flushed::All
        {
            self.out = None;
            if self.is_leaving() {
                self.stream.shutdown(Shutdown::Write).map_err(|_| End::Gone)?;
            }
        }
        Ok(())
    }

    /// Begins to take leave with what is `due` to it and a close frame; both have until `deadline`. Up to `ear` bytes
    /// of the client are read until then.
    pub(super) fn leave(&mut self, end: End, due: Vec<Bytes>, close: Bytes, deadline: Instant, ear: usize) -> Alive {
        let out = self.out.get_or_insert_default();
        if matches!(end, End::Slow | End::NoMemory) {
            // Only the frame under way is finished: what has waited too long is not sent at all.
            out.keep_begun();
        } else {
            for frames in due {
                out.push(frames, 0);
            }
        }
        out.push(close, 0);
        self.leaving = Some(Box::new(Leaving { deadline, ear }));
        self.flush()
    }

    /// Ends the connection at once; the client is told by a reset.
    pub(super) fn reset(&self) {
        // A socket that cannot be told so is gone already.
        let _gone = socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }

    /// Does what is due, and says when to look again.
    pub(super) fn on_time(&mut self, now: Instant, config: &Config) -> Result<Instant, End> {
        if let Some(deadline) = self.leaving.as_ref().map(|leaving| leaving.deadline) {
            if now >= deadline {
                self.reset();
                return Err(End::Gone);
            }
            return Ok(deadline);
        }
        if self.answer_due && now >= self.pinged + config.pong_timeout {
            if self.heard < self.pinged {
                return Err(End::Silent);
            }
            self.answer_due = false;
        }
        if !self.answer_due && now >= self.pinged + config.ping_interval {
            self.ping(now, config)?;
        }
        let turn = if self.answer_due { config.pong_timeout } else { config.ping_interval };
        let next = self.pinged + turn;
        match self.midway_deadline(config) {
            Some(deadline) if now >= deadline => Err(End::Endless),
            Some(deadline) => Ok(next.min(deadline)),
            None => Ok(next),
        }
    }

    fn ping(&mut self, now: Instant, config: &Config) -> Alive {
        self.pinged = now;
        self.answer_due = true;
        self.send(frame::ping(), config.outbox_bytes)
    }
}

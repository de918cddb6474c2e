//! One connection: its socket, how far it has come, and the bytes between two reads or two writes.
//!
//! Owns no buffer of its own for reading, since ten thousand of them would be the tool's largest
//! cost: the caller lends one, and only the cut-off tail of a read is kept.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;

use mio::net::TcpStream;
use socket2::{Domain, Socket, Type};
use thiserror::Error;

use crate::frames::{self, FrameError};
use crate::handshake;

/// Why a connection ended before the tool wanted it to.
#[derive(Debug, Error)]
pub(crate) enum Ending {
    #[error("close code {code}{}{reason}", if reason.is_empty() { "" } else { ": " })]
    Close { code: u16, reason: String },
    #[error("closed without a close frame (1006)")]
    Eof,
    #[error("handshake refused: {0}")]
    Refused(String),
    #[error("socket: {0}")]
    Socket(#[from] io::Error),
    #[error("framing: {0}")]
    Frame(#[from] FrameError),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Connecting,
    Shaking,
    Open,
    Gone,
}

/// One WebSocket client.
#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
    peer: SocketAddr,
    room: usize,
    stage: Stage,
    /// The start of a frame whose rest has not come yet.
    tail: Vec<u8>,
    /// What the socket would not take yet.
    unsent: Vec<u8>,
}

impl Client {
    /// Starts to connect to a room from `source`; the port is the kernel's choice.
    ///
    /// # Errors
    /// Whatever the socket calls say, except that the connection is still in progress.
    pub(crate) fn dial(source: SocketAddr, peer: SocketAddr, room: usize) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(peer), Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        socket.bind(&source.into())?;
        match socket.connect(&peer.into()) {
            Err(error) if error.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {
                return Err(error);
            }
            _ => {}
        }
        let stream = TcpStream::from_std(socket.into());
        Ok(Self { stream, peer, room, stage: Stage::Connecting, tail: Vec::new(), unsent: Vec::new() })
    }

    /// The socket, for registration.
    pub(crate) fn stream_mut(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Whether the handshake is done and nothing has ended it since.
    pub(crate) fn is_open(&self) -> bool {
        self.stage == Stage::Open
    }

    /// Whether the connection has ended.
    pub(crate) fn is_gone(&self) -> bool {
        self.stage == Stage::Gone
    }

    /// Ignores the connection from now on.
    pub(crate) fn give_up(&mut self) {
        self.stage = Stage::Gone;
        self.tail = Vec::new();
        self.unsent = Vec::new();
    }

    /// Goes on with what waited for the socket to be writable.
    ///
    /// # Errors
    /// An [`Ending`] if the connection failed.
    pub(crate) fn writable(&mut self) -> Result<(), Ending> {
        if self.stage == Stage::Connecting {
            if let Some(error) = self.stream.take_error()? {
                return Err(error.into());
            }
            self.stage = Stage::Shaking;
            return self.send(&handshake::request(self.peer, self.room));
        }
        if self.unsent.is_empty() {
            return Ok(());
        }
        let mut waiting = std::mem::take(&mut self.unsent);
        self.send(&waiting)?;
        if self.unsent.is_empty() {
            waiting.clear();
            self.unsent = waiting;
        }
        Ok(())
    }

    /// Keeps `bytes` for [`Self::writable`], so that several messages leave in one write.
    pub(crate) fn queue(&mut self, bytes: &[u8]) {
        self.unsent.extend_from_slice(bytes);
    }

    /// Sends now what the socket takes and keeps the rest for [`Self::writable`].
    ///
    /// # Errors
    /// An [`Ending`] if the connection failed.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), Ending> {
        let mut taken = 0;
        while self.unsent.is_empty() && taken < bytes.len() {
            match self.stream.write(&bytes[taken..]) {
                Ok(written) => taken += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.unsent.extend_from_slice(&bytes[taken..]);
        Ok(())
    }

    /// Reads what has come and hands each text to `on_text`, answering pings on the way.
    ///
    /// A read that leaves room in `buffer` has emptied the socket, so no second call is spent on
    /// hearing `WouldBlock`; `to_the_end` asks for it all the same, which is needed when the peer
    /// has closed.
    ///
    /// # Errors
    /// An [`Ending`] when the connection is over.
    pub(crate) fn readable(
        &mut self,
        buffer: &mut [u8],
        to_the_end: bool,
        mut on_text: impl FnMut(&[u8]),
    ) -> Result<(), Ending> {
        loop {
            let kept = self.tail.len();
            buffer[..kept].copy_from_slice(&self.tail);
            let filled = match self.stream.read(&mut buffer[kept..]) {
                Ok(0) => return Err(Ending::Eof),
                Ok(read) => kept + read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            let used = self.take_frames(&buffer[..filled], &mut on_text)?;
            self.tail.clear();
            self.tail.extend_from_slice(&buffer[used..filled]);
            if self.tail.len() == buffer.len() {
                return Err(FrameError::TooLarge(buffer.len()).into());
            }
            if filled < buffer.len() && !to_the_end {
                return Ok(());
            }
        }
    }

    /// Walks the whole frames in `bytes` and says how many bytes they had.
    fn take_frames(&mut self, bytes: &[u8], on_text: &mut impl FnMut(&[u8])) -> Result<usize, Ending> {
        let mut used = 0;
        if self.stage != Stage::Open {
            match handshake::answer(bytes).map_err(Ending::Refused)? {
                None => return Ok(0),
                Some(head) => used = head,
            }
            self.stage = Stage::Open;
        }
        while let Some(frame) = frames::next(&bytes[used..])? {
            used += frame.len;
            match frame.opcode {
                frames::TEXT => on_text(frame.payload),
                frames::PING => self.send(&frames::masked(frames::PONG, frame.payload))?,
                // A message counts by its first fragment.
                frames::PONG | frames::CONTINUATION => {}
                frames::CLOSE => return Err(close(frame.payload)),
                other => return Err(FrameError::Opcode(other).into()),
            }
        }
        Ok(used)
    }
}

/// The ending that a close frame with `payload` tells of; 1005 stands for a missing code, as in RFC
/// 6455.
fn close(payload: &[u8]) -> Ending {
    let (code, reason) = match payload.split_first_chunk::<2>() {
        Some((code, reason)) => (u16::from_be_bytes(*code), String::from_utf8_lossy(reason).into_owned()),
        None => (1005, String::new()),
    };
    Ending::Close { code, reason }
}

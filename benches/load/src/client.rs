//! One connection: its socket, its state, and the bytes between two reads or two writes.
//!
//! A client has no read buffer of its own, since ten thousand of them would be the tool's largest cost. The caller lends
//! one, and only the incomplete frame at its end is kept, or the start of a frame that is larger than the buffer.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;

use mio::net::TcpStream;
use socket2::{Domain, Socket, Type};
use thiserror::Error;

use crate::frames::{self, FrameError, Text};
use crate::generation::Generation;
use crate::handshake;
use crate::large_frame::LargeFrame;

/// The reason why a connection ended early.
#[derive(Debug, Error)]
pub(crate) enum ClientError {
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
enum State {
    Connecting,
    Handshaking,
    Open,
    Closed,
}

/// One WebSocket client.
#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
    peer: SocketAddr,
    room: usize,
    generation: Generation,
    state: State,
    /// The start of an incomplete frame.
    tail: Vec<u8>,
    /// An incomplete frame that is larger than the read buffer.
    large: Option<LargeFrame>,
    /// Queued bytes, and the number of those that the socket has accepted.
    queue: Vec<u8>,
    sent: usize,
}

impl Client {
    /// Starts to connect to a room from the address of `source`.
    ///
    /// # Errors
    /// If a socket call fails.
    pub(crate) fn dial(source: SocketAddr, peer: SocketAddr, room: usize, generation: Generation) -> io::Result<Self> {
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
        Ok(Self {
            stream,
            peer,
            room,
            generation,
            state: State::Connecting,
            tail: Vec::new(),
            large: None,
            queue: Vec::new(),
            sent: 0,
        })
    }

    /// The generation that it speaks.
    pub(crate) fn generation(&self) -> Generation {
        self.generation
    }

    /// The socket, for registration.
    pub(crate) fn stream_mut(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Whether the handshake is done and the connection has not ended.
    pub(crate) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Whether the connection has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Ignores the connection from now on.
    pub(crate) fn abandon(&mut self) {
        self.state = State::Closed;
        self.tail = Vec::new();
        self.large = None;
        self.queue = Vec::new();
        self.sent = 0;
    }

    /// Continues the connect or the pending write of a writable socket.
    ///
    /// # Errors
    /// [`ClientError`] if the connection failed.
    pub(crate) fn writable(&mut self) -> Result<(), ClientError> {
        if self.state == State::Connecting {
            if let Some(error) = self.stream.take_error()? {
                return Err(error.into());
            }
            self.state = State::Handshaking;
            return self.send(&handshake::request(self.peer, self.room, self.generation));
        }
        while self.sent < self.queue.len() {
            match self.stream.write(&self.queue[self.sent..]) {
                Ok(written) => self.sent += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.queue.clear();
        self.sent = 0;
        Ok(())
    }

    /// Queues `bytes` for [`Self::writable`], so that several messages are sent in one write.
    pub(crate) fn queue(&mut self, bytes: &[u8]) {
        self.queue.extend_from_slice(bytes);
    }

    /// Sends what the socket accepts and keeps the rest for [`Self::writable`].
    ///
    /// # Errors
    /// [`ClientError`] if the connection failed.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        self.queue(bytes);
        self.writable()
    }

    /// Reads available data, passes each text to `on_text`, and answers pings.
    ///
    /// A short read has emptied the socket, so no second call is made for `WouldBlock`. With `until_eof` it is made
    /// anyway, which is needed when the peer has closed.
    ///
    /// # Errors
    /// [`ClientError`] when the connection has ended.
    pub(crate) fn readable(
        &mut self,
        buffer: &mut [u8],
        until_eof: bool,
        mut on_text: impl FnMut(Text<'_>),
    ) -> Result<(), ClientError> {
        loop {
            let kept = self.tail.len();
            buffer[..kept].copy_from_slice(&self.tail);
            let filled = match self.stream.read(&mut buffer[kept..]) {
                Ok(0) => return Err(ClientError::Eof),
                Ok(read) => kept + read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            let mut used = self.take_frames(&buffer[..filled], &mut on_text)?;
            if self.is_open() && self.large.is_none() {
                self.large = LargeFrame::start(&buffer[used..filled], buffer.len())?;
                used = if self.large.is_some() { filled } else { used };
            }
            self.tail.clear();
            self.tail.extend_from_slice(&buffer[used..filled]);
            if filled < buffer.len() && !until_eof {
                return Ok(());
            }
        }
    }

    /// Handles the complete frames in `bytes` and returns their length in bytes.
    fn take_frames(&mut self, bytes: &[u8], on_text: &mut impl FnMut(Text<'_>)) -> Result<usize, ClientError> {
        let mut used = 0;
        if self.state != State::Open {
            match handshake::answer(bytes).map_err(ClientError::Refused)? {
                None => return Ok(0),
                Some(head) => used = head,
            }
            self.state = State::Open;
            if let Some(text) = self.generation.first_text() {
                self.send(&frames::masked(frames::TEXT, text))?;
            }
        }
        if let Some(large) = &mut self.large {
            used += large.take(bytes);
            let Some(text) = large.text() else { return Ok(used) };
            on_text(text);
            self.large = None;
        }
        while let Some(frame) = frames::next(&bytes[used..])? {
            used += frame.len;
            match frame.opcode {
                frames::TEXT => on_text(Text::whole(frame.payload)),
                frames::PING => self.send(&frames::masked(frames::PONG, frame.payload))?,
                // A message is counted by its first fragment.
                frames::PONG | frames::CONTINUATION => {}
                frames::CLOSE => return Err(close(frame.payload)),
                other => return Err(FrameError::Opcode(other).into()),
            }
        }
        Ok(used)
    }
}

/// Returns the error for a close frame with `payload`. As in RFC 6455, 1005 stands for a missing code.
fn close(payload: &[u8]) -> ClientError {
    let (code, reason) = match payload.split_first_chunk::<2>() {
        Some((code, reason)) => (u16::from_be_bytes(*code), String::from_utf8_lossy(reason).into_owned()),
        None => (1005, String::new()),
    };
    ClientError::Close { code, reason }
}

//! One connection: its socket, its state, and the bytes between two reads or two writes.
//!
//! A client has no read buffer of its own, since ten thousand of them would be the tool's largest cost. The caller lends
//! one, and only the incomplete frame at its end is kept.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;

use mio::net::TcpStream;
use socket2::{Domain, Socket, Type};
use thiserror::Error;

use crate::frames::{self, FrameError};
use crate::handshake;

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
    state: State,
    /// The start of an incomplete frame.
    tail: Vec<u8>,
    /// Bytes that the socket has not accepted yet.
    unsent: Vec<u8>,
}

impl Client {
    /// Starts to connect to a room from the address of `source`.
    ///
    /// # Errors
    /// If a socket call fails.
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
        Ok(Self { stream, peer, room, state: State::Connecting, tail: Vec::new(), unsent: Vec::new() })
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
        self.unsent = Vec::new();
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
            return self.send(&handshake::request(self.peer, self.room));
        }
        if self.unsent.is_empty() {
            return Ok(());
        }
        let mut unsent = std::mem::take(&mut self.unsent);
        self.send(&unsent)?;
        if self.unsent.is_empty() {
            unsent.clear();
            self.unsent = unsent;
        }
        Ok(())
    }

    /// Queues `bytes` for [`Self::writable`], so that several messages are sent in one write.
    pub(crate) fn queue(&mut self, bytes: &[u8]) {
        self.unsent.extend_from_slice(bytes);
    }

    /// Sends what the socket accepts and keeps the rest for [`Self::writable`].
    ///
    /// # Errors
    /// [`ClientError`] if the connection failed.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
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
        mut on_text: impl FnMut(&[u8]),
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
            let used = self.take_frames(&buffer[..filled], &mut on_text)?;
            self.tail.clear();
            self.tail.extend_from_slice(&buffer[used..filled]);
            if self.tail.len() == buffer.len() {
                return Err(FrameError::TooLarge(buffer.len()).into());
            }
            if filled < buffer.len() && !until_eof {
                return Ok(());
            }
        }
    }

    /// Handles the complete frames in `bytes` and returns their length in bytes.
    fn take_frames(&mut self, bytes: &[u8], on_text: &mut impl FnMut(&[u8])) -> Result<usize, ClientError> {
        let mut used = 0;
        if self.state != State::Open {
            match handshake::answer(bytes).map_err(ClientError::Refused)? {
                None => return Ok(0),
                Some(head) => used = head,
            }
            self.state = State::Open;
        }
        while let Some(frame) = frames::next(&bytes[used..])? {
            used += frame.len;
            match frame.opcode {
                frames::TEXT => on_text(frame.payload),
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

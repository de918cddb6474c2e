//! A WebSocket client at the level of bytes, for behaviour that no proper client shows.

use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

use serde_json::Value;
use socket2::{Domain, SockRef, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::TIMEOUT;

/// First byte of an unfragmented text frame.
pub(crate) const TEXT: u8 = 0x81;
/// First byte of a close frame.
pub(crate) const CLOSE: u8 = 0x88;
/// First byte of a ping.
pub(crate) const PING: u8 = 0x89;
/// First byte of a pong.
pub(crate) const PONG: u8 = 0x8a;

/// The mask of all frames; the value does not matter.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A frame, or the end of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// A frame: its first byte, which holds opcode and flags, and its payload.
    Frame(u8, Vec<u8>),
    /// The relay closed its side.
    End,
    /// The connection was reset.
    Reset,
}

impl Received {
    /// Whether this is a close frame with this code.
    pub(crate) fn is_close(&self, code: u16) -> bool {
        matches!(self, Self::Frame(CLOSE, payload) if payload.get(..2) == Some(&code.to_be_bytes()))
    }

    /// The JSON of a text frame; `None` for other frames.
    pub(crate) fn json(&self) -> Option<Value> {
        match self {
            Self::Frame(TEXT, payload) => Some(serde_json::from_slice(payload).unwrap()),
            _ => None,
        }
    }
}

/// A connection without a WebSocket library.
#[derive(Debug)]
pub(crate) struct RawClient {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
}

/// Encodes a client frame: masked, with the length in the shortest form.
pub(crate) fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..=125 => frame.push(0x80 | u8::try_from(short).unwrap()),
        medium @ 126..=0xffff => {
            frame.push(0x80 | 0x7e);
            frame.extend_from_slice(&u16::try_from(medium).unwrap().to_be_bytes());
        }
        long => {
            frame.push(0x80 | 0x7f);
            frame.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

impl RawClient {
    /// Connects without sending anything.
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::from_stream(timeout(TIMEOUT, TcpStream::connect(address)).await.expect("no connection").unwrap())
    }

    /// A client of this connection.
    pub(crate) fn from_stream(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::new() }
    }

    /// Connects with a receive buffer of a few kilobytes, so that the relay can send little before the client reads.
    pub(crate) async fn connect_narrow(address: SocketAddr) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.set_nonblocking(true).unwrap();
        let stream = TcpSocket::from_std_stream(socket.into()).connect(address);
        Self::from_stream(timeout(TIMEOUT, stream).await.expect("no connection").unwrap())
    }

    /// Connects and joins a room.
    pub(crate) async fn join(address: SocketAddr, room: &str) -> Self {
        Self::connect(address).await.join_room(room).await
    }

    /// Joins a room on this connection. The first frame has then arrived, but is not consumed: before it, other
    /// connections may join ahead of this one.
    pub(crate) async fn join_room(mut self, room: &str) -> Self {
        self.send(handshake(room).as_bytes()).await;
        let head = self.head().await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        while frame_head(&self.buffer).is_none_or(|(head, length)| self.buffer.len() < head + length) {
            let more = self.read_more().await;
            assert!(more.is_none(), "expected a first frame, got {more:?}");
        }
        self
    }

    /// Sends bytes as they are.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        timeout(TIMEOUT, self.stream.write_all(bytes)).await.expect("sending takes too long").unwrap();
    }

    /// Sends an unfragmented text frame.
    pub(crate) async fn send_json(&mut self, frame: &Value) {
        self.send(&masked(TEXT, frame.to_string().as_bytes())).await;
    }

    /// Reads the head of an HTTP response, including the empty line.
    pub(crate) async fn head(&mut self) -> String {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                return String::from_utf8(self.buffer.drain(..end + 4).collect()).unwrap();
            }
            let more = self.read_more().await;
            assert!(more.is_none(), "{more:?} after {:?}", String::from_utf8_lossy(&self.buffer));
        }
    }

    /// Reads all bytes up to the end of the connection, and returns them with the kind of end.
    pub(crate) async fn read_to_end(&mut self) -> (Vec<u8>, Received) {
        loop {
            if let Some(end) = self.read_more().await {
                return (std::mem::take(&mut self.buffer), end);
            }
        }
    }

    /// Returns the next frame or the end.
    ///
    /// Asserts that the frame is unmasked and unfragmented, with the length in the shortest form.
    pub(crate) async fn next(&mut self) -> Received {
        loop {
            if let Some((head, length)) = frame_head(&self.buffer)
                && self.buffer.len() >= head + length
            {
                let first = self.buffer[0];
                assert_eq!(first & 0xf0, 0x80, "unexpected flags in a frame of the relay: {first:#x}");
                let frame: Vec<u8> = self.buffer.drain(..head + length).skip(head).collect();
                return Received::Frame(first, frame);
            }
            if let Some(end) = self.read_more().await {
                let left = String::from_utf8_lossy(&self.buffer);
                assert!(self.buffer.is_empty() || end == Received::Reset, "the last frame is incomplete: {left:?}");
                return end;
            }
        }
    }

    /// Returns the next text frame as JSON, ignoring pings.
    pub(crate) async fn next_json(&mut self) -> Value {
        loop {
            match self.next().await {
                Received::Frame(PING, _) => {}
                seen => return seen.json().unwrap_or_else(|| panic!("expected a text frame, got {seen:?}")),
            }
        }
    }

    /// Returns everything up to and including the end, except pings.
    pub(crate) async fn read_frames(&mut self) -> Vec<Received> {
        let mut all = Vec::new();
        loop {
            match self.next().await {
                Received::Frame(PING, _) => {}
                seen @ Received::Frame(..) => all.push(seen),
                end => {
                    all.push(end);
                    return all;
                }
            }
        }
    }

    /// Sends a ping with this payload, which the relay answers after having processed all data sent before.
    ///
    /// Returns the frames before the pong.
    pub(crate) async fn until_pong(&mut self, payload: &[u8]) -> Vec<Received> {
        self.send(&masked(PING, payload)).await;
        let mut before = Vec::new();
        loop {
            match self.next().await {
                Received::Frame(PONG, answer) if answer == payload => return before,
                Received::Frame(PING, _) => {}
                seen @ Received::Frame(..) => before.push(seen),
                end => panic!("expected a pong, got {end:?} after {before:?}"),
            }
        }
    }

    /// Closes the write half.
    pub(crate) fn shutdown_write(&self) {
        SockRef::from(&self.stream).shutdown(Shutdown::Write).unwrap();
    }

    /// Resets the connection.
    pub(crate) fn reset(self) {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// Reads more into the buffer; returns `Some` at the end.
    async fn read_more(&mut self) -> Option<Received> {
        let read = timeout(TIMEOUT, self.stream.read_buf(&mut self.buffer)).await;
        match read.unwrap_or_else(|_| panic!("no data after {:?}", String::from_utf8_lossy(&self.buffer))) {
            Ok(0) => Some(Received::End),
            Ok(_) => None,
            Err(_) => Some(Received::Reset),
        }
    }
}

/// The handshake request for a room.
pub(crate) fn handshake(room: &str) -> String {
    format!(
        "GET /room/{room}/ws HTTP/1.1\r\nHost: relay\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

/// The lengths of the head and payload of the first frame, if its head is complete.
fn frame_head(bytes: &[u8]) -> Option<(usize, usize)> {
    let second = *bytes.get(1)?;
    assert_eq!(second & 0x80, 0, "a frame of the relay is masked");
    let (head, length) = match second {
        127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().unwrap())),
        126 => (4, u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().unwrap()))),
        short => (2, u64::from(short)),
    };
    let shortest = match length {
        0..=125 => 2,
        126..=0xffff => 4,
        _ => 10,
    };
    assert_eq!(head, shortest, "the length of a frame of the relay is not in the shortest form");
    Some((head, usize::try_from(length).unwrap()))
}

//! A WebSocket client that sends and sees bytes, for what no proper client does.

use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

use serde_json::Value;
use socket2::{Domain, SockRef, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::PATIENCE;

/// First byte of a whole text frame.
pub(crate) const TEXT: u8 = 0x81;
/// First byte of a close frame.
pub(crate) const CLOSE: u8 = 0x88;
/// First byte of a ping.
pub(crate) const PING: u8 = 0x89;
/// First byte of a pong.
pub(crate) const PONG: u8 = 0x8a;

/// The mask of all frames here; any will do.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// What came from the relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// A frame: its first byte, which holds opcode and flags, and its payload.
    Frame(u8, Vec<u8>),
    /// The relay closed its side.
    End,
    /// The connection was reset.
    Reset,
}

impl Seen {
    /// A close frame with this code, whatever its reason.
    pub(crate) fn is_close(&self, code: u16) -> bool {
        matches!(self, Self::Frame(CLOSE, payload) if payload.get(..2) == Some(&code.to_be_bytes()))
    }

    /// What the frame says, or nothing when it is no text.
    pub(crate) fn json(&self) -> Option<Value> {
        match self {
            Self::Frame(TEXT, payload) => Some(serde_json::from_slice(payload).unwrap()),
            _ => None,
        }
    }
}

/// A connection that speaks frames by hand.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) stream: TcpStream,
    arrived: Vec<u8>,
}

/// A frame as a client sends it: masked, its length in the shortest form.
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

impl Raw {
    /// Connects and sends nothing.
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = timeout(PATIENCE, TcpStream::connect(address)).await.expect("no connection").unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, arrived: Vec::new() }
    }

    /// Connects with a receive buffer of a few kilobytes, so that little is sent to a client that does not read.
    pub(crate) async fn connect_narrow(address: SocketAddr) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.set_nonblocking(true).unwrap();
        let stream = TcpSocket::from_std_stream(socket.into()).connect(address);
        let stream = timeout(PATIENCE, stream).await.expect("no connection").unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, arrived: Vec::new() }
    }

    /// Connects and joins a room.
    pub(crate) async fn join(address: SocketAddr, room: &str) -> Self {
        Self::connect(address).await.joined(room).await
    }

    /// Joins a room on this connection. The first thing that the room tells has arrived then, but is still to be read:
    /// between the answer to the handshake and that, others may join before this one.
    pub(crate) async fn joined(mut self, room: &str) -> Self {
        self.send(handshake(room).as_bytes()).await;
        let head = self.head().await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        while frame_head(&self.arrived).is_none_or(|(head, length)| self.arrived.len() < head + length) {
            let more = self.more().await;
            assert!(more.is_none(), "{more:?} instead of a first frame");
        }
        self
    }

    /// Sends bytes as they are.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        timeout(PATIENCE, self.stream.write_all(bytes)).await.expect("sending takes too long").unwrap();
    }

    /// Sends a whole text frame.
    pub(crate) async fn say(&mut self, frame: &Value) {
        self.send(&masked(TEXT, frame.to_string().as_bytes())).await;
    }

    /// The head of an HTTP answer, up to and with its empty line.
    pub(crate) async fn head(&mut self) -> String {
        loop {
            if let Some(end) = self.arrived.windows(4).position(|four| four == b"\r\n\r\n") {
                return String::from_utf8(self.arrived.drain(..end + 4).collect()).unwrap();
            }
            let more = self.more().await;
            assert!(more.is_none(), "{more:?} after {:?}", String::from_utf8_lossy(&self.arrived));
        }
    }

    /// All bytes up to the end, and how it ended.
    pub(crate) async fn rest(&mut self) -> (Vec<u8>, Seen) {
        loop {
            if let Some(end) = self.more().await {
                return (std::mem::take(&mut self.arrived), end);
            }
        }
    }

    /// The next frame or the end.
    ///
    /// The frame must be as a server's must: not masked, not in parts, its length in the shortest form.
    pub(crate) async fn next(&mut self) -> Seen {
        loop {
            if let Some((head, length)) = frame_head(&self.arrived)
                && self.arrived.len() >= head + length
            {
                let first = self.arrived[0];
                assert_eq!(first & 0xf0, 0x80, "a frame of the relay has odd flags: {first:#x}");
                let frame: Vec<u8> = self.arrived.drain(..head + length).skip(head).collect();
                return Seen::Frame(first, frame);
            }
            if let Some(end) = self.more().await {
                let left = String::from_utf8_lossy(&self.arrived);
                assert!(self.arrived.is_empty() || end == Seen::Reset, "the last frame is cut off: {left:?}");
                return end;
            }
        }
    }

    /// The next text frame as JSON, pings of the relay aside.
    pub(crate) async fn hear(&mut self) -> Value {
        loop {
            match self.next().await {
                Seen::Frame(PING, _) => {}
                seen => return seen.json().unwrap_or_else(|| panic!("a text frame was expected, not {seen:?}")),
            }
        }
    }

    /// Everything up to the end, pings of the relay aside; the end comes last.
    pub(crate) async fn all(&mut self) -> Vec<Seen> {
        let mut all = Vec::new();
        loop {
            match self.next().await {
                Seen::Frame(PING, _) => {}
                seen @ Seen::Frame(..) => all.push(seen),
                end => {
                    all.push(end);
                    return all;
                }
            }
        }
    }

    /// Waits until the relay has seen all that was sent: it answers a ping with this payload.
    ///
    /// Gives the frames that came before the answer.
    pub(crate) async fn until_pong(&mut self, payload: &[u8]) -> Vec<Seen> {
        self.send(&masked(PING, payload)).await;
        let mut before = Vec::new();
        loop {
            match self.next().await {
                Seen::Frame(PONG, answer) if answer == payload => return before,
                Seen::Frame(PING, _) => {}
                seen @ Seen::Frame(..) => before.push(seen),
                end => panic!("a pong was expected, not {end:?}, after {before:?}"),
            }
        }
    }

    /// Closes the client's side only.
    pub(crate) fn finish(&self) {
        SockRef::from(&self.stream).shutdown(Shutdown::Write).unwrap();
    }

    /// Ends the connection with a reset.
    pub(crate) fn reset(self) {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// Reads more; `Some` at the end.
    async fn more(&mut self) -> Option<Seen> {
        let read = timeout(PATIENCE, self.stream.read_buf(&mut self.arrived)).await;
        match read.unwrap_or_else(|_| panic!("nothing is heard after {:?}", String::from_utf8_lossy(&self.arrived))) {
            Ok(0) => Some(Seen::End),
            Ok(_) => None,
            Err(_) => Some(Seen::Reset),
        }
    }
}

/// A handshake for this room.
pub(crate) fn handshake(room: &str) -> String {
    format!(
        "GET /room/{room}/ws HTTP/1.1\r\nHost: relay\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

/// The lengths of the head and of the payload of the first frame, once its head is there.
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

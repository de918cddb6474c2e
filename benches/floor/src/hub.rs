//! Connections and rooms, with the bytes that a socket has not accepted yet.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use crate::Fanout;
use crate::frames::{self, Disconnect, Incoming};
use crate::handshake;

/// Size of a read, and so the longest frame. Bytes.
const BUFFER: usize = 256 * 1024;
/// Most unsent bytes of a slow member. With more it is disconnected.
const MAX_BACKLOG: usize = 8 * 1024 * 1024;
/// The room of a connection before its handshake.
const NONE: u32 = u32::MAX;

/// One socket. Ten thousand of them are measured, so rarely used state is boxed.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    room: u32,
    pending: Option<Box<PendingBytes>>,
}

/// Bytes left over between two events.
#[derive(Debug, Default)]
struct PendingBytes {
    /// The start of an incomplete frame.
    unread: Vec<u8>,
    /// Bytes that the socket has not accepted.
    unsent: Vec<u8>,
}

/// All connections and rooms.
#[derive(Debug)]
pub struct Hub {
    registry: Registry,
    connections: Vec<Option<Connection>>,
    /// Free indices of `connections`.
    free: Vec<u32>,
    /// The members of each room.
    rooms: Vec<Vec<u32>>,
    names: HashMap<String, u32>,
    buffer: Box<[u8]>,
}

impl Hub {
    pub(crate) fn new(registry: Registry) -> Self {
        Self {
            registry,
            connections: Vec::new(),
            free: Vec::new(),
            rooms: Vec::new(),
            names: HashMap::new(),
            buffer: vec![0; BUFFER].into(),
        }
    }

    /// Sends `frames` to all members of `room`.
    pub fn broadcast(&mut self, room: usize, frames: &[u8]) {
        for &member in &self.rooms[room] {
            if let Some(connection) = &mut self.connections[member as usize] {
                connection.send(frames, member, &self.registry);
            }
        }
    }

    pub(crate) fn add(&mut self, mut stream: TcpStream) -> io::Result<()> {
        // A closed connection is noticed by the next read.
        stream.set_nodelay(true).ok();
        let place = self.free.pop().unwrap_or_else(|| {
            self.connections.push(None);
            u32::try_from(self.connections.len() - 1).unwrap_or(NONE)
        });
        self.registry.register(&mut stream, Token(place as usize), Interest::READABLE)?;
        self.connections[place as usize] = Some(Connection { stream, room: NONE, pending: None });
        Ok(())
    }

    pub(crate) fn writable(&mut self, token: Token) {
        if let Some(connection) = &mut self.connections[token.0]
            && let Some(pending) = &mut connection.pending
        {
            let waiting = std::mem::take(&mut pending.unsent);
            connection.send(&waiting, place(token), &self.registry);
        }
    }

    /// Reads available data and passes texts to `fanout`.
    pub(crate) fn read(&mut self, token: Token, fanout: &mut impl Fanout) {
        // Take the buffer, so that the hub can send while it is processed.
        let mut buffer = std::mem::take(&mut self.buffer);
        let end = self.read_into(&mut buffer, token, fanout);
        self.buffer = buffer;
        if end.is_err() {
            self.remove(token);
        }
    }

    /// # Errors
    /// [`Disconnect`] when the connection has ended.
    fn read_into(&mut self, buffer: &mut [u8], token: Token, fanout: &mut impl Fanout) -> Result<(), Disconnect> {
        loop {
            let Some(connection) = &mut self.connections[token.0] else { return Ok(()) };
            let mut filled = 0;
            if let Some(pending) = &mut connection.pending {
                filled = pending.unread.len();
                buffer[..filled].copy_from_slice(&pending.unread);
                pending.unread.clear();
            }
            match connection.stream.read(&mut buffer[filled..]) {
                Ok(0) => return Err(Disconnect),
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return self.keep(token, &buffer[..filled]),
                Err(_) => return Err(Disconnect),
            }
            let used = self.process(&mut buffer[..filled], token, fanout)?;
            self.keep(token, &buffer[used..filled])?;
            // A short read has emptied the socket.
            if filled < buffer.len() {
                return Ok(());
            }
        }
    }

    /// Processes the complete frames in `bytes` and returns their length.
    fn process(&mut self, bytes: &mut [u8], token: Token, fanout: &mut impl Fanout) -> Result<usize, Disconnect> {
        let Some(connection) = &mut self.connections[token.0] else { return Err(Disconnect) };
        let mut used = 0;
        if connection.room == NONE {
            let Some(request) = handshake::request(bytes).map_err(|()| Disconnect)? else { return Ok(0) };
            used = request.len;
            connection.send(request.answer.as_bytes(), place(token), &self.registry);
            let next = u32::try_from(self.rooms.len()).unwrap_or(NONE);
            let room = *self.names.entry(request.room.to_owned()).or_insert(next);
            if room == next {
                self.rooms.push(Vec::new());
            }
            connection.room = room;
            self.rooms[room as usize].push(place(token));
        }
        let room = connection.room as usize;
        while let Some((incoming, len)) = frames::decode(&mut bytes[used..])? {
            used += len;
            match incoming {
                Incoming::Text(frame) => fanout.message(self, room, frame),
                Incoming::Pong => {}
                Incoming::Ping(answer) | Incoming::Close(answer) => {
                    let connection = self.connections[token.0].as_mut().ok_or(Disconnect)?;
                    connection.send(answer, place(token), &self.registry);
                    if answer[0] == 0x88 {
                        return Err(Disconnect);
                    }
                }
            }
        }
        Ok(used)
    }

    /// Keeps the start of an incomplete frame.
    fn keep(&mut self, token: Token, unread: &[u8]) -> Result<(), Disconnect> {
        let Some(connection) = &mut self.connections[token.0] else { return Err(Disconnect) };
        if unread.is_empty() {
            if connection.pending.as_ref().is_some_and(|pending| pending.unsent.is_empty()) {
                connection.pending = None;
            }
            return Ok(());
        }
        connection.pending.get_or_insert_default().unread.extend_from_slice(unread);
        if unread.len() < BUFFER { Ok(()) } else { Err(Disconnect) }
    }

    fn remove(&mut self, token: Token) {
        let Some(connection) = self.connections[token.0].take() else { return };
        self.free.push(place(token));
        if let Some(members) = self.rooms.get_mut(connection.room as usize)
            && let Some(at) = members.iter().position(|member| *member == place(token))
        {
            members.swap_remove(at);
        }
    }
}

impl Connection {
    /// Sends what the socket accepts and keeps the rest. An error is noticed by the next read.
    fn send(&mut self, bytes: &[u8], place: u32, registry: &Registry) {
        if let Some(pending) = &mut self.pending
            && !pending.unsent.is_empty()
        {
            pending.unsent.extend_from_slice(bytes);
            if pending.unsent.len() > MAX_BACKLOG {
                self.stream.shutdown(Shutdown::Both).ok();
            }
            return;
        }
        let mut sent = 0;
        while sent < bytes.len() {
            match self.stream.write(&bytes[sent..]) {
                Ok(written) => sent += written,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.pending.get_or_insert_default().unsent.extend_from_slice(&bytes[sent..]);
                    let both = Interest::READABLE | Interest::WRITABLE;
                    registry.reregister(&mut self.stream, Token(place as usize), both).ok();
                    return;
                }
                Err(_) => return,
            }
        }
    }
}

/// Converts a token to an index. [`Hub::add`] assigns only 32-bit indices.
fn place(token: Token) -> u32 {
    u32::try_from(token.0).unwrap_or(NONE)
}

//! Connections and rooms: who is where, and what a socket would not take yet.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use crate::Fanout;
use crate::frames::{self, Incoming, Unfit};
use crate::handshake;

/// What one read takes at most, and so the longest frame. Bytes.
const BUFFER: usize = 256 * 1024;
/// What may wait for a slow member, which goes when it is more. Bytes.
const MAX_BACKLOG: usize = 8 * 1024 * 1024;
/// The room of those whose handshake is not done.
const NONE: u32 = u32::MAX;

/// One socket. Ten thousand of them are to be measured, so what is rare is behind a pointer.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    room: u32,
    rest: Option<Box<Rest>>,
}

/// What is left over between two events.
#[derive(Debug, Default)]
struct Rest {
    /// The start of a frame.
    unread: Vec<u8>,
    /// What the socket would not take.
    unsent: Vec<u8>,
}

/// All connections and rooms.
#[derive(Debug)]
pub struct House {
    registry: Registry,
    connections: Vec<Option<Connection>>,
    /// Free places among them.
    free: Vec<u32>,
    /// The members of each room.
    rooms: Vec<Vec<u32>>,
    names: HashMap<String, u32>,
    buffer: Box<[u8]>,
}

impl House {
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

    /// Sends `frames` to everybody in `room`.
    pub fn tell(&mut self, room: usize, frames: &[u8]) {
        for &member in &self.rooms[room] {
            if let Some(connection) = &mut self.connections[member as usize] {
                connection.send(frames, member, &self.registry);
            }
        }
    }

    pub(crate) fn enter(&mut self, mut stream: TcpStream) -> io::Result<()> {
        // Who is gone by now is noticed when it is read.
        stream.set_nodelay(true).ok();
        let place = self.free.pop().unwrap_or_else(|| {
            self.connections.push(None);
            u32::try_from(self.connections.len() - 1).unwrap_or(NONE)
        });
        self.registry.register(&mut stream, Token(place as usize), Interest::READABLE)?;
        self.connections[place as usize] = Some(Connection { stream, room: NONE, rest: None });
        Ok(())
    }

    pub(crate) fn writable(&mut self, token: Token) {
        if let Some(connection) = &mut self.connections[token.0]
            && let Some(rest) = &mut connection.rest
        {
            let waiting = std::mem::take(&mut rest.unsent);
            connection.send(&waiting, place(token), &self.registry);
        }
    }

    /// Reads what has come and hands texts to `fanout`.
    pub(crate) fn read(&mut self, token: Token, fanout: &mut impl Fanout) {
        // The buffer is lent out, so that the house can tell others while it is read.
        let mut buffer = std::mem::take(&mut self.buffer);
        let end = self.read_into(&mut buffer, token, fanout);
        self.buffer = buffer;
        if end.is_err() {
            self.remove(token);
        }
    }

    /// # Errors
    /// [`Unfit`] when the connection is over.
    fn read_into(&mut self, buffer: &mut [u8], token: Token, fanout: &mut impl Fanout) -> Result<(), Unfit> {
        loop {
            let Some(connection) = &mut self.connections[token.0] else { return Ok(()) };
            let mut filled = 0;
            if let Some(rest) = &mut connection.rest {
                filled = rest.unread.len();
                buffer[..filled].copy_from_slice(&rest.unread);
                rest.unread.clear();
            }
            match connection.stream.read(&mut buffer[filled..]) {
                Ok(0) => return Err(Unfit),
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return self.keep(token, &buffer[..filled]),
                Err(_) => return Err(Unfit),
            }
            let used = self.take(&mut buffer[..filled], token, fanout)?;
            self.keep(token, &buffer[used..filled])?;
            // A read that leaves room has emptied the socket.
            if filled < buffer.len() {
                return Ok(());
            }
        }
    }

    /// Takes what is whole of `bytes` and says how much that was.
    fn take(&mut self, bytes: &mut [u8], token: Token, fanout: &mut impl Fanout) -> Result<usize, Unfit> {
        let Some(connection) = &mut self.connections[token.0] else { return Err(Unfit) };
        let mut used = 0;
        if connection.room == NONE {
            let Some(request) = handshake::request(bytes).map_err(|()| Unfit)? else { return Ok(0) };
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
        while let Some((incoming, len)) = frames::take(&mut bytes[used..])? {
            used += len;
            match incoming {
                Incoming::Text(frame) => fanout.message(self, room, frame),
                Incoming::Pong => {}
                Incoming::Ping(answer) | Incoming::Close(answer) => {
                    let connection = self.connections[token.0].as_mut().ok_or(Unfit)?;
                    connection.send(answer, place(token), &self.registry);
                    if answer[0] == 0x88 {
                        return Err(Unfit);
                    }
                }
            }
        }
        Ok(used)
    }

    /// Keeps the start of a frame whose rest has not come yet.
    fn keep(&mut self, token: Token, unread: &[u8]) -> Result<(), Unfit> {
        let Some(connection) = &mut self.connections[token.0] else { return Err(Unfit) };
        if unread.is_empty() {
            if connection.rest.as_ref().is_some_and(|rest| rest.unsent.is_empty()) {
                connection.rest = None;
            }
            return Ok(());
        }
        connection.rest.get_or_insert_default().unread.extend_from_slice(unread);
        if unread.len() < BUFFER { Ok(()) } else { Err(Unfit) }
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
    /// Sends what the socket takes and keeps the rest. A socket that fails is noticed when it is read.
    fn send(&mut self, bytes: &[u8], place: u32, registry: &Registry) {
        if let Some(rest) = &mut self.rest
            && !rest.unsent.is_empty()
        {
            rest.unsent.extend_from_slice(bytes);
            if rest.unsent.len() > MAX_BACKLOG {
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
                    self.rest.get_or_insert_default().unsent.extend_from_slice(&bytes[sent..]);
                    let both = Interest::READABLE | Interest::WRITABLE;
                    registry.reregister(&mut self.stream, Token(place as usize), both).ok();
                    return;
                }
                Err(_) => return,
            }
        }
    }
}

/// Places are counted in 32 bits: `enter` gives no others.
fn place(token: Token) -> u32 {
    u32::try_from(token.0).unwrap_or(NONE)
}

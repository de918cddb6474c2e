//! The connections of a shard, by ID.

use std::io;
use std::time::Instant;

use mio::{Interest, Registry, Token};
use slab::Slab;
use uuid::Uuid;

use super::connection::Connection;
use super::inbox::NewConnection;
use super::rooms::RoomKey;
use crate::model::{Address, ConnectionId};

/// The part of an ID that is the key in the slab. Keys are reused; the rest of the ID tells connections apart.
const KEY_MASK: u64 = 0x00ff_ffff;

/// The connections of a shard.
#[derive(Debug)]
pub(super) struct Connections {
    slab: Slab<Connection>,
    /// Index of the shard, part of the IDs.
    shard: u8,
    next_serial: u32,
}

impl Connections {
    pub(super) fn new(shard: u8) -> Self {
        // Held messages outlive a restart along with the connection IDs of their senders, which must not be reused.
        Self { slab: Slab::new(), shard, next_serial: Uuid::new_v4().as_fields().0 }
    }

    /// Adds a connection, and registers its socket for events.
    pub(super) fn add(
        &mut self,
        mut arrival: NewConnection,
        room: RoomKey,
        registry: &Registry,
        now: Instant,
    ) -> io::Result<ConnectionId> {
        let entry = self.slab.vacant_entry();
        let key = entry.key();
        let id = ConnectionId(u64::from(self.next_serial) << 32 | u64::from(self.shard) << 24 | key as u64 & KEY_MASK);
        self.next_serial = self.next_serial.wrapping_add(1);
        registry.register(&mut arrival.stream, Token(key), Interest::READABLE | Interest::WRITABLE)?;
        entry.insert(Connection::new(id, room, arrival, now));
        Ok(id)
    }

    /// Returns the connection that an event concerns; `None` if it was dropped earlier in the round.
    pub(super) fn by_token(&mut self, Token(key): Token) -> Option<&mut Connection> {
        self.slab.get_mut(key)
    }

    /// Returns a connection; `None` once it is dropped. Lists, timers and results of work done elsewhere refer to
    /// connections by ID and may outlive them.
    pub(super) fn get(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.slab.get_mut(slab_key(id)).filter(|connection| connection.id == id)
    }

    /// Returns a connection that is a member of its room; `None` before it has joined, and once it is closing or dropped, which may happen at any
    /// time, such as while its message is judged elsewhere or while a moderator's command is in the inbox.
    pub(super) fn member(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.get(id).filter(|connection| connection.is_member())
    }

    /// As [`Connections::member`], for its room.
    pub(super) fn room_of(&mut self, id: ConnectionId) -> Option<RoomKey> {
        self.member(id).map(|connection| connection.room)
    }

    /// Drops a connection, which closes its socket.
    pub(super) fn remove(&mut self, id: ConnectionId) {
        if self.get(id).is_some() {
            self.slab.remove(slab_key(id));
        }
    }

    /// Returns the connections that are not closing, of all rooms or of one: members, and those that have not joined yet.
    pub(super) fn not_closing(&self, room: Option<RoomKey>) -> Vec<ConnectionId> {
        let found = self
            .slab
            .iter()
            .filter(|(_, connection)| !connection.is_closing() && room.is_none_or(|room| connection.room == room));
        found.map(|(_, connection)| connection.id).collect()
    }

    /// Returns the connections with an outbox that their sockets do not take: ID, address and size of the outbox in bytes.
    pub(super) fn blocked(&self) -> impl Iterator<Item = (ConnectionId, Address, usize)> {
        let with_outbox =
            self.slab.iter().filter(|(_, connection)| connection.is_blocked() && !connection.is_closing());
        with_outbox.map(|(_, connection)| (connection.id, connection.address, connection.queued_bytes()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slab.is_empty()
    }
}

/// The slab key of a connection.
fn slab_key(id: ConnectionId) -> usize {
    usize::try_from(id.0 & KEY_MASK).unwrap_or(usize::MAX)
}

/// The index of the shard that owns a connection.
pub(in crate::live) fn shard_of_id(id: ConnectionId) -> usize {
    usize::from(id.0.to_le_bytes()[3])
}

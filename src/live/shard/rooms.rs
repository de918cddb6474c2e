//! The rooms of a shard.

use std::time::Instant;

use indexmap::IndexMap;
use tokio::sync::oneshot;

use super::Shard;
use super::closing::CloseReason;
use super::deliver::LocalRoom;
use crate::model::ConnectionId;
use crate::room::Room;
use crate::wire::frame::CloseCode;

/// The key of a room on its shard. Keys are never reused, so that a command for a removed room cannot reach a later
/// one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::live) struct RoomKey(pub(in crate::live) u64);

/// The rooms by key. Clients do not choose keys, so a fast hash is safe.
pub(super) type LocalRooms = IndexMap<RoomKey, LocalRoom, foldhash::fast::RandomState>;

/// The close reason for members of a removed room.
const REMOVED: &str = "this room was removed";

impl Shard {
    /// Adds a room.
    pub(super) fn add_room(&mut self, key: RoomKey, room: Room) {
        self.rooms.insert(key, LocalRoom::new(room));
    }

    /// Removes a room: pending output is delivered, then its members are disconnected without presence events.
    pub(super) fn remove_room(&mut self, key: RoomKey, reply: oneshot::Sender<()>, now: Instant) {
        self.deliver_room(key, now);
        if let Some(mut local) = self.rooms.swap_remove(&key) {
            local.room.clear();
            let here = self.connections.iter().filter(|(_, connection)| connection.room == key);
            let ids: Vec<ConnectionId> = here.map(|(_, connection)| connection.id).collect();
            tracing::info!(room = %local.room.name(), connections = ids.len(), "room removed");
            for id in ids {
                self.close_removed(id, now);
            }
        }
        // The caller may have timed out.
        let _gone = reply.send(());
    }

    /// Whether this room exists.
    pub(super) fn has_room(&self, key: RoomKey) -> bool {
        self.rooms.contains_key(&key)
    }

    /// Closes a connection whose room was removed, unless it is closing already.
    pub(super) fn close_removed(&mut self, id: ConnectionId, now: Instant) {
        if self.connection(id).is_some_and(|connection| !connection.is_closing()) {
            self.close_connection(id, CloseReason::ByServer(CloseCode::GoingAway, REMOVED), now);
        }
    }
}

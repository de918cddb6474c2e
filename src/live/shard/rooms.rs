//! The rooms of a shard, which come and go while it runs.

use std::time::Instant;

use indexmap::IndexMap;
use tokio::sync::oneshot;

use super::Shard;
use super::deliver::LocalRoom;
use super::ending::End;
use crate::model::SenderId;
use crate::room::Room;
use crate::wire::frame::CloseCode;

/// The key of a room on its shard. A key is never given twice, so that a command for a room that was removed reaches
/// none that was added later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::live) struct RoomKey(pub(in crate::live) u64);

/// The rooms by key. Clients do not choose keys, so a fast hash is safe.
pub(super) type LocalRooms = IndexMap<RoomKey, LocalRoom, foldhash::fast::RandomState>;

/// What the members of a removed room are told.
const REMOVED: &str = "this room was removed";

impl Shard {
    /// Adds a room.
    pub(super) fn open_room(&mut self, key: RoomKey, room: Room) {
        self.rooms.insert(key, LocalRoom::new(room));
    }

    /// Removes a room: what was said is delivered, then its members leave at once, without a word of presence.
    pub(super) fn remove_room(&mut self, key: RoomKey, reply: oneshot::Sender<()>, now: Instant) {
        self.deliver_room(key, now);
        if let Some(mut local) = self.rooms.swap_remove(&key) {
            local.room.empty();
            let here = self.connections.iter().filter(|(_, connection)| connection.room == key);
            let ids: Vec<SenderId> = here.map(|(_, connection)| connection.id).collect();
            tracing::info!(room = %local.room.name(), connections = ids.len(), "a room was removed");
            for id in ids {
                self.turn_away(id, now);
            }
        }
        // The caller may have timed out.
        let _gone = reply.send(());
    }

    /// Whether there is such a room.
    pub(super) fn has_room(&self, key: RoomKey) -> bool {
        self.rooms.contains_key(&key)
    }

    /// Closes a connection whose room was removed, unless it is closing already.
    pub(super) fn turn_away(&mut self, id: SenderId, now: Instant) {
        if self.connection(id).is_some_and(|connection| !connection.is_leaving()) {
            self.end(id, End::Told(CloseCode::GoingAway, REMOVED), now);
        }
    }
}

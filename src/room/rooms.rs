//! All rooms of an instance.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Room;
use crate::model::RoomName;
use crate::telemetry::Metrics;
use crate::wire::frame::CloseCode;

/// One room that several threads use. The lock is held for a round at most and never over an await.
#[derive(Clone, Debug)]
pub struct SharedRoom {
    name: RoomName,
    room: Arc<Mutex<Room>>,
}

impl SharedRoom {
    /// The room's name.
    #[must_use]
    pub fn name(&self) -> &RoomName {
        &self.name
    }

    /// The room itself, for as long as the guard lives.
    pub fn lock(&self) -> MutexGuard<'_, Room> {
        // A room is plain data and whole between any two statements: a panic elsewhere is no reason to close it.
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The rooms of an instance, which stay the same while it runs.
#[derive(Debug)]
pub struct Rooms {
    in_order: Vec<SharedRoom>,
    by_name: HashMap<RoomName, usize>,
}

impl Rooms {
    /// Empty rooms of these names, in their order.
    pub fn new(names: impl IntoIterator<Item = RoomName>, metrics: &Arc<Metrics>) -> Self {
        let in_order: Vec<SharedRoom> = names
            .into_iter()
            .map(|name| {
                let room = Arc::new(Mutex::new(Room::new(name.clone(), Arc::clone(metrics))));
                SharedRoom { name, room }
            })
            .collect();
        let by_name = in_order.iter().enumerate().map(|(at, room)| (room.name.clone(), at)).collect();
        Self { in_order, by_name }
    }

    /// The room of this name; blanks around the name do not count.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&SharedRoom> {
        let name = RoomName::parse(name).ok()?;
        self.by_name.get(&name).and_then(|&at| self.in_order.get(at))
    }

    /// Each room, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = &SharedRoom> {
        self.in_order.iter()
    }

    /// Ends all connections of all rooms; nobody joins after that.
    pub fn close(&self, code: CloseCode, reason: &'static str) {
        for room in self.iter() {
            room.lock().close(code, reason);
        }
    }
}

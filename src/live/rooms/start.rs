//! Starts the shards of an instance with its rooms.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use tokio::runtime::Handle;

use super::{RoomHandle, RoomLocation, Rooms};
use crate::live::Live;
use crate::live::shard::rooms::RoomKey;
use crate::live::shard::{ShardExit, spawn};
use crate::model::{GuardedNames, RoomName};
use crate::room::{LastLimits, Room};
use crate::telemetry::Metrics;

impl Rooms {
    /// Starts `threads` shards, at least 1 and at most 255, and assigns the rooms to them in turn. Slow work runs on the
    /// first runtime, filters that answer later on the second.
    ///
    /// # Errors
    /// When creating a poll or a thread fails.
    pub fn start(
        live: &Arc<Live>,
        names: &[RoomName],
        guarded: GuardedNames,
        threads: usize,
        runtimes: [&Handle; 2],
    ) -> io::Result<(Self, Vec<ShardExit>)> {
        let last_limits = live.config.last_messages.shared_by(names.len());
        let guarded = Arc::new(guarded);
        let threads = threads.clamp(1, usize::from(u8::MAX));
        let (mut handles, mut inboxes, mut exits) = (Vec::new(), Vec::new(), Vec::new());
        for (shard, number) in (0..threads).zip(0_u8..) {
            let (mut rooms, mut locations) = (Vec::new(), Vec::new());
            for (name, key) in names.iter().zip(0_u64..).skip(shard).step_by(threads) {
                let key = RoomKey(key);
                let (room, connections) = new_room(name, &live.metrics, last_limits, Arc::clone(&guarded));
                rooms.push((key, room));
                locations.push((name, RoomLocation { shard, key }, connections));
            }
            let (inbox, exit) = spawn(live, number, rooms, runtimes)?;
            handles.extend(locations.into_iter().map(|(name, location, connections)| {
                RoomHandle::new(name.clone(), inbox.clone(), location, connections)
            }));
            inboxes.push(inbox);
            exits.push(exit);
        }
        // The order of the configuration.
        handles.sort_by_key(|room| room.location().key.0);
        Ok((Self::new(handles, inboxes, Arc::clone(&live.metrics), &guarded, last_limits), exits))
    }
}

/// Creates a room, and its shared number of connections.
pub(super) fn new_room(
    name: &RoomName,
    metrics: &Metrics,
    last: LastLimits,
    guarded: Arc<GuardedNames>,
) -> (Room, Arc<AtomicUsize>) {
    let connections = Arc::new(AtomicUsize::new(0));
    let room = Room::new(name.clone(), Arc::clone(&connections), metrics.room(name));
    (room.with_last_messages(last).with_guarded_names(guarded), connections)
}

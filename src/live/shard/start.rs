//! Starts the shard threads.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread;
use std::time::Instant;

use mio::{Poll, Waker};
use slab::Slab;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::claims::PendingClaims;
use super::deliver::LocalRoom;
use super::inbox::{Inbox, channel};
use super::rooms::{LocalRooms, RoomKey};
use super::timer_wheel::TimerWheel;
use super::{INBOX_TOKEN, READ_BYTES, Shard};
use crate::live::Live;
use crate::live::rooms::{RoomHandle, RoomLocation, Rooms};
use crate::model::RoomName;
use crate::room::Room;
use crate::telemetry::Metrics;

/// Resolves when the thread of a shard has exited.
pub type ShardExit = oneshot::Receiver<()>;

/// Starts `threads` shards, at least 1 and at most 255, and assigns the rooms to them in turn. A shard without rooms
/// sleeps until one is added. Slow work runs on the first runtime, filters that answer later on the second.
///
/// # Errors
/// When creating a poll or a thread fails.
pub fn start(
    live: &Arc<Live>,
    names: impl IntoIterator<Item = RoomName>,
    threads: usize,
    [runtime, filter_runtime]: [&Handle; 2],
) -> io::Result<(Rooms, Vec<ShardExit>)> {
    let threads = threads.clamp(1, usize::from(u8::MAX));
    let mut rooms_by_shard: Vec<LocalRooms> = (0..threads).map(|_| LocalRooms::default()).collect();
    let mut places = Vec::new();
    for (name, n) in names.into_iter().zip(0_usize..) {
        let (shard, key) = (n % threads, RoomKey(n as u64));
        let (room, connections) = new_room(&name, &live.metrics);
        if let Some(rooms) = rooms_by_shard.get_mut(shard) {
            rooms.insert(key, LocalRoom::new(room));
            places.push((name, RoomLocation { shard, key }, connections));
        }
    }
    let mut inboxes = Vec::new();
    let mut exits = Vec::new();
    for (number, rooms) in rooms_by_shard.into_iter().enumerate() {
        let (inbox, exit) = spawn(live, number, rooms, [runtime, filter_runtime])?;
        inboxes.push(inbox);
        exits.push(exit);
    }
    let handles = places.into_iter().filter_map(|(name, place, connections)| {
        inboxes.get(place.shard).map(|inbox| RoomHandle::new(name, inbox.clone(), place, connections))
    });
    Ok((Rooms::new(handles.collect(), inboxes.clone(), Arc::clone(&live.metrics)), exits))
}

/// Creates a room, and its shared number of connections.
pub(in crate::live) fn new_room(name: &RoomName, metrics: &Metrics) -> (Room, Arc<AtomicUsize>) {
    let connections = Arc::new(AtomicUsize::new(0));
    (Room::new(name.clone(), Arc::clone(&connections), metrics.room(name)), connections)
}

fn spawn(
    live: &Arc<Live>,
    number: usize,
    rooms: LocalRooms,
    [runtime, filter_runtime]: [&Handle; 2],
) -> io::Result<(Inbox, ShardExit)> {
    let poll = Poll::new()?;
    let (inbox, receiver) = channel(Waker::new(poll.registry(), INBOX_TOKEN)?);
    let shard = Shard {
        live: Arc::clone(live),
        chain: live.intake.chain(),
        poll,
        inbox: receiver,
        self_inbox: inbox.clone(),
        runtime: runtime.clone(),
        filter_runtime: filter_runtime.clone(),
        index: u8::try_from(number).unwrap_or(u8::MAX),
        // Held messages outlive a restart along with the connection IDs of their senders, which must not be reused.
        next_serial: Uuid::new_v4().as_fields().0,
        rooms,
        dirty_rooms: std::collections::VecDeque::new(),
        connections: Slab::new(),
        ready: std::collections::VecDeque::new(),
        timers: TimerWheel::new(Instant::now()),
        claims: PendingClaims::default(),
        read_buffer: vec![0; READ_BYTES],
        closing: None,
    };
    let (exited, exit) = oneshot::channel::<()>();
    thread::Builder::new().name(format!("shard-{number}")).spawn(move || {
        // Dropped when the thread exits, including by a panic.
        let _exited = exited;
        if let Err(error) = shard.run() {
            tracing::error!(%error, "shard exited: poll failed");
        }
    })?;
    Ok((inbox, exit))
}

//! The threads of all shards.

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

use super::claims::Claims;
use super::deliver::LocalRoom;
use super::inbox::{Inbox, inbox};
use super::rooms::{LocalRooms, RoomKey};
use super::wheel::Wheel;
use super::{INBOX, READ_BYTES, Shard};
use crate::live::Live;
use crate::live::rooms::{Place, RoomHandle, Rooms};
use crate::model::RoomName;
use crate::room::Room;
use crate::telemetry::Metrics;

/// Resolves when a shard's thread has ended.
pub type Ending = oneshot::Receiver<()>;

/// Starts this many shards, at least one and at most 255, with the rooms spread over them in turn, each room on one. A
/// shard without a room sleeps; rooms that are added later may come to it. What takes long runs on the first of the
/// runtimes, and filters that answer later on the second.
///
/// # Errors
/// When the system gives no poll or no thread.
pub fn start(
    live: &Arc<Live>,
    names: impl IntoIterator<Item = RoomName>,
    threads: usize,
    [runtime, judging]: [&Handle; 2],
) -> io::Result<(Rooms, Vec<Ending>)> {
    let threads = threads.clamp(1, usize::from(u8::MAX));
    let mut of_shard: Vec<LocalRooms> = (0..threads).map(|_| LocalRooms::default()).collect();
    let mut places = Vec::new();
    for (name, n) in names.into_iter().zip(0_usize..) {
        let (shard, key) = (n % threads, RoomKey(n as u64));
        let (room, connections) = new_room(&name, &live.metrics);
        if let Some(rooms) = of_shard.get_mut(shard) {
            rooms.insert(key, LocalRoom::new(room));
            places.push((name, Place { shard, key }, connections));
        }
    }
    let mut inboxes = Vec::new();
    let mut endings = Vec::new();
    for (number, rooms) in of_shard.into_iter().enumerate() {
        let (inbox, ending) = spawn(live, number, rooms, [runtime, judging])?;
        inboxes.push(inbox);
        endings.push(ending);
    }
    let handles = places.into_iter().filter_map(|(name, place, connections)| {
        inboxes.get(place.shard).map(|inbox| RoomHandle::new(name, inbox.clone(), place, connections))
    });
    Ok((Rooms::new(handles.collect(), inboxes.clone(), Arc::clone(&live.metrics)), endings))
}

/// An empty room, and its number of connections as other threads read it.
pub(in crate::live) fn new_room(name: &RoomName, metrics: &Metrics) -> (Room, Arc<AtomicUsize>) {
    let connections = Arc::new(AtomicUsize::new(0));
    (Room::new(name.clone(), Arc::clone(&connections), metrics.room(name)), connections)
}

fn spawn(
    live: &Arc<Live>,
    number: usize,
    rooms: LocalRooms,
    [runtime, judging]: [&Handle; 2],
) -> io::Result<(Inbox, Ending)> {
    let poll = Poll::new()?;
    let (me, outlet) = inbox(Waker::new(poll.registry(), INBOX)?);
    let shard = Shard {
        live: Arc::clone(live),
        chain: live.intake.chain(),
        poll,
        inbox: outlet,
        me: me.clone(),
        runtime: runtime.clone(),
        judging: judging.clone(),
        number: u8::try_from(number).unwrap_or(u8::MAX),
        // Held messages outlive a restart together with the numbers of those who sent them: others are not to have
        // the same ones.
        serial: Uuid::new_v4().as_fields().0,
        rooms,
        stirred: std::collections::VecDeque::new(),
        connections: Slab::new(),
        ready: std::collections::VecDeque::new(),
        wheel: Wheel::new(Instant::now()),
        claims: Claims::default(),
        buffer: vec![0; READ_BYTES],
        closing: None,
    };
    let (ended, ending) = oneshot::channel::<()>();
    thread::Builder::new().name(format!("shard-{number}")).spawn(move || {
        // Dropped at the end of the thread, also by a panic.
        let _ended = ended;
        if let Err(fault) = shard.run() {
            tracing::error!(%fault, "a shard has ended: its poll failed");
        }
    })?;
    Ok((me, ending))
}

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
use super::wheel::Wheel;
use super::{INBOX, READ_BYTES, Shard};
use crate::live::Live;
use crate::live::rooms::{RoomHandle, Rooms};
use crate::model::RoomName;
use crate::room::Room;

/// Resolves when a shard's thread has ended.
pub type Ending = oneshot::Receiver<()>;

/// Starts up to `threads` shards, with the rooms spread over them in turn, each room on one. What takes long runs on the first of the
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
    let names: Vec<RoomName> = names.into_iter().collect();
    let threads = threads.clamp(1, names.len().clamp(1, usize::from(u8::MAX)));
    let mut of_shard: Vec<Vec<LocalRoom>> = (0..threads).map(|_| Vec::new()).collect();
    let mut places = Vec::new();
    for (n, name) in names.into_iter().enumerate() {
        let connections = Arc::new(AtomicUsize::new(0));
        let room = Room::new(name.clone(), Arc::clone(&connections), live.metrics.room(&name));
        if let Some(rooms) = of_shard.get_mut(n % threads) {
            places.push((name, n % threads, rooms.len(), connections));
            rooms.push(LocalRoom::new(room));
        }
    }
    let mut inboxes = Vec::new();
    let mut endings = Vec::new();
    for (number, rooms) in of_shard.into_iter().enumerate() {
        let (inbox, ending) = spawn(live, number, rooms, [runtime, judging])?;
        inboxes.push(inbox);
        endings.push(ending);
    }
    let handles = places.into_iter().filter_map(|(name, shard, place, connections)| {
        inboxes.get(shard).map(|inbox| RoomHandle::new(name, inbox.clone(), place, connections))
    });
    Ok((Rooms::new(handles.collect(), inboxes.clone()), endings))
}

fn spawn(
    live: &Arc<Live>,
    number: usize,
    rooms: Vec<LocalRoom>,
    [runtime, judging]: [&Handle; 2],
) -> io::Result<(Inbox, Ending)> {
    let poll = Poll::new()?;
    let (me, outlet) = inbox(Waker::new(poll.registry(), INBOX)?);
    let shard = Shard {
        live: Arc::clone(live),
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

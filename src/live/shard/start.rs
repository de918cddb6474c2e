//! Starts the thread of a shard.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use mio::{Poll, Waker};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::claims::PendingClaims;
use super::connections::Connections;
use super::inbox::{Inbox, channel};
use super::rooms::{LocalRooms, RoomKey};
use super::timer_wheel::TimerWheel;
use super::turns::Turns;
use super::writing::Writes;
use super::{INBOX_TOKEN, READ_BYTES, Shard};
use crate::live::Live;
use crate::room::Room;

/// Resolves when the thread of a shard has exited.
pub type ShardExit = oneshot::Receiver<()>;

/// Starts a shard with these rooms. Without rooms it sleeps until one is added. Slow work runs on the first runtime,
/// filters that answer later on the second.
///
/// # Errors
/// When creating a poll or a thread fails.
pub(in crate::live) fn spawn(
    live: &Arc<Live>,
    number: u8,
    rooms: Vec<(RoomKey, Room)>,
    [runtime, filter_runtime]: [&Handle; 2],
) -> io::Result<(Inbox, ShardExit)> {
    let poll = Poll::new()?;
    let (inbox, receiver) = channel(Waker::new(poll.registry(), INBOX_TOKEN)?);
    let mut local = LocalRooms::default();
    for (key, room) in rooms {
        local.add(key, room);
    }
    let shard = Shard {
        live: Arc::clone(live),
        chain: live.intake.chain(),
        poll,
        inbox: receiver,
        self_inbox: inbox.clone(),
        runtime: runtime.clone(),
        filter_runtime: filter_runtime.clone(),
        rooms: local,
        connections: Connections::new(number),
        turns: Turns::new(Instant::now()),
        writes: Writes::default(),
        timers: TimerWheel::new(Instant::now()),
        claims: PendingClaims::default(),
        read_buffer: vec![0; READ_BYTES],
        started: Instant::now(),
        shutdown: None,
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

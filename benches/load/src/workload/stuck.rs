//! Latency in rooms with a steady trickle of messages, while the plugins of another room are stuck.

use std::time::Duration;

use anyhow::Result;

use super::Window;
use super::paced;
use super::session::Session;
use crate::chains::{ROOM_OF_ANOTHER, ROOM_OF_STUCK};
use crate::frames;
use crate::layout::Layout;
use crate::report::{Figure, P99_ANOTHER, P99_BARE, Run};
use crate::server::Server;
use crate::sizes::Sizes;
use crate::swarm::Swarm;

/// Senders of messages over which plugins loop. Each of them keeps one plugin thread busy, because the messages of one
/// sender wait for each other.
pub(super) const SENDERS: usize = 2;
/// Messages of each sender, sent together.
const MESSAGES: usize = 20;
/// A message over which the plugins of its room loop.
const LOOP: &[u8] = br#"{"message":"loop","author":"stuck","avatar":null}"#;

/// One run. With `is_stuck`, messages are sent to the room of the stuck plugins.
///
/// # Errors
/// As [`Session`]'s.
pub(super) fn run(
    sizes: &Sizes,
    layout: Layout,
    rate: u32,
    duration: Duration,
    is_stuck: bool,
    server: &Server,
) -> Result<Run> {
    let mut others = Swarm::new(server)?.in_rooms_from(ROOM_OF_STUCK);
    others.connect(Layout::new(SENDERS, 1, SENDERS), sizes.parallel, sizes.limit())?;
    let mut session = Session::open(sizes, layout, server)?;
    session.exchange(Window::PerSender(1), sizes.warmup())?;
    session.start()?;
    if is_stuck {
        let frame = frames::masked(frames::TEXT, LOOP).repeat(MESSAGES);
        for sender in 0..SENDERS {
            others.queue(sender, &frame);
            others.flush(sender);
        }
    }
    let late = paced::send_at_rate(&mut session, layout.rooms(), rate, duration)?;
    session.drain()?;
    let [bare] = session.latencies_of_room(0, [99.0]);
    let [another] = session.latencies_of_room(ROOM_OF_ANOTHER, [99.0]);
    let failed = server.failed_calls();
    let mut run = session.close()?;
    let figures = [Figure::new(P99_BARE, "ms", bare), Figure::new(P99_ANOTHER, "ms", another)];
    run.figures.splice(0..0, figures);
    run.figures.push(Figure::new("sent late at most", "ms", late.as_secs_f64() * 1e3));
    run.figures.push(Figure::new("calls that ended at the deadline", "", failed as f64));
    if is_stuck && !server.wait_for_failed_call() {
        run.problems.push("no plugin was stuck".to_owned());
    }
    others.close();
    Ok(run)
}

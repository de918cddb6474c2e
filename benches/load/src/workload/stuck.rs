//! Rooms with a steady trickle of messages, while in another room plugins are stuck: do they notice?

use std::time::Duration;

use anyhow::Result;

use super::Window;
use super::paced;
use super::venue::Venue;
use crate::chains::{ROOM_OF_ANOTHER, ROOM_OF_STUCK};
use crate::frames;
use crate::layout::Layout;
use crate::report::{Figure, P99_ANOTHER, P99_BARE, Run};
use crate::server::Server;
use crate::sizes::Sizes;
use crate::swarm::Swarm;

/// Who says what plugins loop over: as many as there are threads of plugins, each of whose messages waits for the one
/// before.
pub(super) const SPEAKERS: usize = 2;
/// Messages of each, all at once.
const MESSAGES: usize = 20;
/// A message over which the plugins of its room loop.
const LOOP: &[u8] = br#"{"message":"loop","author":"stuck","avatar":null}"#;

/// One run, in which nobody speaks in the room of the stuck plugins, or somebody does.
///
/// # Errors
/// As [`Venue`]'s.
pub(super) fn run(
    sizes: &Sizes,
    layout: Layout,
    rate: u32,
    duration: Duration,
    is_stuck: bool,
    server: &Server,
) -> Result<Run> {
    let mut others = Swarm::new(server)?.in_rooms_from(ROOM_OF_STUCK);
    others.connect(Layout::new(SPEAKERS, 1, SPEAKERS), sizes.parallel, sizes.limit())?;
    let mut venue = Venue::open(sizes, layout, server)?;
    venue.exchange(Window::Each(1), sizes.warmup())?;
    venue.start()?;
    if is_stuck {
        let frame = frames::masked(frames::TEXT, LOOP).repeat(MESSAGES);
        for speaker in 0..SPEAKERS {
            others.queue(speaker, &frame);
            others.flush(speaker);
        }
    }
    let late = paced::speak(&mut venue, layout.rooms(), rate, duration)?;
    venue.drain()?;
    let [bare] = venue.latencies_of_room(0, [99.0]);
    let [another] = venue.latencies_of_room(ROOM_OF_ANOTHER, [99.0]);
    let failed = server.failed_calls();
    let mut run = venue.close()?;
    let figures = [Figure::new(P99_BARE, "ms", bare), Figure::new(P99_ANOTHER, "ms", another)];
    run.figures.splice(0..0, figures);
    run.figures.push(Figure::new("sent late at most", "ms", late.as_secs_f64() * 1e3));
    run.figures.push(Figure::new("calls that ended at the deadline", "", failed as f64));
    if is_stuck && !server.has_a_failed_call() {
        run.problems.push("no plugin was stuck".to_owned());
    }
    others.leave();
    Ok(run)
}

//! `paced`: latency at a rate far below what the relay can do.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::room::Room;
use crate::args::Sizes;
use crate::report::{Figure, Run};
use crate::server::Server;

/// One run.
///
/// Each message is due at a fixed time after the first, whatever became of those before. How late
/// the tool itself was is reported: latency counts from the real sending, so a late tool would thin
/// out the load and flatter the relay.
///
/// # Errors
/// As [`Room`]'s.
pub(super) fn run(sizes: &Sizes, members: usize, server: &Server) -> Result<Run> {
    let mut room = Room::open(sizes, members, server)?;
    let messages = sizes.rate.saturating_mul(sizes.seconds());
    let (started, mut latest) = (Instant::now(), Duration::ZERO);
    for message in 0..messages {
        let due = started + Duration::from_secs(1) * message / sizes.rate;
        loop {
            let now = Instant::now();
            if now >= due {
                latest = latest.max(now - due);
                break;
            }
            room.listen(due - now)?;
        }
        room.say();
    }
    room.drain()?;
    let mut run = room.close()?;
    run.figures.push(Figure::new("sent late at most", "ms", latest.as_secs_f64() * 1e3));
    Ok(run)
}

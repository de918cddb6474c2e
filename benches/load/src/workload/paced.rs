//! A rate far below what the server can do: latency, and what a message costs that comes alone.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::Window;
use super::venue::Venue;
use crate::layout::Layout;
use crate::report::{Figure, Run};
use crate::server::Server;
use crate::sizes::Sizes;

/// One run.
///
/// How late the tool itself was is reported: latency counts from the real sending, so a late tool would thin
/// out the load and flatter the server.
///
/// # Errors
/// As [`Venue`]'s.
pub(super) fn run(sizes: &Sizes, layout: Layout, rate: u32, duration: Duration, server: &Server) -> Result<Run> {
    let mut venue = Venue::open(sizes, layout, server)?;
    venue.exchange(Window::Each(1), sizes.warmup())?;
    venue.start()?;
    let latest = speak(&mut venue, 1, rate, duration)?;
    venue.drain()?;
    let mut run = venue.close()?;
    run.figures.push(Figure::new("sent late at most", "ms", latest.as_secs_f64() * 1e3));
    Ok(run)
}

/// Lets each of the first `speakers` say `rate` messages a second, and says how late the latest one was.
///
/// Each message is due at a fixed time after the first, whatever became of those before.
///
/// # Errors
/// As [`Venue::listen`]'s.
pub(super) fn speak(venue: &mut Venue, speakers: usize, rate: u32, duration: Duration) -> Result<Duration> {
    let messages = (duration.as_secs_f64() * f64::from(rate)).ceil() as u32;
    let (started, mut latest) = (Instant::now(), Duration::ZERO);
    for message in 0..messages {
        let due = started + Duration::from_secs(1) * message / rate;
        loop {
            let now = Instant::now();
            if now >= due {
                latest = latest.max(now - due);
                break;
            }
            venue.listen(due - now)?;
        }
        (0..speakers).for_each(|speaker| venue.say(speaker));
        venue.flush();
    }
    Ok(latest)
}

//! A rate far below the server's capacity: latency, and the cost of a message that arrives alone.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::Window;
use super::session::Session;
use crate::layout::Layout;
use crate::report::{Figure, Run};
use crate::server::Server;
use crate::sizes::Sizes;

/// One run.
///
/// The delay of the tool itself is reported, too: latency counts from the actual send, so a late tool would reduce the
/// load and flatter the server.
///
/// # Errors
/// As [`Session`]'s.
pub(super) fn run(sizes: &Sizes, layout: Layout, rate: u32, duration: Duration, server: &Server) -> Result<Run> {
    let mut session = Session::open(sizes, layout, server)?;
    session.exchange(Window::PerSender(1), sizes.warmup())?;
    session.start()?;
    let latest = send_at_rate(&mut session, 1, rate, duration)?;
    session.drain()?;
    let mut run = session.close()?;
    run.figures.push(Figure::new("sent late at most", "ms", latest.as_secs_f64() * 1e3));
    Ok(run)
}

/// Sends `rate` messages a second from each of the first `senders`. Returns the greatest delay of a message.
///
/// Each message is due at a fixed time after the first one, independent of earlier messages.
///
/// # Errors
/// As [`Session::receive`].
pub(super) fn send_at_rate(session: &mut Session, senders: usize, rate: u32, duration: Duration) -> Result<Duration> {
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
            session.receive(due - now)?;
        }
        (0..senders).for_each(|sender| session.queue_message(sender));
        session.flush();
    }
    Ok(latest)
}

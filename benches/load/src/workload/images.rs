//! Latency of a steady trickle of texts, while photos are shared in another room.

use std::time::Duration;

use anyhow::Result;

use super::Window;
use super::paced;
use super::photos::{Photographers, Sharing, SharingResult};
use super::session::Session;
use crate::layout::Layout;
use crate::report::{Figure, PHOTO_TOLD, PHOTOS, Run};
use crate::server::Server;
use crate::sizes::Sizes;

/// One run. With `with_photos`, photos are shared as long as texts are sent.
///
/// # Errors
/// As [`Session`]'s, and if the photos cannot be shared.
pub(super) fn run(
    sizes: &Sizes,
    layout: Layout,
    rate: u32,
    duration: Duration,
    with_photos: bool,
    server: &Server,
) -> Result<Run> {
    let photographers = with_photos.then(|| Photographers::connect(sizes, server)).transpose()?;
    let mut session = Session::open(sizes, layout, server)?;
    session.exchange(Window::PerSender(1), sizes.warmup())?;
    session.start()?;
    let sharing = photographers.map(Photographers::start);
    let late = paced::send_at_rate(&mut session, 1, rate, duration)?;
    session.drain()?;
    let mut run = session.close()?;
    let SharingResult { rate, median, base64, problems } =
        sharing.map(Sharing::finish).transpose()?.unwrap_or_default();
    run.figures.extend([
        Figure::new("sent late at most", "ms", late.as_secs_f64() * 1e3),
        Figure::new(PHOTOS, "1/s", rate),
        Figure::new(PHOTO_TOLD, "ms", median),
        Figure::new("photo as sent", "KB", base64 as f64 / 1e3),
    ]);
    run.problems.extend(problems);
    Ok(run)
}

//! Members of another room that share photos, on a thread of their own, so that they do not delay the texts that are
//! measured.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use super::progress::Progress;
use super::receipts::Receipts;
use crate::generation::{Generation, Generations};
use crate::layout::Layout;
use crate::photo::{self, Photo};
use crate::server::Server;
use crate::sizes::Sizes;
use crate::stats::percentile;
use crate::swarm::Swarm;

/// Members, each with an address of its own, that send in turn.
pub(super) const SENDERS: usize = 10;
/// Photos that not all have received yet. The relay's queue holds four of the longest that it accepts.
const IN_FLIGHT: usize = 4;
/// The size of a photo in a quick run.
const LITTLE: (u32, u32) = (400, 300);
/// The longest wait for the sockets.
const POLL_TIMEOUT: Duration = Duration::from_millis(20);

/// The number of the room. The relay assigns rooms in turn to a thread for each processor, so that room 0 has the same
/// thread.
pub(super) fn room() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// The members, connected.
#[derive(Debug)]
pub(super) struct Photographers {
    swarm: Swarm,
    layout: Layout,
    photo: Photo,
    /// The send time of each photo.
    sent: Vec<Instant>,
    /// Nanoseconds until all had a photo, for each that all have.
    times: Vec<u64>,
    receipts: Receipts,
}

/// The thread on which photos are shared.
#[derive(Debug)]
pub(super) struct Sharing {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<SharingResult>>,
}

/// The photos of a run.
#[derive(Debug, Default)]
pub(super) struct SharingResult {
    /// Photos a second.
    pub(super) rate: f64,
    /// The median time until all had a photo. Milliseconds.
    pub(super) median: f64,
    /// Characters of a photo as sent.
    pub(super) base64: usize,
    pub(super) problems: Vec<String>,
}

impl Photographers {
    /// Connects the members.
    ///
    /// # Errors
    /// If a connection fails or the room does not settle.
    pub(super) fn connect(sizes: &Sizes, server: &Server) -> Result<Self> {
        let photo = Photo::new(sizes.either(photo::SIZE, LITTLE))?;
        let layout = Layout::new(SENDERS, 1, SENDERS).with(Generations::All(Generation::V3));
        let mut swarm = Swarm::new(server)?.in_rooms_from(room()).with_own_addresses();
        swarm.connect(layout, sizes.parallel, sizes.limit())?;
        swarm.settle(sizes.quiet(), sizes.limit())?;
        let receipts = Receipts::new(SENDERS);
        Ok(Self { swarm, layout, photo, sent: Vec::new(), times: Vec::new(), receipts })
    }

    /// Starts to share photos as fast as all members receive them.
    pub(super) fn start(self) -> Sharing {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        Sharing { stop, thread: thread::spawn(move || self.share(&stopped)) }
    }

    /// Shares a photo of each member, and more until `stop` is set.
    fn share(mut self, stop: &AtomicBool) -> Result<SharingResult> {
        let (started, mut progress) = (Instant::now(), Progress::new());
        loop {
            let is_over = self.sent.len() >= SENDERS && stop.load(Ordering::Relaxed);
            if is_over && self.times.len() == self.sent.len() {
                break;
            }
            while !is_over && self.sent.len() - self.times.len() < IN_FLIGHT {
                self.send();
            }
            self.receive()?;
            if progress.is_stalled(self.receipts.total()) || !self.swarm.problems().is_empty() {
                break;
            }
        }
        let rate = self.times.len() as f64 / started.elapsed().as_secs_f64();
        self.times.sort_unstable();
        let median = percentile(&self.times, 50.0).map_or(f64::NAN, |nanos| nanos as f64 / 1e6);
        let problems = self.receipts.problems(self.sent.len()).into_iter().chain(self.swarm.problems());
        let problems = problems.map(|problem| format!("photos: {problem}")).collect();
        self.swarm.close();
        Ok(SharingResult { rate, median, base64: self.photo.base64, problems })
    }

    fn send(&mut self) {
        let sender = self.layout.sender(0, self.sent.len() % SENDERS);
        self.sent.push(Instant::now());
        self.swarm.queue(sender, &self.photo.frame);
        self.swarm.flush(sender);
    }

    fn receive(&mut self) -> Result<()> {
        let receipts = &mut self.receipts;
        self.swarm.pump(POLL_TIMEOUT, |member, text| receipts.record(member, photo::is_image(text)))?;
        let complete = self.sent.iter().take(self.receipts.complete()).skip(self.times.len());
        self.times.extend(complete.map(|sent| sent.elapsed().as_nanos() as u64));
        Ok(())
    }
}

impl Sharing {
    /// Waits until all members have all photos.
    ///
    /// # Errors
    /// If polling fails.
    pub(super) fn finish(self) -> Result<SharingResult> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("the thread that shares photos panicked"))?
    }
}

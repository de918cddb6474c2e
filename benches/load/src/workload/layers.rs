//! A layer is shared in a large room: when all members have it, and how much memory that takes.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::progress::Progress;
use super::receipts::Receipts;
use crate::layer::Layer;
use crate::layout::Layout;
use crate::memory;
use crate::report::{FIRST_LAYER_TOLD, Figure, LAYER_CPU, LAYER_TOLD, MEMORY_GROWTH, Run};
use crate::server::Server;
use crate::sizes::Sizes;
use crate::stats::percentile;
use crate::swarm::Swarm;

/// The longest wait for the sockets.
const POLL_TIMEOUT: Duration = Duration::from_millis(20);

/// A room in which a layer is shared.
struct Room {
    swarm: Swarm,
    layout: Layout,
    layer: Layer,
    receipts: Receipts,
}

/// One run. The layer is shared `shares` times, each time after all members have received the one before.
///
/// # Errors
/// If a connection fails or the room does not settle.
pub(super) fn run(sizes: &Sizes, layout: Layout, shares: usize, server: &Server) -> Result<Run> {
    let meter = server.meter;
    let mut room = Room::open(sizes, layout, server)?;
    let before = memory::resident(meter.pid)?;
    memory::reset_peak(meter.pid);
    let start = meter.read()?;
    let first = room.share(1)?;
    let mut later = (2..=shares).map(|share| room.share(share)).collect::<Result<Vec<u64>>>()?;
    let usage = start.until(&meter.read()?);
    let peak = memory::peak(meter.pid)?;
    room.receive_for(sizes.quiet())?;

    later.sort_unstable();
    let millis = |nanos: Option<u64>| nanos.map_or(f64::NAN, |nanos| nanos as f64 / 1e6);
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let deliveries = (shares * layout.members()) as f64;
    let mut figures = vec![
        Figure::new(FIRST_LAYER_TOLD, "ms", millis(Some(first))),
        Figure::new(LAYER_TOLD, "ms", millis(percentile(&later, 50.0))),
        Figure::new(MEMORY_GROWTH, "MiB", mebibytes(peak.saturating_sub(before))),
        Figure::new("resident before", "MiB", mebibytes(before)),
        Figure::new("GeoJSON", "KB", room.layer.geojson as f64 / 1e3),
        Figure::new(LAYER_CPU, "us", usage.server.as_secs_f64() * 1e6 / deliveries),
    ];
    figures.extend(Figure::cpu_figures(&usage));
    let problems = room.receipts.problems(shares).into_iter().chain(room.swarm.problems()).collect();
    room.swarm.close();
    Ok(Run { figures, problems })
}

impl Room {
    fn open(sizes: &Sizes, layout: Layout, server: &Server) -> Result<Self> {
        let mut swarm = Swarm::new(server)?;
        swarm.connect(layout, sizes.parallel, sizes.limit())?;
        swarm.settle(sizes.quiet(), sizes.limit())?;
        Ok(Self { swarm, layout, layer: Layer::new(), receipts: Receipts::new(layout.members()) })
    }

    /// Shares the layer for the `share`th time. Returns the nanoseconds until the last member has it, or until nothing
    /// more arrives.
    fn share(&mut self, share: usize) -> Result<u64> {
        // The last sender is of v3: v1 cannot share layers.
        let sender = self.layout.sender(0, self.layout.senders() - 1);
        let (started, mut progress) = (Instant::now(), Progress::new());
        self.swarm.queue(sender, &self.layer.frame);
        self.swarm.flush(sender);
        while self.receipts.complete() < share && !progress.is_stalled(self.receipts.total()) {
            self.receive(POLL_TIMEOUT)?;
        }
        Ok(started.elapsed().as_nanos() as u64)
    }

    fn receive(&mut self, timeout: Duration) -> Result<()> {
        let Self { layout, layer, receipts, .. } = self;
        self.swarm.pump(timeout, |member, text| {
            receipts.record(member, layer.is(layout.generation_of(member), text));
        })
    }

    /// Receives what arrives too often.
    fn receive_for(&mut self, duration: Duration) -> Result<()> {
        let until = Instant::now() + duration;
        while Instant::now() < until {
            self.receive(POLL_TIMEOUT)?;
        }
        Ok(())
    }
}

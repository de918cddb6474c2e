//! One sender and its listeners: what the sending workloads share.
//!
//! Owns numbering messages, timing their arrival at some members, and the count of what did not
//! arrive.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::QUIET;
use super::ears::Ears;
use super::progress::Progress;
use crate::args::Sizes;
use crate::cpu::{Meter, Reading};
use crate::frames::ChatFrame;
use crate::memory;
use crate::report::{Figure, Run};
use crate::server::Server;
use crate::swarm::Swarm;

/// How long to listen after the last message for copies too many, if turns are not longer.
const SURPLUS: Duration = Duration::from_millis(100);

/// A settled room.
#[derive(Debug)]
pub(crate) struct Room {
    swarm: Swarm,
    meter: Meter,
    frame: ChatFrame,
    /// The member in the middle: neither the first nor the last in whatever order the relay serves
    /// them.
    sender: usize,
    ears: Ears,
    limit: Duration,
    surplus: Duration,
    /// Set when the measured phase begins.
    start: Option<(Reading, usize)>,
}

impl Room {
    /// Connects `members`, waits until presence has settled, and warms the relay up.
    ///
    /// # Errors
    /// If a connection fails or the room does not become quiet.
    pub(crate) fn open(sizes: &Sizes, members: usize, server: &Server) -> Result<Self> {
        let mut swarm = Swarm::new(server.address)?;
        swarm.connect(members, sizes.parallel, sizes.limit())?;
        swarm.settle(QUIET, sizes.limit())?;
        let (sender, ears) = (members / 2, Ears::new(members, sizes.sample));
        if let Some(period) = sizes.turn_period() {
            let others = (0..members).filter(|&member| member != sender && !ears.has(member));
            swarm.serve_by_turns(others.collect(), period)?;
        }
        let mut room = Self {
            swarm,
            meter: server.meter,
            frame: ChatFrame::new(sizes.size),
            sender,
            ears,
            limit: sizes.limit(),
            surplus: SURPLUS.max(sizes.turn_period().unwrap_or_default() * 2),
            start: None,
        };
        room.exchange(sizes.warmup, sizes.window)?;
        room.ears.start();
        room.start = Some((server.meter.read()?, room.sent()));
        Ok(room)
    }

    /// Messages sent so far.
    pub(crate) fn sent(&self) -> usize {
        self.ears.sent()
    }

    /// Sends the next message now.
    pub(crate) fn say(&mut self) {
        let frame = self.frame.numbered(self.sent());
        self.ears.sending();
        self.swarm.send(self.sender, frame);
    }

    /// Receives what is there, or waits for it at most `timeout`.
    ///
    /// # Errors
    /// If the sender is gone: nothing more can be measured.
    pub(crate) fn listen(&mut self, timeout: Duration) -> Result<()> {
        let ears = &mut self.ears;
        self.swarm.pump(timeout, |member, text| ears.hear(member, text))?;
        if self.swarm.crowd().is_gone(self.sender) {
            bail!("the sender is out: {}", self.swarm.crowd().problems().join("; "));
        }
        Ok(())
    }

    /// Sends `count` messages, each as soon as fewer than `window` of the sender's echoes are due,
    /// and receives them all or stalls.
    ///
    /// # Errors
    /// As [`Self::listen`], and when it takes longer than the limit.
    pub(crate) fn exchange(&mut self, count: usize, window: usize) -> Result<()> {
        let (started, end) = (Instant::now(), self.sent() + count);
        let mut progress = Progress::new();
        while self.sent() < end {
            while self.sent() < end && self.sent() < self.echoed() + window {
                self.say();
            }
            self.listen(Duration::from_millis(20))?;
            if progress.stalled(self.swarm.crowd().tally().chat) {
                return Ok(());
            }
            if started.elapsed() > self.limit {
                bail!("{} of {end} messages within {:?}", self.echoed(), self.limit);
            }
        }
        self.drain()
    }

    /// Receives until every member has everything, or nothing comes any more.
    ///
    /// # Errors
    /// As [`Self::listen`].
    pub(crate) fn drain(&mut self) -> Result<()> {
        let due = (self.sent() * self.swarm.crowd().heard().len()) as u64;
        let mut progress = Progress::new();
        while self.swarm.crowd().tally().chat < due && !progress.stalled(self.swarm.crowd().tally().chat) {
            self.listen(Duration::from_millis(20))?;
        }
        Ok(())
    }

    fn echoed(&self) -> usize {
        self.swarm.crowd().heard()[self.sender] as usize
    }

    /// Ends the measured phase: clocks first, then the counts.
    ///
    /// # Errors
    /// If the relay's process is gone.
    pub(crate) fn close(mut self) -> Result<Run> {
        let end = self.meter.read()?;
        let (start, first) = self.start.unwrap_or((end, 0));
        let usage = start.until(&end);
        let resident = memory::resident(self.meter.pid)?;
        let surplus_until = Instant::now() + self.surplus;
        while Instant::now() < surplus_until {
            self.listen(self.surplus)?;
        }

        let sent = self.sent() as u64;
        let heard = self.swarm.crowd().heard();
        let lost: u64 = heard.iter().map(|&heard| sent.saturating_sub(heard)).sum();
        let surplus: u64 = heard.iter().map(|&heard| heard.saturating_sub(sent)).sum();
        let deliveries = ((sent - first as u64) * heard.len() as u64).saturating_sub(lost) as f64;
        let problems = [
            (lost, "deliveries lost"),
            (surplus, "deliveries too many"),
            (self.ears.disordered(), "deliveries out of order"),
        ];
        let problems = problems.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
        let problems = problems.chain(self.swarm.crowd().problems()).collect();

        let [median, high, greatest] = self.ears.latencies([50.0, 99.0, 100.0]);
        let mut figures = vec![
            Figure::new("deliveries", "1/s", deliveries / usage.wall.as_secs_f64()),
            Figure::new("relay CPU per delivery", "us", usage.relay.as_secs_f64() * 1e6 / deliveries),
            Figure::new("latency p50", "ms", median),
            Figure::new("latency p99", "ms", high),
            Figure::new("latency max", "ms", greatest),
            Figure::new("lost", "", lost as f64),
            Figure::new("relay resident", "MiB", resident as f64 / f64::from(1 << 20)),
        ];
        figures.extend(Figure::of_usage(&usage));
        self.swarm.leave();
        Ok(Run { figures, problems })
    }
}

//! Rooms with senders and receivers, shared by the workloads that send.
//!
//! Numbers messages, keeps the windows of the senders, measures latency at some members, and counts lost messages.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::Window;
use super::progress::Progress;
use super::traffic::{Sender, Traffic};
use crate::cpu::{Meter, Reading};
use crate::layout::Layout;
use crate::memory;
use crate::report::{DELIVERY_CPU, Figure, MESSAGE_CPU, MESSAGES, Run};
use crate::server::Server;
use crate::sizes::Sizes;
use crate::swarm::Swarm;

/// How long to wait for duplicates after the last message, unless turns are longer.
const DUPLICATE_WAIT: Duration = Duration::from_millis(100);
/// Bytes that are sent to a member in a lap, which is half of the most between two of its turns. Turns are late on a busy
/// machine, and a server may close a member that is a megabyte behind.
const LAP_BYTES: usize = 256 * 1024;
/// The longest wait for the sockets.
const POLL_TIMEOUT: Duration = Duration::from_millis(20);

/// A set of connected rooms whose user counts have settled.
#[derive(Debug)]
pub(super) struct Session {
    swarm: Swarm,
    meter: Meter,
    limit: Duration,
    duplicate_wait: Duration,
    traffic: Traffic,
    /// Senders with queued messages.
    queued: Vec<usize>,
    /// The next sender when all share a window.
    next_sender: usize,
    /// Most messages per lap, those sent in the current lap, and the number of the lap.
    max_per_lap: usize,
    sent_in_lap: usize,
    lap: Option<u64>,
    /// Set when the measured phase begins.
    start: Option<Baseline>,
    /// When the echo of the last message arrived.
    last_echo: Instant,
}

/// Clocks and counts at the beginning of the measured phase.
#[derive(Debug)]
struct Baseline {
    reading: Reading,
    delivered: u64,
    sent: usize,
}

impl Session {
    /// Connects the members of `layout` and waits until their user counts have settled.
    ///
    /// # Errors
    /// If a connection fails or the rooms do not settle.
    pub(super) fn open(sizes: &Sizes, layout: Layout, server: &Server) -> Result<Self> {
        let mut swarm = Swarm::new(server)?;
        swarm.connect(layout, sizes.parallel, sizes.limit())?;
        swarm.settle(sizes.quiet(), sizes.limit())?;
        let traffic = Traffic::new(layout, sizes);
        let turn = sizes.turn(layout.members());
        if let Some(period) = turn {
            let mut immediate = traffic.read_immediately();
            let others = (0..layout.members()).filter(|member| !std::mem::take(&mut immediate[*member]));
            swarm.serve_by_turns(others.collect(), period)?;
        }
        Ok(Self {
            swarm,
            meter: server.meter,
            limit: sizes.limit(),
            duplicate_wait: DUPLICATE_WAIT.max(turn.unwrap_or_default() * 2),
            max_per_lap: LAP_BYTES / traffic.message_bytes(),
            traffic,
            queued: Vec::new(),
            next_sender: 0,
            sent_in_lap: 0,
            lap: None,
            start: None,
            last_echo: Instant::now(),
        })
    }

    /// Starts the measured phase.
    ///
    /// # Errors
    /// If the server's process is gone.
    pub(super) fn start(&mut self) -> Result<()> {
        self.traffic.latencies.start();
        let (delivered, sent) = (self.swarm.clients().tally().messages, self.traffic.sent());
        self.start = Some(Baseline { reading: self.meter.read()?, delivered, sent });
        Ok(())
    }

    /// Queues the next message of a sender. The next [`Self::flush`] sends it.
    pub(super) fn queue_message(&mut self, sender: usize) {
        let count = self.traffic.layout.senders();
        let Sender { member, frame, sent, .. } = &mut self.traffic.senders[sender];
        self.swarm.queue(*member, frame.numbered(sent.len() * count + sender % count));
        sent.push(Instant::now());
        self.traffic.in_flight += 1;
        self.sent_in_lap += 1;
        if self.queued.last() != Some(&sender) {
            self.queued.push(sender);
        }
    }

    /// Sends the queued messages, those of each sender in one write.
    pub(super) fn flush(&mut self) {
        for sender in self.queued.drain(..) {
            self.swarm.flush(self.traffic.senders[sender].member);
        }
    }

    /// Receives available data, or waits for some at most `timeout`.
    ///
    /// # Errors
    /// If the connection of a sender has ended.
    pub(super) fn receive(&mut self, timeout: Duration) -> Result<()> {
        let traffic = &mut self.traffic;
        let before = traffic.in_flight;
        self.swarm.pump(timeout, |member, text| traffic.record(member, text))?;
        if before > 0 && traffic.in_flight == 0 {
            self.last_echo = Instant::now();
        }
        let clients = self.swarm.clients();
        if clients.has_errors() && traffic.senders.iter().any(|sender| clients.is_closed(sender.member)) {
            bail!("the connection of a sender ended: {}", clients.problems().join("; "));
        }
        Ok(())
    }

    /// Keeps the window full for `duration`, then receives until all is delivered or nothing more arrives.
    ///
    /// # Errors
    /// As [`Self::receive`].
    pub(super) fn exchange(&mut self, window: Window, duration: Duration) -> Result<()> {
        let until = Instant::now() + duration;
        let mut progress = Progress::new();
        while Instant::now() < until {
            self.fill(window);
            self.receive(POLL_TIMEOUT)?;
            if progress.is_stalled(self.swarm.clients().tally().messages) {
                return Ok(());
            }
        }
        self.drain()
    }

    /// Whether enough was sent in this lap. Counts the messages of all rooms together, which is on the safe side.
    fn must_wait_for_turns(&mut self) -> bool {
        let lap = self.swarm.laps();
        if lap != self.lap {
            (self.lap, self.sent_in_lap) = (lap, 0);
        }
        lap.is_some() && self.sent_in_lap >= self.max_per_lap
    }

    fn fill(&mut self, window: Window) {
        if self.must_wait_for_turns() {
            return;
        }
        match window {
            Window::PerSender(window) => {
                for at in 0..self.traffic.senders.len() {
                    let sender = &self.traffic.senders[at];
                    for _ in sender.sent.len()..sender.echoed + window {
                        self.queue_message(at);
                    }
                }
            }
            Window::Shared(window) => {
                for _ in self.traffic.in_flight..window {
                    self.queue_message(self.next_sender);
                    self.next_sender = (self.next_sender + 1) % self.traffic.senders.len();
                }
            }
        }
        self.flush();
    }

    /// Receives until every message is delivered, or nothing more arrives.
    ///
    /// # Errors
    /// As [`Self::receive`], and when it takes longer than the limit.
    pub(super) fn drain(&mut self) -> Result<()> {
        let (due, started) = (self.traffic.due(), Instant::now());
        let mut progress = Progress::new();
        while self.swarm.clients().tally().messages < due && !progress.is_stalled(self.swarm.clients().tally().messages)
        {
            self.receive(POLL_TIMEOUT)?;
            if started.elapsed() > self.limit {
                bail!("{} of {due} deliveries within {:?}", self.swarm.clients().tally().messages, self.limit);
            }
        }
        Ok(())
    }

    /// The latencies of one room at these percentiles, in milliseconds.
    pub(super) fn latencies_of_room<const N: usize>(&self, room: usize, percents: [f64; N]) -> [f64; N] {
        self.traffic.latencies.of_room(room, percents)
    }

    /// Ends the measured phase: reads the clocks, then the counts.
    ///
    /// # Errors
    /// If the server's process is gone.
    pub(super) fn close(mut self) -> Result<Run> {
        let end = self.meter.read()?;
        let delivered = self.swarm.clients().tally().messages;
        let sent = self.traffic.sent();
        let start = self.start.take().unwrap_or(Baseline { reading: end, delivered, sent });
        let usage = start.reading.until(&end);
        let resident = memory::resident(self.meter.pid)?;
        let deadline = Instant::now() + self.duplicate_wait;
        while Instant::now() < deadline {
            self.receive(self.duplicate_wait)?;
        }

        let lost = self.traffic.lost();
        let problems = self.traffic.problems(lost).into_iter().chain(self.swarm.problems()).collect();
        let (deliveries, messages) = ((delivered - start.delivered) as f64, (sent - start.sent) as f64);
        let (cpu, wall) = (usage.server.as_secs_f64(), start.reading.wall_until(self.last_echo).as_secs_f64());
        let [median, high, greatest] = self.traffic.latencies.latencies([50.0, 99.0, 100.0]);
        let mut figures = vec![
            Figure::new(DELIVERY_CPU, "us", cpu * 1e6 / deliveries),
            // After the last echo, only members that are read by turns are awaited.
            Figure::new("deliveries", "1/s", deliveries / wall),
            Figure::new(MESSAGES, "1/s", messages / wall),
            Figure::new(MESSAGE_CPU, "us", cpu * 1e6 / messages),
            Figure::new("latency p50", "ms", median),
            Figure::new("latency p99", "ms", high),
            Figure::new("latency max", "ms", greatest),
            Figure::new("lost", "", lost as f64),
            Figure::new("server resident", "MiB", resident as f64 / f64::from(1 << 20)),
        ];
        figures.extend(Figure::cpu_figures(&usage));
        self.swarm.close();
        Ok(Run { figures, problems })
    }
}

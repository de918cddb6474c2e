//! Rooms with speakers and listeners: what the sending workloads share.
//!
//! Owns numbering messages, the windows of the speakers, timing arrival at some members, and the count of what did not
//! arrive.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::Window;
use super::ears::Ears;
use super::ledger::Ledger;
use super::progress::Progress;
use crate::cpu::{Meter, Reading};
use crate::frames::{self, ChatFrame};
use crate::layout::Layout;
use crate::memory;
use crate::report::{DELIVERY_CPU, Figure, MESSAGE_CPU, MESSAGES, Run};
use crate::server::Server;
use crate::sizes::Sizes;
use crate::swarm::Swarm;

/// How long to listen after the last message for copies too many, if turns are not longer.
const SURPLUS: Duration = Duration::from_millis(100);
/// Bytes that a member may be told in a lap, and so half of what it may be told between two of its turns. Turns come
/// late when the machine is busy, and a server may well close a member that is a megabyte behind.
const LAP_BYTES: usize = 256 * 1024;
/// How long one look at the sockets may wait.
const LOOK: Duration = Duration::from_millis(20);

/// Settled rooms.
#[derive(Debug)]
pub(super) struct Venue {
    swarm: Swarm,
    meter: Meter,
    limit: Duration,
    surplus: Duration,
    talk: Talk,
    /// Speakers with messages that have not left.
    queued: Vec<usize>,
    /// Whose turn it is when all share a window.
    turn: usize,
    /// Messages that may be said in a room until everybody has had a turn, how many were, and in which lap.
    most_a_lap: usize,
    said: usize,
    lap: Option<u64>,
    /// Set when the measured phase begins.
    start: Option<Start>,
    /// When the last message's echo came back.
    echoed: Instant,
}

/// Where the clocks and the counts were when the measured phase began.
#[derive(Debug)]
struct Start {
    reading: Reading,
    delivered: u64,
    sent: usize,
}

/// What was said and what was heard.
#[derive(Debug)]
struct Talk {
    layout: Layout,
    /// All rooms' speakers, room by room.
    speakers: Vec<Speaker>,
    ledger: Ledger,
    ears: Ears,
    /// Messages sent and not yet echoed.
    under_way: usize,
}

/// A member who speaks.
#[derive(Debug)]
struct Speaker {
    member: usize,
    frame: ChatFrame,
    /// When each message was sent.
    sent: Vec<Instant>,
    /// Messages that came back.
    echoed: usize,
}

impl Talk {
    fn new(layout: Layout, sizes: &Sizes) -> Self {
        let speaker = |room, at| Speaker {
            member: layout.speaker(room, at),
            frame: ChatFrame::new(sizes.size, at),
            sent: Vec::new(),
            echoed: 0,
        };
        let rooms = 0..layout.rooms();
        let speakers = rooms.flat_map(|room| (0..layout.speakers()).map(move |at| speaker(room, at))).collect();
        let ears = Ears::new(layout, sizes.sample);
        Self { layout, speakers, ledger: Ledger::new(layout), ears, under_way: 0 }
    }

    /// `member` has received the chat message `text`. Its number tells who of the room has sent it: of two speakers,
    /// one has the even numbers.
    #[inline]
    fn hear(&mut self, member: usize, text: &[u8]) {
        let count = self.layout.speakers();
        let Some(sequence) = frames::sequence(text) else { return self.ledger.foreign() };
        let (number, at) = (sequence / count, sequence % count);
        let speaker = &mut self.speakers[self.layout.room_of(member) * count + at];
        let Some(sent) = speaker.sent.get(number) else { return self.ledger.foreign() };
        if self.ears.has(member) {
            self.ears.hear(member, *sent);
        }
        if speaker.member == member {
            speaker.echoed += 1;
            self.under_way = self.under_way.saturating_sub(1);
        }
        self.ledger.hear(member, at, number as u32);
    }

    /// Messages sent.
    fn sent(&self) -> usize {
        self.speakers.iter().map(|speaker| speaker.sent.len()).sum()
    }

    /// Deliveries due of all that was sent.
    fn due(&self) -> u64 {
        let due = |(at, speaker): (usize, &Speaker)| speaker.sent.len() * self.layout.size(at / self.layout.speakers());
        self.speakers.iter().enumerate().map(due).sum::<usize>() as u64
    }
}

impl Venue {
    /// Lets the members of `layout` come and waits until presence has settled.
    ///
    /// # Errors
    /// If a connection fails or the rooms do not become quiet.
    pub(super) fn open(sizes: &Sizes, layout: Layout, server: &Server) -> Result<Self> {
        let mut swarm = Swarm::new(server)?;
        swarm.connect(layout, sizes.parallel, sizes.limit())?;
        swarm.settle(sizes.quiet(), sizes.limit())?;
        let talk = Talk::new(layout, sizes);
        let turn = sizes.turn(layout.members());
        if let Some(period) = turn {
            let mut at_once = talk.ears_and_speakers();
            let others = (0..layout.members()).filter(|member| !std::mem::take(&mut at_once[*member]));
            swarm.serve_by_turns(others.collect(), period)?;
        }
        Ok(Self {
            swarm,
            meter: server.meter,
            limit: sizes.limit(),
            surplus: SURPLUS.max(turn.unwrap_or_default() * 2),
            talk,
            queued: Vec::new(),
            turn: 0,
            most_a_lap: LAP_BYTES / sizes.size,
            said: 0,
            lap: None,
            start: None,
            echoed: Instant::now(),
        })
    }

    /// Starts the measured phase.
    ///
    /// # Errors
    /// If the server's process is gone.
    pub(super) fn start(&mut self) -> Result<()> {
        self.talk.ears.start();
        let (delivered, sent) = (self.swarm.crowd().tally().chat, self.talk.sent());
        self.start = Some(Start { reading: self.meter.read()?, delivered, sent });
        Ok(())
    }

    /// Lets a speaker say its next message with the next [`Self::flush`].
    pub(super) fn say(&mut self, speaker: usize) {
        let count = self.talk.layout.speakers();
        let Speaker { member, frame, sent, .. } = &mut self.talk.speakers[speaker];
        self.swarm.queue(*member, frame.numbered(sent.len() * count + speaker % count));
        sent.push(Instant::now());
        self.talk.under_way += 1;
        self.said += 1;
        if self.queued.last() != Some(&speaker) {
            self.queued.push(speaker);
        }
    }

    /// Sends what was said, each speaker's messages in one write.
    pub(super) fn flush(&mut self) {
        for speaker in self.queued.drain(..) {
            self.swarm.flush(self.talk.speakers[speaker].member);
        }
    }

    /// Receives what is there, or waits for it at most `timeout`.
    ///
    /// # Errors
    /// If a speaker is gone: nothing more can be measured.
    pub(super) fn listen(&mut self, timeout: Duration) -> Result<()> {
        let talk = &mut self.talk;
        let before = talk.under_way;
        self.swarm.pump(timeout, |member, text| talk.hear(member, text))?;
        if before > 0 && talk.under_way == 0 {
            self.echoed = Instant::now();
        }
        let crowd = self.swarm.crowd();
        if crowd.has_endings() && talk.speakers.iter().any(|speaker| crowd.is_gone(speaker.member)) {
            bail!("a sender is out: {}", crowd.problems().join("; "));
        }
        Ok(())
    }

    /// Keeps the window full for `duration` and receives everything or stalls.
    ///
    /// # Errors
    /// As [`Self::listen`].
    pub(super) fn exchange(&mut self, window: Window, duration: Duration) -> Result<()> {
        let until = Instant::now() + duration;
        let mut progress = Progress::new();
        while Instant::now() < until {
            self.fill(window);
            self.listen(LOOK)?;
            if progress.stalled(self.swarm.crowd().tally().chat) {
                return Ok(());
            }
        }
        self.drain()
    }

    /// Whether enough was said for those who have not had their turn. Counts the messages of all rooms, which is on
    /// the safe side.
    fn must_wait_for_turns(&mut self) -> bool {
        let lap = self.swarm.laps();
        if lap != self.lap {
            (self.lap, self.said) = (lap, 0);
        }
        lap.is_some() && self.said >= self.most_a_lap
    }

    fn fill(&mut self, window: Window) {
        if self.must_wait_for_turns() {
            return;
        }
        match window {
            Window::Each(window) => {
                for at in 0..self.talk.speakers.len() {
                    let speaker = &self.talk.speakers[at];
                    for _ in speaker.sent.len()..speaker.echoed + window {
                        self.say(at);
                    }
                }
            }
            Window::Together(window) => {
                for _ in self.talk.under_way..window {
                    self.say(self.turn);
                    self.turn = (self.turn + 1) % self.talk.speakers.len();
                }
            }
        }
        self.flush();
    }

    /// Receives until every member has everything, or nothing comes any more.
    ///
    /// # Errors
    /// As [`Self::listen`], and when it takes longer than the limit.
    pub(super) fn drain(&mut self) -> Result<()> {
        let (due, started) = (self.talk.due(), Instant::now());
        let mut progress = Progress::new();
        while self.swarm.crowd().tally().chat < due && !progress.stalled(self.swarm.crowd().tally().chat) {
            self.listen(LOOK)?;
            if started.elapsed() > self.limit {
                bail!("{} of {due} deliveries, and no end within {:?}", self.swarm.crowd().tally().chat, self.limit);
            }
        }
        Ok(())
    }

    /// The latencies of one room at these percentiles, in milliseconds.
    pub(super) fn latencies_of_room<const N: usize>(&self, room: usize, percents: [f64; N]) -> [f64; N] {
        self.talk.ears.of_room(room, percents)
    }

    /// Ends the measured phase: clocks first, then the counts.
    ///
    /// # Errors
    /// If the server's process is gone.
    pub(super) fn close(mut self) -> Result<Run> {
        let end = self.meter.read()?;
        let delivered = self.swarm.crowd().tally().chat;
        let sent = self.talk.sent();
        let start = self.start.take().unwrap_or(Start { reading: end, delivered, sent });
        let usage = start.reading.until(&end);
        let resident = memory::resident(self.meter.pid)?;
        let surplus_until = Instant::now() + self.surplus;
        while Instant::now() < surplus_until {
            self.listen(self.surplus)?;
        }

        let count = self.talk.layout.speakers();
        let lost = self.talk.ledger.lost(|room, speaker| self.talk.speakers[room * count + speaker].sent.len());
        let problems = self.talk.ledger.problems(lost).into_iter().chain(self.swarm.problems()).collect();
        let (deliveries, messages) = ((delivered - start.delivered) as f64, (sent - start.sent) as f64);
        let (cpu, wall) = (usage.server.as_secs_f64(), start.reading.wall_until(self.echoed).as_secs_f64());
        let [median, high, greatest] = self.talk.ears.latencies([50.0, 99.0, 100.0]);
        let mut figures = vec![
            Figure::new(DELIVERY_CPU, "us", cpu * 1e6 / deliveries),
            // What comes after the last echo is waiting for the turns of members.
            Figure::new("deliveries", "1/s", deliveries / wall),
            Figure::new(MESSAGES, "1/s", messages / wall),
            Figure::new(MESSAGE_CPU, "us", cpu * 1e6 / messages),
            Figure::new("latency p50", "ms", median),
            Figure::new("latency p99", "ms", high),
            Figure::new("latency max", "ms", greatest),
            Figure::new("lost", "", lost as f64),
            Figure::new("server resident", "MiB", resident as f64 / f64::from(1 << 20)),
        ];
        figures.extend(Figure::of_usage(&usage));
        self.swarm.leave();
        Ok(Run { figures, problems })
    }
}

impl Talk {
    /// By member: whether it is one of those that are read as soon as something comes.
    fn ears_and_speakers(&self) -> Vec<bool> {
        let mut at_once: Vec<bool> = (0..self.layout.members()).map(|member| self.ears.has(member)).collect();
        self.speakers.iter().for_each(|speaker| at_once[speaker.member] = true);
        at_once
    }
}

//! The turns of connections: in which order, and how much, a shard reads in a round.
//!
//! Each connection is read once a round. A round has three phases, so that one sender does not make the others wait:
//! 1. Connections that have new data.
//! 2. Connections that had more data than one read takes, such as images and layers.
//! 3. Connections of busy addresses. An address is busy for [`BUSY_TIME`] once its connections have taken [`SHARE_BYTES`] or
//!    [`SHARE_TIME`] of a round.
//!
//! The second and the third phase each take at most [`PHASE_BYTES`] or [`PHASE_TIME`] of a round, and go on in the next one.
//! Connections keep their order within a phase, so each gets its turn.

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

use crate::model::{Address, ConnectionId};

/// Bytes that are read from the connections of an address in a round.
const SHARE_BYTES: usize = 256 * 1024;
/// Time that the messages of an address may take in a round.
const SHARE_TIME: Duration = Duration::from_micros(500);
/// How long an address that has taken its share is busy.
const BUSY_TIME: Duration = Duration::from_millis(100);
/// Bytes that are read in the second phase of a round, and in the third.
const PHASE_BYTES: usize = 128 * 1024;
/// Time that the second phase may take, and the third.
const PHASE_TIME: Duration = Duration::from_micros(500);
/// Number of slots in which the shares of addresses are counted. Addresses of the same slot share.
const SLOTS: usize = 1_024;

/// Connections that may have data to read, and the usage of rounds by their addresses.
#[derive(Debug)]
pub(super) struct Turns {
    /// Connections that have new data, in the order of their turns.
    ready: VecDeque<ConnectionId>,
    /// Connections that had more data than one read takes.
    more: VecDeque<ConnectionId>,
    /// Those of `more` that have not been read in this round.
    more_unread: usize,
    /// Connections of busy addresses.
    busy: VecDeque<ConnectionId>,
    phase: Phase,
    /// The turns of this phase that are left in this round.
    left: usize,
    /// The usage of this phase.
    phase_usage: Usage,
    shares: Box<[Share]>,
    seed: RandomState,
    round: u64,
    /// When the current turn began.
    turn_began: Instant,
    /// Whether the current turn was charged; turns that are skipped are not.
    is_charged: bool,
    /// Whether turns were skipped since the last charge.
    has_skipped: bool,
}

/// A phase of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Ready,
    More,
    Busy,
}

/// The part of a round that was used.
#[derive(Clone, Copy, Debug, Default)]
struct Usage {
    bytes: usize,
    time: Duration,
}

impl Usage {
    fn add(&mut self, bytes: usize, time: Duration) {
        self.bytes += bytes;
        self.time += time;
    }
}

/// The usage by the addresses of a slot.
#[derive(Clone, Copy, Debug)]
struct Share {
    /// The round that `usage` is of.
    round: u64,
    usage: Usage,
    busy_until: Instant,
}

impl Turns {
    pub(super) fn new(now: Instant) -> Self {
        let unused = Share { round: 0, usage: Usage::default(), busy_until: now };
        Self {
            ready: VecDeque::new(),
            more: VecDeque::new(),
            more_unread: 0,
            busy: VecDeque::new(),
            phase: Phase::Ready,
            left: 0,
            phase_usage: Usage::default(),
            shares: vec![unused; SLOTS].into_boxed_slice(),
            seed: RandomState::new(),
            round: 0,
            turn_began: now,
            is_charged: true,
            has_skipped: false,
        }
    }

    /// Whether no connection waits for its turn.
    pub(super) fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.more.is_empty() && self.busy.is_empty()
    }

    /// Queues a connection for the next round.
    pub(super) fn push(&mut self, id: ConnectionId) {
        self.ready.push_back(id);
    }

    /// Queues a connection that has more data than one read takes.
    pub(super) fn push_more(&mut self, id: ConnectionId) {
        self.more.push_back(id);
    }

    /// Begins a round. Connections that are queued from now on have their turn in the next one.
    pub(super) fn begin_round(&mut self) {
        self.round += 1;
        self.more_unread = self.more.len();
        self.begin_phase(Phase::Ready);
        (self.is_charged, self.has_skipped) = (true, false);
        if !self.is_empty() {
            self.turn_began = Instant::now();
        }
    }

    /// Returns the connection whose turn it is; `None` at the end of the round.
    pub(super) fn next(&mut self) -> Option<ConnectionId> {
        self.has_skipped |= !std::mem::replace(&mut self.is_charged, false);
        loop {
            let is_used_up = self.phase_usage.bytes >= PHASE_BYTES || self.phase_usage.time >= PHASE_TIME;
            if self.left > 0 && (self.phase == Phase::Ready || !is_used_up) {
                self.left -= 1;
                return match self.phase {
                    Phase::Ready => self.ready.pop_front(),
                    Phase::More => self.more.pop_front(),
                    Phase::Busy => self.busy.pop_front(),
                };
            }
            self.begin_phase(match self.phase {
                Phase::Ready => Phase::More,
                Phase::More => Phase::Busy,
                Phase::Busy => return None,
            });
        }
    }

    fn begin_phase(&mut self, phase: Phase) {
        let left = match phase {
            Phase::Ready => self.ready.len(),
            Phase::More => self.more_unread,
            Phase::Busy => self.busy.len(),
        };
        (self.phase, self.left, self.phase_usage) = (phase, left, Usage::default());
    }

    /// Whether a connection is read in the last phase, because its address is busy. If so, queues it.
    pub(super) fn defer(&mut self, id: ConnectionId, address: Address) -> bool {
        let now = self.turn_began;
        if self.phase == Phase::Busy || self.share(address).busy_until <= now {
            return false;
        }
        self.busy.push_back(id);
        true
    }

    /// Begins to read the connection whose turn it is. The time of turns that were skipped is nobody's.
    pub(super) fn begin_reading(&mut self) {
        if std::mem::take(&mut self.has_skipped) {
            self.turn_began = Instant::now();
        }
    }

    /// Charges the current turn to an address: the bytes that were read, and the time since it began.
    pub(super) fn charge(&mut self, address: Address, bytes: usize) {
        let now = Instant::now();
        let time = now.saturating_duration_since(self.turn_began);
        self.charge_until(address, bytes, time, now);
    }

    fn charge_until(&mut self, address: Address, bytes: usize, time: Duration, now: Instant) {
        (self.turn_began, self.is_charged) = (now, true);
        self.phase_usage.add(bytes, time);
        let round = self.round;
        let share = self.share(address);
        if share.round != round {
            (share.round, share.usage) = (round, Usage::default());
        }
        share.usage.add(bytes, time);
        if share.usage.bytes >= SHARE_BYTES || share.usage.time >= SHARE_TIME {
            share.busy_until = now + BUSY_TIME;
        }
    }

    /// Returns the slot of an address, that of its site.
    fn share(&mut self, address: Address) -> &mut Share {
        let hash = self.seed.hash_one(address.site());
        let slot = usize::try_from(hash % SLOTS as u64).unwrap_or(0);
        #[expect(clippy::indexing_slicing, reason = "a remainder by their number")]
        &mut self.shares[slot]
    }
}

#[cfg(test)]
mod tests;

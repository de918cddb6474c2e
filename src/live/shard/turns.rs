//! The turns of connections: in which order, and how much, a shard reads in a round.
//!
//! Each connection is read once a round. Two rules keep one sender from making the others wait:
//! - An address whose connections have taken [`SHARE_BYTES`] or [`SHARE_TIME`] of a round is busy for [`BUSY_TIME`]. Its connections
//!   are read after those of other addresses, and so is a connection that had more data than one read takes.
//! - What is read last takes at most [`LAST_BYTES`] or [`LAST_TIME`] of a round, and goes on in the next one.
//!
//! Connections keep their order, so each gets its turn.

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
/// Bytes that are read last in a round.
const LAST_BYTES: usize = 256 * 1024;
/// Time that what is read last may take in a round.
const LAST_TIME: Duration = Duration::from_millis(4);
/// Number of slots in which the shares of addresses are counted. Addresses of the same slot share.
const SLOTS: usize = 1_024;

/// Connections that may have data to read, and the usage of rounds by their addresses.
#[derive(Debug)]
pub(super) struct Turns {
    /// Connections in the order of their turns.
    ready: VecDeque<ConnectionId>,
    /// Connections that are read last.
    last: VecDeque<ConnectionId>,
    /// The turns that are left in this round.
    ready_left: usize,
    last_left: usize,
    /// The usage of this round by connections that are read last.
    last_usage: Usage,
    shares: Box<[Share]>,
    seed: RandomState,
    round: u64,
    /// When the current turn began.
    turn_began: Instant,
    is_last: bool,
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
            last: VecDeque::new(),
            ready_left: 0,
            last_left: 0,
            last_usage: Usage::default(),
            shares: vec![unused; SLOTS].into_boxed_slice(),
            seed: RandomState::new(),
            round: 0,
            turn_began: now,
            is_last: false,
        }
    }

    /// Whether no connection waits for its turn.
    pub(super) fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.last.is_empty()
    }

    /// Queues a connection for the next round.
    pub(super) fn push(&mut self, id: ConnectionId) {
        self.ready.push_back(id);
    }

    /// Queues a connection that has more data than one read takes.
    pub(super) fn push_last(&mut self, id: ConnectionId) {
        self.last.push_back(id);
    }

    /// Begins a round. Connections that are queued from now on have their turn in the next one, except for those that
    /// [`Turns::defer`] puts last.
    pub(super) fn begin_round(&mut self) {
        self.round += 1;
        (self.ready_left, self.last_left) = (self.ready.len(), self.last.len());
        (self.last_usage, self.is_last) = (Usage::default(), false);
        if !self.is_empty() {
            self.turn_began = Instant::now();
        }
    }

    /// Returns the connection whose turn it is; `None` at the end of the round.
    pub(super) fn next(&mut self) -> Option<ConnectionId> {
        if self.ready_left > 0 {
            self.ready_left -= 1;
            return self.ready.pop_front();
        }
        self.is_last = true;
        if self.last_left == 0 || self.last_usage.bytes >= LAST_BYTES || self.last_usage.time >= LAST_TIME {
            return None;
        }
        self.last_left -= 1;
        self.last.pop_front()
    }

    /// Whether a connection is read last, because its address is busy. If so, queues it.
    pub(super) fn defer(&mut self, id: ConnectionId, address: Address) -> bool {
        let now = self.turn_began;
        if self.is_last || self.share(address).busy_until <= now {
            return false;
        }
        self.push_last(id);
        self.last_left += 1;
        true
    }

    /// Charges the current turn to an address: the bytes that were read, and the time since the last turn ended.
    pub(super) fn charge(&mut self, address: Address, bytes: usize) {
        let now = Instant::now();
        let time = now.saturating_duration_since(self.turn_began);
        self.charge_until(address, bytes, time, now);
    }

    fn charge_until(&mut self, address: Address, bytes: usize, time: Duration, now: Instant) {
        self.turn_began = now;
        if self.is_last {
            self.last_usage.add(bytes, time);
        }
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

    /// Returns the slot of an address. The hosts of an IPv6 /48 share one.
    fn share(&mut self, address: Address) -> &mut Share {
        let network = address.limited().last().map_or(address, |(network, _)| network);
        let hash = self.seed.hash_one(network);
        let slot = usize::try_from(hash % SLOTS as u64).unwrap_or(0);
        #[expect(clippy::indexing_slicing, reason = "a remainder by their number")]
        &mut self.shares[slot]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::address;

    const FULL_READ: usize = 64 * 1024;

    /// Turns whose time the test sets.
    struct Clock {
        turns: Turns,
        now: Instant,
    }

    impl Clock {
        fn new() -> Self {
            let now = Instant::now();
            Self { turns: Turns::new(now), now }
        }

        fn push(&mut self, ids: impl IntoIterator<Item = u64>) {
            ids.into_iter().for_each(|id| self.turns.push(ConnectionId(id)));
        }

        fn push_last(&mut self, ids: impl IntoIterator<Item = u64>) {
            ids.into_iter().for_each(|id| self.turns.push_last(ConnectionId(id)));
        }

        /// Runs a round in which each turn takes so many bytes and so long. Returns the connections that were read.
        fn round(&mut self, of: impl Fn(u64) -> Address, bytes: usize, time: Duration) -> Vec<u64> {
            let mut read = Vec::new();
            self.turns.begin_round();
            self.turns.turn_began = self.now;
            while let Some(id) = self.turns.next() {
                if !self.turns.defer(id, of(id.0)) {
                    self.now += time;
                    self.turns.charge_until(of(id.0), bytes, time, self.now);
                    read.push(id.0);
                }
            }
            read
        }
    }

    /// Each thousand of connections has an address.
    fn by_thousand(id: u64) -> Address {
        address(u8::try_from(id / 1_000).unwrap())
    }

    const MILLISECOND: Duration = Duration::from_millis(1);

    #[test]
    fn an_address_that_has_taken_its_share_is_read_after_others_and_within_bounds() {
        let mut clock = Clock::new();
        clock.push(0..190);
        clock.push([1_000]);
        assert_eq!(clock.round(by_thousand, 100, MILLISECOND), [0, 1_000, 1, 2, 3, 4]);
        clock.push([2_000]);
        assert_eq!(clock.round(by_thousand, 100, MILLISECOND), [2_000, 5, 6, 7, 8]);
    }

    #[test]
    fn each_connection_of_a_busy_address_has_its_turn() {
        let mut clock = Clock::new();
        clock.push(0..190);
        let mut read = Vec::new();
        while !clock.turns.is_empty() {
            read.extend(clock.round(by_thousand, 100, MILLISECOND));
        }
        assert_eq!(read, (0..190).collect::<Vec<u64>>());
    }

    #[test]
    fn an_address_is_busy_after_many_bytes_as_well() {
        let mut clock = Clock::new();
        clock.push(0..190);
        let read = clock.round(by_thousand, FULL_READ, Duration::ZERO);
        assert_eq!(read.len(), (SHARE_BYTES + LAST_BYTES) / FULL_READ);
    }

    #[test]
    fn an_address_is_no_longer_busy_after_a_while() {
        let mut clock = Clock::new();
        clock.push(0..2);
        clock.round(by_thousand, 1, SHARE_TIME);
        clock.now += BUSY_TIME;
        clock.push([3, 1_000]);
        assert_eq!(clock.round(by_thousand, 1, Duration::ZERO), [3, 1_000]);
    }

    #[test]
    fn connections_with_more_data_come_last_and_are_bounded() {
        let mut clock = Clock::new();
        clock.push_last(0..50);
        clock.push(100..103);
        let of = |id: u64| address(u8::try_from(id).unwrap());
        assert_eq!(clock.round(of, FULL_READ, Duration::ZERO), [100, 101, 102, 0, 1, 2, 3]);
        assert_eq!(clock.round(of, FULL_READ, Duration::ZERO), [4, 5, 6, 7]);
    }

    #[test]
    fn the_hosts_of_an_ipv6_48_share() {
        let of = |id: u64| {
            let ip: std::net::IpAddr = format!("2001:db8:1:{id:x}::1").parse().unwrap();
            ip.into()
        };
        let mut clock = Clock::new();
        clock.push(0..10);
        assert_eq!(clock.round(of, 1, 2 * MILLISECOND), [0, 1, 2], "one ready, two last");
    }
}

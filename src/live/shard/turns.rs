//! The turns of connections: in which order, and how much, a shard reads in a round.
//!
//! Each connection is read once a round. Two rules keep one sender from making the others wait:
//! - An address whose connections have taken [`SHARE_BYTES`] or [`SHARE_TIME`] of a round is read on in the next one.
//! - A connection that had more data than one read takes is read after all others, at most [`BULK_BYTES`] of such data a round.
//!
//! Connections keep their order, so each gets its turn.

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

use crate::model::{Address, ConnectionId};

/// Bytes that are read from the connections of an address in a round.
const SHARE_BYTES: usize = 1024 * 1024;
/// Time that the messages of an address may take in a round.
const SHARE_TIME: Duration = Duration::from_millis(5);
/// Bytes of bulk data that are read in a round.
const BULK_BYTES: usize = 256 * 1024;
/// Number of slots in which the shares of addresses are counted. Addresses of the same slot share.
const SLOTS: usize = 1_024;

/// Connections that may have data to read, and what the addresses have taken of the round.
#[derive(Debug)]
pub(super) struct Turns {
    /// Connections in the order of their turns.
    ready: VecDeque<ConnectionId>,
    /// Connections that had more data than one read takes.
    bulk: VecDeque<ConnectionId>,
    /// The turns that are left in this round.
    ready_left: usize,
    bulk_left: usize,
    /// Bytes of bulk data in this round.
    bulk_bytes: usize,
    /// The kind of the current turn.
    current: Turn,
    shares: Box<[Share]>,
    seed: RandomState,
    round: u64,
    /// When the current turn began.
    turn_began: Instant,
}

/// The kind of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// A connection with new data.
    Ready,
    /// The first bulk connection of the round. It is read whatever its address has taken, so that it goes on.
    FirstBulk,
    /// Another bulk connection.
    Bulk,
}

/// What the addresses of a slot have taken of a round.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    /// The round that the other fields are of.
    round: u64,
    bytes: usize,
    time: Duration,
}

impl Turns {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            ready: VecDeque::new(),
            bulk: VecDeque::new(),
            ready_left: 0,
            bulk_left: 0,
            bulk_bytes: 0,
            current: Turn::Ready,
            shares: vec![Share::default(); SLOTS].into_boxed_slice(),
            seed: RandomState::new(),
            round: 0,
            turn_began: now,
        }
    }

    /// Whether no connection waits for its turn.
    pub(super) fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.bulk.is_empty()
    }

    /// Queues a connection for the next round.
    pub(super) fn push(&mut self, id: ConnectionId) {
        self.ready.push_back(id);
    }

    /// Queues a connection that has more data than one read takes.
    pub(super) fn push_bulk(&mut self, id: ConnectionId) {
        self.bulk.push_back(id);
    }

    /// Begins a round. Connections that are queued from now on have their turn in the next one.
    pub(super) fn begin_round(&mut self) {
        self.round += 1;
        (self.ready_left, self.bulk_left, self.bulk_bytes) = (self.ready.len(), self.bulk.len(), 0);
        if !self.is_empty() {
            self.turn_began = Instant::now();
        }
    }

    /// Returns the connection whose turn it is; `None` at the end of the round.
    pub(super) fn next(&mut self) -> Option<ConnectionId> {
        if self.ready_left > 0 {
            self.ready_left -= 1;
            self.current = Turn::Ready;
            return self.ready.pop_front();
        }
        if self.bulk_left == 0 || self.bulk_bytes >= BULK_BYTES {
            return None;
        }
        self.bulk_left -= 1;
        self.current = if self.bulk_bytes == 0 { Turn::FirstBulk } else { Turn::Bulk };
        self.bulk.pop_front()
    }

    /// Whether a connection of this address must wait for the next round. If so, queues it.
    pub(super) fn defer(&mut self, id: ConnectionId, address: Address) -> bool {
        let round = self.round;
        let share = self.share(address);
        let is_used_up = share.round == round && (share.bytes >= SHARE_BYTES || share.time >= SHARE_TIME);
        if !is_used_up || self.current == Turn::FirstBulk {
            return false;
        }
        match self.current {
            Turn::Ready => self.push(id),
            Turn::FirstBulk | Turn::Bulk => self.push_bulk(id),
        }
        true
    }

    /// Charges the current turn to an address: the bytes that were read, and the time since the last turn ended.
    pub(super) fn charge(&mut self, address: Address, bytes: usize) {
        let now = Instant::now();
        let time = now.saturating_duration_since(std::mem::replace(&mut self.turn_began, now));
        self.charge_time(address, bytes, time);
    }

    fn charge_time(&mut self, address: Address, bytes: usize, time: Duration) {
        if self.current != Turn::Ready {
            self.bulk_bytes += bytes;
        }
        let round = self.round;
        let share = self.share(address);
        if share.round != round {
            *share = Share { round, ..Share::default() };
        }
        share.bytes += bytes;
        share.time += time;
    }

    /// Returns the slot of an address. The hosts of an IPv6 /48 share one.
    fn share(&mut self, address: Address) -> &mut Share {
        let network = address.limited().last().map_or(address, |(network, _)| network);
        let hash = self.seed.hash_one(network);
        let slot = usize::try_from(hash % SLOTS as u64).unwrap_or(0);
        // `slot` is less than the number of slots.
        #[expect(clippy::indexing_slicing, reason = "a remainder")]
        &mut self.shares[slot]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::address;

    const FULL_READ: usize = 64 * 1024;

    /// Connections with numbers from `first` on.
    fn ids(first: u64, count: u64) -> Vec<ConnectionId> {
        (first..first + count).map(ConnectionId).collect()
    }

    /// Runs a round in which each turn takes so many bytes and so long. Returns the connections that were read.
    fn round(turns: &mut Turns, of: impl Fn(ConnectionId) -> Address, bytes: usize, time: Duration) -> Vec<u64> {
        let mut read = Vec::new();
        turns.begin_round();
        while let Some(id) = turns.next() {
            if !turns.defer(id, of(id)) {
                turns.charge_time(of(id), bytes, time);
                read.push(id.0);
            }
        }
        read
    }

    #[test]
    fn an_address_that_has_taken_its_time_waits_for_the_next_round_and_others_do_not() {
        let mut turns = Turns::new(Instant::now());
        ids(0, 190).into_iter().for_each(|id| turns.push(id));
        turns.push(ConnectionId(1_000));
        let of = |id: ConnectionId| address(if id.0 < 1_000 { 1 } else { 2 });
        let mut rounds = Vec::new();
        while !turns.is_empty() {
            rounds.push(round(&mut turns, of, 100, Duration::from_millis(1)));
        }
        assert_eq!(rounds[0], [0, 1, 2, 3, 4, 1_000]);
        assert_eq!(rounds[1], [5, 6, 7, 8, 9]);
        assert_eq!(rounds.concat().len(), 191, "each has its turn");
    }

    #[test]
    fn an_address_that_has_sent_its_bytes_waits_for_the_next_round() {
        let mut turns = Turns::new(Instant::now());
        ids(0, 190).into_iter().for_each(|id| turns.push(id));
        let read = round(&mut turns, |_| address(1), FULL_READ, Duration::ZERO);
        assert_eq!(read.len(), SHARE_BYTES / FULL_READ);
    }

    #[test]
    fn bulk_data_comes_last_and_is_bounded() {
        let mut turns = Turns::new(Instant::now());
        ids(0, 50).into_iter().for_each(|id| turns.push_bulk(id));
        ids(100, 3).into_iter().for_each(|id| turns.push(id));
        let of = |id: ConnectionId| address(u8::try_from(id.0).unwrap());
        assert_eq!(round(&mut turns, of, FULL_READ, Duration::ZERO), [100, 101, 102, 0, 1, 2, 3]);
        assert_eq!(round(&mut turns, of, FULL_READ, Duration::ZERO), [4, 5, 6, 7]);
    }

    #[test]
    fn bulk_data_goes_on_although_neighbours_take_the_share_of_the_address() {
        let mut turns = Turns::new(Instant::now());
        ids(0, 3).into_iter().for_each(|id| turns.push_bulk(id));
        for expected in 0..3 {
            turns.push(ConnectionId(10));
            let read = round(&mut turns, |_| address(1), FULL_READ, SHARE_TIME);
            assert_eq!(read, [10, expected]);
        }
    }

    #[test]
    fn the_hosts_of_an_ipv6_48_share() {
        let of = |id: ConnectionId| {
            let ip: std::net::IpAddr = format!("2001:db8:1:{:x}::1", id.0).parse().unwrap();
            ip.into()
        };
        let mut turns = Turns::new(Instant::now());
        ids(0, 10).into_iter().for_each(|id| turns.push(id));
        assert_eq!(round(&mut turns, of, 1, SHARE_TIME), [0]);
    }
}

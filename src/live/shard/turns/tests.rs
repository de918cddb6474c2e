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

    fn push_more(&mut self, ids: impl IntoIterator<Item = u64>) {
        ids.into_iter().for_each(|id| self.turns.push_more(ConnectionId(id)));
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
    assert_eq!(clock.round(by_thousand, 100, MILLISECOND), [0, 1_000, 1]);
    clock.push([2_000]);
    assert_eq!(clock.round(by_thousand, 100, MILLISECOND), [2_000, 2]);
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
    assert_eq!(read.len(), (SHARE_BYTES + PHASE_BYTES) / FULL_READ);
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
    clock.push_more(0..50);
    clock.push(100..103);
    let of = |id: u64| address(u8::try_from(id).unwrap());
    assert_eq!(clock.round(of, FULL_READ, Duration::ZERO), [100, 101, 102, 0, 1]);
    assert_eq!(clock.round(of, FULL_READ, Duration::ZERO), [2, 3]);
}

#[test]
fn large_uploads_go_on_beside_busy_addresses() {
    let mut clock = Clock::new();
    clock.push(0..190);
    clock.round(by_thousand, 100, MILLISECOND);
    for _ in 0..50 {
        clock.push_more([1_000]);
        assert_eq!(clock.round(by_thousand, FULL_READ, MILLISECOND / 10).first(), Some(&1_000));
    }
}

#[test]
fn no_connection_is_read_twice_in_a_round() {
    let mut clock = Clock::new();
    clock.push(0..3);
    clock.round(by_thousand, 1, MILLISECOND / 4);
    clock.turns.begin_round();
    clock.push([5]);
    clock.push_more([4]);
    assert_eq!(clock.turns.next(), None, "both are of the next round");
    assert_eq!(clock.round(by_thousand, 1, MILLISECOND / 4), [5, 4]);
}

#[test]
fn the_hosts_of_an_ipv6_48_share() {
    let of = |id: u64| {
        let ip: std::net::IpAddr = format!("2001:db8:1:{id:x}::1").parse().unwrap();
        ip.into()
    };
    let mut clock = Clock::new();
    clock.push(0..10);
    assert_eq!(clock.round(of, 1, 2 * MILLISECOND), [0, 1], "one ready, one last");
}

//! Failed attempts per address, which limit the guessing of tokens.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::model::Address;

/// Failed attempts after which an address has to wait for the end of its [`WINDOW`]. The networks around an IPv6 address
/// have multiples of it.
const MAX_FAILURES: u32 = 10;
const WINDOW: Duration = Duration::from_mins(1);
/// Addresses tracked. Further ones are not counted, so that an attacker with many addresses cannot lock others out.
const MAX_ADDRESSES: usize = 65_536;

/// Failed attempts per address, within a minute of the first.
#[derive(Debug, Default)]
pub(super) struct FailedAttempts(Mutex<HashMap<Address, AttemptWindow>>);

#[derive(Clone, Copy, Debug)]
struct AttemptWindow {
    since: Instant,
    count: u32,
}

impl AttemptWindow {
    /// Returns what is left of the window.
    fn remaining(self, now: Instant) -> Option<Duration> {
        WINDOW.checked_sub(now.saturating_duration_since(self.since)).filter(|rest| !rest.is_zero())
    }
}

impl FailedAttempts {
    fn lock(&self) -> MutexGuard<'_, HashMap<Address, AttemptWindow>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how long an address has to wait before its next attempt.
    pub(super) fn retry_after(&self, address: Address, now: Instant) -> Option<Duration> {
        let all = self.lock();
        let waits = address.limited().filter_map(|(network, multiple)| {
            let wrong = all.get(&network)?;
            if wrong.count < MAX_FAILURES.saturating_mul(multiple) { None } else { wrong.remaining(now) }
        });
        waits.max()
    }

    /// Counts a failed attempt. Returns `true` if the address is blocked from now on, at most once per window.
    pub(super) fn record_failure(&self, address: Address, now: Instant) -> bool {
        let mut all = self.lock();
        let mut blocked = false;
        for (network, multiple) in address.limited() {
            if all.len() >= MAX_ADDRESSES && !all.contains_key(&network) {
                continue;
            }
            let wrong = all.entry(network).or_insert(AttemptWindow { since: now, count: 0 });
            if wrong.remaining(now).is_none() {
                *wrong = AttemptWindow { since: now, count: 0 };
            }
            wrong.count = wrong.count.saturating_add(1);
            blocked |= wrong.count == MAX_FAILURES.saturating_mul(multiple);
        }
        blocked
    }

    /// Removes addresses whose window has ended.
    pub(super) fn prune(&self, now: Instant) {
        let mut all = self.lock();
        all.retain(|_, wrong| wrong.remaining(now).is_some());
        all.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn address(n: u32) -> Address {
        Address::from(IpAddr::from(n.to_be_bytes()))
    }

    #[test]
    fn the_tenth_failure_within_a_minute_blocks_the_address_until_its_end() {
        let (tries, begin) = (FailedAttempts::default(), Instant::now());
        let at = |second| begin + Duration::from_secs(second);
        for second in 0..9 {
            assert!(!tries.record_failure(address(1), at(second)));
        }
        assert_eq!(tries.retry_after(address(1), at(9)), None);
        assert!(tries.record_failure(address(1), at(20)));
        assert_eq!(tries.retry_after(address(1), at(20)), Some(Duration::from_secs(40)));
        assert_eq!(tries.retry_after(address(2), at(20)), None);
        assert_eq!(tries.retry_after(address(1), at(60)), None);
    }

    #[test]
    fn the_networks_around_an_ipv6_address_are_blocked_by_more_failures() {
        let (tries, now) = (FailedAttempts::default(), Instant::now());
        let at = |subnet: u32| Address::from(format!("2001:db8:1:{subnet:x}::1").parse::<IpAddr>().unwrap());
        for subnet in 0..39 {
            assert!(!tries.record_failure(at(subnet), now));
        }
        assert_eq!(tries.retry_after(at(40), now), None);
        assert!(tries.record_failure(at(39), now));
        assert_eq!(tries.retry_after(at(40), now), Some(WINDOW));
        assert_eq!(tries.retry_after(at(256), now), None);
    }

    #[test]
    fn failures_far_apart_do_not_block() {
        let (tries, begin) = (FailedAttempts::default(), Instant::now());
        for n in 0..100 {
            assert!(!tries.record_failure(address(1), begin + Duration::from_secs(7 * n)), "{n}");
        }
    }

    #[test]
    fn addresses_are_bounded_and_removed_after_their_window() {
        let (tries, begin) = (FailedAttempts::default(), Instant::now());
        for n in 0..70_000 {
            tries.record_failure(address(n), begin);
        }
        assert_eq!(tries.lock().len(), MAX_ADDRESSES);
        tries.prune(begin + Duration::from_secs(59));
        assert_eq!(tries.lock().len(), MAX_ADDRESSES);
        tries.prune(begin + WINDOW);
        assert!(tries.lock().is_empty());
    }
}

//! Wrong tokens by address, so that nobody can try many, whatever they are for.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::model::Address;

/// Wrong tokens that an address may send within [`WINDOW`].
const MOST: u32 = 10;
const WINDOW: Duration = Duration::from_mins(1);
/// Addresses that are kept. Whoever has more than these at hand is not to lock everybody else out: further ones are
/// not counted.
const MAX_ADDRESSES: usize = 65_536;

/// Wrong tokens of each address within a minute from the first one on.
#[derive(Debug, Default)]
pub(super) struct Tries(Mutex<HashMap<Address, Wrong>>);

#[derive(Clone, Copy, Debug)]
struct Wrong {
    since: Instant,
    count: u32,
}

impl Wrong {
    /// What is left of the minute.
    fn rest(self, now: Instant) -> Option<Duration> {
        WINDOW.checked_sub(now.saturating_duration_since(self.since)).filter(|rest| !rest.is_zero())
    }
}

impl Tries {
    fn lock(&self) -> MutexGuard<'_, HashMap<Address, Wrong>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long an address has to wait before a token of it is looked at.
    pub(super) fn must_wait(&self, address: Address, now: Instant) -> Option<Duration> {
        let wrong = self.lock().get(&address).copied()?;
        if wrong.count < MOST { None } else { wrong.rest(now) }
    }

    /// Counts a wrong token; `true` when the address has to wait from now on, which is so once a minute.
    pub(super) fn note_wrong(&self, address: Address, now: Instant) -> bool {
        let mut all = self.lock();
        if all.len() >= MAX_ADDRESSES && !all.contains_key(&address) {
            return false;
        }
        let wrong = all.entry(address).or_insert(Wrong { since: now, count: 0 });
        if wrong.rest(now).is_none() {
            *wrong = Wrong { since: now, count: 0 };
        }
        wrong.count = wrong.count.saturating_add(1);
        wrong.count == MOST
    }

    /// Forgets those whose minute is over.
    pub(super) fn prune(&self, now: Instant) {
        let mut all = self.lock();
        all.retain(|_, wrong| wrong.rest(now).is_some());
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
    fn the_tenth_wrong_token_of_a_minute_makes_its_address_wait_for_the_end_of_it() {
        let (tries, begin) = (Tries::default(), Instant::now());
        let at = |second| begin + Duration::from_secs(second);
        for second in 0..9 {
            assert!(!tries.note_wrong(address(1), at(second)));
        }
        assert_eq!(tries.must_wait(address(1), at(9)), None);
        assert!(tries.note_wrong(address(1), at(20)));
        assert_eq!(tries.must_wait(address(1), at(20)), Some(Duration::from_secs(40)));
        assert_eq!(tries.must_wait(address(2), at(20)), None);
        assert_eq!(tries.must_wait(address(1), at(60)), None);
    }

    #[test]
    fn wrong_tokens_far_apart_make_nobody_wait() {
        let (tries, begin) = (Tries::default(), Instant::now());
        for n in 0..100 {
            assert!(!tries.note_wrong(address(1), begin + Duration::from_secs(7 * n)), "{n}");
        }
    }

    #[test]
    fn addresses_are_bounded_and_forgotten_after_their_minute() {
        let (tries, begin) = (Tries::default(), Instant::now());
        for n in 0..70_000 {
            tries.note_wrong(address(n), begin);
        }
        assert_eq!(tries.lock().len(), MAX_ADDRESSES);
        tries.prune(begin + Duration::from_secs(59));
        assert_eq!(tries.lock().len(), MAX_ADDRESSES);
        tries.prune(begin + WINDOW);
        assert!(tries.lock().is_empty());
    }
}

//! How many connections and WebSockets an address may hold, and how fast it may open the latter.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::filter::rate::{Buckets, Limit};
use crate::model::Address;
use crate::settings::Swap;

/// How many connections an address may hold, and how fast it may open them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many it may hold; `None` lifts the limit.
    pub each: Option<usize>,
    /// How fast; `None` lifts the limit.
    pub joins: Option<Limit>,
}

/// Counts WebSockets by address.
#[derive(Debug)]
pub struct Admission {
    open: PerAddress,
    joins: Swap<Option<Buckets>>,
}

/// Counts something by address, up to a limit for each. It counts also while there is no limit, so that one that is set
/// later holds for those who are there.
#[derive(Debug)]
pub struct PerAddress {
    /// `usize::MAX` is none.
    limit: AtomicUsize,
    open: Arc<Open>,
}

#[derive(Debug, Default)]
struct Open(Mutex<HashMap<Address, usize>>);

impl Open {
    fn lock(&self) -> MutexGuard<'_, HashMap<Address, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why an address gets no further WebSocket now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It holds as many as it may.
    #[error("this address holds {limit} connections, which is the limit; close one of them first")]
    TooMany {
        /// How many it may hold.
        limit: usize,
    },
    /// It opens them too fast.
    #[error("this address opens connections too fast")]
    TooFast {
        /// When the next one is taken.
        retry_after: Duration,
    },
}

/// The right to one of what is counted; dropping it gives it back.
#[derive(Debug)]
pub struct Ticket(Option<(Arc<Open>, Address)>);

impl Ticket {
    /// One that nobody counts.
    pub const UNCOUNTED: Self = Self(None);
}

impl PerAddress {
    /// Nothing is open yet; each address may hold `limit`, or any number where that is `None`.
    #[must_use]
    pub fn new(limit: Option<usize>) -> Self {
        Self { limit: AtomicUsize::new(limit.unwrap_or(usize::MAX)), open: Arc::default() }
    }

    /// Sets another limit. What is open beyond it stays open.
    pub fn set_limit(&self, limit: Option<usize>) {
        self.limit.store(limit.unwrap_or(usize::MAX), Ordering::Relaxed);
    }

    fn limit(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }

    /// Counts one for `address`; `None` when it holds as many as it may.
    #[must_use]
    pub fn enter(&self, address: Address) -> Option<Ticket> {
        let mut counts = self.open.lock();
        let count = counts.entry(address).or_default();
        if *count >= self.limit() {
            return None;
        }
        *count += 1;
        Some(Ticket(Some((Arc::clone(&self.open), address))))
    }
}

impl Admission {
    /// Keeps these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { open: PerAddress::new(limits.each), joins: Swap::new(limits.joins.map(Buckets::new)) }
    }

    /// Keeps other limits from now on. The buckets of joins stay as they are where their limit does.
    pub fn set_limits(&self, limits: Limits) {
        self.open.set_limit(limits.each);
        if self.joins.get().as_ref().as_ref().map(Buckets::limit) != limits.joins {
            self.joins.set(limits.joins.map(Buckets::new));
        }
    }

    /// Lets a client from `address` in, or not.
    ///
    /// # Errors
    /// [`Refused`] when the address is at one of its limits.
    pub fn admit(&self, address: Address) -> Result<Ticket, Refused> {
        if let Some(joins) = self.joins.get().as_ref() {
            joins.take(address).map_err(|retry_after| Refused::TooFast { retry_after })?;
        }
        self.open.enter(address).ok_or_else(|| Refused::TooMany { limit: self.open.limit() })
    }

    /// Forgets addresses that have not joined for a while.
    pub fn prune(&self) {
        if let Some(joins) = self.joins.get().as_ref() {
            joins.prune();
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let Some((open, address)) = self.0.take() else { return };
        if let Entry::Occupied(mut count) = open.lock().entry(address) {
            match count.get() {
                0 | 1 => drop(count.remove()),
                more => *count.get_mut() = more - 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::num::NonZeroU32;

    use super::*;

    fn address(host: u8) -> Address {
        Address::from(IpAddr::from([192, 0, 2, host]))
    }

    fn admission(per_address: usize, burst: u32) -> Admission {
        let joins = Limit { per_second: NonZeroU32::MIN, burst: NonZeroU32::new(burst).unwrap() };
        Admission::new(Limits { each: Some(per_address), joins: Some(joins) })
    }

    #[test]
    fn an_address_holds_as_many_as_it_may_and_another_is_not_concerned() {
        let admission = admission(2, 100);
        let held = [admission.admit(address(1)).unwrap(), admission.admit(address(1)).unwrap()];
        assert_eq!(admission.admit(address(1)).unwrap_err(), Refused::TooMany { limit: 2 });
        assert!(admission.admit(address(2)).is_ok());
        drop(held);
        assert!(admission.admit(address(1)).is_ok());
    }

    #[test]
    fn an_address_opens_a_burst_and_then_must_wait() {
        let admission = admission(100, 2);
        assert!(admission.admit(address(1)).is_ok() && admission.admit(address(1)).is_ok());
        assert!(matches!(admission.admit(address(1)), Err(Refused::TooFast { .. })));
        assert!(admission.admit(address(2)).is_ok());
    }

    #[test]
    fn other_limits_hold_for_those_who_are_there_already() {
        let admission = Admission::new(Limits { each: None, joins: None });
        let held = [admission.admit(address(1)).unwrap(), admission.admit(address(1)).unwrap()];
        admission.set_limits(Limits { each: Some(2), joins: None });
        assert_eq!(admission.admit(address(1)).unwrap_err(), Refused::TooMany { limit: 2 });
        drop(held);
        assert!(admission.admit(address(1)).is_ok());
    }

    #[test]
    fn a_limit_that_stays_the_same_fills_no_bucket() {
        let admission = admission(100, 1);
        assert!(admission.admit(address(1)).is_ok());
        let joins = Limit { per_second: NonZeroU32::MIN, burst: NonZeroU32::MIN };
        admission.set_limits(Limits { each: Some(50), joins: Some(joins) });
        assert!(matches!(admission.admit(address(1)), Err(Refused::TooFast { .. })));
    }

    #[test]
    fn an_address_without_connections_is_forgotten() {
        let admission = admission(2, 100);
        drop(admission.admit(address(1)).unwrap());
        assert!(admission.open.open.lock().is_empty());
    }
}

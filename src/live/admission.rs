//! How many connections and WebSockets an address may hold, and how fast it may open the latter.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::filter::rate::{Buckets, Limit};
use crate::model::Address;

/// Counts WebSockets by address.
#[derive(Debug)]
pub struct Admission {
    limits: Option<Limits>,
}

#[derive(Debug)]
struct Limits {
    open: PerAddress,
    joins: Buckets,
}

/// Counts something by address, up to a limit for each.
#[derive(Debug)]
pub struct PerAddress {
    limit: usize,
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
    /// Nothing is open yet; each address may hold `limit`.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, open: Arc::default() }
    }

    /// Counts one for `address`; `None` when it holds as many as it may.
    #[must_use]
    pub fn enter(&self, address: Address) -> Option<Ticket> {
        let mut counts = self.open.lock();
        let count = counts.entry(address).or_default();
        if *count >= self.limit {
            return None;
        }
        *count += 1;
        Some(Ticket(Some((Arc::clone(&self.open), address))))
    }
}

impl Admission {
    /// Limits of WebSockets per address and of joins, or none.
    #[must_use]
    pub fn new(limits: Option<(usize, Limit)>) -> Self {
        let limits = limits.map(|(each, joins)| Limits { open: PerAddress::new(each), joins: Buckets::new(joins) });
        Self { limits }
    }

    /// Lets a client from `address` in, or not.
    ///
    /// # Errors
    /// [`Refused`] when the address is at one of its limits.
    pub fn admit(&self, address: Address) -> Result<Ticket, Refused> {
        let Some(Limits { open, joins }) = &self.limits else { return Ok(Ticket::UNCOUNTED) };
        joins.take(address).map_err(|retry_after| Refused::TooFast { retry_after })?;
        open.enter(address).ok_or(Refused::TooMany { limit: open.limit })
    }

    /// Forgets addresses that have not joined for a while.
    pub fn prune(&self) {
        if let Some(limits) = &self.limits {
            limits.joins.prune();
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
        Admission::new(Some((per_address, joins)))
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
    fn an_address_without_connections_is_forgotten() {
        let admission = admission(2, 100);
        drop(admission.admit(address(1)).unwrap());
        assert!(admission.limits.unwrap().open.open.lock().is_empty());
    }
}

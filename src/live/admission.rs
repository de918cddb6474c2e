//! Limits per address: open connections, and the rate of new WebSockets.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::filter::rate::{AddressBuckets, RateLimit};
use crate::model::Address;
use crate::settings::Swap;

/// Limits for one address. An IPv6 /56 has 4 times and a /48 16 times as much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressLimits {
    /// Maximum number of open WebSockets; `None` for no limit.
    pub max_connections: Option<usize>,
    /// Rate of new WebSockets; `None` for no limit.
    pub join_rate: Option<RateLimit>,
}

/// Admission of WebSockets, by address.
#[derive(Debug)]
pub struct Admission {
    open: AddressCounter,
    joins: Swap<Option<AddressBuckets>>,
}

/// Counts open connections by address, up to a limit. Counts without a limit as well, so that a limit set later
/// includes connections already open.
#[derive(Debug)]
pub struct AddressCounter {
    /// `usize::MAX` means no limit.
    limit: AtomicUsize,
    open: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts(Mutex<HashMap<Address, usize>>);

impl Counts {
    fn lock(&self) -> MutexGuard<'_, HashMap<Address, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why an address may not open another WebSocket now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdmissionError {
    /// The address holds the maximum number of connections.
    #[error("this address holds {limit} connections, which is the limit; close one of them first")]
    TooMany {
        /// The maximum number.
        limit: usize,
    },
    /// The network around the address holds the maximum number of connections.
    #[error("the network of this address holds {limit} connections, which is the limit")]
    NetworkFull {
        /// The maximum number.
        limit: usize,
    },
    /// The address opens connections too fast.
    #[error("this address opens connections too fast")]
    TooFast {
        /// Time until the next one is admitted.
        retry_after: Duration,
    },
}

/// A counted connection; uncounted on drop.
#[derive(Debug)]
pub struct Ticket(Option<(Arc<Counts>, Address)>);

impl Ticket {
    /// A ticket that is not counted.
    pub const UNCOUNTED: Self = Self(None);
}

impl AddressCounter {
    /// Creates a counter with this limit per address; `None` for no limit.
    #[must_use]
    pub fn new(limit: Option<usize>) -> Self {
        Self { limit: AtomicUsize::new(limit.unwrap_or(usize::MAX)), open: Arc::default() }
    }

    /// Sets another limit. Open connections beyond it stay open.
    pub fn set_limit(&self, limit: Option<usize>) {
        self.limit.store(limit.unwrap_or(usize::MAX), Ordering::Relaxed);
    }

    fn limit(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }

    /// Counts one connection of `address`, and of the networks around it.
    ///
    /// # Errors
    /// [`AdmissionError::TooMany`] or [`AdmissionError::NetworkFull`] when a limit is reached.
    pub fn acquire(&self, address: Address) -> Result<Ticket, AdmissionError> {
        let mut counts = self.open.lock();
        for (network, multiple) in address.limited() {
            let limit = self.limit().saturating_mul(usize::try_from(multiple).unwrap_or(usize::MAX));
            if counts.get(&network).is_some_and(|count| *count >= limit) {
                let is_own = network == address;
                return Err(if is_own {
                    AdmissionError::TooMany { limit }
                } else {
                    AdmissionError::NetworkFull { limit }
                });
            }
        }
        for (network, _) in address.limited() {
            *counts.entry(network).or_default() += 1;
        }
        Ok(Ticket(Some((Arc::clone(&self.open), address))))
    }
}

impl Admission {
    /// Creates an admission with these limits.
    #[must_use]
    pub fn new(limits: AddressLimits) -> Self {
        Self {
            open: AddressCounter::new(limits.max_connections),
            joins: Swap::new(limits.join_rate.map(AddressBuckets::new)),
        }
    }

    /// Replaces the limits. The join buckets are kept if their rate is unchanged.
    pub fn set_limits(&self, limits: AddressLimits) {
        self.open.set_limit(limits.max_connections);
        if self.joins.get().as_ref().as_ref().map(AddressBuckets::limit) != limits.join_rate {
            self.joins.set(limits.join_rate.map(AddressBuckets::new));
        }
    }

    /// Admits a client from `address`.
    ///
    /// # Errors
    /// [`AdmissionError`] when the address has reached a limit.
    pub fn admit(&self, address: Address) -> Result<Ticket, AdmissionError> {
        if let Some(joins) = self.joins.get().as_ref() {
            joins.take(address).map_err(|retry_after| AdmissionError::TooFast { retry_after })?;
        }
        self.open.acquire(address)
    }

    /// Drops addresses that have not joined recently.
    pub fn prune(&self) {
        if let Some(joins) = self.joins.get().as_ref() {
            joins.prune();
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let Some((open, address)) = self.0.take() else { return };
        let mut counts = open.lock();
        for (network, _) in address.limited() {
            if let Entry::Occupied(mut count) = counts.entry(network) {
                match count.get() {
                    0 | 1 => drop(count.remove()),
                    more => *count.get_mut() = more - 1,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::fixtures::address;

    fn admission(per_address: usize, burst: u32) -> Admission {
        let joins = RateLimit { per_second: NonZeroU32::MIN, burst: NonZeroU32::new(burst).unwrap() };
        Admission::new(AddressLimits { max_connections: Some(per_address), join_rate: Some(joins) })
    }

    #[test]
    fn the_connection_limit_applies_to_each_address_separately() {
        let admission = admission(2, 100);
        let held = [admission.admit(address(1)).unwrap(), admission.admit(address(1)).unwrap()];
        assert_eq!(admission.admit(address(1)).unwrap_err(), AdmissionError::TooMany { limit: 2 });
        assert!(admission.admit(address(2)).is_ok());
        drop(held);
        assert!(admission.admit(address(1)).is_ok());
    }

    #[test]
    fn an_address_can_join_in_a_burst_and_is_then_limited() {
        let admission = admission(100, 2);
        assert!(admission.admit(address(1)).is_ok() && admission.admit(address(1)).is_ok());
        assert!(matches!(admission.admit(address(1)), Err(AdmissionError::TooFast { .. })));
        assert!(admission.admit(address(2)).is_ok());
    }

    #[test]
    fn the_56_and_the_48_around_an_ipv6_address_hold_multiples_of_its_limit() {
        let admission = Admission::new(AddressLimits { max_connections: Some(1), join_rate: None });
        let admit = |subnet: u32| {
            let ip: std::net::IpAddr = format!("2001:db8:1:{subnet:x}::1").parse().unwrap();
            admission.admit(ip.into())
        };
        let mut held: Vec<Ticket> = (0..4).map(|subnet| admit(subnet).unwrap()).collect();
        assert_eq!(admit(0).unwrap_err(), AdmissionError::TooMany { limit: 1 });
        assert_eq!(admit(4).unwrap_err(), AdmissionError::NetworkFull { limit: 4 });
        held.extend((1..4).flat_map(|block| (0..4).map(move |n| block * 256 + n)).map(|subnet| admit(subnet).unwrap()));
        assert_eq!(admit(4 * 256).unwrap_err(), AdmissionError::NetworkFull { limit: 16 });
        drop(held);
        assert!(admit(4 * 256).is_ok());
        assert!(admission.open.open.lock().is_empty());
    }

    #[test]
    fn a_limit_set_later_counts_open_connections() {
        let admission = Admission::new(AddressLimits { max_connections: None, join_rate: None });
        let held = [admission.admit(address(1)).unwrap(), admission.admit(address(1)).unwrap()];
        admission.set_limits(AddressLimits { max_connections: Some(2), join_rate: None });
        assert_eq!(admission.admit(address(1)).unwrap_err(), AdmissionError::TooMany { limit: 2 });
        drop(held);
        assert!(admission.admit(address(1)).is_ok());
    }

    #[test]
    fn an_unchanged_rate_keeps_its_buckets() {
        let admission = admission(100, 1);
        assert!(admission.admit(address(1)).is_ok());
        let joins = RateLimit { per_second: NonZeroU32::MIN, burst: NonZeroU32::MIN };
        admission.set_limits(AddressLimits { max_connections: Some(50), join_rate: Some(joins) });
        assert!(matches!(admission.admit(address(1)), Err(AdmissionError::TooFast { .. })));
    }

    #[test]
    fn an_address_without_connections_is_dropped() {
        let admission = admission(2, 100);
        drop(admission.admit(address(1)).unwrap());
        assert!(admission.open.open.lock().is_empty());
    }
}

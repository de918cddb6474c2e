//! Token buckets by address.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};

use super::RateLimit;
use super::buckets::{Buckets, ManualClock};
use crate::model::Address;

/// Token buckets by address, with larger ones for the networks around an IPv6 address: those of a /56 and of a /48 are 4
/// and 16 times as large and as fast.
#[derive(Debug)]
pub struct AddressBuckets<C: Clock = DefaultClock> {
    limit: RateLimit,
    unit: Buckets<C>,
    wider: [Buckets<C>; 2],
}

/// The multiples of the limit for [`AddressBuckets::wider`], as [`Address::limited`] has them.
const MULTIPLES: [u32; 2] = [4, 16];

impl<C: Clock + Clone> AddressBuckets<C> {
    fn with(limit: RateLimit, buckets: impl Fn(RateLimit) -> Buckets<C>) -> Self {
        Self { limit, unit: buckets(limit), wider: MULTIPLES.map(|multiple| buckets(limit.times(multiple))) }
    }

    /// Returns the limit of an address.
    #[must_use]
    pub fn limit(&self) -> RateLimit {
        self.limit
    }

    fn all(&self) -> impl Iterator<Item = &Buckets<C>> {
        std::iter::once(&self.unit).chain(&self.wider)
    }

    /// Takes from the buckets of the address and of the networks around it, the narrowest first.
    fn take_each(
        &self,
        address: Address,
        take: impl Fn(&Buckets<C>, Address) -> Result<(), Duration>,
    ) -> Result<(), Duration> {
        self.all().zip(address.limited()).try_for_each(|(buckets, (network, _))| take(buckets, network))
    }
}

impl AddressBuckets {
    /// Creates full buckets.
    #[must_use]
    pub fn new(limit: RateLimit) -> Self {
        Self::with(limit, Buckets::new)
    }

    /// Takes one token for `address`.
    ///
    /// # Errors
    /// The time to wait if a bucket is empty.
    pub fn take(&self, address: Address) -> Result<(), Duration> {
        self.take_each(address, Buckets::take)
    }

    /// Drops keys whose buckets are full again.
    pub fn prune(&self) {
        self.all().for_each(Buckets::prune);
    }
}

impl AddressBuckets<ManualClock> {
    /// Creates full buckets.
    #[must_use]
    pub fn with_manual_clock(limit: RateLimit) -> Self {
        Self::with(limit, Buckets::with_manual_clock)
    }

    /// Takes tokens for `address`, at `now` since the buckets were full.
    ///
    /// # Errors
    /// The time to wait if a bucket has fewer tokens.
    pub fn take_at(&self, address: Address, tokens: NonZeroU32, now: Duration) -> Result<(), Duration> {
        self.take_each(address, |buckets, network| buckets.take_at(network, tokens, now))
    }

    /// Drops keys whose buckets are full again at `now`.
    pub fn prune_at(&self, now: Duration) {
        self.all().for_each(|buckets| buckets.prune_at(now));
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn address(text: &str) -> Address {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn the_multiples_are_those_of_the_limited_networks() {
        let multiples: Vec<u32> = address("2001:db8::1").limited().skip(1).map(|(_, multiple)| multiple).collect();
        assert_eq!(multiples, MULTIPLES);
    }

    #[test]
    fn a_56_has_four_times_and_a_48_sixteen_times_the_tokens_of_an_address() {
        let limit = RateLimit { per_second: NonZeroU32::MIN, burst: NonZeroU32::new(2).unwrap() };
        let buckets = AddressBuckets::with_manual_clock(limit);
        let passed = |addresses: &mut dyn Iterator<Item = String>| {
            addresses.filter(|text| buckets.take_at(address(text), NonZeroU32::MIN, Duration::ZERO).is_ok()).count()
        };
        let of_56 = |block: u32| (0..256).map(move |n| format!("2001:db8:1:{:x}::1", block * 256 + n));
        assert_eq!(passed(&mut of_56(0)), 8);
        assert_eq!(passed(&mut (1..256).flat_map(of_56)), 24);
        assert_eq!(passed(&mut of_56(0).map(|text| text.replace("db8:1:", "db8:2:"))), 8);
        assert_eq!(passed(&mut (0..100).map(|n| format!("192.0.2.{n}"))), 100);
    }
}

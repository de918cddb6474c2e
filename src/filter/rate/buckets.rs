//! Buckets by key, as `governor` keeps them.

use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use super::Limit;

/// Buckets by key, for one kind of key.
///
/// Keys are 64-bit hashes under a random seed: small, of one size, and no name is kept. Bounded by what
/// [`Buckets::prune`] leaves: keys that were used within the time that a bucket takes to fill up again.
#[derive(Debug)]
pub struct Buckets {
    limiter: RateLimiter<u64, DashMapStateStore<u64, PassThrough>, DefaultClock, NoOpMiddleware>,
    clock: DefaultClock,
    seed: RandomState,
}

impl Buckets {
    /// All buckets are full.
    #[must_use]
    pub fn new(limit: Limit) -> Self {
        let quota = Quota::per_second(limit.per_second).allow_burst(limit.burst);
        let clock = DefaultClock::default();
        let store = DashMapStateStore::with_hasher(PassThrough::default());
        Self { limiter: RateLimiter::new(quota, store, clock.clone()), clock, seed: RandomState::new() }
    }

    /// Takes one from the bucket of `key`.
    ///
    /// # Errors
    /// How long to wait when there is none.
    pub fn take(&self, key: impl Hash) -> Result<(), Duration> {
        let key = self.seed.hash_one(key);
        self.limiter.check_key(&key).map_err(|not_until| not_until.wait_time_from(self.clock.now()))
    }

    /// Forgets the keys whose buckets are full again.
    pub fn prune(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }

    /// How many keys are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.limiter.len()
    }

    /// Says whether no key is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.limiter.is_empty()
    }
}

/// Passes on a key that is a hash already.
#[derive(Debug, Default)]
pub(super) struct AlreadyHashed(u64);

type PassThrough = BuildHasherDefault<AlreadyHashed>;

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = n;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
}

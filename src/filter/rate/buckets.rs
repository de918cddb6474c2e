//! Token buckets by key, based on `governor`.

use std::cell::Cell;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use super::RateLimit;

/// Token buckets for one kind of key.
///
/// Keys are 64-bit hashes with a random seed, so that they are small and no names are stored. Pruning bounds their
/// number to the keys used within the time that a bucket takes to refill.
///
/// Uses the system clock, or a [`ManualClock`] that each call sets.
#[derive(Debug)]
pub struct Buckets<C: Clock = DefaultClock> {
    limiter: RateLimiter<u64, DashMapStateStore<u64, BuildIdentityHasher>, C, NoOpMiddleware<C::Instant>>,
    clock: C,
    seed: RandomState,
    limit: RateLimit,
}

impl<C: Clock + Clone> Buckets<C> {
    fn with_clock(limit: RateLimit, clock: C) -> Self {
        let quota = Quota::per_second(limit.per_second).allow_burst(limit.burst);
        let store = DashMapStateStore::with_hasher(BuildIdentityHasher::default());
        Self { limiter: RateLimiter::new(quota, store, clock.clone()), clock, seed: RandomState::new(), limit }
    }

    fn take_now(&self, key: impl Hash, tokens: NonZeroU32) -> Result<(), Duration> {
        let key = self.seed.hash_one(key);
        // More tokens than a full bucket holds would never be there.
        let taken = self.limiter.check_key_n(&key, tokens.min(self.limit.burst)).unwrap_or(Ok(()));
        taken.map_err(|not_until| not_until.wait_time_from(self.clock.now()))
    }

    fn prune_now(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }

    /// Returns the limit of each bucket.
    #[must_use]
    pub fn limit(&self) -> RateLimit {
        self.limit
    }

    /// Returns the number of stored keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.limiter.len()
    }

    /// Whether no key is stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.limiter.is_empty()
    }
}

impl Buckets {
    /// Creates full buckets.
    #[must_use]
    pub fn new(limit: RateLimit) -> Self {
        Self::with_clock(limit, DefaultClock::default())
    }

    /// Takes one token from the bucket of `key`.
    ///
    /// # Errors
    /// The time to wait if the bucket is empty.
    pub fn take(&self, key: impl Hash) -> Result<(), Duration> {
        self.take_now(key, NonZeroU32::MIN)
    }

    /// Drops keys whose buckets are full again.
    pub fn prune(&self) {
        self.prune_now();
    }
}

impl Buckets<ManualClock> {
    /// Creates full buckets.
    #[must_use]
    pub fn with_manual_clock(limit: RateLimit) -> Self {
        ManualClock::set(Duration::ZERO);
        Self::with_clock(limit, ManualClock)
    }

    /// Takes tokens from the bucket of `key`, at `now` since the buckets were full. A full bucket has enough for any
    /// number.
    ///
    /// # Errors
    /// The time to wait if the bucket has fewer tokens.
    pub fn take_at(&self, key: impl Hash, tokens: NonZeroU32, now: Duration) -> Result<(), Duration> {
        ManualClock::set(now);
        self.take_now(key, tokens)
    }

    /// Drops keys whose buckets are full again at `now`.
    pub fn prune_at(&self, now: Duration) {
        ManualClock::set(now);
        self.prune_now();
    }
}

thread_local! {
    static NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// A clock that shows the time passed to a call. Each thread has its own, since several threads use the same buckets.
#[derive(Clone, Copy, Debug)]
pub struct ManualClock;

impl ManualClock {
    /// An upper bound for the uptime. A forged time in a log must not overflow.
    const LATEST: Duration = Duration::from_hours(24 * 365 * 100);

    fn set(now: Duration) {
        NOW.set(now.min(Self::LATEST));
    }
}

impl Clock for ManualClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        NOW.get()
    }
}

/// Passes on a key that is already a hash.
#[derive(Debug, Default)]
pub(super) struct IdentityHasher(u64);

type BuildIdentityHasher = BuildHasherDefault<IdentityHasher>;

impl Hasher for IdentityHasher {
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

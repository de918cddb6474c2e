//! Buckets by key, as `governor` keeps them.

use std::cell::Cell;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use super::Limit;

/// Buckets by key, for one kind of key.
///
/// Keys are 64-bit hashes under a random seed: small, of one size, and no name is kept. Bounded by what pruning leaves:
/// keys that were used within the time that a bucket takes to fill up again.
///
/// They go by the system's clock, or by the time that they are [`Given`] with each call.
#[derive(Debug)]
pub struct Buckets<C: Clock = DefaultClock> {
    limiter: RateLimiter<u64, DashMapStateStore<u64, PassThrough>, C, NoOpMiddleware<C::Instant>>,
    clock: C,
    seed: RandomState,
    limit: Limit,
}

impl<C: Clock + Clone> Buckets<C> {
    fn of(limit: Limit, clock: C) -> Self {
        let quota = Quota::per_second(limit.per_second).allow_burst(limit.burst);
        let store = DashMapStateStore::with_hasher(PassThrough::default());
        Self { limiter: RateLimiter::new(quota, store, clock.clone()), clock, seed: RandomState::new(), limit }
    }

    fn take_now(&self, key: impl Hash) -> Result<(), Duration> {
        let key = self.seed.hash_one(key);
        self.limiter.check_key(&key).map_err(|not_until| not_until.wait_time_from(self.clock.now()))
    }

    fn prune_now(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }

    /// The limit that each bucket keeps.
    #[must_use]
    pub fn limit(&self) -> Limit {
        self.limit
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

impl Buckets {
    /// All buckets are full.
    #[must_use]
    pub fn new(limit: Limit) -> Self {
        Self::of(limit, DefaultClock::default())
    }

    /// Takes one from the bucket of `key`.
    ///
    /// # Errors
    /// How long to wait when there is none.
    pub fn take(&self, key: impl Hash) -> Result<(), Duration> {
        self.take_now(key)
    }

    /// Forgets the keys whose buckets are full again.
    pub fn prune(&self) {
        self.prune_now();
    }
}

impl Buckets<Given> {
    /// All buckets are full.
    #[must_use]
    pub fn timed(limit: Limit) -> Self {
        Given::set(Duration::ZERO);
        Self::of(limit, Given)
    }

    /// Takes one from the bucket of `key`, `now` after the buckets were full.
    ///
    /// # Errors
    /// How long to wait when there is none.
    pub fn take_at(&self, key: impl Hash, now: Duration) -> Result<(), Duration> {
        Given::set(now);
        self.take_now(key)
    }

    /// Forgets the keys whose buckets are full again at `now`.
    pub fn prune_at(&self, now: Duration) {
        Given::set(now);
        self.prune_now();
    }
}

thread_local! {
    static NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// A clock that shows what a call was given. Each thread has its own, since several ask the same buckets at a time.
#[derive(Clone, Copy, Debug)]
pub struct Given;

impl Given {
    /// No relay runs for longer. A time that somebody has written into a log must not overflow.
    const LATEST: Duration = Duration::from_hours(24 * 365 * 100);

    fn set(now: Duration) {
        NOW.set(now.min(Self::LATEST));
    }
}

impl Clock for Given {
    type Instant = Duration;

    fn now(&self) -> Duration {
        NOW.get()
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

//! `rate`: how much may be said, by a connection, under a nickname, from an address and in a room.
//!
//! Each of the four has a bucket (GCRA, as `governor` does it): so many at once, so many a second after that. They are
//! asked in that order, narrowest first, so that one loud connection never empties the bucket of its room. A refused
//! message takes nothing from the buckets behind the one that refused it, and trying again does not prolong the wait.

use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use super::{Answer, Filter, Finding};
use crate::model::{Code, Message, Reason, Sender, Verdict};
use crate::settings::{Section, Setting};

/// How much one key may say.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// Messages a second in the long run.
    pub per_second: NonZeroU32,
    /// Messages at once after a silence.
    pub burst: NonZeroU32,
}

impl Limit {
    /// Reads a limit that takes a section of its own.
    pub fn declare(section: &mut Section<'_>, per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        let bounds = || NonZeroU32::MIN..=LARGEST;
        Self {
            per_second: section.read(
                Setting::new("per_second", per_second).doc("How many a second in the long run.").within(bounds()),
            ),
            burst: section.read(Setting::new("burst", burst).doc("How many at once after a silence.").within(bounds())),
        }
    }
}

const LARGEST: NonZeroU32 = non_zero(1_000_000);

const fn non_zero(n: u32) -> NonZeroU32 {
    match NonZeroU32::new(n) {
        Some(n) => n,
        None => NonZeroU32::MIN,
    }
}

/// Rate limits of messages.
#[derive(Clone, Debug)]
pub struct Config {
    /// `false` lifts all of them, and the limits of connections per address.
    pub enabled: bool,
    /// For one connection.
    pub connection: Limit,
    /// For one nickname in one room.
    pub nickname: Limit,
    /// For one address: an IPv4 address or an IPv6 /64.
    pub address: Limit,
    /// For all of a room together.
    pub room: Limit,
}

impl Config {
    /// Reads the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        let mut limit = |key, doc, per_second, burst| {
            Limit::declare(&mut section.section(key, doc), non_zero(per_second), non_zero(burst))
        };
        let connection = limit("connection", "Messages of one connection.", 2, 10);
        let nickname = limit("nickname", "Messages under one nickname in a room.", 2, 10);
        let address = limit("address", "Messages from one address; a conference behind one NAT is one.", 100, 300);
        let room = limit("room", "Messages of a whole room.", 300, 1_000);
        let enabled = section.read(
            Setting::new("enabled", true)
                .doc("`false` lifts message rates and the limits per address: for load tests only.")
                .env(&["RATE_LIMITS"]),
        );
        Self { enabled, connection, nickname, address, room }
    }
}

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
pub struct AlreadyHashed(u64);

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

/// The filter.
#[derive(Debug)]
pub struct Rate {
    limits: Option<Limits>,
}

#[derive(Debug)]
struct Limits {
    connection: Buckets,
    nickname: Buckets,
    address: Buckets,
    room: Buckets,
}

impl Rate {
    /// A filter that keeps these limits.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            limits: config.enabled.then(|| Limits {
                connection: Buckets::new(config.connection),
                nickname: Buckets::new(config.nickname),
                address: Buckets::new(config.address),
                room: Buckets::new(config.room),
            }),
        }
    }
}

impl Limits {
    fn take(&self, message: &Message, sender: &Sender) -> Result<(), (&'static str, Duration)> {
        if let Some(connection) = sender.connection {
            self.connection.take(connection).map_err(|wait| ("from this connection", wait))?;
        }
        let nickname = (&sender.room, LetterCase(&message.author));
        self.nickname.take(nickname).map_err(|wait| ("under this nickname", wait))?;
        self.address.take(sender.address).map_err(|wait| ("from this address", wait))?;
        self.room.take(&sender.room).map_err(|wait| ("in this room", wait))
    }
}

/// Hashes a name without regard to letter case. Look-alikes count as different here: telling them costs more than it is
/// worth, since the limits of connection and address hold all the same.
struct LetterCase<'a>(&'a str);

impl Hash for LetterCase<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // In pieces of a fixed size: one call to the hasher for each byte would be slow, a copy on the heap too.
        for piece in self.0.as_bytes().chunks(32) {
            let mut lower = [0; 32];
            for (to, from) in lower.iter_mut().zip(piece) {
                *to = from.to_ascii_lowercase();
            }
            state.write(&lower);
        }
    }
}

impl Filter for Rate {
    fn name(&self) -> &'static str {
        "rate"
    }

    fn examine(&self, message: &Message, sender: &Sender) -> Answer {
        let taken = self.limits.as_ref().map_or(Ok(()), |limits| limits.take(message, sender));
        Answer::Now(match taken {
            Ok(()) => Finding::PASS,
            Err((whose, wait)) => {
                // Rounded up: who waits the seconds that the text names must not be refused again.
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                let text = format!("too many messages {whose}; try again in {seconds} s");
                let reason = Reason { retry_after: Some(wait), ..Reason::new(Code::RateLimited, text) };
                Verdict::Reject(reason).into()
            }
        })
    }

    fn prune(&self) {
        if let Some(limits) = &self.limits {
            for buckets in [&limits.connection, &limits.nickname, &limits.address, &limits.room] {
                buckets.prune();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::model::{Address, Kind, RoomName, SenderId};

    /// So slow that no test sees a bucket fill up again.
    fn limit(burst: u32) -> Limit {
        Limit { per_second: NonZeroU32::MIN, burst: non_zero(burst) }
    }

    fn rate(connection: u32, nickname: u32, address: u32, room: u32) -> Rate {
        Rate::new(&Config {
            enabled: true,
            connection: limit(connection),
            nickname: limit(nickname),
            address: limit(address),
            room: limit(room),
        })
    }

    fn sender(connection: u64, host: u8, room: &str) -> Sender {
        Sender {
            connection: Some(SenderId(connection)),
            address: Address::from(IpAddr::from([192, 0, 2, host])),
            room: RoomName::parse(room).unwrap(),
        }
    }

    fn refusal(rate: &Rate, author: &str, sender: &Sender) -> Option<String> {
        let message = Message::new(author, Kind::Text { avatar: None, text: "hi".into() });
        match rate.examine(&message, sender) {
            Answer::Now(Finding { verdict: Verdict::Reject(reason), .. }) => {
                assert!(reason.retry_after.is_some_and(|wait| wait > Duration::ZERO && wait <= Duration::from_secs(1)));
                Some(reason.text.into_owned())
            }
            Answer::Now(Finding { verdict: Verdict::Pass, .. }) => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_connection_may_say_its_burst_and_then_must_wait() {
        let rate = rate(3, 100, 100, 100);
        for n in 0..3 {
            assert_eq!(refusal(&rate, &format!("jane{n}"), &sender(1, 1, "QGIS")), None);
        }
        let text = "too many messages from this connection; try again in 1 s";
        assert_eq!(refusal(&rate, "jane3", &sender(1, 1, "QGIS")).as_deref(), Some(text));
        assert_eq!(refusal(&rate, "jane3", &sender(2, 1, "QGIS")), None);
    }

    #[test]
    fn a_nickname_is_limited_over_connections_and_letter_case_but_not_over_rooms() {
        let rate = rate(100, 2, 100, 100);
        assert_eq!(refusal(&rate, "jane", &sender(1, 1, "QGIS")), None);
        assert_eq!(refusal(&rate, "JANE", &sender(2, 2, "QGIS")), None);
        let text = "too many messages under this nickname; try again in 1 s";
        assert_eq!(refusal(&rate, "Jane", &sender(3, 3, "QGIS")).as_deref(), Some(text));
        assert_eq!(refusal(&rate, "Jane", &sender(3, 3, "QField")), None);
    }

    #[test]
    fn an_address_is_limited_over_connections_nicknames_and_rooms() {
        let rate = rate(100, 100, 2, 100);
        assert_eq!(refusal(&rate, "jane", &sender(1, 1, "QGIS")), None);
        assert_eq!(refusal(&rate, "hans", &sender(2, 1, "QField")), None);
        let text = "too many messages from this address; try again in 1 s";
        assert_eq!(refusal(&rate, "mary", &sender(3, 1, "QGIS")).as_deref(), Some(text));
        assert_eq!(refusal(&rate, "mary", &sender(3, 2, "QGIS")), None);
    }

    #[test]
    fn a_room_is_limited_over_all_who_speak_in_it() {
        let rate = rate(100, 100, 100, 2);
        assert_eq!(refusal(&rate, "jane", &sender(1, 1, "QGIS")), None);
        assert_eq!(refusal(&rate, "hans", &sender(2, 2, "QGIS")), None);
        let text = "too many messages in this room; try again in 1 s";
        assert_eq!(refusal(&rate, "mary", &sender(3, 3, "QGIS")).as_deref(), Some(text));
        assert_eq!(refusal(&rate, "mary", &sender(3, 3, "QField")), None);
    }

    #[test]
    fn what_a_loud_connection_is_refused_takes_nothing_from_its_room() {
        let rate = rate(1, 100, 100, 2);
        assert_eq!(refusal(&rate, "jane", &sender(1, 1, "QGIS")), None);
        for _ in 0..10 {
            assert!(refusal(&rate, "jane", &sender(1, 1, "QGIS")).is_some());
        }
        assert_eq!(refusal(&rate, "hans", &sender(2, 2, "QGIS")), None);
    }

    #[test]
    fn a_put_has_no_connection_and_is_limited_by_the_rest() {
        let rate = rate(1, 2, 100, 100);
        let put = Sender { connection: None, ..sender(0, 1, "QGIS") };
        assert_eq!(refusal(&rate, "jane", &put), None);
        assert_eq!(refusal(&rate, "jane", &put), None);
        assert!(refusal(&rate, "jane", &put).is_some());
    }

    #[test]
    fn keys_that_have_gone_quiet_are_forgotten_and_busy_ones_are_not() {
        let fast = Limit { per_second: LARGEST, burst: NonZeroU32::MIN };
        let quiet = Buckets::new(fast);
        let busy = Buckets::new(limit(1));
        for key in 0..1_000_u32 {
            assert!(quiet.take(key).is_ok() && busy.take(key).is_ok());
        }
        // A bucket of the fast kind is full again after a microsecond, which the loop above has taken by itself.
        quiet.prune();
        busy.prune();
        assert_eq!((quiet.len() < 1_000, busy.len()), (true, 1_000));
    }

    #[test]
    fn limits_that_are_switched_off_refuse_nothing() {
        let off = Config { enabled: false, connection: limit(1), nickname: limit(1), address: limit(1), room: limit(1) };
        let rate = Rate::new(&off);
        for _ in 0..100 {
            assert_eq!(refusal(&rate, "jane", &sender(1, 1, "QGIS")), None);
        }
    }
}

//! `rate`: message rate limits per connection, nickname, address and room.
//!
//! Each of the four has a bucket (GCRA, from `governor`) with a burst size and a sustained rate. They are checked in
//! this order, narrowest first, so that a flooding connection never empties the bucket of its room. A refused message
//! takes nothing from the remaining buckets, and retrying does not prolong the wait.
//!
//! Many people may share an address. `PUT` requests, which have no connection, have buckets per address of their own. When the
//! bucket of an address is empty, each of its connections may still send a small share.
//!
//! A message with a large payload, such as an image or a layer, counts as several.
//!
//! Buckets use the time of the message since the start of the relay
//! ([`SenderContext::since_start`](crate::model::SenderContext)), so that a replay refuses the same messages with the
//! same texts.

mod buckets;
mod by_address;

use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

pub use buckets::{Buckets, ManualClock};
pub use by_address::AddressBuckets;

use super::{ClockReading, Filter, FilterAnswer, Finding, Purpose};
use crate::model::{Content, Message, MessageKind, Reason, ReasonCode, Sender, Verdict};
use crate::settings::{Section, Setting};

/// The rate limit of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Sustained rate. Messages per second.
    pub per_second: NonZeroU32,
    /// Burst size after a pause. Messages.
    pub burst: NonZeroU32,
}

impl RateLimit {
    /// Returns a limit so many times as high.
    #[must_use]
    pub fn times(self, multiple: u32) -> Self {
        let times = |n: NonZeroU32| NonZeroU32::new(multiple).map_or(n, |multiple| n.saturating_mul(multiple));
        Self { per_second: times(self.per_second), burst: times(self.burst) }
    }

    /// Reads a limit from a section of its own.
    pub fn declare(section: &mut Section<'_>, per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        let bounds = || NonZeroU32::MIN..=MAX_RATE;
        Self {
            per_second: section.read(
                Setting::new("per_second", per_second).doc("Sustained rate, per second.").within(bounds()).reloads(),
            ),
            burst: section.read(
                Setting::new("burst", burst)
                    .doc("Burst size: how many are allowed at once after a pause.")
                    .within(bounds())
                    .reloads(),
            ),
        }
    }
}

/// A large message, such as an image, counts as one message for each of these bytes.
const BYTES_PER_MESSAGE: usize = 1024 * 1024;

/// The messages that a connection may send although others have emptied the bucket of its address: two, and one more every ten
/// seconds.
const FAIR_SHARE: RateLimit = RateLimit { per_second: non_zero(1), burst: non_zero(20) };
/// What all connections of an address may send by their shares. It takes hundreds of connections to use it up.
const ALL_FAIR_SHARES: RateLimit = RateLimit { per_second: non_zero(50), burst: non_zero(150) };
/// The messages that a message may count as to be sent by a share.
const MAX_FAIR_SHARE_COST: NonZeroU32 = non_zero(2);
/// The tokens of [`FAIR_SHARE`] that a message takes.
const FAIR_SHARE_TOKENS: NonZeroU32 = non_zero(10);

const MAX_RATE: NonZeroU32 = non_zero(1_000_000);

/// Maximum delay between receiving a message and checking its buckets, if an earlier filter was slow. Pruning must not
/// affect the result within it.
const MAX_IN_FLIGHT: Duration = Duration::from_mins(1);

const fn non_zero(n: u32) -> NonZeroU32 {
    match NonZeroU32::new(n) {
        Some(n) => n,
        None => NonZeroU32::MIN,
    }
}

/// Rate limits of messages.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whether rate limits and the limits of connections per address apply.
    pub enabled: bool,
    /// Per connection.
    pub connection: RateLimit,
    /// Per nickname and room.
    pub nickname: RateLimit,
    /// Per address, of its connections: an IPv4 address or an IPv6 /64. Four times as much per /56, 16 times per /48.
    pub address: RateLimit,
    /// Per address, of its `PUT` requests.
    pub put: RateLimit,
    /// Per room.
    pub room: RateLimit,
}

impl Config {
    /// Reads the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        let mut limit = |key, doc, per_second, burst| {
            RateLimit::declare(&mut section.section(key, doc), non_zero(per_second), non_zero(burst))
        };
        let connection = limit("connection", "Messages per connection.", 2, 10);
        let nickname = limit("nickname", "Messages per nickname and room.", 2, 10);
        let address = limit(
            "address",
            "Messages of all connections of an address, which the users behind one NAT share; an IPv6 /56 has 4 times, a \
             /48 16 times the limit. Beyond it, each connection may still send 2 messages, and one more every 10 s.",
            100,
            300,
        );
        let put = limit(
            "put",
            "Messages by PUT per address. They do not count for `address`, so that scripts silence nobody.",
            20,
            100,
        );
        let room = limit("room", "Messages per room.", 300, 1_000);
        let enabled = section.read(
            Setting::new("enabled", true)
                .doc("`false` disables message rate limits and the limits per address. For load tests only.")
                .env(&["RATE_LIMITS"])
                .reloads(),
        );
        Self { enabled, connection, nickname, address, put, room }
    }
}

/// The `rate` filter.
#[derive(Debug)]
pub struct RateFilter {
    enabled: bool,
    connection: Arc<Buckets<ManualClock>>,
    nickname: Arc<Buckets<ManualClock>>,
    address: Arc<AddressBuckets<ManualClock>>,
    fair_share: Arc<Buckets<ManualClock>>,
    all_fair_shares: Arc<AddressBuckets<ManualClock>>,
    put: Arc<AddressBuckets<ManualClock>>,
    room: Arc<Buckets<ManualClock>>,
}

impl RateFilter {
    /// Creates a filter that enforces these limits.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let full = |limit| Arc::new(Buckets::with_manual_clock(limit));
        Self {
            enabled: config.enabled,
            connection: full(config.connection),
            nickname: full(config.nickname),
            address: Arc::new(AddressBuckets::with_manual_clock(config.address)),
            fair_share: full(FAIR_SHARE),
            all_fair_shares: Arc::new(AddressBuckets::with_manual_clock(ALL_FAIR_SHARES)),
            put: Arc::new(AddressBuckets::with_manual_clock(config.put)),
            room: full(config.room),
        }
    }

    /// Returns the same filter with other limits. Buckets of unchanged limits are kept; buckets of changed limits start
    /// full.
    fn with_limits(&self, config: &Config) -> Self {
        let kept = |buckets: &Arc<Buckets<ManualClock>>, limit: RateLimit| {
            if buckets.limit() == limit { Arc::clone(buckets) } else { Arc::new(Buckets::with_manual_clock(limit)) }
        };
        let kept_by_address = |buckets: &Arc<AddressBuckets<ManualClock>>, limit: RateLimit| {
            if buckets.limit() == limit {
                Arc::clone(buckets)
            } else {
                Arc::new(AddressBuckets::with_manual_clock(limit))
            }
        };
        Self {
            enabled: config.enabled,
            connection: kept(&self.connection, config.connection),
            nickname: kept(&self.nickname, config.nickname),
            address: kept_by_address(&self.address, config.address),
            fair_share: Arc::clone(&self.fair_share),
            all_fair_shares: Arc::clone(&self.all_fair_shares),
            put: kept_by_address(&self.put, config.put),
            room: kept(&self.room, config.room),
        }
    }

    fn take(&self, message: &Message, sender: &Sender) -> Result<(), (&'static str, Duration)> {
        let (now, cost) = (sender.context.since_start, cost(message));
        if let Some(connection) = sender.connection {
            self.connection.take_at(connection, cost, now).map_err(|wait| ("from this connection", wait))?;
        }
        // A registration is not yet a message under the nickname, which may belong to somebody else whose bucket it
        // would empty.
        if !matches!(message.kind, MessageKind::Newcomer) {
            let nickname = (&sender.room, CaseInsensitive(&message.author));
            self.nickname.take_at(nickname, cost, now).map_err(|wait| ("under this nickname", wait))?;
        }
        self.take_of_address(sender, cost, now)?;
        self.room.take_at(&sender.room, cost, now).map_err(|wait| ("in this room", wait))
    }

    /// Takes from the bucket of the address, or else from the share of the connection.
    fn take_of_address(
        &self,
        sender: &Sender,
        cost: NonZeroU32,
        now: Duration,
    ) -> Result<(), (&'static str, Duration)> {
        let Some(connection) = sender.connection else {
            let taken = self.put.take_at(sender.address, cost, now);
            return taken.map_err(|wait| ("by PUT from this address", wait));
        };
        let Err(wait) = self.address.take_at(sender.address, cost, now) else { return Ok(()) };
        if cost > MAX_FAIR_SHARE_COST {
            return Err(("from this address", wait));
        }
        let share = self.fair_share.take_at(connection, cost.saturating_mul(FAIR_SHARE_TOKENS), now);
        let share = share.and_then(|()| self.all_fair_shares.take_at(sender.address, cost, now));
        share.map_err(|for_share| ("from this address", wait.min(for_share)))
    }
}

/// Returns the number of messages that a message counts as: one, and one more for each started [`BYTES_PER_MESSAGE`] beyond
/// the first.
fn cost(message: &Message) -> NonZeroU32 {
    let more = message.content().map_or(0, Content::payload_bytes) / BYTES_PER_MESSAGE;
    NonZeroU32::MIN.saturating_add(u32::try_from(more).unwrap_or(u32::MAX))
}

/// Hashes a nickname case-insensitively. Lookalikes count as different: detecting them is not worth the cost, since the
/// limits per connection and address apply as well.
struct CaseInsensitive<'a>(&'a str);

impl Hash for CaseInsensitive<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // In chunks: hashing byte by byte would be slow, and so would a copy on the heap.
        for chunk in self.0.as_bytes().chunks(32) {
            let mut lower = [0; 32];
            for (to, from) in lower.iter_mut().zip(chunk) {
                *to = from.to_ascii_lowercase();
            }
            state.write(&lower);
        }
    }
}

impl Filter for RateFilter {
    fn name(&self) -> &'static str {
        "rate"
    }

    fn examine(&self, message: &Message, sender: &Sender, purpose: Purpose) -> FilterAnswer {
        // A bucket cannot be checked without taking from it.
        if purpose == Purpose::Try || !self.enabled {
            return FilterAnswer::Ready(Finding::PASS);
        }
        FilterAnswer::Ready(match self.take(message, sender) {
            Ok(()) => Finding::PASS,
            Err((scope, wait)) => {
                // Rounded up, so that waiting the stated number of seconds suffices.
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                let text = format!("too many messages {scope}; try again in {seconds} s");
                let reason = Reason { retry_after: Some(wait), ..Reason::new(ReasonCode::RateLimited, text) };
                Verdict::Reject(reason).into()
            }
        })
    }

    fn prune(&self, now: ClockReading) {
        let cutoff = now.since_start.saturating_sub(MAX_IN_FLIGHT);
        for buckets in [&self.connection, &self.nickname, &self.fair_share, &self.room] {
            buckets.prune_at(cutoff);
        }
        for buckets in [&self.address, &self.all_fair_shares, &self.put] {
            buckets.prune_at(cutoff);
        }
    }

    fn reconfigured(&self, config: &super::Config) -> Option<Box<dyn Filter>> {
        Some(Box::new(self.with_limits(&config.rate)))
    }
}

#[cfg(test)]
mod tests;

//! `rate`: how much may be said, by a connection, under a nickname, from an address and in a room.
//!
//! Each of the four has a bucket (GCRA, as `governor` does it): so many at once, so many a second after that. They are
//! asked in that order, narrowest first, so that one loud connection never empties the bucket of its room. A refused
//! message takes nothing from the buckets behind the one that refused it, and trying again does not prolong the wait.
//!
//! The time is that of the message since the start of the relay, [`Facts::since_start`](crate::model::Facts), so that a
//! replay refuses the same messages, with the same words.

mod buckets;

use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

pub use buckets::{Buckets, Given};

use super::{Answer, Filter, Finding, Now, Purpose};
use crate::model::{Code, Kind, Message, Reason, Sender, Verdict};
use crate::settings::{Section, Setting};

/// How much one key may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
                Setting::new("per_second", per_second)
                    .doc("How many a second in the long run.")
                    .within(bounds())
                    .reloads(),
            ),
            burst: section
                .read(Setting::new("burst", burst).doc("How many at once after a silence.").within(bounds()).reloads()),
        }
    }
}

const LARGEST: NonZeroU32 = non_zero(1_000_000);

/// A message may come to its buckets so long after it came to the relay, when a filter before took its time. What it
/// finds must not depend on when was pruned.
const UNDER_WAY: Duration = Duration::from_mins(1);

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
                .env(&["RATE_LIMITS"])
                .reloads(),
        );
        Self { enabled, connection, nickname, address, room }
    }
}

/// The filter.
#[derive(Debug)]
pub struct Rate {
    enabled: bool,
    connection: Arc<Buckets<Given>>,
    nickname: Arc<Buckets<Given>>,
    address: Arc<Buckets<Given>>,
    room: Arc<Buckets<Given>>,
}

impl Rate {
    /// A filter that keeps these limits.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let full = |limit| Arc::new(Buckets::timed(limit));
        Self {
            enabled: config.enabled,
            connection: full(config.connection),
            nickname: full(config.nickname),
            address: full(config.address),
            room: full(config.room),
        }
    }

    /// The same filter with other limits. The buckets of a limit that stays the same are kept as they are; those of
    /// another limit are full.
    fn changed(&self, config: &Config) -> Self {
        let kept = |buckets: &Arc<Buckets<Given>>, limit: Limit| {
            if buckets.limit() == limit { Arc::clone(buckets) } else { Arc::new(Buckets::timed(limit)) }
        };
        Self {
            enabled: config.enabled,
            connection: kept(&self.connection, config.connection),
            nickname: kept(&self.nickname, config.nickname),
            address: kept(&self.address, config.address),
            room: kept(&self.room, config.room),
        }
    }

    fn take(&self, message: &Message, sender: &Sender) -> Result<(), (&'static str, Duration)> {
        let now = sender.facts.since_start;
        if let Some(connection) = sender.connection {
            self.connection.take_at(connection, now).map_err(|wait| ("from this connection", wait))?;
        }
        // Who registers does not speak under the name yet. It may belong to somebody else, whose bucket it would empty.
        if !matches!(message.kind, Kind::Newcomer) {
            let nickname = (&sender.room, LetterCase(&message.author));
            self.nickname.take_at(nickname, now).map_err(|wait| ("under this nickname", wait))?;
        }
        self.address.take_at(sender.address, now).map_err(|wait| ("from this address", wait))?;
        self.room.take_at(&sender.room, now).map_err(|wait| ("in this room", wait))
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

    fn examine(&self, message: &Message, sender: &Sender, purpose: Purpose) -> Answer {
        // A bucket cannot be looked into without taking from it.
        if purpose == Purpose::Try || !self.enabled {
            return Answer::Now(Finding::PASS);
        }
        Answer::Now(match self.take(message, sender) {
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

    fn prune(&self, now: Now) {
        let settled = now.since_start.saturating_sub(UNDER_WAY);
        for buckets in [&self.connection, &self.nickname, &self.address, &self.room] {
            buckets.prune_at(settled);
        }
    }

    fn reconfigured(&self, config: &super::Config) -> Option<Box<dyn Filter>> {
        Some(Box::new(self.changed(&config.rate)))
    }
}

#[cfg(test)]
mod tests;

//! `level`: holds or slows down messages beyond the other filters, at a level that moderators set for a room or
//! everywhere, and code from senders that are not trusted. Always the last filter, so that messages refused by others are
//! neither held nor counted.

mod code;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use self::code::CodePolicy;
use super::{ClockReading, Filter, FilterAnswer, Finding, NewcomerDefinition, Purpose};
use crate::model::{Message, MessageKind, ModerationLevel, Reason, ReasonCode, Sender, Verdict};
use crate::moderation::State;
use crate::settings::{Section, Setting};

/// Maximum number of senders that are remembered. When full, senders that may send again are dropped first.
const MAX_SENDERS: usize = 100_000;

/// Settings of levels.
#[derive(Clone, Debug)]
pub struct Config {
    /// The senders whose messages are held at level `newcomers`.
    pub newcomer: NewcomerDefinition,
    /// What happens to code from senders that are not trusted.
    pub code_from_strangers: CodePolicy,
}

impl Config {
    /// Reads the section of the filter chain.
    pub fn declare(chain: &mut Section<'_>) -> Self {
        let code_from_strangers = chain.read(
            Setting::new("code_from_strangers", CodePolicy::Hold)
                .doc(
                    "What happens to code that others may run, from senders that are not trusted: scripts, processing \
                     models, and layer styles with actions or form code. It is held for a moderator, rejected, or \
                     passed on.",
                )
                .reloads(),
        );
        Self { code_from_strangers, newcomer: NewcomerDefinition::declare(chain) }
    }
}

/// The `level` filter.
#[derive(Debug)]
pub struct LevelFilter {
    state: Arc<State>,
    newcomer: NewcomerDefinition,
    code_from_strangers: CodePolicy,
    hasher: RandomState,
    /// When each sender may send again, as time since the start.
    next_allowed: Arc<NextAllowed>,
}

type NextAllowed = Mutex<HashMap<u64, Duration>>;

impl LevelFilter {
    /// Creates a filter that applies the levels in `state`.
    #[must_use]
    pub fn new(config: &Config, state: Arc<State>) -> Self {
        Self {
            state,
            newcomer: config.newcomer,
            code_from_strangers: config.code_from_strangers,
            hasher: RandomState::new(),
            next_allowed: Arc::default(),
        }
    }

    /// Allows one message per `seconds` for each connection, or each address without a connection, and for each
    /// nickname.
    fn check_slow_mode(&self, message: &Message, sender: &Sender, seconds: u32, purpose: Purpose) -> Verdict {
        let room = &sender.room;
        let source = sender.connection.map_or_else(
            || self.hasher.hash_one((room, sender.address)),
            |connection| self.hasher.hash_one((room, connection)),
        );
        let name = self.hasher.hash_one((room, message.author.to_ascii_lowercase()));
        let now = sender.context.since_start;
        let mut next_allowed = self.next_allowed.lock().unwrap_or_else(PoisonError::into_inner);
        let until = [source, name].iter().filter_map(|key| next_allowed.get(key)).max().copied();
        if let Some(left) = until.and_then(|until| until.checked_sub(now)).filter(|left| !left.is_zero()) {
            let whole = left.as_secs() + u64::from(left.subsec_nanos() > 0);
            let text = format!("one message per {seconds} s is allowed here now; try again in {whole} s");
            return Verdict::Reject(Reason { retry_after: Some(left), ..Reason::new(ReasonCode::RateLimited, text) });
        }
        if purpose == Purpose::Judge {
            if next_allowed.len() >= MAX_SENDERS {
                next_allowed.retain(|_, until| *until > now);
            }
            // If all of them still have to wait, the rate limit of the room protects it.
            if next_allowed.len() < MAX_SENDERS {
                let until = now + Duration::from_secs(seconds.into());
                next_allowed.insert(source, until);
                next_allowed.insert(name, until);
            }
        }
        Verdict::Pass
    }
}

impl Filter for LevelFilter {
    fn name(&self) -> &'static str {
        "level"
    }

    fn examine(&self, message: &Message, sender: &Sender, purpose: Purpose) -> FilterAnswer {
        if matches!(message.kind, MessageKind::Newcomer) {
            return FilterAnswer::Ready(Finding::PASS);
        }
        let code = code::check(self.code_from_strangers, message, sender);
        if code != Verdict::Pass {
            return FilterAnswer::Ready(code.into());
        }
        let hold = |text| Verdict::Hold(Reason::new(ReasonCode::Held, text));
        let now = self.state.time_at(sender.context.since_start);
        let verdict = match self.state.levels().effective(&sender.room, now) {
            ModerationLevel::Newcomers if self.newcomer.covers(&sender.context) => {
                hold("the first messages of newcomers are reviewed at the moment")
            }
            ModerationLevel::Normal | ModerationLevel::Newcomers => Verdict::Pass,
            ModerationLevel::Slow { .. } if sender.context.trusted => Verdict::Pass,
            ModerationLevel::Slow { seconds } => self.check_slow_mode(message, sender, seconds, purpose),
            ModerationLevel::All => hold("all messages here are reviewed at the moment"),
        };
        FilterAnswer::Ready(verdict.into())
    }

    fn reconfigured(&self, config: &super::Config) -> Option<Box<dyn Filter>> {
        Some(Box::new(Self {
            state: Arc::clone(&self.state),
            newcomer: config.level.newcomer,
            code_from_strangers: config.level.code_from_strangers,
            hasher: self.hasher.clone(),
            next_allowed: Arc::clone(&self.next_allowed),
        }))
    }

    fn prune(&self, now: ClockReading) {
        let mut next_allowed = self.next_allowed.lock().unwrap_or_else(PoisonError::into_inner);
        next_allowed.retain(|_, until| *until > now.since_start);
        next_allowed.shrink_to_fit();
    }
}

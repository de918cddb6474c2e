//! `level`: how much is held back or slowed down beyond what the other filters ask for, as moderators have set it for a
//! room or everywhere. Always the last filter: what others refuse is neither held nor counted here.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Answer, Filter, Finding, Now, Purpose};
use crate::model::{Code, Kind, Message, Reason, Sender, Verdict};
use crate::moderation::{Level, State};
use crate::settings::{Section, Setting};

/// Senders that are remembered; beyond that, those who may speak again are forgotten first.
const MAX_SENDERS: usize = 100_000;

/// Settings of levels.
#[derive(Clone, Debug)]
pub struct Config {
    /// At the level `newcomers`, so many messages of each sender are held.
    pub newcomer_messages: u64,
}

impl Config {
    /// Reads the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        Self {
            newcomer_messages: section.read(
                Setting::new("newcomer_messages", 3_u64)
                    .doc("At the level `newcomers`: the first so many of each connection are held, of trusted ones none.")
                    .within(1..=1_000)
                    .reloads(),
            ),
        }
    }
}

/// The filter.
#[derive(Debug)]
pub struct Levelled {
    state: Arc<State>,
    newcomer_messages: u64,
    hasher: RandomState,
    /// Until when each sender has to wait, by the clock that counts from the start.
    waits: Arc<Waits>,
}

type Waits = Mutex<HashMap<u64, Duration>>;

impl Levelled {
    /// A filter that goes by the levels of `state`.
    #[must_use]
    pub fn new(config: &Config, state: Arc<State>) -> Self {
        Self { state, newcomer_messages: config.newcomer_messages, hasher: RandomState::new(), waits: Arc::default() }
    }

    /// Lets a sender speak once in so many seconds, on one connection (or from one address without any) and under one
    /// name.
    fn slow(&self, message: &Message, sender: &Sender, seconds: u32, purpose: Purpose) -> Verdict {
        let room = &sender.room;
        let source = sender.connection.map_or_else(
            || self.hasher.hash_one((room, sender.address)),
            |connection| self.hasher.hash_one((room, connection)),
        );
        let name = self.hasher.hash_one((room, message.author.to_ascii_lowercase()));
        let now = sender.facts.since_start;
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let until = [source, name].iter().filter_map(|key| waits.get(key)).max().copied();
        if let Some(left) = until.and_then(|until| until.checked_sub(now)).filter(|left| !left.is_zero()) {
            let whole = left.as_secs() + u64::from(left.subsec_nanos() > 0);
            let text = format!("one message in {seconds} s is allowed here now; try again in {whole} s");
            return Verdict::Reject(Reason { retry_after: Some(left), ..Reason::new(Code::RateLimited, text) });
        }
        if purpose == Purpose::Judge {
            if waits.len() >= MAX_SENDERS {
                waits.retain(|_, until| *until > now);
            }
            // With that many senders who all have to wait, the room's own rate is what protects it.
            if waits.len() < MAX_SENDERS {
                let until = now + Duration::from_secs(seconds.into());
                waits.insert(source, until);
                waits.insert(name, until);
            }
        }
        Verdict::Pass
    }
}

impl Filter for Levelled {
    fn name(&self) -> &'static str {
        "level"
    }

    fn examine(&self, message: &Message, sender: &Sender, purpose: Purpose) -> Answer {
        if matches!(message.kind, Kind::Newcomer) {
            return Answer::Now(Finding::PASS);
        }
        let hold = |text| Verdict::Hold(Reason::new(Code::Held, text));
        let verdict = match self.state.levels().of(&sender.room, message.at) {
            Level::Newcomers if !sender.facts.trusted && sender.facts.accepted < self.newcomer_messages => {
                hold("the first messages of newcomers are looked at now")
            }
            Level::Normal | Level::Newcomers => Verdict::Pass,
            Level::Slow { .. } if sender.facts.trusted => Verdict::Pass,
            Level::Slow { seconds } => self.slow(message, sender, seconds, purpose),
            Level::All => hold("all messages here are looked at now"),
        };
        Answer::Now(verdict.into())
    }

    fn reconfigured(&self, config: &super::Config) -> Option<Box<dyn Filter>> {
        Some(Box::new(Self {
            state: Arc::clone(&self.state),
            newcomer_messages: config.level.newcomer_messages,
            hasher: self.hasher.clone(),
            waits: Arc::clone(&self.waits),
        }))
    }

    fn prune(&self, now: Now) {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        waits.retain(|_, until| *until > now.since_start);
        waits.shrink_to_fit();
    }
}

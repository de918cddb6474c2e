//! Circuit breakers: a recently changed rule or plugin that refuses too many messages is switched to observe mode.
//!
//! Each message that the chain has judged is recorded once. A breaker counts the addresses with messages that its rule or
//! plugin alone decided to reject, hold or shadow, each address once in a window, so that nobody can trip the breaker of a
//! rule made against him; and the enforced hits of its rule or plugin on trusted senders. Rules and plugins
//! that were changed long ago do not count, and neither do refusals by failed plugins, since `on_failure` is the
//! operator's choice.

mod config;
mod window;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use config::Config;
use jiff::Timestamp;

use super::rules::ActiveRules;
use crate::model::{Actor, Address, Basis, Breaker, Decision, Match, Mode, Outcome, Sender};
use crate::moderation::{Feed, NoteKind};
use crate::sandbox::Library;
use window::{MessageEffect, TripCause, Window};

/// A breaker that has just tripped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrippedBreaker {
    /// The rule or plugin that was switched to observe mode.
    pub actor: Actor,
    /// The reason, to be shown after the name of the rule or plugin.
    pub reason: String,
}

/// The breakers of new rules and plugins.
#[derive(Debug)]
pub struct Breakers {
    config: Config,
    rules: Option<Arc<ActiveRules>>,
    plugins: Option<Arc<Library>>,
    /// Notifies moderators.
    feed: Arc<Feed>,
    /// Number of messages so far.
    message_count: AtomicU64,
    /// Recent activity of new rules and plugins. Locked only when one of them acts.
    windows: Mutex<HashMap<Actor, Window>>,
}

impl Breakers {
    /// Creates breakers for these rules and plugins, if they are in the chain. Trips are announced in `feed`.
    #[must_use]
    pub fn new(
        config: Config,
        rules: Option<Arc<ActiveRules>>,
        plugins: Option<Arc<Library>>,
        feed: Arc<Feed>,
    ) -> Self {
        Self { config, rules, plugins, feed, message_count: AtomicU64::new(0), windows: Mutex::default() }
    }

    /// Records a judged message. Trips the breakers of rules and plugins that have now refused too much, logs this, and
    /// notifies moderators. Call it once per message, and never for trials.
    ///
    /// Takes a few nanoseconds for a message without matches.
    pub fn record(&self, decision: &Decision, sender: &Sender) -> Vec<TrippedBreaker> {
        if !self.config.enabled {
            return Vec::new();
        }
        // The first message has number 1.
        let number = self.message_count.fetch_add(1, Ordering::Relaxed) + 1;
        let decider = decider(decision);
        if decider.is_none() && !sender.context.trusted {
            return Vec::new();
        }
        let mut tripped = Vec::new();
        for matched in decision.trace.iter().filter_map(|step| step.matched.as_ref()) {
            let effect = MessageEffect {
                refused: decider.is_some_and(|decider| std::ptr::eq(decider, matched)),
                hit_trusted: sender.context.trusted && matched.requested != Outcome::Pass && !is_failure(matched),
            };
            // In observe mode there is nothing to switch off.
            if effect != MessageEffect::default() && matched.mode == Mode::Enforce {
                tripped.extend(self.record_effect(matched, effect, number, (decision, sender.address)));
            }
        }
        tripped
    }

    /// Drops the counts of rules and plugins that are no longer new, have changed, or are gone.
    pub fn prune(&self, now: Timestamp) {
        self.lock().retain(|actor, window| {
            window.breaker.is_new(now, self.config.within)
                && self.breaker(actor).is_some_and(|breaker| Arc::ptr_eq(&breaker, &window.breaker))
        });
    }

    fn record_effect(
        &self,
        matched: &Match,
        effect: MessageEffect,
        number: u64,
        (decision, address): (&Decision, Address),
    ) -> Option<TrippedBreaker> {
        let at = decision.message.at;
        let actor = matched.basis.actor()?;
        let breaker = self.breaker(&actor)?;
        // Ignore what is not new, messages that an earlier version judged, and breakers that have tripped.
        if !breaker.is_new(at, self.config.within) || at < breaker.in_force_since() || breaker.tripped_at().is_some() {
            return None;
        }
        let mut windows = self.lock();
        let window = windows.entry(actor.clone()).or_insert_with(|| Window::new(Arc::clone(&breaker)));
        if !Arc::ptr_eq(&window.breaker, &breaker) {
            *window = Window::new(Arc::clone(&breaker));
        }
        // Other threads may have counted further messages.
        let seen = self.message_count.load(Ordering::Relaxed);
        let exceeded = window.record(effect, address, number, seen, &self.config)?;
        windows.remove(&actor);
        // Another thread may have tripped it since the check above. Only the first one announces it.
        let is_first = breaker.trip(at);
        drop(windows);
        is_first.then(|| self.announce_trip(actor, &exceeded, seen))
    }

    fn announce_trip(&self, actor: Actor, exceeded: &TripCause, seen: u64) -> TrippedBreaker {
        let last = seen.min(self.config.messages);
        let reason = match exceeded {
            TripCause::Refused(count) => {
                format!("it refused messages from {count} addresses among the last {last} messages")
            }
            TripCause::TrustedHits(count) => {
                format!("it hit {count} messages of trusted senders among the last {last}")
            }
        };
        let hours = self.config.within.as_secs() / 3_600;
        tracing::warn!(%actor, reason, "breaker tripped");
        let (kind, name) = (actor.kind(), actor.name());
        let text = format!(
            "{actor} only observes until it is changed: {reason}, and was changed less than {hours} h ago; POST \
             {{\"{kind}\": \"{name}\"}} to /moderation/breakers/reset puts it in force again",
        );
        let plugin = match &actor {
            Actor::Plugin(name) => Some(Arc::clone(name)),
            _ => None,
        };
        self.feed.note(NoteKind::BreakerTripped, &text, plugin);
        TrippedBreaker { actor, reason }
    }

    /// Closes the breaker of a rule or plugin, which is in force again, and forgets its counts. Returns `false` if it has
    /// not tripped or there is no such rule or plugin.
    pub fn reset(&self, actor: &Actor) -> bool {
        let mut windows = self.lock();
        windows.remove(actor);
        let is_reset = self.breaker(actor).is_some_and(|breaker| breaker.reset());
        drop(windows);
        if is_reset {
            tracing::info!(%actor, "breaker reset");
        }
        is_reset
    }

    /// Whether the breaker of a rule or plugin has tripped.
    #[must_use]
    pub fn is_tripped(&self, actor: &Actor) -> bool {
        self.breaker(actor).is_some_and(|breaker| breaker.tripped_at().is_some())
    }

    fn breaker(&self, actor: &Actor) -> Option<Arc<Breaker>> {
        match actor {
            Actor::Rule(id) => self.rules.as_ref()?.get().breaker(id).map(Arc::clone),
            Actor::Plugin(name) => {
                self.plugins.as_ref()?.current().entry(name).map(|entry| Arc::clone(entry.breaker()))
            }
            Actor::Moderator(_) | Actor::Relay => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Actor, Window>> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the match that decided to reject, hold or shadow a message, unless a plugin failed.
fn decider(decision: &Decision) -> Option<&Match> {
    if matches!(decision.outcome, Outcome::Pass | Outcome::Replace) {
        return None;
    }
    decision.deciding_match().filter(|matched| !is_failure(matched))
}

fn is_failure(matched: &Match) -> bool {
    matches!(matched.basis, Basis::Plugin { failure: Some(_), .. })
}

#[cfg(test)]
mod tests;

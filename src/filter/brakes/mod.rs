//! Brakes: a rule or plugin that was changed lately and refuses too much only observes from then on.
//!
//! Each judged message comes by here once. Counted is what the one refused that decided (rejected, held or shadowed),
//! and who hits trusted senders. What was changed long ago is not counted, and what a plugin refuses because it failed
//! is not either: `on_failure` is the operator's own choice.

mod config;
mod window;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use config::Config;
use jiff::Timestamp;

use super::rules::Current;
use crate::model::{Basis, Brake, Cause, Code, Decision, Match, Mode, Outcome, Sender};
use crate::moderation::{Feed, Kind};
use crate::sandbox::Library;
use window::{Did, TooMuch, Window};

/// A brake that was pulled just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulled {
    /// Whose: a rule's or a plugin's.
    pub cause: Cause,
    /// Why, in words that go on from its name.
    pub why: String,
}

/// Watches the rules and plugins that are new.
#[derive(Debug)]
pub struct Brakes {
    config: Config,
    rules: Option<Arc<Current>>,
    plugins: Option<Arc<Library>>,
    /// Where moderators are told.
    feed: Arc<Feed>,
    /// How many messages there were, all told.
    seen: AtomicU64,
    /// Of what is new and has done something. Taken only when such a one does.
    windows: Mutex<HashMap<Cause, Window>>,
}

impl Brakes {
    /// Brakes for these rules and plugins, as far as they are in the chain. What is pulled is noted in `feed`.
    #[must_use]
    pub fn new(config: Config, rules: Option<Arc<Current>>, plugins: Option<Arc<Library>>, feed: Arc<Feed>) -> Self {
        Self { config, rules, plugins, feed, seen: AtomicU64::new(0), windows: Mutex::default() }
    }

    /// Takes note of a judged message, once. Pulls the brake of who has done too much by that, and tells the log and
    /// the moderators. What is only tried must not come here.
    ///
    /// Costs some nanoseconds for a message that nothing matched.
    pub fn note(&self, decision: &Decision, sender: &Sender) -> Vec<Pulled> {
        if !self.config.enabled {
            return Vec::new();
        }
        // Numbers begin with 1.
        let number = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        let decider = decider(decision);
        if decider.is_none() && !sender.facts.trusted {
            return Vec::new();
        }
        let mut pulled = Vec::new();
        for matched in decision.trace.iter().filter_map(|step| step.matched.as_ref()) {
            let did = Did {
                refused: decider.is_some_and(|decider| std::ptr::eq(decider, matched)),
                hit_trusted: sender.facts.trusted && matched.asked != Outcome::Pass && !is_failure(matched),
            };
            // What observes anyway has no force to lose.
            if did != Did::default() && matched.mode == Mode::Enforce {
                pulled.extend(self.did(matched, did, number, decision));
            }
        }
        pulled
    }

    /// Puts in force again what a brake holds back, as if it had refused nothing yet; `false` when none does. As long
    /// as it is new, its brake may be pulled again.
    pub fn release(&self, cause: &Cause) -> bool {
        let released = self.brake(cause).is_some_and(|brake| {
            let mut windows = self.lock();
            windows.remove(cause);
            brake.release()
        });
        if released {
            tracing::info!(%cause, "a brake is released");
        }
        released
    }

    /// Forgets what it counted of those that are new no longer, are written otherwise now, or are gone.
    pub fn prune(&self, now: Timestamp) {
        self.lock().retain(|cause, window| {
            window.brake.is_new(now, self.config.within)
                && self.brake(cause).is_some_and(|brake| Arc::ptr_eq(&brake, &window.brake))
        });
    }

    fn did(&self, matched: &Match, did: Did, number: u64, decision: &Decision) -> Option<Pulled> {
        let at = decision.message.at;
        let cause = matched.basis.cause()?;
        let brake = self.brake(&cause)?;
        // What was judged by what stood there before is not held against it.
        if !brake.is_new(at, self.config.within) || at < brake.since() || brake.pulled().is_some() {
            return None;
        }
        let mut windows = self.lock();
        let window = windows.entry(cause.clone()).or_insert_with(|| Window::new(Arc::clone(&brake)));
        if !Arc::ptr_eq(&window.brake, &brake) {
            *window = Window::new(Arc::clone(&brake));
        }
        // Others may have come meanwhile.
        let seen = self.seen.load(Ordering::Relaxed);
        let too_much = window.note(did, number, seen, &self.config)?;
        windows.remove(&cause);
        // While the windows are locked, so that it is pulled and told once.
        let is_first = brake.pull(at);
        drop(windows);
        is_first.then(|| self.tell(cause, &too_much, seen))
    }

    fn tell(&self, cause: Cause, too_much: &TooMuch, seen: u64) -> Pulled {
        let last = seen.min(self.config.messages);
        let why = match too_much {
            TooMuch::Refused(count) => format!("it refused {count} of the last {last} messages"),
            TooMuch::Trusted(count) => format!("it hit {count} messages of trusted senders among the last {last}"),
        };
        let hours = self.config.within.as_secs() / 3_600;
        tracing::warn!(%cause, why, "a brake is pulled");
        let text = format!(
            "{cause} only observes from now on, until it is changed: {why}, and was changed less than {hours} h ago"
        );
        let plugin = match &cause {
            Cause::Plugin(name) => Some(Arc::clone(name)),
            _ => None,
        };
        self.feed.note(Kind::BrakePulled, &text, plugin);
        Pulled { cause, why }
    }

    fn brake(&self, cause: &Cause) -> Option<Arc<Brake>> {
        match cause {
            Cause::Rule(id) => self.rules.as_ref()?.get().brake(id).map(Arc::clone),
            Cause::Plugin(name) => self.plugins.as_ref()?.current().entry(name).map(|entry| Arc::clone(entry.brake())),
            Cause::Moderator(_) | Cause::Relay => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Cause, Window>> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a message was refused for: the first of the strongest matches in force of the filter that decided.
fn decider(decision: &Decision) -> Option<&Match> {
    let by = decision.by?;
    if matches!(decision.outcome, Outcome::Pass | Outcome::Replace) {
        return None;
    }
    let own = decision.trace.iter().filter(|step| step.filter == by).filter_map(|step| step.matched.as_ref());
    let mut own = own.filter(|matched| matched.mode == Mode::Enforce && !matched.exempt);
    let decider = if decision.reason.as_ref().is_some_and(|reason| reason.code == Code::Suspicious) {
        // The rule whose turn it was when too many had run.
        own.next_back()
    } else {
        own.reduce(
            |strongest, other| if other.asked.strength() > strongest.asked.strength() { other } else { strongest },
        )
    };
    decider.filter(|matched| !is_failure(matched))
}

fn is_failure(matched: &Match) -> bool {
    matches!(matched.basis, Basis::Plugin { failure: Some(_), .. })
}

#[cfg(test)]
mod tests;

//! The rules in force, and how they are replaced while the relay runs.

use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;

use super::input::RuleInput;
use super::memory::Memory;
use super::reload_error::{LastReloadError, RulesReloadError};
use super::{RuleSet, RulesSource};
use crate::filter::{ClockReading, Filter, FilterAnswer, FilterParts, Finding, Purpose};
use crate::model::{Message, Sender};
use crate::moderation::{Feed, NoteKind};
use crate::settings::ConfigError;

/// The file name that errors and matches show for hypothetical rules.
pub const WHAT_IF_FILE_NAME: &str = "what-if";

/// The rules in force. Each message is judged by one set from start to end, even if the set is replaced meanwhile.
#[derive(Debug)]
pub struct ActiveRules {
    source: RwLock<RulesSource>,
    set: RwLock<Arc<RuleSet>>,
    last_reload_error: LastReloadError,
    /// Recent messages. Kept when the rules change.
    memory: Memory,
    /// Where raids are reported.
    feed: Arc<Feed>,
}

impl ActiveRules {
    /// Puts `rules`, which were loaded from `source`, in force. Raids are reported in `feed`.
    #[must_use]
    pub fn new(source: RulesSource, mut rules: RuleSet, feed: Arc<Feed>) -> Self {
        rules.init_breakers(Timestamp::now());
        let (source, set) = (RwLock::new(source), RwLock::new(Arc::new(rules)));
        Self { source, set, last_reload_error: LastReloadError::default(), memory: Memory::new(), feed }
    }

    /// Seeds the comparison of similar texts with the name of a run, so that a replay of the run compares alike.
    ///
    /// The name must be random and secret. Somebody who knows it could craft texts that are taken for similar.
    #[must_use]
    pub fn seeded_by(self, run: &str) -> Self {
        Self { memory: Memory::seeded_by(run), ..self }
    }

    /// Returns other rules with the same seed and an empty memory, to see what they would have done.
    #[must_use]
    pub fn alongside(&self, rules: RuleSet) -> Self {
        let (source, set) = (RwLock::new(self.source()), RwLock::new(Arc::new(rules)));
        let (last_reload_error, memory) = (LastReloadError::default(), self.memory.emptied_copy());
        Self { source, set, last_reload_error, memory, feed: Arc::default() }
    }

    /// Returns the same rules with an empty memory. They share their hit counters with these.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self { set: RwLock::new(self.get()), ..self.alongside(RuleSet::default()) }
    }

    /// Returns where the rules are loaded from, with the preset chosen last.
    #[must_use]
    pub fn source(&self) -> RulesSource {
        self.source.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets where rules are loaded from.
    pub(in crate::filter) fn set_source(&self, source: RulesSource) {
        *self.source.write().unwrap_or_else(PoisonError::into_inner) = source;
    }

    /// Loads the rules with those in `text` before them, without putting them in force. Matches show
    /// [`WHAT_IF_FILE_NAME`] as the file of the rules in `text`. Rules with a tripped breaker observe. Reads the
    /// current files and blocks; see [`RuleSet::load_with_extra`].
    ///
    /// # Errors
    /// All errors of `text`, and of the files if they have changed since they were loaded.
    pub fn with_extra(&self, text: &str) -> Result<RuleSet, Vec<ConfigError>> {
        let source = self.source();
        let mut rules = source.load_with_extra((WHAT_IF_FILE_NAME, text))?;
        if source.stamps().is_file_missing() && !self.get().stamps().is_file_missing() {
            return Err(vec![source.missing_file_error()]);
        }
        rules.share_breakers_with(&self.get());
        Ok(rules)
    }

    /// Returns the rules in force.
    #[must_use]
    pub fn get(&self) -> Arc<RuleSet> {
        Arc::clone(&self.set.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts other rules in force. Unchanged rules keep their hit counters and breakers. Must not be called
    /// concurrently.
    pub fn adopt(&self, mut rules: RuleSet) {
        rules.inherit_from(&self.get(), Timestamp::now());
        let new = Arc::new(rules);
        let old = std::mem::replace(&mut *self.set.write().unwrap_or_else(PoisonError::into_inner), new);
        self.last_reload_error.clear();
        // Dropping a large set takes a while, so the lock is released first.
        drop(old);
    }

    /// Returns why the newest files are not in force; `None` when they are.
    #[must_use]
    pub fn last_reload_error(&self) -> Option<Arc<RulesReloadError>> {
        self.last_reload_error.get()
    }

    /// Records that the newest files are not in force. Returns `false` if the errors are the same as before.
    pub fn record_reload_error(&self, errors: Vec<String>) -> bool {
        self.last_reload_error.record(errors)
    }
}

impl Filter for Arc<ActiveRules> {
    fn name(&self) -> &'static str {
        "rules"
    }

    fn examine(&self, message: &Message, sender: &Sender, purpose: Purpose) -> FilterAnswer {
        if self.get().is_slow_for(message) {
            return examine_elsewhere(Arc::clone(self), message.clone(), sender.clone(), purpose);
        }
        FilterAnswer::Ready(self.examine_now(message, sender, purpose))
    }

    fn parts(&self) -> FilterParts {
        FilterParts::Rules { set: self.get(), refused: self.last_reload_error() }
    }

    fn prune(&self, now: ClockReading) {
        self.memory.prune(now.at);
    }
}

/// Examines a message on a blocking thread: searching a long text, or comparing a large layer with an area, takes up to
/// seconds.
fn examine_elsewhere(rules: Arc<ActiveRules>, message: Message, sender: Sender, purpose: Purpose) -> FilterAnswer {
    FilterAnswer::Pending(Box::pin(async move {
        let examined = tokio::task::spawn_blocking(move || rules.examine_now(&message, &sender, purpose)).await;
        examined.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }))
}

impl ActiveRules {
    fn examine_now(&self, message: &Message, sender: &Sender, purpose: Purpose) -> Finding {
        let rules = self.get();
        let evaluation = rules.evaluate(&RuleInput {
            message,
            sender,
            memory: Some(&self.memory),
            purpose,
            ignore_rooms_and_hours: false,
        });
        for rule in &evaluation.raids {
            let (room, id, source) = (sender.room.as_str(), &rule.id, &rule.source);
            let text = format!("many senders post nearly the same text in room {room} (rule {id}, {source})");
            self.feed.note(NoteKind::Raid, &text, None);
        }
        evaluation.finding
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::filter::rules::{Preset, RuleStats, RulesContext};
    use crate::fixtures::{message, sender};
    use crate::model::Outcome;

    fn rules(word: &str) -> RuleSet {
        let text = format!("[[rule]]\nid = 'r'\nwords = ['{word}']\nverdict = 'reject'");
        RuleSet::load(Path::new("rules.toml"), &text, Path::new(""), &instance()).unwrap()
    }

    fn instance() -> RulesContext {
        RulesContext { preset: Preset::Off, ..RulesContext::default() }
    }

    fn current() -> Arc<ActiveRules> {
        let source = RulesSource { file: None, context: instance() };
        Arc::new(ActiveRules::new(source, rules("casino"), Arc::default()))
    }

    fn judge(rules: &Arc<ActiveRules>, purpose: Purpose) -> Outcome {
        match rules.examine(&message("jane", "the casino"), &sender(), purpose) {
            FilterAnswer::Ready(finding) => finding.verdict.outcome(),
            later @ FilterAnswer::Pending(_) => panic!("{later:?}"),
        }
    }

    #[test]
    fn adopted_rules_take_effect_immediately() {
        let current = current();
        assert_eq!(judge(&current, Purpose::Judge), Outcome::Reject);
        let before = current.get();
        current.adopt(rules("poker"));
        assert_eq!(judge(&current, Purpose::Judge), Outcome::Pass);
        assert_eq!(before.stats().next().unwrap().hits, 1);
        assert_eq!(current.get().stats().next().unwrap().hits, 0);
    }

    #[test]
    fn a_rule_counts_its_hits_but_no_trials() {
        let current = current();
        let figures = || {
            let rules = current.get();
            let mut all = rules.stats().map(|RuleStats { hits, last_hit, .. }| (hits, last_hit.is_some()));
            all.next().unwrap()
        };
        assert_eq!(judge(&current, Purpose::Try), Outcome::Reject);
        assert_eq!(figures(), (0, false));
        assert_eq!(judge(&current, Purpose::Judge), Outcome::Reject);
        assert_eq!(judge(&current, Purpose::Judge), Outcome::Reject);
        assert_eq!(figures(), (2, true));
    }
}

//! Carries over the hit counters and breakers of unchanged rules to the next set.

use std::sync::Arc;

use jiff::Timestamp;

use super::RuleSet;
use super::rule::Rule;
use crate::model::Breaker;

impl RuleSet {
    /// Initialises the breakers of the first set: the operator's rules date from the last change of their files,
    /// starter rules count as unchanged.
    pub(super) fn init_breakers(&mut self, now: Timestamp) {
        // Without a date, treat the rules as new.
        let modified = self.stamps.last_modified().unwrap_or(now);
        for rule in &mut self.rules {
            let counts_as_old = rule.is_starter || rule.has_no_breaker;
            rule.breaker = Arc::new(if counts_as_old { Breaker::default() } else { Breaker::new(modified, now) });
        }
    }

    /// Inherits counters and breakers of unchanged rules from `before`. All other rules count as changed now.
    pub(super) fn inherit_from(&mut self, before: &Self, now: Timestamp) {
        for rule in &mut self.rules {
            match before.rule(&rule.id) {
                Some(old) if old.digest == rule.digest => {
                    rule.hits = Arc::clone(&old.hits);
                    rule.breaker = Arc::clone(&old.breaker);
                }
                // Counts as old for ever, so its breaker never trips.
                Some(_) | None if rule.has_no_breaker => rule.breaker = Arc::new(Breaker::default()),
                Some(_) | None => rule.breaker = Arc::new(Breaker::new(now, now)),
            }
        }
    }

    /// Shares the breakers of unchanged rules with `now`, so that hypothetical rules observe where those in force do.
    pub(super) fn share_breakers_with(&mut self, now: &Self) {
        for rule in &mut self.rules {
            if let Some(same) = now.rule(&rule.id).filter(|same| same.digest == rule.digest) {
                rule.breaker = Arc::clone(&same.breaker);
            }
        }
    }

    /// Returns the breaker of the rule with this id.
    #[must_use]
    pub fn breaker(&self, id: &str) -> Option<&Arc<Breaker>> {
        self.rule(id).map(|rule| &rule.breaker)
    }

    /// Returns the digest of the rule with this id. It stays the same as long as the rule does, also after a restart.
    #[must_use]
    pub fn digest(&self, id: &str) -> Option<u64> {
        self.rule(id).map(|rule| rule.digest)
    }

    fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.get(*self.index_by_id.get(id)?)
    }
}

//! What a rule takes over from the set before, when it is written as it was: its figures and its brake.

use std::sync::Arc;

use jiff::Timestamp;

use super::Rules;
use super::rule::Rule;
use crate::model::Brake;

impl Rules {
    /// The first set of all: rules of the operator's files were changed when these files were, and starter rules never.
    pub(super) fn begin(&mut self, now: Timestamp) {
        // Where no date can be had, it is better to take a rule for new.
        let written = self.prints.newest().unwrap_or(now);
        for rule in &mut self.rules {
            rule.brake = Arc::new(if rule.is_starter { Brake::default() } else { Brake::new(written, now) });
        }
    }

    /// Takes the place of `before`: what is written as it was there goes on as it is, and the rest was changed now.
    pub(super) fn succeed(&mut self, before: &Self, now: Timestamp) {
        for rule in &mut self.rules {
            match before.rule(&rule.id) {
                Some(old) if old.content == rule.content => {
                    rule.hits = Arc::clone(&old.hits);
                    rule.brake = Arc::clone(&old.brake);
                }
                Some(_) | None => rule.brake = Arc::new(Brake::new(now, now)),
            }
        }
    }

    /// Has rules that are only thought of observe where those of `now` do, and are written as they are.
    pub(super) fn observe_as(&mut self, now: &Self) {
        for rule in &mut self.rules {
            if let Some(same) = now.rule(&rule.id).filter(|same| same.content == rule.content) {
                rule.brake = Arc::clone(&same.brake);
            }
        }
    }

    /// The brake of the rule of this id.
    #[must_use]
    pub fn brake(&self, id: &str) -> Option<&Arc<Brake>> {
        self.rule(id).map(|rule| &rule.brake)
    }

    /// What tells whether the rule of this id is written as it was: the same number then, also after a restart.
    #[must_use]
    pub fn content(&self, id: &str) -> Option<u64> {
        self.rule(id).map(|rule| rule.content)
    }

    fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.get(*self.numbers.get(id)?)
    }
}

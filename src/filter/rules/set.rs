//! A compiled set of rules.

use std::collections::HashMap;
use std::sync::Arc;

use super::document::{Field, Preset};
use super::hits::RuleStats;
use super::matcher::Matcher;
use super::rule::Rule;
use super::stamps::RulesFileStamps;
use crate::model::{Mode, Outcome};

/// A compiled set of rules: those of the operator's file in order, then the starter rules. Empty by default.
#[derive(Debug, Default)]
pub struct RuleSet {
    pub(super) rules: Vec<Rule>,
    /// The position of each rule, by id.
    pub(super) index_by_id: HashMap<Arc<str>, usize>,
    pub(super) text: Matcher,
    pub(super) nickname: Matcher,
    /// The fewest letters for which a rule checks repetition; `None` if no rule does.
    pub(super) min_recall_letters: Option<u32>,
    /// Whether any rule checks places.
    pub(super) has_places: bool,
    pub(super) preset: Preset,
    /// The preset set in the file, if any.
    pub(super) file_preset: Option<Preset>,
    /// Number of the operator's own rules.
    pub(super) own_count: usize,
    /// The stamps of the files when they were read; empty for a set that was not loaded from files.
    pub(super) stamps: RulesFileStamps,
}

impl RuleSet {
    /// Returns the number of rules.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether the set has no rules.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Returns the number of the operator's own rules, without starter rules.
    #[must_use]
    pub fn own_count(&self) -> usize {
        self.own_count
    }

    /// Returns the preset of the starter rules.
    #[must_use]
    pub fn preset(&self) -> Preset {
        self.preset
    }

    /// Returns the hit counters of each rule in order.
    pub fn stats(&self) -> impl Iterator<Item = RuleStats<'_>> {
        self.rules.iter().map(Rule::stats)
    }

    /// Returns the clauses that a rule in force enforces, each with the id of the rule. Skips hidden rules and those
    /// that only label.
    pub fn enforced_clauses(&self) -> impl Iterator<Item = (&str, &str)> {
        let visible = self
            .rules
            .iter()
            .filter(|rule| rule.mode() == Mode::Enforce && rule.outcome != Outcome::Pass && !rule.is_hidden);
        visible.filter_map(|rule| rule.clause.as_deref().map(|clause| (clause, &*rule.id)))
    }

    /// Returns the stamps of the files from which the set was loaded.
    #[must_use]
    pub fn stamps(&self) -> &RulesFileStamps {
        &self.stamps
    }

    pub(super) fn matcher(&self, field: Field) -> &Matcher {
        match field {
            Field::Text => &self.text,
            Field::Nickname => &self.nickname,
        }
    }
}

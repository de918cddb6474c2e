//! A compiled set of rules.

use std::collections::HashMap;
use std::sync::Arc;

use super::document::{ByField, Field, Preset};
use super::hits::RuleStats;
use super::matcher::Matcher;
use super::rule::Rule;
use super::stamps::RulesFileStamps;
use super::texts;
use crate::filter::NewcomerDefinition;
use crate::model::{Content, Message, Mode, Outcome};

/// A compiled set of rules: those of the operator's file in order, then the starter rules. Empty by default.
#[derive(Debug, Default)]
pub struct RuleSet {
    pub(super) rules: Vec<Rule>,
    /// The position of each rule, by id.
    pub(super) index_by_id: HashMap<Arc<str>, usize>,
    pub(super) matchers: ByField<Matcher>,
    /// The fewest letters for which a rule checks repetition; `None` if no rule does.
    pub(super) min_recall_letters: Option<u32>,
    /// Whether any rule compares places with areas.
    pub(super) has_areas: bool,
    pub(super) newcomer: NewcomerDefinition,
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
        self.matchers.get(field)
    }

    /// Whether examining this message takes long: it has long texts that rules check, or a layer to compare with areas.
    pub(super) fn is_slow_for(&self, message: &Message) -> bool {
        let checks_contents = || {
            let contents = Field::ALL.into_iter().filter(|field| field.is_in_contents());
            contents.into_iter().any(|field| !self.matcher(field).is_idle())
        };
        let is_layer = matches!(message.content(), Some(Content::GeoJson(_)));
        (self.has_areas && is_layer) || (texts::are_long(message) && checks_contents())
    }
}

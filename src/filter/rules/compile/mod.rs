//! Compiles the entries of rules files into rules: checks how values combine, and their limits.

mod cases;
mod checks;
mod names;
mod patterns;
mod places;
mod values;
mod words;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::conditions::PlaceCondition;
use super::document::{ByField, RuleEntry, RuleKind, digest};
use super::hits::HitCounters;
use super::rule::Rule;
use super::set::RuleSet;
use super::{RulesContext, starter};
use crate::model::{Breaker, Mode, Outcome};
use crate::settings::FileErrors;
use cases::RuleCase;
use names::{NAME_HELP, is_name};
use patterns::MatcherBuilder;

const MAX_RULES: usize = 1_000;

/// A rules file to compile.
pub(super) struct RuleFile<'p> {
    /// The path shown in errors and matches.
    pub(super) path: &'p Path,
    /// The folder of its words files.
    pub(super) base: &'p Path,
}

/// Compiles the entries of several files into one set.
pub(super) struct RuleCompiler<'a> {
    instance: &'a RulesContext,
    clauses: Vec<&'a str>,
    rules: Vec<Rule>,
    matchers: ByField<MatcherBuilder>,
    cases: Vec<RuleCase>,
    /// The line of the first rule with each id.
    ids: HashMap<String, usize>,
    /// Number of files added.
    file_count: usize,
}

impl<'a> RuleCompiler<'a> {
    pub(super) fn new(instance: &'a RulesContext) -> Self {
        let clauses = instance.clauses.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        Self {
            instance,
            clauses,
            rules: Vec::new(),
            matchers: ByField::default(),
            cases: Vec::new(),
            ids: HashMap::new(),
            file_count: 0,
        }
    }

    /// Whether a rule with this id was added.
    pub(super) fn has_rule(&self, id: &str) -> bool {
        self.ids.contains_key(id)
    }

    /// Returns the number of valid rules so far.
    pub(super) fn len(&self) -> usize {
        self.rules.len()
    }

    /// Adds the entries of a file. Stops at the first entry beyond a limit.
    pub(super) fn add_file(&mut self, file: &RuleFile<'_>, entries: Vec<RuleEntry>, errors: &mut FileErrors<'_>) {
        self.matchers.values_mut().for_each(MatcherBuilder::reset_count);
        self.file_count += 1;
        for (index, entry) in entries.into_iter().enumerate() {
            if index == MAX_RULES {
                errors.add(entry.line, format!("more than {MAX_RULES} rules"));
                break;
            }
            self.add_rule(file, entry, errors);
            if self.matchers.values().any(MatcherBuilder::is_full) {
                break;
            }
        }
    }

    /// Builds the set and runs the cases of its rules. `errors` has one element per file, in the order in which the
    /// files were added.
    pub(super) fn finish(self, errors: &mut [FileErrors<'_>]) -> RuleSet {
        let mut build_errors = Vec::new();
        let matchers = self.matchers.map(|builder| builder.build(&mut build_errors));
        if let Some(first) = errors.first_mut() {
            for error in build_errors {
                first.add(0, error);
            }
        }
        let min_recall_letters = self.rules.iter().filter_map(Rule::min_recall_letters).min();
        let has_areas = self.rules.iter().any(|rule| rule.place.as_ref().is_some_and(PlaceCondition::has_area));
        let index_by_id = self.rules.iter().enumerate().map(|(number, rule)| (Arc::clone(&rule.id), number)).collect();
        let rules = RuleSet {
            rules: self.rules,
            index_by_id,
            matchers,
            min_recall_letters,
            has_areas,
            newcomer: self.instance.newcomer,
            ..RuleSet::default()
        };
        if errors.iter().any(|errors| !errors.is_empty()) {
            // An invalid rule may have left patterns behind under the number of the next rule.
            return rules;
        }
        for (file, errors) in (1..).zip(errors) {
            cases::run(&rules, self.cases.iter().filter(|case| case.file == file), errors);
        }
        rules
    }

    fn add_rule(&mut self, file: &RuleFile<'_>, mut entry: RuleEntry, errors: &mut FileErrors<'_>) {
        let number = self.rules.len();
        let id = self.id(&entry, errors);
        let clause = self.clause(&entry, errors);
        let reason = self.reason(&entry, clause.as_deref(), errors);
        let mask = values::mask(&entry, errors);
        let labels = values::labels(&entry, errors);
        let rooms = self.rooms(&entry, errors);
        values::check_cases(&entry, errors);
        values::check_field(&entry, errors);
        values::check_kinds(&entry, errors);
        let is_starter = file.path == Path::new(starter::FILE_NAME);
        if !entry.presets.is_empty() && !is_starter {
            entry.error(errors, entry.line, "`presets` applies only to starter rules; use `mode`");
        }
        let builder = self.matchers.get_mut(entry.field);
        let patterns = builder.add_patterns(number, file, &entry, errors);
        let place = places::compile(file, &entry, errors);
        let (Some(id), Some(outcome), Some(patterns), Some(place)) = (id, entry.outcome, patterns, place) else {
            return;
        };
        if !patterns.has_alternatives() && patterns.all.is_empty() {
            builder.add_unconditional(number);
        }
        self.cases.extend(RuleCase::from_entry(number, self.file_count, &entry));
        entry.conditions.sort_by_key(super::conditions::TextCondition::cost);
        let labels = if outcome == Outcome::Pass && labels.is_empty() { vec![Arc::clone(&id)] } else { labels };
        let mode = entry.mode.unwrap_or(Mode::Enforce);
        let (place, area) = place.unzip();
        if entry.round_to.is_some() && entry.kinds.is_empty() {
            entry.kinds.push(RuleKind::Position);
        }
        let additions: [&[u8]; 3] = [
            &patterns.words_file_digest.to_le_bytes(),
            mode.as_str().as_bytes(),
            area.as_deref().unwrap_or_default().as_bytes(),
        ];
        self.rules.push(Rule {
            digest: digest::extend(entry.digest, &additions),
            is_starter,
            source: format!("{}:{}", file.path.display(), entry.line).into(),
            clause,
            field: entry.field,
            kinds: entry.kinds,
            labels,
            configured_mode: mode,
            outcome,
            reason,
            is_hidden: entry.is_hidden,
            has_no_breaker: entry.has_no_breaker,
            mask,
            sanction: entry.sanction,
            exempt: entry.exempt,
            rooms,
            hours: entry.hours,
            sender: entry.sender,
            conditions: entry.conditions,
            place,
            patterns,
            case_count: entry.refuses.len() + entry.accepts.len(),
            hits: Arc::new(HitCounters::default()),
            breaker: Arc::new(Breaker::default()),
            id,
        });
    }

    fn id(&mut self, entry: &RuleEntry, errors: &mut FileErrors<'_>) -> Option<Arc<str>> {
        let id = entry.id.as_ref()?;
        if !is_name(&id.value) {
            entry.error(errors, id.line, &format!("`id` {NAME_HELP}"));
            return None;
        }
        if let Some(first) = self.ids.get(&id.value) {
            entry.error(errors, id.line, &format!("`id` is already used at line {first}"));
            return None;
        }
        self.ids.insert(id.value.clone(), entry.line);
        Some(id.value.as_str().into())
    }
}

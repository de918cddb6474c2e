//! Entries of rules files into rules that run: what the values mean together, and their limits.

mod cases;
mod checks;
mod names;
mod patterns;
mod values;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::faults::Faults;
use super::hits::Hits;
use super::rule::Rule;
use super::set::Rules;
use super::written::{Field, Written, content};
use super::{Instance, starter};
use crate::model::{Brake, Mode, Outcome};
use cases::Case;
use names::{NAME_HELP, is_name};
use patterns::Builder;

const MAX_RULES: usize = 1_000;

/// A file whose entries are compiled.
pub(super) struct Origin<'p> {
    /// What faults and matches call it.
    pub(super) path: &'p Path,
    /// Where its files of words are.
    pub(super) base: &'p Path,
}

/// Compiles the entries of one file after the other into one set.
pub(super) struct Compiler<'a> {
    instance: &'a Instance,
    clauses: Vec<&'a str>,
    rules: Vec<Rule>,
    text: Builder,
    nickname: Builder,
    cases: Vec<Case>,
    /// The line where each id was first seen.
    ids: HashMap<String, usize>,
    /// How many files were taken in.
    files: usize,
}

impl<'a> Compiler<'a> {
    pub(super) fn new(instance: &'a Instance) -> Self {
        let clauses = instance.clauses.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        Self {
            instance,
            clauses,
            rules: Vec::new(),
            text: Builder::default(),
            nickname: Builder::default(),
            cases: Vec::new(),
            ids: HashMap::new(),
            files: 0,
        }
    }

    /// Whether a rule of this id is there already.
    pub(super) fn has(&self, id: &str) -> bool {
        self.ids.contains_key(id)
    }

    /// How many rules are good so far.
    pub(super) fn len(&self) -> usize {
        self.rules.len()
    }

    /// Takes in the entries of a file. What is beyond its limits is not looked at.
    pub(super) fn add(&mut self, origin: &Origin<'_>, written: Vec<Written>, faults: &mut Faults<'_>) {
        self.text.count_anew();
        self.nickname.count_anew();
        self.files += 1;
        for (index, entry) in written.into_iter().enumerate() {
            if index == MAX_RULES {
                faults.add(entry.line, format!("more than {MAX_RULES} rules"));
                break;
            }
            self.rule(origin, entry, faults);
            if self.text.is_full() || self.nickname.is_full() {
                break;
            }
        }
    }

    /// The set, once all of it is good and its rules keep what their cases promise. `faults` are those of each file, in
    /// the order in which the files were taken in.
    pub(super) fn finish(self, faults: &mut [Faults<'_>]) -> Rules {
        let (mut of_text, mut of_nickname) = (Vec::new(), Vec::new());
        let (text, nickname) = (self.text.build(&mut of_text), self.nickname.build(&mut of_nickname));
        if let Some(first) = faults.first_mut() {
            of_text.into_iter().chain(of_nickname).for_each(|fault| first.add(0, fault));
        }
        let least_recalled = self.rules.iter().filter_map(Rule::least_recalled).min();
        let numbers = self.rules.iter().enumerate().map(|(number, rule)| (Arc::clone(&rule.id), number)).collect();
        let rules = Rules { rules: self.rules, numbers, text, nickname, least_recalled, ..Rules::default() };
        if faults.iter().any(Faults::any) {
            // What a rule at fault has left behind would be taken for the next one's.
            return rules;
        }
        for (file, faults) in (1..).zip(faults) {
            cases::run(&rules, self.cases.iter().filter(|case| case.file == file), faults);
        }
        rules
    }

    fn rule(&mut self, origin: &Origin<'_>, mut written: Written, faults: &mut Faults<'_>) {
        let number = self.rules.len();
        let id = self.id(&written, faults);
        let clause = self.clause(&written, faults);
        let reason = self.reason(&written, clause.as_deref(), faults);
        let mask = values::mask(&written, faults);
        let labels = values::labels(&written, faults);
        let rooms = self.rooms(&written, faults);
        values::check_cases(&written, faults);
        values::check_field(&written, faults);
        let is_starter = origin.path == Path::new(starter::NAME);
        if !written.presets.is_empty() && !is_starter {
            written.fault(faults, written.line, "`presets` is for the starter rules; use `mode`");
        }
        let builder = match written.field {
            Field::Text => &mut self.text,
            Field::Nickname => &mut self.nickname,
        };
        let patterns = builder.patterns(number, origin, &written, faults);
        let (Some(id), Some(asked), Some(patterns)) = (id, written.asked, patterns) else { return };
        if !patterns.has_alternatives() && patterns.all.is_empty() {
            builder.always(number);
        }
        self.cases.extend(Case::all(number, self.files, &written));
        written.conditions.sort_by_key(super::conditions::Condition::rank);
        let labels = if asked == Outcome::Pass && labels.is_empty() { vec![Arc::clone(&id)] } else { labels };
        let mode = written.mode.unwrap_or(Mode::Enforce);
        let besides: [&[u8]; 2] = [&patterns.file.to_le_bytes(), mode.as_str().as_bytes()];
        self.rules.push(Rule {
            content: content::with(written.content, &besides),
            is_starter,
            source: format!("{}:{}", origin.path.display(), written.line).into(),
            clause,
            field: written.field,
            labels,
            written_mode: mode,
            asked,
            reason,
            hidden: written.hidden,
            mask,
            sanction: written.sanction,
            exempt: written.exempt,
            rooms,
            hours: written.hours,
            sender: written.sender,
            conditions: written.conditions,
            patterns,
            cases: written.refuses.len() + written.accepts.len(),
            hits: Arc::new(Hits::default()),
            brake: Arc::new(Brake::default()),
            id,
        });
    }

    fn id(&mut self, written: &Written, faults: &mut Faults<'_>) -> Option<Arc<str>> {
        let id = written.id.as_ref()?;
        if !is_name(&id.value) {
            written.fault(faults, id.line, &format!("`id` {NAME_HELP}"));
            return None;
        }
        if let Some(first) = self.ids.get(&id.value) {
            written.fault(faults, id.line, &format!("a rule of this `id` is already at line {first}"));
            return None;
        }
        self.ids.insert(id.value.clone(), written.line);
        Some(id.value.as_str().into())
    }
}

//! A compiled set of rules.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::compile::{Compiler, Origin};
use super::faults::Faults;
use super::hits::RuleFigures;
use super::matcher::Matcher;
use super::prints::Prints;
use super::rule::Rule;
use super::written::{self, At, Field, Preset};
use super::{Instance, files, starter};
use crate::model::{Mode, Outcome};
use crate::settings::Fault;

/// A compiled set of rules: those of the operator's file in their order, then the starter rules. The default is the
/// empty set.
#[derive(Debug, Default)]
#[expect(clippy::struct_field_names, reason = "a set of rules has rules")]
pub struct Rules {
    pub(super) rules: Vec<Rule>,
    /// The place of each rule, by its id.
    pub(super) numbers: HashMap<Arc<str>, usize>,
    pub(super) text: Matcher,
    pub(super) nickname: Matcher,
    /// The fewest letters of a text that a rule wants to know of whether it was said before, if one does.
    pub(super) least_recalled: Option<u32>,
    pub(super) preset: Preset,
    /// The preset that the file asks for, if it does.
    pub(super) fixed: Option<Preset>,
    /// How many of the rules are the operator's.
    pub(super) own: usize,
    /// What the files looked like when they were read; nothing for a set that is of no file.
    pub(super) prints: Prints,
}

impl Rules {
    /// Reads the rules file at `path`; see [`Rules::load`]. Files of words are looked for beside it.
    ///
    /// # Errors
    /// As [`Rules::load`], and when the file cannot be read.
    pub fn read(path: &Path, instance: &Instance) -> Result<Self, Vec<Fault>> {
        match files::read_text(path) {
            Ok(text) => Self::load(path, &text, path.parent().unwrap_or(Path::new("")), instance),
            Err(why) => Err(vec![Faults::of_file(path, why)]),
        }
    }

    /// Compiles the rules in `text`, and the starter rules as far as the file wants them.
    ///
    /// `path` is what faults and matches call the file; it is not opened. A `words_file` is read from the folder `base`
    /// or one below it.
    ///
    /// Reads files and may take a second for the largest sets: no work for a thread that serves sockets.
    ///
    /// # Errors
    /// Every fault of the file, in order of its lines; only for a text that is no TOML, the rules after the first such
    /// fault are not looked at.
    pub fn load(path: &Path, text: &str, base: &Path, instance: &Instance) -> Result<Self, Vec<Fault>> {
        Self::load_with(path, text, base, instance, ("", ""))
    }

    /// As [`Rules::load`], with further rules before those of the file: `extra` is their name and their text, which is
    /// written and bounded as a rules file is. They take the place of rules of the same id, and what their `[starter]`
    /// says that of what the file's says. A text that names a `words_file` is at fault: it may come from anywhere.
    ///
    /// # Errors
    /// As [`Rules::load`]; the faults of `extra` come first.
    pub fn load_with(
        path: &Path,
        text: &str,
        base: &Path,
        instance: &Instance,
        extra: (&str, &str),
    ) -> Result<Self, Vec<Fault>> {
        let (before, nowhere) = (Path::new(extra.0), Path::new(""));
        // They are as they were tested, but for what the operator's choice makes of them.
        let mut all = [before, path, Path::new(starter::NAME)].map(Faults::new);
        let [extra_faults, faults, starter_faults] = &mut all;
        let mut first = written::parse(extra.1, extra_faults);
        for rule in &mut first.rules {
            if let Some(At { line, .. }) = rule.patterns.words_file.take() {
                extra_faults
                    .add(line, format!("{}: `words_file` is for files; write the words into `words`", rule.name));
            }
        }
        let mut file = written::parse(text, faults);
        let mut compiler = Compiler::new(instance);
        compiler.add(&Origin { path: before, base: nowhere }, first.rules, extra_faults);
        file.rules.retain(|rule| rule.id.as_ref().is_none_or(|id| !compiler.has(&id.value)));
        compiler.add(&Origin { path, base }, file.rules, faults);
        let own = compiler.len();

        let fixed = file.starter.preset;
        let preset = first.starter.preset.or(fixed).unwrap_or(instance.preset);
        starter::check(&first.starter.modes, extra_faults);
        starter::check(&file.starter.modes, faults);
        let mut modes = file.starter.modes;
        modes.extend(first.starter.modes);
        let starter = starter::chosen(preset, &modes, |id| compiler.has(id));
        compiler.add(&Origin { path: Path::new(starter::NAME), base: nowhere }, starter, starter_faults);

        let rules = compiler.finish(&mut all);
        let faults: Vec<Fault> = all.into_iter().filter_map(|faults| faults.none_or_all().err()).flatten().collect();
        if faults.is_empty() { Ok(Self { preset, fixed, own, ..rules }) } else { Err(faults) }
    }

    /// How many rules there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// How many of them are the operator's own, and not of the starter set.
    #[must_use]
    pub fn own(&self) -> usize {
        self.own
    }

    /// How much the starter rules do.
    #[must_use]
    pub fn preset(&self) -> Preset {
        self.preset
    }

    /// What each rule has hit so far, in their order.
    pub fn figures(&self) -> impl Iterator<Item = RuleFigures<'_>> {
        self.rules.iter().map(Rule::figures)
    }

    /// The clauses that are kept by a rule in force, each with the rule's id. Rules that are not to be known are left
    /// out, and those that only label: they keep nothing.
    pub fn enforced(&self) -> impl Iterator<Item = (&str, &str)> {
        let known = self
            .rules
            .iter()
            .filter(|rule| rule.mode() == Mode::Enforce && rule.asked != Outcome::Pass && !rule.hidden);
        known.filter_map(|rule| rule.clause.as_deref().map(|clause| (clause, &*rule.id)))
    }

    pub(super) fn matcher(&self, field: Field) -> &Matcher {
        match field {
            Field::Text => &self.text,
            Field::Nickname => &self.nickname,
        }
    }
}

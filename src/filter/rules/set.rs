//! A compiled set of rules.

use std::path::Path;

use super::compile::{Compiler, Origin};
use super::faults::Faults;
use super::hits::RuleFigures;
use super::matcher::Matcher;
use super::prints::Prints;
use super::rule::Rule;
use super::written::{self, Field, Preset};
use super::{Instance, files, starter};
use crate::model::{Mode, Outcome};
use crate::settings::Fault;

/// A compiled set of rules: those of the operator's file in their order, then the starter rules. The default is the
/// empty set.
#[derive(Debug, Default)]
#[expect(clippy::struct_field_names, reason = "a set of rules has rules")]
pub struct Rules {
    pub(super) rules: Vec<Rule>,
    pub(super) text: Matcher,
    pub(super) nickname: Matcher,
    /// The fewest letters of a text that a rule wants to know of whether it was said before, if one does.
    pub(super) least_recalled: Option<u32>,
    pub(super) preset: Preset,
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
        let mut faults = Faults::new(path);
        let file = written::parse(text, &mut faults);
        let mut compiler = Compiler::new(instance);
        compiler.add(&Origin { path, base }, file.rules, &mut faults);
        let own = compiler.len();
        let preset = file.starter.preset.unwrap_or(instance.preset);
        let starter = starter::chosen(preset, file.starter.modes, |id| compiler.has(id), &mut faults);
        // They are as they were tested, but for what the operator's choice makes of them.
        let mut starter_faults = Faults::new(Path::new(starter::NAME));
        compiler.add(&Origin { path: Path::new(starter::NAME), base: Path::new("") }, starter, &mut starter_faults);
        let rules = compiler.finish(&mut faults, &mut starter_faults);
        faults.take_in(starter_faults);
        faults.none_or_all().map(|()| Self { preset, own, ..rules })
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
        let known =
            self.rules.iter().filter(|rule| rule.mode == Mode::Enforce && rule.asked != Outcome::Pass && !rule.hidden);
        known.filter_map(|rule| rule.clause.as_deref().map(|clause| (clause, &*rule.id)))
    }

    pub(super) fn matcher(&self, field: Field) -> &Matcher {
        match field {
            Field::Text => &self.text,
            Field::Nickname => &self.nickname,
        }
    }
}

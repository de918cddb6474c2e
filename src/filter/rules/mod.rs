//! The rules filter: what the operator's rules file says about a text.
//!
//! Owns the way from the file to compiled [`Rules`], with all of its faults at once, and from a text to a [`Finding`].
//! Does nothing else: whom a verdict concerns and what it brings about is for others to say.

mod compile;
mod current;
mod faults;
mod file;
mod files;
mod hits;
mod mask;
mod rule;
mod view;

use std::borrow::Cow;
use std::path::Path;

use jiff::Timestamp;

use crate::filter::Finding;
use crate::model::{Code, Mode, Outcome, Reason, Verdict};
use crate::settings::Fault;

pub use current::{Current, Source};
pub use hits::RuleFigures;

use compile::Compiler;
use faults::Faults;
use mask::Mask;
use rule::Rule;
use view::Views;

/// Largest rules file, and largest file of words, in bytes.
const MAX_FILE_BYTES: usize = 1 << 20;

/// A compiled set of rules, in the order of their file. The default is the empty set.
#[derive(Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
}

impl Rules {
    /// Reads the rules file at `path`; see [`Rules::load`]. Files of words are looked for beside it.
    ///
    /// # Errors
    /// As [`Rules::load`], and when the file cannot be read.
    pub fn read(path: &Path, clauses: &str) -> Result<Self, Vec<Fault>> {
        match files::read_text(path) {
            Ok(text) => Self::load(path, &text, path.parent().unwrap_or(Path::new("")), clauses),
            Err(why) => Err(vec![Faults::of_file(path, why)]),
        }
    }

    /// Compiles the rules in `text`.
    ///
    /// `path` is what faults and matches call the file; it is not opened. A `words_file` is read from the folder `base`
    /// or one below it. A rule's `clause` must be one of the lines of `clauses`, blanks around it aside.
    ///
    /// Reads files and may take a second for the largest sets: no work for a thread that serves sockets.
    ///
    /// # Errors
    /// Every fault of the file, in order of its lines; only for a text that is no TOML, the rules after the first such
    /// fault are not looked at.
    pub fn load(path: &Path, text: &str, base: &Path, clauses: &str) -> Result<Self, Vec<Fault>> {
        let mut faults = Faults::new(path);
        let written = file::parse(text, &mut faults);
        let rules = Compiler::new(path, base, clauses, &mut faults).compile(written);
        faults.none_or_all().map(|()| Self { rules })
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

    /// Runs every rule on `text`.
    ///
    /// The matches are in the order of the file. The verdict is that of the strongest rule in force (reject, hold,
    /// shadow, replace), of equals the first; if that is a replacement, the hits of all rules that replace are masked.
    ///
    /// Until messages can be held, a rule that holds refuses with [`Code::HoldUnavailable`].
    #[must_use]
    pub fn examine(&self, text: &str) -> Finding {
        self.examine_at(text, None)
    }

    /// What each rule has hit so far, in the order of the file.
    pub fn figures(&self) -> impl Iterator<Item = RuleFigures<'_>> {
        self.rules.iter().map(Rule::figures)
    }

    /// As [`Rules::examine`]; with a time, each hit is counted as one of then.
    fn examine_at(&self, text: &str, counted_at: Option<Timestamp>) -> Finding {
        let views = Views::new(text);
        let mut matches = Vec::new();
        let mut strongest: Option<&Rule> = None;
        let mut replacing = Vec::new();
        for rule in &self.rules {
            let Some(span) = rule.first_hit(&views) else { continue };
            if let Some(at) = counted_at {
                rule.hits.count(at);
            }
            matches.push(rule.matched(span));
            if rule.mode == Mode::Observe {
                continue;
            }
            if rule.asked == Outcome::Replace {
                replacing.push(rule);
            }
            if strongest.is_none_or(|other| strength(rule.asked) > strength(other.asked)) {
                strongest = Some(rule);
            }
        }
        let verdict = match strongest {
            None => Verdict::Pass,
            Some(rule) => match rule.asked {
                Outcome::Pass => Verdict::Pass,
                Outcome::Replace => Verdict::Replace(masked(text, &views, &replacing)),
                Outcome::Shadow => Verdict::Shadow(reason(Code::Rule, rule)),
                Outcome::Hold => Verdict::Reject(reason(Code::HoldUnavailable, rule)),
                Outcome::Reject => Verdict::Reject(reason(Code::Rule, rule)),
            },
        };
        Finding { verdict, matches }
    }
}

fn strength(asked: Outcome) -> u8 {
    match asked {
        Outcome::Pass => 0,
        Outcome::Replace => 1,
        Outcome::Shadow => 2,
        Outcome::Hold => 3,
        Outcome::Reject => 4,
    }
}

fn reason(code: Code, rule: &Rule) -> Reason {
    Reason::new(code, Cow::Owned(rule.reason.clone()))
}

fn masked(text: &str, views: &Views<'_>, rules: &[&Rule]) -> String {
    let mut mask = Mask::new(text);
    for rule in rules {
        rule.each_hit(views, |hit| mask.cover(hit, rule.mask));
    }
    mask.into_text()
}

#[cfg(test)]
mod tests;

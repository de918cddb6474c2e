//! Collects the words of rules, from the rules and from their words files.

use super::RuleFile;
use super::patterns::{MatcherBuilder, OwnedLiteral};
use crate::filter::rules::document::{RuleEntry, digest};
use crate::filter::rules::files;
use crate::filter::rules::matcher::LiteralOwner;
use crate::matching::{Boundary, Leniency, View as MatchView};
use crate::settings::{FileErrors, Located, Location, backticked};

/// Longest word or phrase.
const MAX_WORD_BYTES: usize = 1_000;

impl MatcherBuilder {
    /// Adds a word of a rule.
    fn add_word(&mut self, rule: usize, text: &str, view: MatchView, entry: &RuleEntry) -> Result<(), String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("a word is empty".to_owned());
        }
        if text.len() > MAX_WORD_BYTES {
            return Err(format!("word {} is {} bytes; the limit is {MAX_WORD_BYTES}", backticked(text), text.len()));
        }
        let patterns = &entry.patterns;
        let leniency = Leniency {
            accents: patterns.accents,
            doubled: patterns.doubled,
            masked: patterns.masked,
            exact_letters: patterns.no_leetspeak,
        };
        let literal = OwnedLiteral { text: text.to_owned(), view, boundary: Boundary::Word, leniency };
        self.add_literal(literal, LiteralOwner::Word(rule))
            .map_err(|error| format!("word {} {error}", backticked(text)))
    }

    /// Adds the words in a rule. Returns `false` after reporting errors.
    pub(super) fn add_listed_words(
        &mut self,
        rule: usize,
        entry: &RuleEntry,
        view: MatchView,
        errors: &mut FileErrors<'_>,
    ) -> bool {
        let mut is_valid = true;
        for Located { value, line } in &entry.patterns.words {
            if !self.count_pattern(*line, errors) {
                return false;
            }
            if let Err(error) = self.add_word(rule, value, view, entry) {
                entry.error(errors, *line, &error);
                is_valid = false;
            }
        }
        is_valid
    }

    /// Adds the words of a rule's words file and returns a digest of the file: 0 without one, `None` after an error.
    pub(super) fn add_words_file(
        &mut self,
        rule: usize,
        file: &RuleFile<'_>,
        entry: &RuleEntry,
        view: MatchView,
        errors: &mut FileErrors<'_>,
    ) -> Option<u64> {
        let Some(Located { value: name, line }) = &entry.patterns.words_file else { return Some(0) };
        let read = files::locate(file.base, name).and_then(|path| Ok((files::read_text(&path)?, path)));
        let (text, path) = match read {
            Ok(read) => read,
            Err(error) => {
                entry.error(errors, *line, &format!("`words_file` {} {error}", backticked(name)));
                return None;
            }
        };
        let mut is_valid = true;
        for (at, value) in files::words(&text) {
            if !self.count_pattern(*line, errors) {
                return None;
            }
            if let Err(error) = self.add_word(rule, value, view, entry) {
                errors.add_at(*line, Location::Line { file: path.clone(), line: at }, error);
                is_valid = false;
            }
        }
        if files::words(&text).next().is_none() {
            entry.error(errors, *line, &format!("`words_file` {} contains no words", backticked(name)));
        }
        is_valid.then(|| digest::extend(0, &[text.as_bytes()]))
    }
}

//! Parses a rules file: TOML into typed entries, each value with its line.
//!
//! Reports errors of form: syntax, keys, types, bounds of numbers, unknown names. The compiler checks how values
//! combine.

pub(super) mod digest;
mod entry;
mod reader;
mod starter;

use toml::de::{DeTable, DeValue};

pub(super) use entry::{Exemption, Field, PatternView, ReasonTexts, RuleEntry};
pub(super) use reader::{KeyedValue, Located, Reader};
pub use starter::Preset;
pub(super) use starter::StarterSection;

use super::MAX_FILE_BYTES;
use super::errors::{FileErrors, did_you_mean, quoted};
use super::files::too_large;
use reader::{LineIndex, TomlValue, type_name};

/// The contents of a rules file.
#[derive(Debug, Default)]
pub(super) struct RulesDocument {
    pub(super) rules: Vec<RuleEntry>,
    pub(super) starter: StarterSection,
}

/// Parses a rules file. Errors are added to `errors`.
pub(super) fn parse(text: &str, errors: &mut FileErrors<'_>) -> RulesDocument {
    let mut file = RulesDocument::default();
    if text.len() > MAX_FILE_BYTES {
        errors.add(0, too_large());
        return file;
    }
    let lines = LineIndex::new(text);
    let (root, syntax_errors) = DeTable::parse_recoverable(text);
    let mut syntax: Vec<_> =
        syntax_errors.iter().map(|error| (lines.line_of(&error.span().unwrap_or(0..0)), error.message())).collect();
    // One mistake causes several errors. The first on a line is the useful one.
    syntax.sort_by_key(|&(line, _)| line);
    syntax.dedup_by_key(|&mut (line, _)| line);
    for (line, message) in &syntax {
        errors.add(*line, (*message).to_owned());
    }
    let first_error = syntax.first().map(|&(line, _)| line);

    let mut reader = Reader { lines, errors };
    for (key, value) in root.get_ref() {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("rule", DeValue::Array(array)) => file.rules = reader.read_entries(array, first_error),
            _ if first_error.is_some() => {}
            ("rule", _) => {
                let line = reader.lines.line_of(&value.span());
                reader.errors.add(line, "a rule begins with `[[rule]]`, in double brackets".to_owned());
            }
            ("starter", _) => {
                let item = reader.item("the starter rules", key, value);
                file.starter = StarterSection::read(&mut reader, &item);
            }
            (other, _) => {
                let line = reader.lines.line_of(&key.span());
                let hint = did_you_mean(other, ["rule", "starter"]);
                reader.errors.add(line, format!("unknown key {}{hint}", quoted(other)));
            }
        }
    }
    file
}

impl Reader<'_, '_> {
    /// Reads the rules that end before the line `first_error`. After it, the parser's recovery is not reliable.
    fn read_entries(&mut self, array: &[TomlValue<'_>], first_error: Option<usize>) -> Vec<RuleEntry> {
        let mut entries = Vec::new();
        for (index, value) in array.iter().enumerate() {
            let end = array.get(index + 1).map_or(usize::MAX, |next| self.lines.line_of(&next.span()));
            if first_error.is_some_and(|error| error < end) {
                break;
            }
            let line = self.lines.line_of(&value.span());
            match value.get_ref() {
                DeValue::Table(table) => entries.push(self.read_entry(table, line, index + 1)),
                other => self.errors.add(line, format!("a rule is a table, not {}", type_name(other))),
            }
        }
        entries
    }
}

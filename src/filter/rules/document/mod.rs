//! Parses a rules file: TOML into typed entries, each value with its line.
//!
//! Reports errors of form: syntax, keys, types, bounds of numbers, unknown names. The compiler checks how values
//! combine.

pub(super) mod digest;
mod entry;
mod field;
mod kind;
mod starter;
mod values;

use toml::de::DeValue;

pub(super) use entry::{Exemption, PatternView, RuleEntry};
pub(super) use field::{ByField, Field};
pub(super) use kind::RuleKind;
pub use starter::Preset;
pub(super) use starter::StarterSection;
pub(super) use values::ReasonTexts;

use super::MAX_RULES_FILE_BYTES;
use super::files::too_large;
use crate::settings::{FileErrors, TomlFile, TomlReader, TomlValue, backticked, did_you_mean, type_name};

/// The contents of a rules file.
#[derive(Debug, Default)]
pub(super) struct RulesDocument {
    pub(super) rules: Vec<RuleEntry>,
    pub(super) starter: StarterSection,
}

/// Parses a rules file. Errors are added to `errors`.
pub(super) fn parse(text: &str, errors: &mut FileErrors<'_>) -> RulesDocument {
    let mut file = RulesDocument::default();
    if text.len() > MAX_RULES_FILE_BYTES {
        errors.add(0, too_large());
        return file;
    }
    let TomlFile { root, lines, syntax_errors } = TomlFile::parse(text);
    let first_error = syntax_errors.first_key_value().map(|(line, _)| *line);
    for (line, message) in syntax_errors {
        errors.add(line, message);
    }
    let mut reader = TomlReader::new(&lines, errors);
    for (key, value) in root.get_ref() {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("rule", DeValue::Array(array)) => file.rules = read_entries(&mut reader, array, first_error),
            _ if first_error.is_some() => {}
            ("rule", _) => {
                let line = reader.line_of(&value.span());
                reader.error_at_line(line, "a rule begins with `[[rule]]`, in double brackets".to_owned());
            }
            ("starter", _) => {
                let item = reader.keyed("the starter rules", key, value);
                file.starter = StarterSection::read(&mut reader, &item);
            }
            (other, _) => {
                let line = reader.line_of(&key.span());
                let hint = did_you_mean(other, ["rule", "starter"]);
                reader.error_at_line(line, format!("unknown key {}{hint}", backticked(other)));
            }
        }
    }
    file
}

/// Reads the rules that end before the line `first_error`. After it, the parser's recovery is not reliable.
fn read_entries(
    reader: &mut TomlReader<'_, '_>,
    array: &[TomlValue<'_>],
    first_error: Option<usize>,
) -> Vec<RuleEntry> {
    let mut entries = Vec::new();
    for (index, value) in array.iter().enumerate() {
        let end = array.get(index + 1).map_or(usize::MAX, |next| reader.line_of(&next.span()));
        if first_error.is_some_and(|error| error < end) {
            break;
        }
        let line = reader.line_of(&value.span());
        match value.get_ref() {
            DeValue::Table(table) => entries.push(RuleEntry::read(reader, table, line, index + 1)),
            other => reader.error_at_line(line, format!("a rule is a table, not {}", type_name(other))),
        }
    }
    entries
}

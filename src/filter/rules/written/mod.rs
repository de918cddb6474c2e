//! The rules file as it is written: TOML into typed entries, each value with its line.
//!
//! Says what the file's shape has wrong: syntax, keys, types, bounds of numbers, names of choices. What the values mean
//! together is for the compiler.

pub(super) mod content;
mod entry;
mod reader;
mod starter;

use toml::de::{DeTable, DeValue};

pub(super) use entry::{Exemption, Field, Texts, View, Written};
pub(super) use reader::{At, Item, Reader};
pub use starter::Preset;
pub(super) use starter::StarterChoice;

use super::MAX_FILE_BYTES;
use super::faults::{Faults, did_you_mean, quoted};
use super::files::too_large;
use reader::{Lines, Value, named};

/// What a rules file holds.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) rules: Vec<Written>,
    pub(super) starter: StarterChoice,
}

/// Reads a rules file.
pub(super) fn parse(text: &str, faults: &mut Faults<'_>) -> File {
    let mut file = File::default();
    if text.len() > MAX_FILE_BYTES {
        faults.add(0, too_large());
        return file;
    }
    let lines = Lines::of(text);
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut syntax: Vec<_> =
        errors.iter().map(|error| (lines.at(&error.span().unwrap_or(0..0)), error.message())).collect();
    // One slip makes a dozen errors; the first of a line is the one to read.
    syntax.sort_by_key(|&(line, _)| line);
    syntax.dedup_by_key(|&mut (line, _)| line);
    for (line, message) in &syntax {
        faults.add(*line, (*message).to_owned());
    }
    let first_error = syntax.first().map(|&(line, _)| line);

    let mut reader = Reader { lines, faults };
    for (key, value) in root.get_ref() {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("rule", DeValue::Array(array)) => file.rules = reader.entries(array, first_error),
            _ if first_error.is_some() => {}
            ("rule", _) => {
                let line = reader.lines.at(&value.span());
                reader.faults.add(line, "a rule begins with `[[rule]]`, in two pairs of brackets".to_owned());
            }
            ("starter", _) => {
                let item = reader.item("the starter rules", key, value);
                file.starter = StarterChoice::read(&mut reader, &item);
            }
            (other, _) => {
                let line = reader.lines.at(&key.span());
                let hint = did_you_mean(other, ["rule", "starter"]);
                reader.faults.add(line, format!("unknown key {}{hint}", quoted(other)));
            }
        }
    }
    file
}

impl Reader<'_, '_> {
    /// The rules that end before the line `first_error`: what the parser made of the rest is not what was meant.
    fn entries(&mut self, array: &[Value<'_>], first_error: Option<usize>) -> Vec<Written> {
        let mut entries = Vec::new();
        for (index, value) in array.iter().enumerate() {
            let end = array.get(index + 1).map_or(usize::MAX, |next| self.lines.at(&next.span()));
            if first_error.is_some_and(|error| error < end) {
                break;
            }
            let line = self.lines.at(&value.span());
            match value.get_ref() {
                DeValue::Table(table) => entries.push(self.entry(table, line, index + 1)),
                other => self.faults.add(line, format!("a rule is a table, not {}", named(other))),
            }
        }
        entries
    }
}

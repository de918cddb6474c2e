//! A parsed settings file that keeps line numbers.

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::text::too_large;
use super::toml_file::{LineIndex, TomlFile};
use super::{ConfigError, Location};

/// A table: the root or a section of the file.
#[derive(Debug, Default)]
pub(super) struct TomlTable {
    pub(super) entries: BTreeMap<String, TomlEntry>,
}

/// The item at a key.
#[derive(Debug)]
pub(super) struct TomlEntry {
    /// The line of the key.
    pub(super) line: usize,
    pub(super) item: TomlItem,
}

#[derive(Debug)]
pub(super) enum TomlItem {
    Table(TomlTable),
    Value(toml::Value),
    /// An item with an error that is already recorded. It counts as not given.
    Invalid,
}

impl TomlTable {
    /// Returns the entry at a dotted path.
    pub(super) fn at(&self, path: &str) -> Option<&TomlEntry> {
        let (parents, key) = path.rsplit_once('.').map_or((None, path), |(parents, key)| (Some(parents), key));
        let mut table = self;
        for parent in parents.into_iter().flat_map(|parents| parents.split('.')) {
            match &table.entries.get(parent)?.item {
                TomlItem::Table(inner) => table = inner,
                TomlItem::Value(_) | TomlItem::Invalid => return None,
            }
        }
        table.entries.get(key)
    }
}

/// Parses a file and collects all syntax errors. The table is `None` if the file is too large to parse.
pub(super) fn parse(path: &Path, text: &str) -> (Option<TomlTable>, Vec<ConfigError>) {
    if let Some(error) = too_large(text.len(), path) {
        return (None, vec![error]);
    }
    let TomlFile { root, lines, syntax_errors } = TomlFile::parse(text);
    let mut builder = TreeBuilder { path, lines, syntax_errors: &syntax_errors, errors: Vec::new() };
    for (line, text) in &syntax_errors {
        builder.error(*line, text);
    }
    (Some(builder.table(root.get_ref())), builder.errors)
}

struct TreeBuilder<'a> {
    path: &'a Path,
    lines: LineIndex,
    /// By line. Values recovered from these lines would only cause further errors.
    syntax_errors: &'a BTreeMap<usize, String>,
    errors: Vec<ConfigError>,
}

impl TreeBuilder<'_> {
    fn error(&mut self, line: usize, text: impl Into<String>) {
        self.errors.push(ConfigError::new(Location::line(self.path, line), text));
    }

    fn table(&mut self, table: &DeTable<'_>) -> TomlTable {
        let mut entries = BTreeMap::new();
        for (key, value) in table {
            let line = self.lines.line(key.span().start);
            let item = if let DeValue::Table(inner) = value.get_ref() {
                TomlItem::Table(self.table(inner))
            } else {
                let last = self.lines.line(value.span().end);
                if self.syntax_errors.range(line..=last.max(line)).next().is_some() {
                    TomlItem::Invalid
                } else {
                    self.value(value.get_ref(), line).map_or(TomlItem::Invalid, TomlItem::Value)
                }
            };
            entries.insert(key.get_ref().to_string(), TomlEntry { line, item });
        }
        TomlTable { entries }
    }

    /// Records an error if the value is `None`.
    fn or_error<T>(&mut self, value: Option<T>, line: usize, error: &str) -> Option<T> {
        if value.is_none() {
            self.error(line, error);
        }
        value
    }

    /// Returns `None` after recording an error.
    fn value(&mut self, value: &DeValue<'_>, line: usize) -> Option<toml::Value> {
        Some(match value {
            DeValue::String(text) => toml::Value::String(text.to_string()),
            DeValue::Boolean(yes) => toml::Value::Boolean(*yes),
            DeValue::Datetime(datetime) => toml::Value::Datetime(*datetime),
            DeValue::Integer(number) => {
                let read = i64::from_str_radix(number.as_str(), number.radix()).ok();
                toml::Value::Integer(self.or_error(read, line, "a number does not fit in 64 bits")?)
            }
            DeValue::Float(number) => {
                let read = number.as_str().parse().ok();
                toml::Value::Float(self.or_error(read, line, "a number cannot be read")?)
            }
            DeValue::Array(items) => {
                toml::Value::Array(items.iter().map(|item| self.value(item.get_ref(), line)).collect::<Option<_>>()?)
            }
            DeValue::Table(table) => {
                let mut inner = toml::Table::new();
                for (key, value) in table {
                    inner.insert(key.get_ref().to_string(), self.value(value.get_ref(), line)?);
                }
                toml::Value::Table(inner)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (TomlTable, Vec<String>) {
        let (table, errors) = parse(Path::new("relay.toml"), text);
        (table.expect("a table"), errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_syntax_error_is_reported_with_its_line() {
        let (_, errors) = read("a = \nb = 1\nb = 2\nc = 'x\nd = 1 2\ne = 1\n");
        let mut places: Vec<&str> = errors.iter().filter_map(|error| error.split(": ").next()).collect();
        places.sort_unstable();
        assert_eq!(places, ["relay.toml:1", "relay.toml:3", "relay.toml:4", "relay.toml:5"], "{errors:#?}");
    }

    #[test]
    fn an_entry_has_the_line_of_its_key() {
        let (table, errors) = read("a = 1\n\n[b.c]\n# note\nd = [\n  2,\n]\ne.f = \"x\"\n");
        assert_eq!(errors, [""; 0]);
        for (path, line) in [("a", 1), ("b", 3), ("b.c", 3), ("b.c.d", 5), ("b.c.e.f", 8)] {
            assert_eq!(table.at(path).map(|entry| entry.line), Some(line), "{path}");
        }
        assert!(table.at("b.x").is_none() && table.at("a.x").is_none());
    }

    #[test]
    fn values_recovered_from_invalid_lines_are_ignored() {
        let (table, errors) = read("a = [1,\n 2\nb = 3\n");
        assert!(!errors.is_empty());
        assert!(table.at("a").is_none_or(|entry| matches!(entry.item, TomlItem::Invalid)), "{table:?}");
    }

    #[test]
    fn a_number_beyond_64_bits_is_an_error() {
        let (_, errors) = read("\na = 99999999999999999999\n");
        assert_eq!(errors, ["relay.toml:2: a number does not fit in 64 bits"]);
    }

    #[test]
    fn a_file_that_is_too_large_is_not_parsed() {
        let (table, errors) = parse(Path::new("relay.toml"), &"=".repeat(1024 * 1024 + 1));
        assert!(table.is_none());
        assert_eq!(errors.len(), 1);
    }
}

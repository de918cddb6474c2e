//! A settings file as a tree that knows its lines.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::text::{Lines, too_large};
use super::{Fault, Place};

/// A table: the whole file, or a section of it.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) entries: BTreeMap<String, Entry>,
}

/// What stands at a key.
#[derive(Debug)]
pub(super) struct Entry {
    /// The line of the key.
    pub(super) line: usize,
    pub(super) item: Item,
}

#[derive(Debug)]
pub(super) enum Item {
    Table(Table),
    Value(toml::Value),
    /// Something whose fault is known already: it counts as not given.
    Broken,
}

impl Table {
    /// What stands at a dotted path.
    pub(super) fn at(&self, path: &str) -> Option<&Entry> {
        let (parents, key) = path.rsplit_once('.').map_or((None, path), |(parents, key)| (Some(parents), key));
        let mut table = self;
        for parent in parents.into_iter().flat_map(|parents| parents.split('.')) {
            match &table.entries.get(parent)?.item {
                Item::Table(inner) => table = inner,
                Item::Value(_) | Item::Broken => return None,
            }
        }
        table.entries.get(key)
    }
}

/// Reads a whole file, with all its faults of syntax. `None` when it is not even looked at, being too large.
pub(super) fn parse(path: &Path, text: &str) -> (Option<Table>, Vec<Fault>) {
    if let Some(fault) = too_large(text.len(), path) {
        return (None, vec![fault]);
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    let lines = Lines::of(text);
    let mut reader = Reader { path, lines, broken: BTreeSet::new(), faults: Vec::new() };
    for error in errors {
        let line = reader.lines.line(error.span().map_or(0, |span| span.start));
        // Of several faults in a line, the later ones mostly follow from the first.
        if reader.broken.insert(line) {
            reader.fault(line, error.message());
        }
    }
    (Some(reader.table(table.get_ref())), reader.faults)
}

struct Reader<'a> {
    path: &'a Path,
    lines: Lines,
    /// Lines with a fault of syntax. What the parser recovered from them would only cause a second fault.
    broken: BTreeSet<usize>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn fault(&mut self, line: usize, text: impl Into<String>) {
        self.faults.push(Fault::new(Place::line(self.path, line), text));
    }

    fn table(&mut self, table: &DeTable<'_>) -> Table {
        let mut entries = BTreeMap::new();
        for (key, value) in table {
            let line = self.lines.line(key.span().start);
            let item = if let DeValue::Table(inner) = value.get_ref() {
                Item::Table(self.table(inner))
            } else {
                let last = self.lines.line(value.span().end);
                if self.broken.range(line..=last.max(line)).next().is_some() {
                    Item::Broken
                } else {
                    self.value(value.get_ref(), line).map_or(Item::Broken, Item::Value)
                }
            };
            entries.insert(key.get_ref().to_string(), Entry { line, item });
        }
        Table { entries }
    }

    /// Notes a fault when there is nothing.
    fn some<T>(&mut self, value: Option<T>, line: usize, fault: &str) -> Option<T> {
        if value.is_none() {
            self.fault(line, fault);
        }
        value
    }

    /// `None` when there is a fault, which has been noted.
    fn value(&mut self, value: &DeValue<'_>, line: usize) -> Option<toml::Value> {
        Some(match value {
            DeValue::String(text) => toml::Value::String(text.to_string()),
            DeValue::Boolean(yes) => toml::Value::Boolean(*yes),
            DeValue::Datetime(datetime) => toml::Value::Datetime(*datetime),
            DeValue::Integer(number) => {
                let read = i64::from_str_radix(number.as_str(), number.radix()).ok();
                toml::Value::Integer(self.some(read, line, "a number does not fit in 64 bits")?)
            }
            DeValue::Float(number) => {
                let read = number.as_str().parse().ok();
                toml::Value::Float(self.some(read, line, "a number cannot be read")?)
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

    fn read(text: &str) -> (Table, Vec<String>) {
        let (table, faults) = parse(Path::new("relay.toml"), text);
        (table.expect("a table"), faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_fault_of_syntax_is_told_with_its_line() {
        let (_, faults) = read("a = \nb = 1\nb = 2\nc = 'x\nd = 1 2\ne = 1\n");
        let mut places: Vec<&str> = faults.iter().filter_map(|fault| fault.split(": ").next()).collect();
        places.sort_unstable();
        assert_eq!(places, ["relay.toml:1", "relay.toml:3", "relay.toml:4", "relay.toml:5"], "{faults:#?}");
    }

    #[test]
    fn an_entry_knows_the_line_of_its_key() {
        let (table, faults) = read("a = 1\n\n[b.c]\n# note\nd = [\n  2,\n]\ne.f = \"x\"\n");
        assert_eq!(faults, [""; 0]);
        for (path, line) in [("a", 1), ("b", 3), ("b.c", 3), ("b.c.d", 5), ("b.c.e.f", 8)] {
            assert_eq!(table.at(path).map(|entry| entry.line), Some(line), "{path}");
        }
        assert!(table.at("b.x").is_none() && table.at("a.x").is_none());
    }

    #[test]
    fn what_the_parser_recovers_from_a_broken_line_counts_as_not_given() {
        let (table, faults) = read("a = [1,\n 2\nb = 3\n");
        assert!(!faults.is_empty());
        assert!(table.at("a").is_none_or(|entry| matches!(entry.item, Item::Broken)), "{table:?}");
    }

    #[test]
    fn a_number_beyond_64_bits_is_a_fault() {
        let (_, faults) = read("\na = 99999999999999999999\n");
        assert_eq!(faults, ["relay.toml:2: a number does not fit in 64 bits"]);
    }

    #[test]
    fn a_file_that_is_too_large_is_not_parsed() {
        let (table, faults) = parse(Path::new("relay.toml"), &"=".repeat(1024 * 1024 + 1));
        assert!(table.is_none());
        assert_eq!(faults.len(), 1);
    }
}

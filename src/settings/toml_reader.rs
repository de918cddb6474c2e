//! Reads TOML values as the required types. Errors are collected and never stop the reading.

use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::FileErrors;
use super::duration::{format_duration, parse_duration};
use super::text::{backticked, did_you_mean, on_one_line};
use super::toml_file::{LineIndex, TomlKey, TomlValue, type_name};

/// A value and its line.
#[derive(Clone, Debug)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Its line.
    pub line: usize,
}

/// A value with its name in errors: its owner, such as a rule, and the path of the key, such as `links.min`.
#[derive(Clone, Debug)]
pub struct KeyedValue<'a, 't> {
    owner: &'a str,
    key: String,
    /// The line of the key.
    line: usize,
    value: &'a TomlValue<'t>,
}

impl<'a, 't> KeyedValue<'a, 't> {
    /// Returns the raw value, for keys that accept several types.
    #[must_use]
    pub fn value(&self) -> &'a DeValue<'t> {
        self.value.get_ref()
    }

    /// Returns the line of the key.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }
}

/// Reads values and collects errors.
#[derive(Debug)]
pub struct TomlReader<'f, 'p> {
    lines: &'f LineIndex,
    errors: &'f mut FileErrors<'p>,
}

impl<'f, 'p> TomlReader<'f, 'p> {
    /// Creates a reader of a file with these lines, which adds errors to `errors`.
    pub fn new(lines: &'f LineIndex, errors: &'f mut FileErrors<'p>) -> Self {
        Self { lines, errors }
    }
}

impl TomlReader<'_, '_> {
    /// Returns the line on which a key or value begins.
    #[must_use]
    pub fn line_of(&self, span: &Range<usize>) -> usize {
        self.lines.line(span.start)
    }

    /// Adds an error at a line.
    pub fn error_at_line(&mut self, line: usize, text: String) {
        self.errors.add(line, text);
    }

    /// Returns a value with its name in errors.
    #[must_use]
    pub fn keyed<'a, 't>(&self, owner: &'a str, key: &TomlKey<'t>, value: &'a TomlValue<'t>) -> KeyedValue<'a, 't> {
        KeyedValue { owner, key: key.get_ref().to_string(), line: self.line_of(&key.span()), value }
    }

    /// Adds an error at the line of the key: ``OWNER: `KEY` WHAT``.
    pub fn error_at_key(&mut self, item: &KeyedValue<'_, '_>, what: &str) {
        self.errors.add(item.line, format!("{}: `{}` {what}", item.owner, item.key));
    }

    /// Adds an error at the line of the value, which may be below that of its key.
    fn error_at_value(&mut self, item: &KeyedValue<'_, '_>, value: &TomlValue<'_>, what: &str) {
        let line = self.line_of(&value.span());
        self.errors.add(line, format!("{}: `{}` {what}", item.owner, item.key));
    }

    fn type_error(&mut self, item: &KeyedValue<'_, '_>, expected: &str) {
        self.error_at_key(item, &format!("must be {expected}, not {}", type_name(item.value())));
    }

    /// Reads a string.
    pub fn string(&mut self, item: &KeyedValue<'_, '_>) -> Option<Located<String>> {
        let text = item.value().as_str();
        if text.is_none() {
            self.type_error(item, "a string");
        }
        text.map(|text| Located { value: text.to_owned(), line: self.line_of(&item.value.span()) })
    }

    /// Reads a list of strings, which must not be empty.
    pub fn strings(&mut self, item: &KeyedValue<'_, '_>) -> Vec<Located<String>> {
        let Some(array) = item.value().as_array() else {
            self.type_error(item, "a list of strings");
            return Vec::new();
        };
        if array.is_empty() {
            self.error_at_key(item, "is an empty list");
        }
        let mut strings = Vec::with_capacity(array.len());
        for value in array {
            if let DeValue::String(text) = value.get_ref() {
                strings.push(Located { value: text.to_string(), line: self.line_of(&value.span()) });
            } else {
                self.error_at_value(
                    item,
                    value,
                    &format!("must contain only strings, not {}", type_name(value.get_ref())),
                );
            }
        }
        strings
    }

    /// Reads a boolean.
    pub fn boolean(&mut self, item: &KeyedValue<'_, '_>) -> Option<bool> {
        let value = item.value().as_bool();
        if value.is_none() {
            self.type_error(item, "true or false");
        }
        value
    }

    /// Reads an integer within bounds.
    pub fn number(&mut self, item: &KeyedValue<'_, '_>, bounds: RangeInclusive<u32>) -> Option<u32> {
        let DeValue::Integer(number) = item.value() else {
            self.type_error(item, "a whole number");
            return None;
        };
        let read = u32::from_str_radix(number.as_str(), number.radix()).ok().filter(|read| bounds.contains(read));
        if read.is_none() {
            self.error_at_key(item, &format!("must be from {} to {}, not {number}", bounds.start(), bounds.end()));
        }
        read
    }

    /// Reads a duration within bounds, such as `90s`, `10m`, `2h`, `7d`.
    pub fn duration(&mut self, item: &KeyedValue<'_, '_>, bounds: RangeInclusive<Duration>) -> Option<Duration> {
        let Located { value: text, .. } = self.string(item)?;
        let Some(read) = parse_duration(&text) else {
            let what =
                format!("must be a duration such as \"90s\", \"10m\", \"2h\" or \"7d\", not {}", backticked(&text));
            self.error_at_key(item, &what);
            return None;
        };
        if bounds.contains(&read) {
            return Some(read);
        }
        let (least, most) = (format_duration(*bounds.start()), format_duration(*bounds.end()));
        self.error_at_key(item, &format!("must be from {least} to {most}, not {}", format_duration(read)));
        None
    }

    /// Reads a name, one of `choices`.
    pub fn choice<T: Copy>(&mut self, item: &KeyedValue<'_, '_>, choices: &[(&'static str, T)]) -> Option<T> {
        let value = self.string(item)?;
        self.parse_choice(item, &value, choices)
    }

    /// Reads a list of names, each one of `choices`.
    pub fn choices<T: Copy>(&mut self, item: &KeyedValue<'_, '_>, choices: &[(&'static str, T)]) -> Vec<T> {
        let values = self.strings(item);
        values.iter().filter_map(|value| self.parse_choice(item, value, choices)).collect()
    }

    fn parse_choice<T: Copy>(
        &mut self,
        item: &KeyedValue<'_, '_>,
        value: &Located<String>,
        choices: &[(&'static str, T)],
    ) -> Option<T> {
        let found = choices.iter().find(|(name, _)| *name == value.value);
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            let hint = did_you_mean(&value.value, names.iter().copied());
            let (owner, key, shown) = (item.owner, &item.key, backticked(&value.value));
            let text = format!("{owner}: `{key}` must be one of {}, not {shown}{hint}", names.join(", "));
            self.errors.add(value.line, text);
        }
        found.map(|(_, choice)| *choice)
    }

    /// Calls `each` for every key of a table. A key that is not in `known` is an error.
    pub fn each_known_key<'a, 't>(
        &mut self,
        item: &KeyedValue<'a, 't>,
        known: &[&str],
        mut each: impl FnMut(&mut Self, &str, &KeyedValue<'a, 't>),
    ) {
        let DeValue::Table(table) = item.value() else {
            self.type_error(item, "a table");
            return;
        };
        if table.is_empty() {
            self.error_at_key(item, &format!("is empty; expected one or more of {}", known.join(", ")));
        }
        self.each_key(item, table, |reader, name, field| {
            if known.contains(&name) {
                each(reader, name, field);
            } else {
                let hint = did_you_mean(name, known.iter().copied());
                reader.error_at_key(field, &format!("is not a known key; expected one of {}{hint}", known.join(", ")));
            }
        });
    }

    /// Calls `each` for every key of a table.
    pub fn each_key<'a, 't>(
        &mut self,
        item: &KeyedValue<'a, 't>,
        table: &'a DeTable<'t>,
        mut each: impl FnMut(&mut Self, &str, &KeyedValue<'a, 't>),
    ) {
        for (key, value) in table {
            let line = self.line_of(&key.span());
            let path = format!("{}.{}", item.key, on_one_line(key.get_ref()));
            each(self, key.get_ref(), &KeyedValue { owner: item.owner, key: path, line, value });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::settings::TomlFile;

    /// Reads each key of a text by `read` and returns the errors.
    fn errors(text: &str, read: impl Fn(&mut TomlReader<'_, '_>, &KeyedValue<'_, '_>)) -> Vec<String> {
        let TomlFile { root, lines, .. } = TomlFile::parse(text);
        let mut errors = FileErrors::new(Path::new("a.toml"));
        let mut reader = TomlReader::new(&lines, &mut errors);
        for (key, value) in root.get_ref() {
            let item = reader.keyed("part", key, value);
            read(&mut reader, &item);
        }
        errors
            .into_result()
            .map_err(|errors| errors.iter().map(ToString::to_string).collect())
            .err()
            .unwrap_or_default()
    }

    #[test]
    fn an_error_says_what_is_expected_and_what_was_found() {
        let number = |reader: &mut TomlReader<'_, '_>, item: &KeyedValue<'_, '_>| {
            reader.number(item, 1..=9);
        };
        assert_eq!(errors("\na = 'x'", number), ["a.toml:2: part: `a` must be a whole number, not a string"]);
        assert_eq!(errors("a = 10", number), ["a.toml:1: part: `a` must be from 1 to 9, not 10"]);
        let choice = |reader: &mut TomlReader<'_, '_>, item: &KeyedValue<'_, '_>| {
            reader.choice(item, &[("red", 1), ("blue", 2)]);
        };
        let expected = "a.toml:1: part: `a` must be one of red, blue, not `bleu`; did you mean `blue`?";
        assert_eq!(errors("a = 'bleu'", choice), [expected]);
    }

    #[test]
    fn all_errors_of_a_table_are_reported_with_their_lines() {
        let table = |reader: &mut TomlReader<'_, '_>, item: &KeyedValue<'_, '_>| {
            reader.each_known_key(item, &["size"], |reader, _, field| {
                reader.boolean(field);
            });
        };
        let expected = [
            "a.toml:2: part: `a.sise` is not a known key; expected one of size; did you mean `size`?",
            "a.toml:3: part: `a.size` must be true or false, not a whole number",
        ];
        assert_eq!(errors("[a]\nsise = true\nsize = 1", table), expected);
    }
}

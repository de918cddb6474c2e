//! Reads TOML values as the required types. Errors are collected and never stop the reading.

use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::filter::rules::errors::{FileErrors, did_you_mean, quoted};

pub(in crate::filter::rules) type TomlKey<'t> = Spanned<DeString<'t>>;
pub(in crate::filter::rules) type TomlValue<'t> = Spanned<DeValue<'t>>;

/// A value and its line.
#[derive(Clone, Debug)]
pub(in crate::filter::rules) struct Located<T> {
    pub(in crate::filter::rules) value: T,
    pub(in crate::filter::rules) line: usize,
}

/// The positions of the line feeds of a text.
pub(super) struct LineIndex(Vec<usize>);

impl LineIndex {
    pub(super) fn new(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    pub(super) fn line_of(&self, span: &Range<usize>) -> usize {
        self.0.partition_point(|&feed| feed < span.start) + 1
    }
}

/// A value with its name in errors: the rule and the path of the key, such as `links.min`.
#[derive(Clone)]
pub(in crate::filter::rules) struct KeyedValue<'a, 't> {
    rule: &'a str,
    key: String,
    /// The line of the key.
    line: usize,
    value: &'a TomlValue<'t>,
}

impl<'a, 't> KeyedValue<'a, 't> {
    /// The raw value, for keys that accept several types.
    pub(in crate::filter::rules) fn value(&self) -> &'a DeValue<'t> {
        self.value.get_ref()
    }

    /// The line of the key.
    pub(in crate::filter::rules) fn line(&self) -> usize {
        self.line
    }
}

/// Reads values and collects errors.
pub(in crate::filter::rules) struct Reader<'f, 'p> {
    pub(super) lines: LineIndex,
    pub(super) errors: &'f mut FileErrors<'p>,
}

impl Reader<'_, '_> {
    pub(super) fn item<'a, 't>(
        &self,
        rule: &'a str,
        key: &TomlKey<'t>,
        value: &'a TomlValue<'t>,
    ) -> KeyedValue<'a, 't> {
        KeyedValue { rule, key: key.get_ref().to_string(), line: self.lines.line_of(&key.span()), value }
    }

    /// Adds an error at the line of the key: ``rule …: `key` WHAT``.
    pub(in crate::filter::rules) fn error(&mut self, item: &KeyedValue<'_, '_>, what: &str) {
        self.errors.add(item.line, format!("{}: `{}` {what}", item.rule, item.key));
    }

    /// Adds an error at the line of the value, which may be below that of its key.
    fn error_at(&mut self, item: &KeyedValue<'_, '_>, value: &TomlValue<'_>, what: &str) {
        let line = self.lines.line_of(&value.span());
        self.errors.add(line, format!("{}: `{}` {what}", item.rule, item.key));
    }

    fn type_error(&mut self, item: &KeyedValue<'_, '_>, expected: &str) {
        self.error(item, &format!("must be {expected}, not {}", type_name(item.value())));
    }

    pub(in crate::filter::rules) fn string(&mut self, item: &KeyedValue<'_, '_>) -> Option<Located<String>> {
        let text = item.value().as_str();
        if text.is_none() {
            self.type_error(item, "a string");
        }
        text.map(|text| Located { value: text.to_owned(), line: self.lines.line_of(&item.value.span()) })
    }

    pub(in crate::filter::rules) fn strings(&mut self, item: &KeyedValue<'_, '_>) -> Vec<Located<String>> {
        let Some(array) = item.value().as_array() else {
            self.type_error(item, "a list of strings");
            return Vec::new();
        };
        if array.is_empty() {
            self.error(item, "is an empty list");
        }
        let mut strings = Vec::with_capacity(array.len());
        for value in array {
            if let DeValue::String(text) = value.get_ref() {
                strings.push(Located { value: text.to_string(), line: self.lines.line_of(&value.span()) });
            } else {
                self.error_at(item, value, &format!("must hold strings, not {}", type_name(value.get_ref())));
            }
        }
        strings
    }

    pub(in crate::filter::rules) fn boolean(&mut self, item: &KeyedValue<'_, '_>) -> Option<bool> {
        let value = item.value().as_bool();
        if value.is_none() {
            self.type_error(item, "true or false");
        }
        value
    }

    /// Reads an integer within bounds.
    pub(in crate::filter::rules) fn number(
        &mut self,
        item: &KeyedValue<'_, '_>,
        bounds: RangeInclusive<u32>,
    ) -> Option<u32> {
        let DeValue::Integer(number) = item.value() else {
            self.type_error(item, "a whole number");
            return None;
        };
        let read = u32::from_str_radix(number.as_str(), number.radix()).ok().filter(|read| bounds.contains(read));
        if read.is_none() {
            self.error(item, &format!("must be from {} to {}, not {number}", bounds.start(), bounds.end()));
        }
        read
    }

    /// Reads a duration within bounds, such as `90s`, `10m`, `2h`, `7d`.
    pub(in crate::filter::rules) fn duration(
        &mut self,
        item: &KeyedValue<'_, '_>,
        bounds: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let Located { value: text, .. } = self.string(item)?;
        let Some(read) = duration(&text) else {
            let what = format!("must be a duration such as \"90s\", \"10m\", \"2h\" or \"7d\", not {}", quoted(&text));
            self.error(item, &what);
            return None;
        };
        if bounds.contains(&read) {
            return Some(read);
        }
        let (least, most) = (bounds.start().as_secs(), bounds.end().as_secs());
        self.error(item, &format!("must be from {least} s to {most} s, not {} s", read.as_secs()));
        None
    }

    pub(in crate::filter::rules) fn choice<T: Copy>(
        &mut self,
        item: &KeyedValue<'_, '_>,
        choices: &[(&'static str, T)],
    ) -> Option<T> {
        let value = self.string(item)?;
        self.parse_choice(item, &value, choices)
    }

    /// Reads a list of names, each one of `choices`.
    pub(in crate::filter::rules) fn choices<T: Copy>(
        &mut self,
        item: &KeyedValue<'_, '_>,
        choices: &[(&'static str, T)],
    ) -> Vec<T> {
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
            let (rule, key, shown) = (item.rule, &item.key, quoted(&value.value));
            let text = format!("{rule}: `{key}` must be one of {}, not {shown}{hint}", names.join(", "));
            self.errors.add(value.line, text);
        }
        found.map(|(_, choice)| *choice)
    }

    /// Calls `each` for every key of a table. A key that is not in `known` is an error.
    pub(in crate::filter::rules) fn each_known_field<'a, 't>(
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
            self.error(item, &format!("is empty; its keys are {}", known.join(", ")));
        }
        self.each_field(item, table, |reader, name, field| {
            if known.contains(&name) {
                each(reader, name, field);
            } else {
                let hint = did_you_mean(name, known.iter().copied());
                reader.error(field, &format!("is not one of {}{hint}", known.join(", ")));
            }
        });
    }

    /// Calls `each` for every key of a table.
    pub(in crate::filter::rules) fn each_field<'a, 't>(
        &mut self,
        item: &KeyedValue<'a, 't>,
        table: &'a DeTable<'t>,
        mut each: impl FnMut(&mut Self, &str, &KeyedValue<'a, 't>),
    ) {
        for (key, value) in table {
            let line = self.lines.line_of(&key.span());
            let shown = quoted(key.get_ref());
            let path = format!("{}.{}", item.key, shown.trim_matches('`'));
            each(self, key.get_ref(), &KeyedValue { rule: item.rule, key: path, line, value });
        }
    }
}

/// Parses `90s`, `10m`, `2h`, `7d`.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.trim().split_at_checked(text.trim().len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = number.parse().ok().filter(|_| plain)?;
    number.checked_mul(seconds).map(Duration::from_secs)
}

pub(super) fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        for (text, seconds) in [("90s", 90), ("10m", 600), (" 2h ", 7_200), ("7d", 604_800), ("0s", 0)] {
            assert_eq!(duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in
            ["", "s", "10", "-1s", "+1s", "1.5h", "10 m", "1w", "é", "99999999999999999999d", "9999999999999999999d"]
        {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}

//! TOML values with their lines, read as the types that they must have. What is wrong is a fault, never the end.

use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::filter::rules::faults::{Faults, did_you_mean, quoted};

pub(in crate::filter::rules) type Key<'t> = Spanned<DeString<'t>>;
pub(in crate::filter::rules) type Value<'t> = Spanned<DeValue<'t>>;

/// A value and the line where it is.
#[derive(Clone, Debug)]
pub(in crate::filter::rules) struct At<T> {
    pub(in crate::filter::rules) value: T,
    pub(in crate::filter::rules) line: usize,
}

/// Where the lines of a text begin.
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    pub(super) fn at(&self, span: &Range<usize>) -> usize {
        self.0.partition_point(|&feed| feed < span.start) + 1
    }
}

/// A value with what faults call it: the rule and the way to the key, such as `links.min`.
#[derive(Clone)]
pub(in crate::filter::rules) struct Item<'a, 't> {
    rule: &'a str,
    key: String,
    /// Line of the key.
    line: usize,
    value: &'a Value<'t>,
}

impl<'a, 't> Item<'a, 't> {
    /// The value itself, for what may be written in more than one way.
    pub(in crate::filter::rules) fn value(&self) -> &'a DeValue<'t> {
        self.value.get_ref()
    }

    /// Line of the key.
    pub(in crate::filter::rules) fn line(&self) -> usize {
        self.line
    }
}

/// Reads values and collects what is wrong with them.
pub(in crate::filter::rules) struct Reader<'f, 'p> {
    pub(super) lines: Lines,
    pub(super) faults: &'f mut Faults<'p>,
}

impl Reader<'_, '_> {
    pub(super) fn item<'a, 't>(&self, rule: &'a str, key: &Key<'t>, value: &'a Value<'t>) -> Item<'a, 't> {
        Item { rule, key: key.get_ref().to_string(), line: self.lines.at(&key.span()), value }
    }

    /// A fault of the key: `rule … : `key` WHAT`.
    pub(in crate::filter::rules) fn fault(&mut self, item: &Item<'_, '_>, what: &str) {
        self.faults.add(item.line, format!("{}: `{}` {what}", item.rule, item.key));
    }

    /// A fault of the value, which may stand lines below its key.
    fn fault_at(&mut self, item: &Item<'_, '_>, value: &Value<'_>, what: &str) {
        let line = self.lines.at(&value.span());
        self.faults.add(line, format!("{}: `{}` {what}", item.rule, item.key));
    }

    fn mistyped(&mut self, item: &Item<'_, '_>, wanted: &str) {
        self.fault(item, &format!("must be {wanted}, not {}", named(item.value())));
    }

    pub(in crate::filter::rules) fn string(&mut self, item: &Item<'_, '_>) -> Option<At<String>> {
        let text = item.value().as_str();
        if text.is_none() {
            self.mistyped(item, "a string");
        }
        text.map(|text| At { value: text.to_owned(), line: self.lines.at(&item.value.span()) })
    }

    pub(in crate::filter::rules) fn strings(&mut self, item: &Item<'_, '_>) -> Vec<At<String>> {
        let Some(array) = item.value().as_array() else {
            self.mistyped(item, "a list of strings");
            return Vec::new();
        };
        if array.is_empty() {
            self.fault(item, "is an empty list");
        }
        let mut strings = Vec::with_capacity(array.len());
        for value in array {
            if let DeValue::String(text) = value.get_ref() {
                strings.push(At { value: text.to_string(), line: self.lines.at(&value.span()) });
            } else {
                self.fault_at(item, value, &format!("must hold strings, not {}", named(value.get_ref())));
            }
        }
        strings
    }

    pub(in crate::filter::rules) fn boolean(&mut self, item: &Item<'_, '_>) -> Option<bool> {
        let value = item.value().as_bool();
        if value.is_none() {
            self.mistyped(item, "true or false");
        }
        value
    }

    /// A whole number within these bounds.
    pub(in crate::filter::rules) fn number(&mut self, item: &Item<'_, '_>, bounds: RangeInclusive<u32>) -> Option<u32> {
        let DeValue::Integer(number) = item.value() else {
            self.mistyped(item, "a whole number");
            return None;
        };
        let read = u32::from_str_radix(number.as_str(), number.radix()).ok().filter(|read| bounds.contains(read));
        if read.is_none() {
            self.fault(item, &format!("must be from {} to {}, not {number}", bounds.start(), bounds.end()));
        }
        read
    }

    /// A length of time, such as `90s`, `10m`, `2h`, `7d`, within these bounds.
    pub(in crate::filter::rules) fn duration(
        &mut self,
        item: &Item<'_, '_>,
        bounds: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let At { value: written, .. } = self.string(item)?;
        let Some(read) = duration(&written) else {
            let what = format!(
                "must be a length of time such as \"90s\", \"10m\", \"2h\" or \"7d\", not {}",
                quoted(&written)
            );
            self.fault(item, &what);
            return None;
        };
        if bounds.contains(&read) {
            return Some(read);
        }
        let (least, most) = (bounds.start().as_secs(), bounds.end().as_secs());
        self.fault(item, &format!("must be from {least} s to {most} s, not {} s", read.as_secs()));
        None
    }

    pub(in crate::filter::rules) fn choice<T: Copy>(
        &mut self,
        item: &Item<'_, '_>,
        choices: &[(&'static str, T)],
    ) -> Option<T> {
        let At { value: written, line } = self.string(item)?;
        self.chosen(item, &At { value: written, line }, choices)
    }

    /// A list of names, each one of these.
    pub(in crate::filter::rules) fn choices<T: Copy>(
        &mut self,
        item: &Item<'_, '_>,
        choices: &[(&'static str, T)],
    ) -> Vec<T> {
        let written = self.strings(item);
        written.iter().filter_map(|written| self.chosen(item, written, choices)).collect()
    }

    fn chosen<T: Copy>(
        &mut self,
        item: &Item<'_, '_>,
        written: &At<String>,
        choices: &[(&'static str, T)],
    ) -> Option<T> {
        let found = choices.iter().find(|(name, _)| *name == written.value);
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            let hint = did_you_mean(&written.value, names.iter().copied());
            let (rule, key, written_as) = (item.rule, &item.key, quoted(&written.value));
            let text = format!("{rule}: `{key}` is one of {}, not {written_as}{hint}", names.join(", "));
            self.faults.add(written.line, text);
        }
        found.map(|(_, choice)| *choice)
    }

    /// Calls `each` for every key of a table. A key that is none of `known` is a fault.
    pub(in crate::filter::rules) fn fields<'a, 't>(
        &mut self,
        item: &Item<'a, 't>,
        known: &[&str],
        mut each: impl FnMut(&mut Self, &str, &Item<'a, 't>),
    ) {
        let DeValue::Table(table) = item.value() else {
            self.mistyped(item, "a table");
            return;
        };
        if table.is_empty() {
            self.fault(item, &format!("is empty; it has {}", known.join(", ")));
        }
        self.every_field(item, table, |reader, name, field| {
            if known.contains(&name) {
                each(reader, name, field);
            } else {
                let hint = did_you_mean(name, known.iter().copied());
                reader.fault(field, &format!("is none of {}{hint}", known.join(", ")));
            }
        });
    }

    /// Calls `each` for every key of a table, whatever its name.
    pub(in crate::filter::rules) fn every_field<'a, 't>(
        &mut self,
        item: &Item<'a, 't>,
        table: &'a DeTable<'t>,
        mut each: impl FnMut(&mut Self, &str, &Item<'a, 't>),
    ) {
        for (key, value) in table {
            let line = self.lines.at(&key.span());
            let shown = quoted(key.get_ref());
            let path = format!("{}.{}", item.key, shown.trim_matches('`'));
            each(self, key.get_ref(), &Item { rule: item.rule, key: path, line, value });
        }
    }
}

/// `90s`, `10m`, `2h`, `7d`.
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

pub(super) fn named(value: &DeValue<'_>) -> &'static str {
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
    fn a_length_of_time_is_a_number_and_a_unit() {
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

//! One setting as it is declared.

use std::cmp::Ordering;
use std::ops::RangeInclusive;

use super::quotes::{self, Unquoted};
use super::source::Raw;
use super::text::{quote, shorten};
use super::{Quotes, Value};

/// One setting: its key, default, explanation, environment names and what its value must be.
#[derive(Clone, Debug)]
#[must_use]
pub struct Setting<T> {
    pub(super) key: &'static str,
    pub(super) default: T,
    pub(super) doc: &'static str,
    pub(super) env: &'static [&'static str],
    bounds: Option<Bounds<T>>,
    check: Option<Check<T>>,
    pub(super) secret: bool,
    pub(super) reloads: bool,
    pub(super) quotes: Quotes,
}

/// Says what is wrong with a value.
type Check<T> = fn(&T) -> Result<(), String>;

#[derive(Clone, Debug)]
struct Bounds<T> {
    range: RangeInclusive<T>,
    /// Kept beside the range, so that values without an order can be settings too.
    side: fn(&RangeInclusive<T>, &T) -> Ordering,
}

impl<T: Value> Bounds<T> {
    fn words(&self) -> String {
        format!("from {} to {}", self.range.start().to_toml(), self.range.end().to_toml())
    }
}

impl<T: Value> Setting<T> {
    /// A setting with the last part of its key and its default, which is not checked.
    pub fn new(key: &'static str, default: T) -> Self {
        let (doc, env) = ("", &[][..]);
        Self { key, default, doc, env, bounds: None, check: None, secret: false, reloads: false, quotes: T::QUOTES }
    }

    /// Explains it in a line: what it is, and its unit.
    pub fn doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }

    /// Names its variable, then aliases of that. Without this, it is `RELAY__SECTION__KEY`.
    pub fn env(mut self, names: &'static [&'static str]) -> Self {
        self.env = names;
        self
    }

    /// Keeps it within bounds, both included.
    pub fn within(mut self, range: RangeInclusive<T>) -> Self
    where
        T: PartialOrd,
    {
        let side = |range: &RangeInclusive<T>, value: &T| {
            if value < range.start() {
                Ordering::Less
            } else if value > range.end() {
                Ordering::Greater
            } else {
                Ordering::Equal
            }
        };
        self.bounds = Some(Bounds { range, side });
        self
    }

    /// Checks whatever bounds cannot say. The text of an error stands in the fault as it is, so that of a secret must
    /// not hold its value.
    pub fn check(mut self, check: fn(&T) -> Result<(), String>) -> Self {
        self.check = Some(check);
        self
    }

    /// Has another value take effect when the settings are read again. Without this, it needs a restart.
    pub fn reloads(mut self) -> Self {
        self.reloads = true;
        self
    }

    /// Keeps its value out of every fault.
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Says whether its value may begin or end with a quote, where its type alone cannot: not every text may.
    pub fn quotes(mut self, quotes: Quotes) -> Self {
        self.quotes = quotes;
        self
    }

    /// The names of its variable, given its full key.
    pub(super) fn names(&self, path: &str) -> Vec<String> {
        if self.env.is_empty() {
            vec![long_name(path)]
        } else {
            self.env.iter().map(|name| (*name).to_owned()).collect()
        }
    }

    /// Reads and checks what was given.
    pub(super) fn accept(&self, raw: &Raw) -> Result<T, String> {
        let value = match raw {
            Raw::Environment(text) | Raw::Dotenv(text) => T::from_text(text),
            Raw::Toml(value) => T::from_toml(value),
        };
        let value = value.map_err(|why| {
            let why = self.bounds.as_ref().map_or(why, |bounds| format!("is not {} {}", T::EXPECTED, bounds.words()));
            format!("{} {why}", self.shown(|| raw.shown()))
        })?;
        self.keep(&value)?;
        Ok(value)
    }

    /// Checks a value by the bounds and the check.
    pub(super) fn keep(&self, value: &T) -> Result<(), String> {
        if let Some(bounds) = &self.bounds {
            let fault = match (bounds.side)(&bounds.range, value) {
                Ordering::Equal => None,
                Ordering::Less => Some("is too small"),
                Ordering::Greater => Some("is too large"),
            };
            if let Some(fault) = fault {
                let shown = self.shown(|| shorten(&value.to_toml()));
                return Err(format!("{shown} {fault}; it must be {}", bounds.words()));
            }
        }
        self.check.map_or(Ok(()), |check| check(value))
    }

    /// What it may be, as a listing tells: `from 1 to 65_536`.
    pub(super) fn limits(&self) -> Option<String> {
        let bounds = self.bounds.as_ref().map(|bounds| {
            let (start, end) = (bounds.range.start().to_toml(), bounds.range.end().to_toml());
            format!("from {} to {}", grouped(&start), grouped(&end))
        });
        bounds.or_else(T::names)
    }

    fn shown(&self, value: impl FnOnce() -> String) -> String {
        if self.secret { "the value".to_owned() } else { value() }
    }
}

impl Raw {
    /// The value without quotes around it or around the items of a list, and what to warn of; `None` where there are
    /// none. Outside of the environment, quotes around anything but a list were written on purpose.
    pub(super) fn without_quotes(&self, quotes: Quotes) -> Result<Option<(Self, &'static str)>, String> {
        let unquoted = match (self, quotes) {
            (Self::Environment(text), _) => quotes::around_value(text, quotes)?,
            (Self::Dotenv(text) | Self::Toml(toml::Value::String(text)), Quotes::List(items)) => {
                quotes::around_list(text, *items)?
            }
            _ => None,
        };
        Ok(unquoted.map(|Unquoted { text, warning }| (Self::Environment(text), warning)))
    }

    /// The value as a fault shows it.
    fn shown(&self) -> String {
        match self {
            Self::Environment(text) | Self::Dotenv(text) | Self::Toml(toml::Value::String(text)) => quote(text),
            Self::Toml(value) => shorten(&value.to_string()),
        }
    }
}

/// The variable of a key that has no name of its own.
pub(super) fn long_name(path: &str) -> String {
    format!("RELAY__{}", path.replace('.', "__").to_uppercase())
}

/// A number of five digits or more with underscores between the thousands; anything else as it is.
pub(super) fn grouped(text: &str) -> String {
    if text.len() < 5 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.to_owned();
    }
    let mut written = String::new();
    for (at, digit) in text.chars().enumerate() {
        if at > 0 && (text.len() - at).is_multiple_of(3) {
            written.push('_');
        }
        written.push(digit);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Raw {
        Raw::Environment(text.to_owned())
    }

    #[test]
    fn bounds_belong_to_what_is_allowed() {
        let setting = Setting::new("a", 5_u32).within(1..=9);
        assert_eq!(setting.accept(&text("1")), Ok(1));
        assert_eq!(setting.accept(&text("9")), Ok(9));
        assert_eq!(setting.accept(&text("0")), Err("0 is too small; it must be from 1 to 9".into()));
        assert_eq!(setting.accept(&text("10")), Err("10 is too large; it must be from 1 to 9".into()));
        assert_eq!(setting.accept(&text("-1")), Err("\"-1\" is not a whole number from 1 to 9".into()));
    }

    #[test]
    fn a_check_has_the_last_word() {
        let even = |n: &u32| if n.is_multiple_of(2) { Ok(()) } else { Err("must be even".to_owned()) };
        let setting = Setting::new("a", 2).check(even);
        assert_eq!(setting.accept(&text("4")), Ok(4));
        assert_eq!(setting.accept(&Raw::Toml(toml::Value::Integer(3))), Err("must be even".into()));
    }

    #[test]
    fn the_value_of_a_secret_is_in_no_fault() {
        let number = Setting::new("a", 5_u32).within(1..=9).secret();
        let list = Setting::new("b", Vec::<u32>::new()).secret();
        for fault in [
            number.accept(&text("hush")).map(drop),
            number.accept(&text("77777")).map(drop),
            list.accept(&text("1,hush")).map(drop),
            list.accept(&Raw::Toml(toml::Value::Boolean(true))).map(drop),
        ] {
            let fault = fault.expect_err("a fault");
            assert!(fault.starts_with("the value ") && !fault.contains("hush") && !fault.contains("77777"), "{fault}");
        }
    }

    #[test]
    fn only_long_numbers_are_grouped() {
        for (plain, shown) in
            [("8388608", "8_388_608"), ("10000", "10_000"), ("8000", "8000"), ("\"12345\"", "\"12345\"")]
        {
            assert_eq!(grouped(plain), shown);
        }
    }
}

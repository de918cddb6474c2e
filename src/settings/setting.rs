//! The declaration of one setting.

use std::cmp::Ordering;
use std::ops::RangeInclusive;

use super::raw_value::RawValue;
use super::text::shorten;
use super::{Quotes, SettingValue};

/// A setting: its key, default, documentation, environment variables and constraints.
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

/// Returns what is wrong with a value.
type Check<T> = fn(&T) -> Result<(), String>;

#[derive(Clone, Debug)]
struct Bounds<T> {
    range: RangeInclusive<T>,
    /// Stored as a function so that `Setting<T>` does not require `T: PartialOrd`.
    compare: fn(&RangeInclusive<T>, &T) -> Ordering,
}

impl<T: SettingValue> Bounds<T> {
    fn describe(&self) -> String {
        format!("from {} to {}", self.range.start().to_toml(), self.range.end().to_toml())
    }
}

impl<T: SettingValue> Setting<T> {
    /// Creates a setting. `key` is the last part of its full key. `default` is not checked.
    pub fn new(key: &'static str, default: T) -> Self {
        let (doc, env) = ("", &[][..]);
        Self { key, default, doc, env, bounds: None, check: None, secret: false, reloads: false, quotes: T::QUOTES }
    }

    /// Sets the documentation: what the setting is, and its unit.
    pub fn doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }

    /// Sets the environment variable, followed by its aliases. The default is `RELAY__SECTION__KEY`.
    pub fn env(mut self, names: &'static [&'static str]) -> Self {
        self.env = names;
        self
    }

    /// Sets the allowed range, inclusive.
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
        self.bounds = Some(Bounds { range, compare: side });
        self
    }

    /// Adds a check beyond the range. Its error text is shown verbatim, so the check of a secret must not repeat the
    /// value.
    pub fn check(mut self, check: fn(&T) -> Result<(), String>) -> Self {
        self.check = Some(check);
        self
    }

    /// Marks the setting as reloadable: a new value takes effect on a reload. Other settings need a restart.
    pub fn reloads(mut self) -> Self {
        self.reloads = true;
        self
    }

    /// Keeps the value out of error messages.
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Sets whether the value may begin or end with a quote. The default depends on the type.
    pub fn quotes(mut self, quotes: Quotes) -> Self {
        self.quotes = quotes;
        self
    }

    /// Returns the variable and its aliases. `path` is the full key.
    pub(super) fn env_names(&self, path: &str) -> Vec<String> {
        if self.env.is_empty() {
            vec![default_env_name(path)]
        } else {
            self.env.iter().map(|name| (*name).to_owned()).collect()
        }
    }

    /// Parses and validates a value.
    pub(super) fn parse(&self, raw: &RawValue) -> Result<T, String> {
        let value = match raw {
            RawValue::Environment(text) | RawValue::Dotenv(text) => T::from_text(text),
            RawValue::Toml(value) => T::from_toml(value),
        };
        let value = value.map_err(|why| {
            let why =
                self.bounds.as_ref().map_or(why, |bounds| format!("is not {} {}", T::EXPECTED, bounds.describe()));
            format!("{} {why}", self.shown(|| raw.shown()))
        })?;
        self.validate(&value)?;
        Ok(value)
    }

    /// Validates a value against the range and the check.
    pub(super) fn validate(&self, value: &T) -> Result<(), String> {
        if let Some(bounds) = &self.bounds {
            let error = match (bounds.compare)(&bounds.range, value) {
                Ordering::Equal => None,
                Ordering::Less => Some("is too small"),
                Ordering::Greater => Some("is too large"),
            };
            if let Some(error) = error {
                let shown = self.shown(|| shorten(&value.to_toml()));
                return Err(format!("{shown} {error}; it must be {}", bounds.describe()));
            }
        }
        self.check.map_or(Ok(()), |check| check(value))
    }

    /// Returns the allowed values for the listing, such as `from 1 to 65_536`.
    pub(super) fn allowed(&self) -> Option<String> {
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

/// Returns the default environment variable of a key.
pub(super) fn default_env_name(path: &str) -> String {
    format!("RELAY__{}", path.replace('.', "__").to_uppercase())
}

/// Groups the digits of a number of five or more digits with underscores. Returns other texts unchanged.
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

    fn text(text: &str) -> RawValue {
        RawValue::Environment(text.to_owned())
    }

    #[test]
    fn bounds_are_inclusive() {
        let setting = Setting::new("a", 5_u32).within(1..=9);
        assert_eq!(setting.parse(&text("1")), Ok(1));
        assert_eq!(setting.parse(&text("9")), Ok(9));
        assert_eq!(setting.parse(&text("0")), Err("0 is too small; it must be from 1 to 9".into()));
        assert_eq!(setting.parse(&text("10")), Err("10 is too large; it must be from 1 to 9".into()));
        assert_eq!(setting.parse(&text("-1")), Err("\"-1\" is not a whole number from 1 to 9".into()));
    }

    #[test]
    fn a_check_runs_after_the_value_is_parsed() {
        let even = |n: &u32| if n.is_multiple_of(2) { Ok(()) } else { Err("must be even".to_owned()) };
        let setting = Setting::new("a", 2).check(even);
        assert_eq!(setting.parse(&text("4")), Ok(4));
        assert_eq!(setting.parse(&RawValue::Toml(toml::Value::Integer(3))), Err("must be even".into()));
    }

    #[test]
    fn errors_do_not_contain_the_value_of_a_secret() {
        let number = Setting::new("a", 5_u32).within(1..=9).secret();
        let list = Setting::new("b", Vec::<u32>::new()).secret();
        for error in [
            number.parse(&text("hush")).map(drop),
            number.parse(&text("77777")).map(drop),
            list.parse(&text("1,hush")).map(drop),
            list.parse(&RawValue::Toml(toml::Value::Boolean(true))).map(drop),
        ] {
            let error = error.expect_err("an error");
            assert!(error.starts_with("the value ") && !error.contains("hush") && !error.contains("77777"), "{error}");
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

//! Variables from the environment and from `.env`.

use std::ffi::OsString;

use super::{ConfigError, ConfigWarning, Location, quotes};

/// A variable and its source.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    /// `None` if it is not UTF-8.
    pub(super) value: Option<String>,
    /// The location in `.env`; `None` for the environment.
    line: Option<Location>,
}

impl Variable {
    /// Creates a variable from a line of `.env`.
    pub(super) fn in_file(name: &str, value: String, line: Location) -> Self {
        Self { name: name.to_owned(), value: Some(value), line: Some(line) }
    }

    /// Creates an error for this variable.
    pub(super) fn error(&self, text: &str) -> ConfigError {
        match &self.line {
            Some(line) => ConfigError::new(line.clone(), format!("{}: {text}", self.name)),
            None => ConfigError::new(Location::Variable(self.name.clone()), text),
        }
    }

    /// Creates a warning for this variable.
    pub(super) fn warning(&self, text: &str) -> ConfigWarning {
        let ConfigError { location, text } = self.error(text);
        ConfigWarning { location, text }
    }

    /// Whether the value is not blank. Compose files pass unset variables on as empty ones. In the environment, an
    /// empty pair of quotes counts as blank: `docker run --env-file` passes `NAME=""` on that way.
    pub(super) fn is_set(&self) -> bool {
        self.value.as_ref().is_none_or(|value| {
            let in_quotes = || quotes::inside(value.trim()).filter(|_| self.line.is_none());
            !value.trim().is_empty() && in_quotes().is_none_or(|value| !value.trim().is_empty())
        })
    }

    /// Whether the value is one of these words, ignoring case and quotes.
    pub(super) fn is_one_of(&self, words: &[&str]) -> bool {
        self.value.as_ref().is_some_and(|value| {
            let value = quotes::inside(value.trim()).unwrap_or_else(|| value.trim().to_owned());
            words.iter().any(|word| word.eq_ignore_ascii_case(&value))
        })
    }
}

/// A variable for a feature that this version does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsupportedVariable {
    /// Its name.
    pub name: &'static str,
    /// Values that are accepted because they ask for the behaviour of this version.
    pub except: &'static [&'static str],
    /// The reason, and what to do.
    pub why: &'static str,
}

/// Converts the variables of the environment.
pub(super) fn environment(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<Variable> {
    variables
        .into_iter()
        .map(|(name, value)| Variable {
            name: name.to_string_lossy().into_owned(),
            value: value.into_string().ok(),
            line: None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_variable_is_not_set() {
        let given = ["", " ", "\"\"", "' '", "x", "\"x\"", "'"].map(|value| ("A".into(), value.into()));
        let set: Vec<bool> = environment(given).iter().map(Variable::is_set).collect();
        assert_eq!(set, [false, false, false, false, true, true, true]);
    }
}

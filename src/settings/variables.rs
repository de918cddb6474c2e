//! Variables of the environment and of a `.env` file.

use std::ffi::OsString;

use super::{Fault, Place, Warning, quotes};

/// One variable that is set.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    /// `None` when it is not UTF-8.
    pub(super) value: Option<String>,
    /// The line of `.env`; `None` for the environment.
    line: Option<Place>,
}

impl Variable {
    /// A variable of a line of `.env`.
    pub(super) fn in_file(name: &str, value: String, line: Place) -> Self {
        Self { name: name.to_owned(), value: Some(value), line: Some(line) }
    }

    /// A fault of this variable.
    pub(super) fn fault(&self, text: &str) -> Fault {
        match &self.line {
            Some(line) => Fault::new(line.clone(), format!("{}: {text}", self.name)),
            None => Fault::new(Place::Variable(self.name.clone()), text),
        }
    }

    /// A warning of this variable.
    pub(super) fn warning(&self, text: &str) -> Warning {
        let Fault { place, text } = self.fault(text);
        Warning { place, text }
    }

    /// Whether it holds something: compose files pass variables on that are empty, and mean that they are not set. In
    /// the environment, a pair of quotes alone is what `docker run --env-file` makes of `NAME=""`.
    pub(super) fn is_set(&self) -> bool {
        self.value.as_ref().is_none_or(|value| {
            let in_quotes = || quotes::inside(value.trim()).filter(|_| self.line.is_none());
            !value.trim().is_empty() && in_quotes().is_none_or(|value| !value.trim().is_empty())
        })
    }

    /// Whether its value is one of these words, in any case and with or without quotes.
    pub(super) fn is_one_of(&self, words: &[&str]) -> bool {
        self.value.as_ref().is_some_and(|value| {
            let value = quotes::inside(value.trim()).unwrap_or_else(|| value.trim().to_owned());
            words.iter().any(|word| word.eq_ignore_ascii_case(&value))
        })
    }
}

/// The variables of the environment.
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
    fn a_variable_of_blanks_is_not_set() {
        let given = ["", " ", "\"\"", "' '", "x", "\"x\"", "'"].map(|value| ("A".into(), value.into()));
        let set: Vec<bool> = environment(given).iter().map(Variable::is_set).collect();
        assert_eq!(set, [false, false, false, false, true, true, true]);
    }
}

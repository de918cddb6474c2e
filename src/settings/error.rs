//! Errors and warnings in files and variables that operators write, with their locations.

use std::fmt;
use std::path::PathBuf;

/// The location of an error or a warning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Location {
    /// A whole file.
    File(PathBuf),
    /// A line of a file.
    Line {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// An environment variable.
    Variable(String),
    /// Several variables, from the environment or `.env`.
    Variables(Vec<String>),
    /// A default value that conflicts with the values given for other settings.
    Default,
}

impl Location {
    /// Creates the location of a line, counted from 1.
    pub fn line(file: impl Into<PathBuf>, line: usize) -> Self {
        Self::Line { file: file.into(), line }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "{}", file.display()),
            Self::Line { file, line } => write!(f, "{}:{line}", file.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Variables(names) => f.write_str(&names.join(", ")),
            Self::Default => f.write_str("default"),
        }
    }
}

/// An error that the operator has to fix, displayed as `relay.toml:12: what is wrong`.
///
/// Errors are ordered by location.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[error("{location}: {text}")]
pub struct ConfigError {
    /// Where it is.
    pub location: Location,
    /// The problem, in lower case, without a full stop and without the location.
    pub text: String,
}

impl ConfigError {
    /// Creates an error.
    pub fn new(location: Location, text: impl Into<String>) -> Self {
        Self { location, text: text.into() }
    }

    /// Creates an error of a whole file.
    pub fn in_file(file: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self::new(Location::File(file.into()), text)
    }
}

/// A value that was repaired or has no effect, displayed as `relay.toml:12: what happened`.
///
/// A warning does not prevent a start. Warnings are ordered by location.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConfigWarning {
    /// Where it is.
    pub location: Location,
    /// One line in lower case, without a full stop and without the location. Never contains a value that may be a
    /// secret.
    pub text: String,
}

impl ConfigWarning {
    /// Creates a warning.
    pub fn new(location: Location, text: impl Into<String>) -> Self {
        Self { location, text: text.into() }
    }
}

impl fmt::Display for ConfigWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.text)
    }
}

/// All errors and warnings of a configuration, each list ordered by location.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Diagnostics {
    /// Errors. The relay does not start if there are any.
    pub errors: Vec<ConfigError>,
    /// Values that were repaired or have no effect.
    pub warnings: Vec<ConfigWarning>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_starts_with_its_location() {
        assert_eq!(ConfigWarning::new(Location::line(".env", 3), "has no effect").to_string(), ".env:3: has no effect");
    }

    #[test]
    fn an_error_starts_with_its_location() {
        for (location, shown) in [
            (Location::line("relay.toml", 12), "relay.toml:12: wrong"),
            (Location::File("relay.toml".into()), "relay.toml: wrong"),
            (Location::Variable("ROOMS".into()), "ROOMS: wrong"),
            (Location::Variables(vec!["RULES".into(), "ROOMS".into()]), "RULES, ROOMS: wrong"),
            (Location::Default, "default: wrong"),
        ] {
            assert_eq!(ConfigError::new(location, "wrong").to_string(), shown);
        }
    }

    #[test]
    fn lines_are_ordered_numerically() {
        assert!(Location::line("a", 9) < Location::line("a", 10));
        assert!(Location::line("a", 10) < Location::line("b", 1));
    }
}

//! What is wrong with something that an operator wrote, and where that stands.

use std::fmt;
use std::path::PathBuf;

/// Where a fault is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A whole file.
    File(PathBuf),
    /// A line of a file.
    Line {
        /// The file.
        file: PathBuf,
        /// Its line, counted from 1.
        line: usize,
    },
    /// A variable of the environment.
    Variable(String),
    /// Several variables, of the environment or of `.env`.
    Variables(Vec<String>),
    /// Nowhere: nobody gave a value, and the default does not go with what was given for others.
    Default,
}

impl Place {
    /// A line of a file, counted from 1.
    pub fn line(file: impl Into<PathBuf>, line: usize) -> Self {
        Self::Line { file: file.into(), line }
    }
}

impl fmt::Display for Place {
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

/// Something that an operator has to put right, shown as `relay.toml:12: what is wrong`.
///
/// Faults are ordered by place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[error("{place}: {text}")]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// What is wrong: in lower case, without a full stop, without the place.
    pub text: String,
}

impl Fault {
    /// A fault at a place.
    pub fn new(place: Place, text: impl Into<String>) -> Self {
        Self { place, text: text.into() }
    }
}

/// Something that was repaired or has no effect, shown as `relay.toml:12: what is different from how it looks`.
///
/// It does not stop the relay. Warnings are ordered by place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Warning {
    /// Where.
    pub place: Place,
    /// In lower case, without a full stop, without the place, in one line. Never a value that may be a secret.
    pub text: String,
}

impl Warning {
    /// A warning at a place.
    pub fn new(place: Place, text: impl Into<String>) -> Self {
        Self { place, text: text.into() }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

/// Everything that an operator should know about a configuration, each list ordered by place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Findings {
    /// Errors: nothing is served as long as there is one.
    pub faults: Vec<Fault>,
    /// Repaired or ineffective values.
    pub warnings: Vec<Warning>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_starts_with_its_place() {
        assert_eq!(Warning::new(Place::line(".env", 3), "has no effect").to_string(), ".env:3: has no effect");
    }

    #[test]
    fn a_fault_starts_with_its_place() {
        for (place, shown) in [
            (Place::line("relay.toml", 12), "relay.toml:12: wrong"),
            (Place::File("relay.toml".into()), "relay.toml: wrong"),
            (Place::Variable("ROOMS".into()), "ROOMS: wrong"),
            (Place::Variables(vec!["RULES".into(), "ROOMS".into()]), "RULES, ROOMS: wrong"),
            (Place::Default, "default: wrong"),
        ] {
            assert_eq!(Fault::new(place, "wrong").to_string(), shown);
        }
    }

    #[test]
    fn lines_are_ordered_by_number_and_not_by_digits() {
        assert!(Place::line("a", 9) < Place::line("a", 10));
        assert!(Place::line("a", 10) < Place::line("b", 1));
    }
}

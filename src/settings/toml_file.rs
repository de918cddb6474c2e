//! A TOML file with the positions of its values. Every file that operators write in TOML is parsed here.

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue, Deserializer};

use super::{ConfigError, FileErrors, Location};

/// A key and its position.
pub type TomlKey<'t> = Spanned<DeString<'t>>;
/// A value and its position.
pub type TomlValue<'t> = Spanned<DeValue<'t>>;

/// A parsed file. Entries after a syntax error are missing or unreliable.
#[derive(Debug)]
pub struct TomlFile<'t> {
    /// The keys and values of the file.
    pub root: Spanned<DeTable<'t>>,
    /// The lines of the file.
    pub lines: LineIndex,
    /// The first syntax error of each line. Further ones on a line usually follow from it.
    pub syntax_errors: BTreeMap<usize, String>,
}

impl<'t> TomlFile<'t> {
    /// Parses a text.
    #[must_use]
    pub fn parse(text: &'t str) -> Self {
        let (root, errors) = DeTable::parse_recoverable(text);
        let lines = LineIndex::new(text);
        let mut syntax_errors = BTreeMap::new();
        for error in errors {
            let line = lines.line_of_error(&error);
            syntax_errors.entry(line).or_insert_with(|| error.message().to_owned());
        }
        Self { root, lines, syntax_errors }
    }
}

/// Reads a whole file into a type. `path` is used in errors.
///
/// # Errors
/// All syntax errors or, in a file without any, the first value that does not fit the type; each with its line.
pub fn from_toml<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, Vec<ConfigError>> {
    let TomlFile { root, lines, syntax_errors } = TomlFile::parse(text);
    let mut errors = FileErrors::new(path);
    for (line, message) in syntax_errors {
        errors.add(line, message);
    }
    errors.into_result()?;
    T::deserialize(Deserializer::from(root))
        .map_err(|error| vec![ConfigError::new(Location::line(path, lines.line_of_error(&error)), error.message())])
}

/// Maps byte offsets of a text to line numbers.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<usize>,
}

impl LineIndex {
    /// Creates the index of `text`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let after_each = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { starts: std::iter::once(0).chain(after_each).collect() }
    }

    fn line_of_error(&self, error: &toml::de::Error) -> usize {
        self.line(error.span().map_or(0, |span| span.start))
    }

    /// Returns the line of a byte offset, counted from 1.
    #[must_use]
    pub fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }
}

/// Returns the type of a value, with its article.
#[must_use]
pub fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
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
    fn an_offset_maps_to_its_line() {
        let lines = LineIndex::new("ab\nc\n\nd");
        let found: Vec<usize> = (0..8).map(|offset| lines.line(offset)).collect();
        assert_eq!(found, [1, 1, 1, 2, 2, 3, 4, 4]);
    }

    #[test]
    fn each_line_has_one_syntax_error() {
        let file = TomlFile::parse("a = \nb = 1\nb = 2\nc = 'x\nd = 1 2\ne = 1\n");
        assert_eq!(file.syntax_errors.keys().copied().collect::<Vec<_>>(), [1, 3, 4, 5]);
    }

    #[test]
    fn the_error_of_a_value_that_does_not_fit_has_its_line() {
        #[derive(Debug, serde::Deserialize)]
        struct Size {
            #[expect(dead_code, reason = "only its type matters")]
            size: u32,
        }
        for (text, expected) in [
            ("\nsize = 'large'", "a.toml:2: invalid type: string \"large\", expected u32"),
            ("\nsize = 1\nsize = 2", "a.toml:3: duplicate key"),
        ] {
            let errors = from_toml::<Size>(Path::new("a.toml"), text).unwrap_err();
            assert_eq!(errors.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
        }
        assert!(from_toml::<Size>(Path::new("a.toml"), "size = 1").is_ok());
    }
}

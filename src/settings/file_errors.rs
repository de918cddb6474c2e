//! Collects the errors of a file.

use std::path::Path;

use super::{ConfigError, Location};

/// Further errors are counted but not listed.
const MAX_LISTED: usize = 100;

/// The errors of a file, each with the line of the file that caused it.
#[derive(Debug)]
pub struct FileErrors<'p> {
    file: &'p Path,
    errors: Vec<(usize, ConfigError)>,
}

impl<'p> FileErrors<'p> {
    /// Creates an empty list. `file` is used in errors.
    #[must_use]
    pub fn new(file: &'p Path) -> Self {
        Self { file, errors: Vec::new() }
    }

    /// Adds an error. Line 0 stands for the whole file.
    pub fn add(&mut self, line: usize, text: String) {
        let file = self.file.to_owned();
        let location = if line == 0 { Location::File(file) } else { Location::Line { file, line } };
        self.errors.push((line, ConfigError::new(location, text)));
    }

    /// Adds an error of another file, which `line` of this file names.
    pub fn add_at(&mut self, line: usize, location: Location, text: String) {
        self.errors.push((line, ConfigError::new(location, text)));
    }

    /// Whether there are no errors.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// Checks that there are no errors.
    ///
    /// # Errors
    /// All errors in the order of lines; those of one line in the order in which they were added. Beyond a hundred they
    /// are only counted.
    pub fn into_result(mut self) -> Result<(), Vec<ConfigError>> {
        if self.errors.is_empty() {
            return Ok(());
        }
        self.errors.sort_by_key(|&(line, _)| line);
        let unlisted = self.errors.len().saturating_sub(MAX_LISTED);
        let mut list: Vec<ConfigError> = self.errors.into_iter().take(MAX_LISTED).map(|(_, error)| error).collect();
        if unlisted > 0 {
            list.push(ConfigError::in_file(self.file, format!("{unlisted} more errors")));
        }
        Err(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_beyond_a_hundred_are_only_counted() {
        let mut errors = FileErrors::new(Path::new("rules.toml"));
        (1..=130).rev().for_each(|line| errors.add(line, format!("error {line}")));
        let list: Vec<String> = errors.into_result().unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(list.len(), 101);
        assert_eq!(list[0], "rules.toml:1: error 1");
        assert_eq!(list[100], "rules.toml: 30 more errors");
    }
}

//! Collects the errors of a rules file.

use std::path::Path;

use strsim::osa_distance;

use crate::settings::{ConfigError, Location};

/// Further errors are counted but not listed.
const MAX_LISTED: usize = 100;

/// The errors of a rules file, each with the line of the rules file that caused it.
pub(super) struct FileErrors<'p> {
    file: &'p Path,
    errors: Vec<(usize, ConfigError)>,
}

impl<'p> FileErrors<'p> {
    pub(super) fn new(file: &'p Path) -> Self {
        Self { file, errors: Vec::new() }
    }

    /// Returns an error of a whole file.
    pub(super) fn file_error(file: &Path, text: String) -> ConfigError {
        ConfigError::new(Location::File(file.to_owned()), text)
    }

    /// Adds an error of the rules file. Line 0 stands for the whole file.
    pub(super) fn add(&mut self, line: usize, text: String) {
        let file = self.file.to_owned();
        let location = if line == 0 { Location::File(file) } else { Location::Line { file, line } };
        self.errors.push((line, ConfigError::new(location, text)));
    }

    /// Adds an error of another file, which `line` of the rules file names.
    pub(super) fn add_at(&mut self, line: usize, location: Location, text: String) {
        self.errors.push((line, ConfigError::new(location, text)));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// Returns all errors in the order of lines.
    pub(super) fn into_result(mut self) -> Result<(), Vec<ConfigError>> {
        if self.errors.is_empty() {
            return Ok(());
        }
        self.errors.sort_by_key(|&(line, _)| line);
        let unlisted = self.errors.len().saturating_sub(MAX_LISTED);
        let mut list: Vec<ConfigError> = self.errors.into_iter().take(MAX_LISTED).map(|(_, error)| error).collect();
        if unlisted > 0 {
            list.push(Self::file_error(self.file, format!("{unlisted} more errors")));
        }
        Err(list)
    }
}

/// Returns `; did you mean ...?` if one of `names` is close to `written`, else an empty string.
pub(super) fn did_you_mean<'n>(written: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    // A long text is not a typo, and computing its distance would be slow.
    if written.len() > 40 {
        return String::new();
    }
    let written = written.to_lowercase();
    let near = names.into_iter().map(|name| (osa_distance(&written, &name.to_lowercase()), name)).min();
    match near {
        Some((distance, name)) if distance <= (name.len() / 3).max(1) => format!("; did you mean `{name}`?"),
        _ => String::new(),
    }
}

/// Returns a text from a file in backticks for use in an error: on one line, and cut off after 60 characters.
pub(super) fn quoted(text: &str) -> String {
    const MAX_CHARS: usize = 60;
    let mut shown: String = text.chars().take(MAX_CHARS).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(MAX_CHARS).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_typos_get_a_suggestion() {
        let names = ["words", "words_file", "any"];
        assert_eq!(did_you_mean("wrods", names), "; did you mean `words`?");
        assert_eq!(did_you_mean("Any", names), "; did you mean `any`?");
        assert_eq!(did_you_mean("colour", names), "");
        assert_eq!(did_you_mean(&"w".repeat(100_000), names), "");
    }

    #[test]
    fn a_quoted_text_is_short_and_on_one_line() {
        assert_eq!(quoted("a\nb"), "`a\u{fffd}b`");
        assert_eq!(quoted(&"é".repeat(61)), format!("`{}…`", "é".repeat(60)));
    }

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

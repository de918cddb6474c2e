//! Helpers for text written by operators: reading it with a size limit, quoting excerpts, suggesting names.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::ConfigError;

/// Largest file that is read, in bytes.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;

/// Longest excerpt of a value shown in an error, in code points.
const MAX_SHOWN: usize = 60;

/// Reads a file of at most [`MAX_FILE_BYTES`]. Returns `None` if it does not exist.
///
/// # Errors
/// [`ConfigError`] if the file cannot be read, is too large or is not UTF-8.
pub fn read_text(path: &Path) -> Result<Option<String>, ConfigError> {
    let invalid = |text: String| ConfigError::in_file(path, text);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(invalid(format!("cannot be read: {error}"))),
    };
    let mut bytes = Vec::new();
    // Read one byte beyond the limit to detect a file that is too large.
    file.take(MAX_FILE_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| invalid(format!("cannot be read: {error}")))?;
    if let Some(error) = too_large(bytes.len(), path) {
        return Err(error);
    }
    String::from_utf8(bytes).map(Some).map_err(|_| invalid("is not UTF-8 text".to_owned()))
}

/// Returns an error if a text is larger than [`MAX_FILE_BYTES`].
pub(super) fn too_large(bytes: usize, path: &Path) -> Option<ConfigError> {
    (bytes > MAX_FILE_BYTES)
        .then(|| ConfigError::in_file(path, format!("is too large; the limit is {MAX_FILE_BYTES} bytes")))
}

/// Quotes a text for an error message: cut to 60 code points, with control characters escaped.
#[must_use]
pub fn quote(text: &str) -> String {
    format!("\"{}\"", shorten(text))
}

/// Like [`quote`], without the quotes.
pub(super) fn shorten(text: &str) -> String {
    cut(text, escape)
}

/// Quotes a text in backticks for an error message: cut to 60 code points, on one line.
#[must_use]
pub fn backticked(text: &str) -> String {
    format!("`{}`", on_one_line(text))
}

/// Like [`backticked`], without the backticks.
pub(super) fn on_one_line(text: &str) -> String {
    cut(text, |c| [if c.is_control() { '\u{fffd}' } else { c }])
}

/// Cuts a text to [`MAX_SHOWN`] code points and replaces each by `shown`.
fn cut<I: IntoIterator<Item = char>>(text: &str, shown: impl Fn(char) -> I) -> String {
    let mut chars = text.chars();
    let mut cut: String = chars.by_ref().take(MAX_SHOWN).flat_map(shown).collect();
    if chars.next().is_some() {
        cut.push('…');
    }
    cut
}

/// Escapes a character as `escape_debug` does, except for quotes and backslashes: the result is for people, not a
/// parser.
fn escape(c: char) -> impl Iterator<Item = char> {
    let plain = matches!(c, '"' | '\'' | '\\').then_some(c);
    plain.into_iter().chain(c.escape_debug().filter(move |_| plain.is_none()))
}

/// Returns the candidate closest to `word`, ignoring case, if one is close enough to suggest.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let length = word.chars().count();
    let max_distance = (length / 3).clamp(1, 4);
    candidates
        .into_iter()
        // The distance is at least the difference of the lengths, which is faster to compute.
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= max_distance)
        .map(|candidate| (strsim::osa_distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= max_distance)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Returns ``; did you mean `x`?`` for the name closest to `written`, or an empty text if none is close.
pub fn did_you_mean<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    nearest(written, names).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_cut_and_a_control_character_is_escaped() {
        assert_eq!(quote("a\nb\u{202e}\u{1b}"), r#""a\nb\u{202e}\u{1b}""#);
        assert_eq!(quote(&"é".repeat(60)), format!("\"{}\"", "é".repeat(60)));
        assert_eq!(quote(&"é".repeat(61)), format!("\"{}…\"", "é".repeat(60)));
    }

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
        assert_eq!(backticked("a\nb"), "`a\u{fffd}b`");
        assert_eq!(backticked(&"é".repeat(61)), format!("`{}…`", "é".repeat(60)));
    }

    #[test]
    fn a_close_word_is_suggested_and_a_distant_one_is_not() {
        assert_eq!(nearest("romos", ["rooms", "rules"]), Some("rooms"));
        assert_eq!(nearest("xyz", ["rooms", "rules"]), None);
    }

    #[test]
    fn a_file_at_the_limit_is_read_and_one_more_byte_is_an_error() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("file");
        assert_eq!(read_text(&path), Ok(None));
        std::fs::write(&path, vec![b' '; MAX_FILE_BYTES]).expect("written");
        assert_eq!(read_text(&path).map(|text| text.map_or(0, |text| text.len())), Ok(MAX_FILE_BYTES));
        std::fs::write(&path, vec![b' '; MAX_FILE_BYTES + 1]).expect("written");
        assert!(read_text(&path).expect_err("too large").text.contains("1048576 bytes"));
        std::fs::write(&path, [0xff]).expect("written");
        assert_eq!(read_text(&path).expect_err("not text").text, "is not UTF-8 text");
    }
}

//! Helpers for text written by operators: reading it with a size limit, finding line numbers, quoting excerpts.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::{ConfigError, Location};

/// Largest file that is read, in bytes.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;

/// Longest excerpt of a value shown in an error, in code points.
const MAX_SHOWN: usize = 60;

/// Reads a file of at most [`MAX_FILE_BYTES`]. Returns `None` if it does not exist.
///
/// # Errors
/// [`ConfigError`] if the file cannot be read, is too large or is not UTF-8.
pub fn read_text(path: &Path) -> Result<Option<String>, ConfigError> {
    let invalid = |text: String| ConfigError::new(Location::File(path.to_owned()), text);
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
    (bytes > MAX_FILE_BYTES).then(|| {
        ConfigError::new(Location::File(path.to_owned()), format!("is too large; the limit is {MAX_FILE_BYTES} bytes"))
    })
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

    /// Returns the line of a byte offset, counted from 1.
    #[must_use]
    pub fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }
}

/// Quotes a text for an error message: cut to 60 code points, with control characters escaped.
#[must_use]
pub fn quote(text: &str) -> String {
    format!("\"{}\"", shorten(text))
}

/// Like [`quote`], without the quotes.
pub(super) fn shorten(text: &str) -> String {
    let mut chars = text.chars();
    let mut shown: String = chars.by_ref().take(MAX_SHOWN).flat_map(escape).collect();
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}

/// Escapes a character as `escape_debug` does, except for quotes and backslashes: the result is for people, not a
/// parser.
fn escape(c: char) -> impl Iterator<Item = char> {
    let plain = matches!(c, '"' | '\'' | '\\').then_some(c);
    plain.into_iter().chain(c.escape_debug().filter(move |_| plain.is_none()))
}

/// Returns the candidate closest to `word`, if one is close enough to suggest.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let max_distance = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= max_distance)
        .min()
        .map(|(_, candidate)| candidate)
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
    fn an_offset_maps_to_its_line() {
        let lines = LineIndex::new("ab\nc\n\nd");
        let found: Vec<usize> = (0..8).map(|offset| lines.line(offset)).collect();
        assert_eq!(found, [1, 1, 1, 2, 2, 3, 4, 4]);
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

//! Texts that operators wrote: reading them with a limit, finding lines in them, showing pieces of them.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::{Fault, Place};

/// Largest file that is read. Bytes.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;

/// Most of a value that a fault shows. Code points.
const MAX_SHOWN: usize = 60;

/// Reads a file of at most [`MAX_FILE_BYTES`]; `None` when there is none.
///
/// # Errors
/// A [`Fault`] when the file cannot be read, is too large or is not UTF-8.
pub fn read_text(path: &Path) -> Result<Option<String>, Fault> {
    let fault = |text: String| Fault::new(Place::File(path.to_owned()), text);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault(format!("cannot be read: {error}"))),
    };
    let mut bytes = Vec::new();
    // One byte more than the limit tells a file that is too large from one that just fits.
    file.take(MAX_FILE_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| fault(format!("cannot be read: {error}")))?;
    if let Some(fault) = too_large(bytes.len(), path) {
        return Err(fault);
    }
    String::from_utf8(bytes).map(Some).map_err(|_| fault("is not UTF-8 text".to_owned()))
}

/// The fault of a text that is over [`MAX_FILE_BYTES`], if it is.
pub(super) fn too_large(bytes: usize, path: &Path) -> Option<Fault> {
    (bytes > MAX_FILE_BYTES)
        .then(|| Fault::new(Place::File(path.to_owned()), format!("is too large; the limit is {MAX_FILE_BYTES} bytes")))
}

/// The lines of a text, to tell the line of an offset.
#[derive(Clone, Debug)]
pub struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    /// The lines of `text`.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let after_each = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { starts: std::iter::once(0).chain(after_each).collect() }
    }

    /// The line, counted from 1, of a byte offset.
    #[must_use]
    pub fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }
}

/// A text in quotes as a fault shows it: cut to 60 code points, control characters escaped.
#[must_use]
pub fn quote(text: &str) -> String {
    format!("\"{}\"", shorten(text))
}

/// As [`quote`], without the quotes.
pub(super) fn shorten(text: &str) -> String {
    let mut chars = text.chars();
    let mut shown: String = chars.by_ref().take(MAX_SHOWN).flat_map(escape).collect();
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}

/// Leaves quotes alone, which `escape_debug` would escape: what is shown is for people, not for a parser.
fn escape(c: char) -> impl Iterator<Item = char> {
    let plain = matches!(c, '"' | '\'' | '\\').then_some(c);
    plain.into_iter().chain(c.escape_debug().filter(move |_| plain.is_none()))
}

/// The candidate that `word` was probably meant to be, if one is near.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let far = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= far)
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
    fn an_offset_belongs_to_the_line_it_stands_in() {
        let lines = Lines::of("ab\nc\n\nd");
        let found: Vec<usize> = (0..8).map(|offset| lines.line(offset)).collect();
        assert_eq!(found, [1, 1, 1, 2, 2, 3, 4, 4]);
    }

    #[test]
    fn a_near_word_is_suggested_and_a_far_one_is_not() {
        assert_eq!(nearest("romos", ["rooms", "rules"]), Some("rooms"));
        assert_eq!(nearest("xyz", ["rooms", "rules"]), None);
    }

    #[test]
    fn the_largest_file_is_read_and_one_more_byte_is_a_fault() {
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

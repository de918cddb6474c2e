//! The views in which a text is matched.

mod read;
mod readings;

use std::ops::Range;

use super::letter::{Letter, RawLetter};
use super::offset_map::OffsetMap;
use super::tokens::{MIN_SINGLES, TextTokens};

/// Longest text that is read, in bytes. The rest is ignored.
const MAX_TEXT_BYTES: usize = 16 << 20;

/// Buffers larger than this are freed before the next text. Bytes of the case-folded view, or letters.
const MAX_RETAINED: usize = 256 << 10;

/// The views of one text, for matching only; they are never shown to users.
///
/// Reuse one instance per thread. Once its buffers fit the longest text, reading allocates nothing. Buffers beyond a
/// few hundred thousand letters are freed before the next text.
#[derive(Debug, Default)]
pub struct Views {
    /// The text itself if it is plain ASCII without control characters, so that each byte is one letter.
    plain: String,
    case_folded: String,
    case_folded_map: OffsetMap,
    /// The clean view, if it differs from the case-folded one.
    clean: Option<CleanView>,
    /// Buffers of the last clean view, kept for reuse.
    spare: CleanView,
    /// The letters of a text that is not plain, followed by the letters of the alternative readings.
    letters: Vec<RawLetter>,
    /// One byte for each run of interchangeable letters. Alternative readings follow the text, each after a zero byte.
    coarse: Vec<u8>,
    /// The index of the first letter of each run, and finally the number of letters.
    starts: Vec<u32>,
    /// Length of the coarse text without alternative readings.
    text_end: usize,
    /// Length of the coarse text including the readings of spaced-out letters, which come first.
    spaced_end: usize,
    tokens: TextTokens,
}

/// The clean view of a text.
#[derive(Debug, Default)]
struct CleanView {
    text: String,
    map: OffsetMap,
}

impl Views {
    /// Reads a text and replaces all views.
    ///
    /// Takes time linear in the length of the text.
    pub fn read(&mut self, text: &str) {
        let text = text.get(..text.floor_char_boundary(text.len().min(MAX_TEXT_BYTES))).unwrap_or_default();
        self.clear();
        let singles = if text.bytes().all(is_plain) { self.read_plain(text) } else { self.read_any(text) };
        self.text_end = self.coarse.len();
        if singles.longest >= MIN_SINGLES {
            self.join_spaced();
        }
        self.spaced_end = self.coarse.len();
        self.read_lookalikes();
        self.starts.push(to_u32(self.count()));
    }

    /// Returns the text with its letter case folded, character by character.
    #[must_use]
    pub fn case_folded(&self) -> &str {
        &self.case_folded
    }

    /// Returns the text with disguises undone: letter case, compatibility forms, letter styles, zero-width characters
    /// and stray combining marks. A word of mixed scripts is written in the Latin letters that it resembles; a word of
    /// one script is unchanged, including its accents. Repeated letters and digits are kept.
    #[must_use]
    pub fn clean(&self) -> &str {
        self.clean.as_ref().map_or(&self.case_folded, |clean| &clean.text)
    }

    /// Returns the bytes of the original text that a byte range of [`Views::case_folded`] came from.
    ///
    /// Accepts any range: it is widened to whole characters and clipped to the end of the view.
    #[must_use]
    pub fn original_of_case_folded(&self, bytes: Range<usize>) -> Range<usize> {
        self.case_folded_map.original(widen_to_chars(&self.case_folded, bytes))
    }

    /// Returns the bytes of the original text that a byte range of [`Views::clean`] came from. Ranges are handled as in
    /// [`Views::original_of_case_folded`].
    #[must_use]
    pub fn original_of_clean(&self, bytes: Range<usize>) -> Range<usize> {
        self.clean
            .as_ref()
            .map_or(&self.case_folded_map, |clean| &clean.map)
            .original(widen_to_chars(self.clean(), bytes))
    }

    /// Returns the coarse text; see the field.
    pub(super) fn coarse(&self) -> &[u8] {
        &self.coarse
    }

    /// Returns the indices of the letters that these runs of the coarse text stand for.
    pub(super) fn letters_of(&self, runs: Range<usize>) -> Option<Range<usize>> {
        Some(*self.starts.get(runs.start)? as usize..*self.starts.get(runs.end)? as usize)
    }

    /// Returns the number of letters without alternative readings.
    pub(super) fn letters_of_text(&self) -> usize {
        self.starts.get(self.text_end).map_or(0, |start| *start as usize)
    }

    /// Returns the letter at an index.
    #[inline]
    pub(super) fn letter(&self, index: usize) -> Option<Letter> {
        self.raw(index).map(Letter::from)
    }

    fn raw(&self, index: usize) -> Option<RawLetter> {
        match self.plain.as_bytes().get(index) {
            Some(&byte) => Some(RawLetter::new(char::from(byte), to_u32(index), to_u32(index + 1))),
            None => self.letters.get(index - self.plain.len()).copied(),
        }
    }

    /// Returns the number of letters including alternative readings.
    pub(super) fn count(&self) -> usize {
        self.plain.len() + self.letters.len()
    }

    /// Whether a run of the coarse text belongs to a reading of spaced-out letters, in which word boundaries are lost.
    pub(super) fn is_spaced(&self, run: usize) -> bool {
        (self.text_end..self.spaced_end).contains(&run)
    }

    fn clear(&mut self) {
        if self.count().max(self.case_folded.len()) > MAX_RETAINED {
            *self = Self::default();
        }
        self.plain.clear();
        self.case_folded.clear();
        self.case_folded_map.clear();
        if let Some(clean) = self.clean.take() {
            self.spare = clean;
        }
        self.letters.clear();
        self.coarse.clear();
        self.starts.clear();
        self.tokens.clear();
    }
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' '..=b'~')
}

fn to_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Widens the range to whole characters of `text`.
fn widen_to_chars(text: &str, bytes: Range<usize>) -> Range<usize> {
    let end = bytes.end.min(text.len());
    let start = text.floor_char_boundary(bytes.start.min(end));
    if bytes.start >= end { start..start } else { start..text.ceil_char_boundary(end) }
}

#[cfg(test)]
mod tests;

//! The forms of one text.

mod read;
mod readings;

use std::ops::Range;

use super::letter::{Letter, Raw};
use super::map::Map;
use super::tokens::{FEWEST_SINGLES, Tokens};

/// Longest text that is read. Bytes. What is beyond is in no form.
const LONGEST: usize = 16 << 20;

/// The memory of a longer text is not kept for the next one. Bytes, and letters.
const MOST_KEPT: usize = 256 << 10;

/// The forms of one text, for matching; they are never shown to anybody.
///
/// The memory is used again for the next text: keep one for each thread. Nothing is allocated once it has grown to the
/// longest text, up to some hundred thousand letters; what a longer one took is given back.
#[derive(Debug, Default)]
pub struct Views {
    /// The text itself if it is plain: ASCII without control characters. Each byte is a letter then.
    plain: String,
    exact: String,
    exact_map: Map,
    /// Only where it is not the exact form.
    clean: Option<Clean>,
    /// What `clean` was made of, to be used again.
    spare: Clean,
    /// The letters of a text that is not plain, and those of the readings behind the text in any case.
    letters: Vec<Raw>,
    /// A byte for each run of letters that may stand for each other; other readings come behind the text, each after a
    /// zero byte.
    coarse: Vec<u8>,
    /// The number of the first letter of each run, and at the end that of all letters.
    starts: Vec<u32>,
    /// How long the coarse text is without other readings.
    main: usize,
    /// How long it is with the readings of spaced-out letters, which come first.
    spaced_end: usize,
    tokens: Tokens,
}

/// The clean form of a text.
#[derive(Debug, Default)]
struct Clean {
    text: String,
    map: Map,
}

impl Views {
    /// Reads a text and makes its forms; those of the text before are gone.
    ///
    /// Takes time in proportion to the text.
    pub fn read(&mut self, text: &str) {
        let text = text.get(..text.floor_char_boundary(text.len().min(LONGEST))).unwrap_or_default();
        self.clear();
        let singles = if text.bytes().all(is_plain) { self.read_plain(text) } else { self.read_any(text) };
        self.main = self.coarse.len();
        if singles.longest >= FEWEST_SINGLES {
            self.join_spaced();
        }
        self.spaced_end = self.coarse.len();
        self.read_alike();
        self.starts.push(to_u32(self.count()));
    }

    /// The text with its letter case folded, character by character.
    #[must_use]
    pub fn exact(&self) -> &str {
        &self.exact
    }

    /// The text with what only disguises it undone: letter case, compatibility forms and styles of letters,
    /// zero-width characters, combining marks that belong to no letter. A word of mixed scripts is written with the
    /// Latin letters that it looks like; a word of one script stays as it is, with its accents. Repeated letters stay
    /// repeated, and digits are digits.
    #[must_use]
    pub fn clean(&self) -> &str {
        self.clean.as_ref().map_or(&self.exact, |clean| &clean.text)
    }

    /// The bytes of the original that a range of bytes of [`Views::exact`] came from.
    ///
    /// Any range is fine: it is widened to whole characters, and what is beyond the end is left out.
    #[must_use]
    pub fn original_of_exact(&self, bytes: Range<usize>) -> Range<usize> {
        self.exact_map.original(whole(&self.exact, bytes))
    }

    /// The bytes of the original that a range of bytes of [`Views::clean`] came from, as
    /// [`Views::original_of_exact`].
    #[must_use]
    pub fn original_of_clean(&self, bytes: Range<usize>) -> Range<usize> {
        self.clean.as_ref().map_or(&self.exact_map, |clean| &clean.map).original(whole(self.clean(), bytes))
    }

    /// The coarse text: see the field.
    pub(super) fn coarse(&self) -> &[u8] {
        &self.coarse
    }

    /// The letters of some runs of the coarse text, by their numbers.
    pub(super) fn letters_of(&self, runs: Range<usize>) -> Option<Range<usize>> {
        Some(*self.starts.get(runs.start)? as usize..*self.starts.get(runs.end)? as usize)
    }

    /// How many letters there are without those of the readings behind the text.
    pub(super) fn letters_of_text(&self) -> usize {
        self.starts.get(self.main).map_or(0, |start| *start as usize)
    }

    /// A letter by its number.
    #[inline]
    pub(super) fn letter(&self, number: usize) -> Option<Letter> {
        self.raw(number).map(Letter::from)
    }

    fn raw(&self, number: usize) -> Option<Raw> {
        match self.plain.as_bytes().get(number) {
            Some(&byte) => Some(Raw::new(char::from(byte), to_u32(number), to_u32(number + 1))),
            None => self.letters.get(number - self.plain.len()).copied(),
        }
    }

    /// How many letters there are, with those of the readings behind the text.
    pub(super) fn count(&self) -> usize {
        self.plain.len() + self.letters.len()
    }

    /// Whether a run of the coarse text belongs to a reading of spaced-out letters, where edges of words are lost.
    pub(super) fn is_spaced(&self, run: usize) -> bool {
        (self.main..self.spaced_end).contains(&run)
    }

    fn clear(&mut self) {
        if self.count().max(self.exact.len()) > MOST_KEPT {
            *self = Self::default();
        }
        self.plain.clear();
        self.exact.clear();
        self.exact_map.clear();
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

/// The range widened to whole characters of `text`.
fn whole(text: &str, bytes: Range<usize>) -> Range<usize> {
    let end = bytes.end.min(text.len());
    let start = text.floor_char_boundary(bytes.start.min(end));
    if bytes.start >= end { start..start } else { start..text.ceil_char_boundary(end) }
}

#[cfg(test)]
mod tests;

//! Case folding and compatibility normalization with a map back to the original.

use std::borrow::Cow;
use std::ops::Range;

use unicode_normalization::char::{canonical_combining_class, decompose_compatible};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// A form of a text to match on, with a map back to the text. It is never shown to anybody.
///
/// The text is cut into segments that normalization treats as a unit (a character with the marks after it, the parts of
/// a Hangul syllable), and each is folded by itself. So a range of the form leads back to all characters of the segments
/// that it touches, and to no others.
#[derive(Debug)]
pub struct Folded<'t> {
    text: Cow<'t, str>,
    map: Map,
}

#[derive(Debug)]
enum Map {
    /// Text and form are both ASCII: the byte and the code point have one number.
    Identity,
    /// For each segment where it starts; after the last, both lengths. In rising order on both sides.
    Segments(Vec<Start>),
}

#[derive(Clone, Copy, Debug)]
struct Start {
    /// Byte of the form.
    byte: usize,
    /// Code point of the original.
    char: usize,
}

impl<'t> Folded<'t> {
    /// NFKC and full case folding: `ﬁ` becomes `fi`, `ẞ` and `ß` become `ss`, `Ｇ` becomes `g`, `e` with an accent of
    /// its own becomes `é`.
    ///
    /// Folding the form again changes nothing.
    #[must_use]
    pub fn of(text: &'t str) -> Self {
        Self::ascii(text).unwrap_or_else(|| Self::by_segments(text, Segments { rest: text }, fold_segment))
    }

    /// Full case folding alone.
    #[must_use]
    pub fn case_of(text: &'t str) -> Self {
        let characters = text.char_indices().map(|(at, c)| text.get(at..at + c.len_utf8()).unwrap_or_default());
        Self::ascii(text).unwrap_or_else(|| {
            Self::by_segments(text, characters, |part, out| part.chars().for_each(|c| fold_char(c, out)))
        })
    }

    /// The folded text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The code points of the original that a range of bytes of the folded text came from, end exclusive.
    ///
    /// Any range is fine; what reaches beyond the end of the text is left out.
    #[must_use]
    pub fn original_chars(&self, bytes: Range<usize>) -> Range<usize> {
        let end = bytes.end.min(self.text.len());
        let start = bytes.start.min(end);
        let Map::Segments(starts) = &self.map else { return start..end };
        let char_at = |index: usize| starts.get(index).map_or(0, |s| s.char);
        // The first entry starts at 0, so at least one is at or before `start`.
        let first = char_at(starts.partition_point(|s| s.byte <= start).saturating_sub(1));
        if start == end {
            return first..first;
        }
        first..char_at(starts.partition_point(|s| s.byte < end))
    }

    fn ascii(text: &'t str) -> Option<Self> {
        text.is_ascii().then(|| {
            let lower = text.bytes().any(|b| b.is_ascii_uppercase());
            let text = if lower { Cow::Owned(text.to_ascii_lowercase()) } else { Cow::Borrowed(text) };
            Self { text, map: Map::Identity }
        })
    }

    fn by_segments<'s>(text: &str, parts: impl Iterator<Item = &'s str>, fold: impl Fn(&str, &mut String)) -> Self {
        let mut form = String::with_capacity(text.len() + 8);
        let mut starts = Vec::with_capacity(text.len() + 1);
        let mut char = 0;
        for part in parts {
            starts.push(Start { byte: form.len(), char });
            fold(part, &mut form);
            char += part.chars().count();
        }
        starts.push(Start { byte: form.len(), char });
        Self { text: Cow::Owned(form), map: Map::Segments(starts) }
    }
}

/// The segments of a text: none is empty, together they are the text.
struct Segments<'t> {
    rest: &'t str,
}

impl<'t> Iterator for Segments<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let end =
            self.rest.char_indices().skip(1).find(|&(_, c)| starts_segment(c)).map_or(self.rest.len(), |(at, _)| at);
        let (segment, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        (!segment.is_empty()).then_some(segment)
    }
}

/// Whether normalization never joins `c`, nor what it decomposes to, with what is before it.
fn starts_segment(c: char) -> bool {
    // Marks begin at U+0300, and no letter before them decomposes to one. The other two are the bulk of Cyrillic and of
    // Chinese.
    if matches!(c, '\0'..'\u{300}' | '\u{400}'..='\u{482}' | '\u{4e00}'..='\u{9fff}') {
        return true;
    }
    let mut first = None;
    decompose_compatible(c, |part| {
        first.get_or_insert(part);
    });
    first.is_none_or(|first| {
        canonical_combining_class(first) == 0 && is_nfc_quick(std::iter::once(first)) == IsNormalized::Yes
    })
}

fn fold_segment(segment: &str, out: &mut String) {
    let mut chars = segment.chars();
    if let (Some(c), None) = (chars.next(), chars.next())
        && is_atomic(c)
    {
        return fold_char(c, out);
    }
    // Decomposed first: the iota below a Greek vowel folds to a letter of its own, and İ is I with a dot.
    let mut folded = String::with_capacity(segment.len());
    segment.nfkd().for_each(|c| fold_char(c, &mut folded));
    out.extend(folded.nfkc());
}

/// Whether normalization leaves `c` as it is when it stands alone.
fn is_atomic(c: char) -> bool {
    let mut atomic = true;
    if !c.is_ascii() {
        decompose_compatible(c, |part| atomic &= part == c);
    }
    atomic
}

/// Full case folding of one character: its lower case's upper case's lower case.
///
/// The standard library has no case folding, but its tables are those of the newest Unicode. Compared with the folding
/// of Unicode 16, character by character, this differs in two places: dotless `ı` becomes `i` as well, which suits the
/// search for words, and Cherokee folds to its small letters in place of the capital ones. Both sigmas are one letter,
/// as they should be, since no character sees its neighbours here.
fn fold_char(c: char, out: &mut String) {
    if c.is_ascii() {
        out.push(c.to_ascii_lowercase());
        return;
    }
    // One by one where each step gives one character, which is nearly always: chained iterators take half as long again.
    if let Some(folded) =
        only(c.to_lowercase()).and_then(|c| only(c.to_uppercase())).and_then(|c| only(c.to_lowercase()))
    {
        out.push(folded);
    } else {
        out.extend(c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase));
    }
}

fn only(mut chars: impl ExactSizeIterator<Item = char>) -> Option<char> {
    if chars.len() == 1 { chars.next() } else { None }
}

#[cfg(test)]
mod tests;

//! Matching of texts against patterns.
//!
//! Contains the views in which a text is compared ([`Views`]), literals that are found in spite of disguises
//! ([`Literals`]), bounded regular expressions, the other text properties that rules test, and the form of texts that
//! cannot disturb what clients show around them. Knows nothing of the relay: takes texts and returns ranges.

mod automaton;
mod char_class;
mod fingerprint;
mod harmless;
mod language;
mod letter;
mod letters;
mod links;
mod literal;
mod literals;
mod marked;
mod masks;
mod mentions;
mod offset_map;
mod regexes;
mod required;
mod samples;
mod table;
mod tokens;
mod verify;
mod views;
mod visible;

use std::ops::Range;

pub use fingerprint::Fingerprint;
pub use harmless::{TextError, balanced, check_text, disturbs_line, disturbs_lines, has_visible, without_closers};
pub use language::{LANGUAGES, detect_language};
pub use letters::{LetterStats, letter_stats};
pub use links::{Link, find_links, is_within};
pub use literal::{Boundary, Leniency, Literal};
pub use literals::{LiteralError, Literals};
pub use marked::MarkedText;
pub use mentions::{Mentions, find_mentions};
pub use regexes::{BoundedRegex, RegexError};
pub use views::Views;

/// The view of a text in which a literal is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    /// Letters are in one case, and nothing else is changed: [`Views::case_folded`].
    CaseFolded,
    /// Disguises are undone as well: [`Views::clean`].
    Clean,
}

/// Returns the range of code points of `text` that a range of its bytes touches.
///
/// A character that is touched in part belongs to the range. A bound beyond the end of the text counts as its end.
#[must_use]
pub fn char_span(text: &str, bytes: Range<usize>) -> Range<usize> {
    let end = bytes.end.min(text.len());
    let start = text.floor_char_boundary(bytes.start.min(end));
    let end = text.ceil_char_boundary(end);
    let before = count_chars(text, 0..start);
    before..before + count_chars(text, start..end)
}

fn count_chars(text: &str, bytes: Range<usize>) -> usize {
    text.get(bytes).map_or(0, |part| part.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_counts_code_points_not_bytes() {
        assert_eq!(char_span("Übergröße 1", 11..14), 8..11);
        assert_eq!(char_span("abc", 1..2), 1..2);
        assert_eq!(char_span("", 0..0), 0..0);
    }

    #[test]
    fn a_bound_inside_a_character_includes_the_whole_character() {
        assert_eq!(char_span("aé€b", 2..4), 1..3);
    }

    #[test]
    #[expect(clippy::reversed_empty_ranges, reason = "deliberately invalid input")]
    fn bounds_outside_the_text_are_clamped() {
        assert_eq!(char_span("añ", 0..99), 0..2);
        assert_eq!(char_span("añ", 50..99), 2..2);
        assert_eq!(char_span("añ", 3..1), 1..1);
    }
}

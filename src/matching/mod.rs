//! Texts against patterns.
//!
//! Owns the forms in which a text is compared ([`Views`]), literals that are found in them in spite of disguises
//! ([`Literals`]), regular expressions with bounds, and what else a rule may ask of a text. Knows nothing of the relay:
//! texts come in, ranges go out.

mod automaton;
mod fingerprint;
mod kinds;
mod language;
mod letter;
mod letters;
mod links;
mod literals;
mod map;
mod marked;
mod masks;
mod mentions;
mod regexes;
mod required;
mod samples;
mod table;
mod tokens;
mod verify;
mod views;

use std::ops::Range;

pub use fingerprint::Fingerprint;
pub use language::{LANGUAGES, language};
pub use letters::{Letters, letters};
pub use links::{Link, is_within, links};
pub use literals::{Edges, Leniency, Literal, LiteralFault, Literals};
pub use marked::MarkedText;
pub use mentions::{Mentions, mentions};
pub use regexes::{BoundedRegex, RegexFault};
pub use views::Views;

/// Which form of a text something is matched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    /// The letter case is folded, and nothing else: [`Views::exact`].
    Exact,
    /// Disguises are undone as well.
    Folded,
}

/// The code points of `text` that a range of its bytes touches, end exclusive.
///
/// A bound inside of a character takes in the whole character, one beyond the end counts as the end.
#[must_use]
pub fn char_span(text: &str, bytes: Range<usize>) -> Range<usize> {
    let end = bytes.end.min(text.len());
    let start = text.floor_char_boundary(bytes.start.min(end));
    let end = text.ceil_char_boundary(end);
    let before = starts_of_chars(text, 0..start);
    before..before + starts_of_chars(text, start..end)
}

fn starts_of_chars(text: &str, bytes: Range<usize>) -> usize {
    text.get(bytes).map_or(0, |part| part.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_counts_code_points_and_not_bytes() {
        assert_eq!(char_span("Übergröße 1", 11..14), 8..11);
        assert_eq!(char_span("abc", 1..2), 1..2);
        assert_eq!(char_span("", 0..0), 0..0);
    }

    #[test]
    fn a_bound_within_a_character_takes_in_the_whole_character() {
        assert_eq!(char_span("aé€b", 2..4), 1..3);
    }

    #[test]
    #[expect(clippy::reversed_empty_ranges, reason = "a caller's mistake, made on purpose")]
    fn bounds_outside_of_the_text_are_harmless() {
        assert_eq!(char_span("añ", 0..99), 0..2);
        assert_eq!(char_span("añ", 50..99), 2..2);
        assert_eq!(char_span("añ", 3..1), 1..1);
    }
}

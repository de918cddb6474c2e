//! One literal: as it is given, and as it is compared with a text.

use super::View;
use super::letter::Letter;
use super::table::FoldKind;

/// Deviations from a literal that still match, beyond the disguises that are always undone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "independent options")]
pub struct Leniency {
    /// Accents are ignored, in the literal and in the text.
    pub accents: bool,
    /// Any letter may be doubled.
    pub doubled: bool,
    /// Up to half of the letters may be masked by symbols: `f*ck`.
    pub masked: bool,
    /// Digits and symbols never stand for letters: `c4sino` does not match.
    pub exact_letters: bool,
}

/// Where a literal may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Boundary {
    /// As a whole word: where the literal begins or ends with a letter or digit, the text has no other one next to it.
    /// Scripts that are written without spaces have no such boundaries.
    Word,
    /// Anywhere. Every occurrence in the view of the text is reported, and perhaps false positives: the caller must
    /// verify hits.
    Anywhere,
}

/// A literal to find.
#[derive(Clone, Copy, Debug)]
pub struct Literal<'a> {
    /// The letters, in any case and form.
    pub text: &'a str,
    /// The view of the text to search.
    pub view: View,
    /// Where it may stand.
    pub boundary: Boundary,
    /// Permitted deviations in [`View::Clean`].
    pub leniency: Leniency,
}

/// One letter of a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PatternLetter {
    /// The character to compare.
    pub(super) c: char,
    pub(super) accent: u8,
    pub(super) kind: FoldKind,
    /// Whether it begins a run of the coarse text.
    pub(super) starts_run: bool,
}

impl PatternLetter {
    /// Converts a letter of a literal. `last` is the coarse byte of the letter before, and is updated to its own.
    pub(super) fn new(letter: &Letter, last: &mut u8) -> Self {
        let coarse = letter.coarse();
        let starts_run = coarse != *last;
        *last = coarse;
        Self { c: letter.comparison_char(), accent: letter.accent, kind: letter.kind, starts_run }
    }

    pub(super) fn is_word_char(self) -> bool {
        matches!(self.kind, FoldKind::Letter | FoldKind::Digit | FoldKind::Composing | FoldKind::Expanding)
    }
}

/// The part of a literal that verifying a hit needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct PatternLiteral<'l> {
    pub(super) letters: &'l [PatternLetter],
    pub(super) leniency: Leniency,
    /// The letters are the Latin lookalikes of a literal in another script. Matches only words that mix both scripts.
    pub(super) disguised: bool,
}

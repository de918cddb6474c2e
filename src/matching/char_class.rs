//! Character classes from one lookup table.
//!
//! The standard library answers the same questions by search, which is 10 to 100 times slower for most scripts: too
//! slow for every character of every message.

use std::sync::LazyLock;

use regex_syntax::hir::{Class, Hir, HirKind};

/// Code points in the table: those of modern scripts, and emoji. Rare ideographs and private use lie outside.
const SIZE: usize = 0x2_0000;

const LETTER: u8 = 1;
const LOWERCASE: u8 = 2;
const UPPERCASE: u8 = 4;
const MARK: u8 = 8;
const WORD: u8 = 16;
const NUMBER: u8 = 32;

/// One byte of flags per code point.
static TABLE: LazyLock<Box<[u8]>> = LazyLock::new(|| {
    let mut table = vec![0; SIZE].into_boxed_slice();
    for (class, flag) in [
        (r"\p{Alphabetic}", LETTER),
        (r"\p{Lowercase}", LOWERCASE),
        (r"\p{Uppercase}", UPPERCASE),
        (r"\p{M}", MARK),
        (r"\w", WORD),
        (r"\p{N}", NUMBER),
    ] {
        let parsed = regex_syntax::parse(class);
        let Ok(HirKind::Class(Class::Unicode(class))) = parsed.as_ref().map(Hir::kind) else { continue };
        for range in class.ranges() {
            let (start, end) = (range.start() as usize, (range.end() as usize + 1).min(SIZE));
            table.get_mut(start..end).unwrap_or_default().iter_mut().for_each(|classes| *classes |= flag);
        }
    }
    table
});

/// The classes that one character belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct CharClass(u8);

impl CharClass {
    pub(super) fn new(c: char) -> Self {
        Self(TABLE.get(c as usize).copied().unwrap_or_else(|| outside_table(c)))
    }

    pub(super) fn is_letter(self) -> bool {
        self.0 & LETTER != 0
    }

    pub(super) fn is_lowercase(self) -> bool {
        self.0 & LOWERCASE != 0
    }

    pub(super) fn is_uppercase(self) -> bool {
        self.0 & UPPERCASE != 0
    }

    pub(super) fn is_mark(self) -> bool {
        self.0 & MARK != 0
    }

    /// Whether `\w` of a regex matches it.
    pub(super) fn is_word_char(self) -> bool {
        self.0 & WORD != 0
    }

    pub(super) fn is_number(self) -> bool {
        self.0 & NUMBER != 0
    }

    pub(super) fn is_letter_or_number(self) -> bool {
        self.0 & (LETTER | NUMBER) != 0
    }
}

#[cold]
fn outside_table(c: char) -> u8 {
    let letter = if c.is_alphabetic() { LETTER } else { 0 };
    let word = if regex_syntax::is_word_character(c) { WORD } else { 0 };
    // The only marks out here are variation selectors.
    let mark = if matches!(c, '\u{e0100}'..='\u{e01ef}') { MARK } else { 0 };
    letter | word | mark
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_normalization::char::is_combining_mark;

    #[test]
    fn the_table_agrees_with_the_libraries() {
        let mut other = 0;
        for c in '\0'..=char::MAX {
            let kind = CharClass::new(c);
            assert_eq!(kind.is_word_char(), regex_syntax::is_word_character(c), "{c:?}");
            let same = kind.is_letter() == c.is_alphabetic()
                && kind.is_lowercase() == c.is_lowercase()
                && kind.is_uppercase() == c.is_uppercase()
                && kind.is_number() == c.is_numeric()
                && kind.is_mark() == is_combining_mark(c);
            other += usize::from(!same);
            assert!(same || c > '\u{24f}', "{c:?}");
        }
        // The libraries follow different Unicode versions: a newer one knows more scripts.
        assert!(other < 1_000, "{other}");
    }
}

//! What kind of character a character is, from one table.
//!
//! The standard library answers the same questions by searching, which takes ten to a hundred times as long for most
//! scripts: too long for each character of each message.

use std::sync::LazyLock;

use regex_syntax::hir::{Class, Hir, HirKind};

/// Code points of the table: those of living scripts, and emoji. Beyond are rare Chinese characters and private ones.
const SIZE: usize = 0x2_0000;

const LETTER: u8 = 1;
const SMALL: u8 = 2;
const CAPITAL: u8 = 4;
const MARK: u8 = 8;
const WORD: u8 = 16;
const NUMBER: u8 = 32;

/// A byte for each code point.
static TABLE: LazyLock<Box<[u8]>> = LazyLock::new(|| {
    let mut table = vec![0; SIZE].into_boxed_slice();
    for (class, flag) in [
        (r"\p{Alphabetic}", LETTER),
        (r"\p{Lowercase}", SMALL),
        (r"\p{Uppercase}", CAPITAL),
        (r"\p{M}", MARK),
        (r"\w", WORD),
        (r"\p{N}", NUMBER),
    ] {
        let parsed = regex_syntax::parse(class);
        let Ok(HirKind::Class(Class::Unicode(class))) = parsed.as_ref().map(Hir::kind) else { continue };
        for range in class.ranges() {
            let (start, end) = (range.start() as usize, (range.end() as usize + 1).min(SIZE));
            table.get_mut(start..end).unwrap_or_default().iter_mut().for_each(|kinds| *kinds |= flag);
        }
    }
    table
});

/// What is known of one character.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Kind(u8);

impl Kind {
    pub(super) fn of(c: char) -> Self {
        Self(TABLE.get(c as usize).copied().unwrap_or_else(|| beyond(c)))
    }

    pub(super) fn is_letter(self) -> bool {
        self.0 & LETTER != 0
    }

    pub(super) fn is_small(self) -> bool {
        self.0 & SMALL != 0
    }

    pub(super) fn is_capital(self) -> bool {
        self.0 & CAPITAL != 0
    }

    pub(super) fn is_mark(self) -> bool {
        self.0 & MARK != 0
    }

    /// What `\w` of a regex matches.
    pub(super) fn is_of_word(self) -> bool {
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
fn beyond(c: char) -> u8 {
    let letter = if c.is_alphabetic() { LETTER } else { 0 };
    let word = if regex_syntax::is_word_character(c) { WORD } else { 0 };
    // The marks out here are selectors of variants.
    let mark = if matches!(c, '\u{e0100}'..='\u{e01ef}') { MARK } else { 0 };
    letter | word | mark
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_normalization::char::is_combining_mark;

    #[test]
    fn the_table_says_what_the_libraries_say() {
        let mut other = 0;
        for c in '\0'..=char::MAX {
            let kind = Kind::of(c);
            assert_eq!(kind.is_of_word(), regex_syntax::is_word_character(c), "{c:?}");
            let same = kind.is_letter() == c.is_alphabetic()
                && kind.is_small() == c.is_lowercase()
                && kind.is_capital() == c.is_uppercase()
                && kind.is_number() == c.is_numeric()
                && kind.is_mark() == is_combining_mark(c);
            other += usize::from(!same);
            assert!(same || c > '\u{24f}', "{c:?}");
        }
        // The libraries are of different years: a newer one knows more scripts.
        assert!(other < 1_000, "{other}");
    }
}

//! What is known of each code point: what it is, what it folds to, and which Latin letter it looks like.
//!
//! The table is made from the data of Unicode and a few lines by hand, by this module's test. `UPDATE_TABLES=1 cargo
//! test --lib the_table_is_what_the_data_say` writes it anew.

mod data;

use unicode_normalization::char::decompose_canonical;

/// What a code point is to the fold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(super) enum Kind {
    /// Punctuation, emoji and the like: only ever themselves.
    Other,
    Letter,
    Digit,
    /// No letter, and used as one: `$`, `@`, `€`.
    Symbol,
    Blank,
    /// Not seen: zero-width characters, variation selectors, controls.
    Ignorable,
    /// A combining mark of no script of its own.
    Mark,
    /// A letter that may melt into the one before it, such as the vowels of Hangul.
    Joiner,
    /// Folds to several characters.
    Several,
    /// A regional indicator: a letter when it stands alone, half of a flag otherwise.
    Regional,
    /// Two letters in one, such as `æ`.
    Pair,
}

/// The scripts that are told apart, as far as disguises need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(super) enum Script {
    /// Of no script, or of many.
    Common,
    Latin,
    Cyrillic,
    Greek,
    Hebrew,
    Arabic,
    Armenian,
    Georgian,
    Hangul,
    /// Scripts that are written without blanks between words: Han, kana, Thai, Lao, Khmer, Burmese.
    Unspaced,
    /// Other scripts in daily use.
    Living,
    /// Scripts that are hardly seen in messages other than for their looks.
    Rare,
}

/// A Latin letter that may be `i` or `l`.
pub(super) const I_OR_L: u8 = b'1';
/// A sign that may be `b` or `g`.
pub(super) const B_OR_G: u8 = b'6';

/// The letter without accents is too far away to be written down: normalization knows it.
const FAR: i8 = i8::MIN;

/// What is known of one code point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Entry {
    /// [`Kind`] and, four bits up, [`Script`].
    what: u8,
    /// The lower-case Latin letter that it is or looks like, [`I_OR_L`], [`B_OR_G`], or 0.
    pub(super) latin: u8,
    /// Which accents the letter carries, by a number; 0 is none.
    pub(super) accent: u8,
    /// How far its letter without accents is from its folded form, or [`FAR`]; of a pair, the second letter.
    base: i8,
    /// How far its folded form is, four times; the rest is flags.
    rest: i32,
}

impl Entry {
    const UPPER: i32 = 1;
    const ODD_CASE: i32 = 2;

    const fn new(what: u8, latin: u8, accent: u8, base: i8, rest: i32) -> Self {
        Self { what, latin, accent, base, rest }
    }

    /// What it is.
    pub(super) const fn kind(self) -> Kind {
        match self.what & 15 {
            1 => Kind::Letter,
            2 => Kind::Digit,
            3 => Kind::Symbol,
            4 => Kind::Blank,
            5 => Kind::Ignorable,
            6 => Kind::Mark,
            7 => Kind::Joiner,
            8 => Kind::Several,
            9 => Kind::Regional,
            10 => Kind::Pair,
            _ => Kind::Other,
        }
    }

    /// Its script.
    pub(super) const fn script(self) -> Script {
        match self.what >> 4 {
            1 => Script::Latin,
            2 => Script::Cyrillic,
            3 => Script::Greek,
            4 => Script::Hebrew,
            5 => Script::Arabic,
            6 => Script::Armenian,
            7 => Script::Georgian,
            8 => Script::Hangul,
            9 => Script::Unspaced,
            10 => Script::Living,
            11 => Script::Rare,
            _ => Script::Common,
        }
    }

    /// Whether it is a capital letter.
    pub(super) const fn is_upper(self) -> bool {
        self.rest & Self::UPPER != 0
    }

    /// Whether folding its letter case alone gives something else than `folded`.
    pub(super) const fn has_odd_case(self) -> bool {
        self.rest & Self::ODD_CASE != 0
    }

    /// Its form of one character: compatibility forms, styles and letter case undone, the accents kept.
    pub(super) fn folded(self, c: char) -> char {
        if self.is_plain() {
            return char::from(if self.latin == I_OR_L { b'l' } else { self.latin });
        }
        shifted(c, self.rest >> 2)
    }

    /// Its letter without accents, in its own script.
    pub(super) fn base(self, c: char) -> char {
        match self.latin {
            letter @ b'a'..=b'z' if self.script() == Script::Latin => char::from(letter),
            _ if self.base == FAR => bare(self.folded(c)),
            _ => shifted(self.folded(c), self.base.into()),
        }
    }

    /// Whether it is one of the letters from `a` to `z`, whatever its style.
    const fn is_plain(self) -> bool {
        self.what == Kind::Letter as u8 | (Script::Latin as u8) << 4 && self.latin != 0 && self.accent == 0
    }

    /// The second letter of a pair.
    pub(super) const fn second(self) -> u8 {
        self.base.cast_unsigned()
    }
}

/// The letter of a composed one, without its accents.
fn bare(c: char) -> char {
    let mut first = None;
    decompose_canonical(c, |part| {
        first.get_or_insert(part);
    });
    first.unwrap_or(c)
}

fn shifted(c: char, by: i32) -> char {
    if by == 0 {
        return c;
    }
    u32::from(c).checked_add_signed(by).and_then(char::from_u32).unwrap_or(c)
}

/// Ideographs of one form each.
const IDEOGRAPH: Entry = Entry::new(Kind::Letter as u8 | (Script::Unspaced as u8) << 4, 0, 0, 0, 0);
/// Ideographs that stand for others.
const COMPATIBILITY: Entry = Entry::new(Kind::Several as u8 | (Script::Unspaced as u8) << 4, 0, 0, 0, 0);
const IGNORABLE: Entry = Entry::new(Kind::Ignorable as u8, 0, 0, 0, 0);
const OTHER: Entry = Entry::new(Kind::Other as u8, 0, 0, 0, 0);
/// The first code point that is not in the table.
const END: u32 = 0x2_0000;

/// What is known of `c`.
#[inline]
pub(super) fn entry(c: char) -> Entry {
    let code = u32::from(c);
    if code < END {
        let block = data::BLOCKS.get((code >> 6) as usize).map_or(0, |block| usize::from(*block));
        let number = data::NUMBERS.get(block << 6 | (code & 63) as usize).map_or(0, |number| usize::from(*number));
        return data::ENTRIES.get(number).copied().unwrap_or(OTHER);
    }
    match code {
        0x2_f800..=0x2_fa1f => COMPATIBILITY,
        0x2_0000..=0x3_ffff => IDEOGRAPH,
        0xe_0000..=0xe_0fff => IGNORABLE,
        _ => OTHER,
    }
}

#[cfg(test)]
mod tests;

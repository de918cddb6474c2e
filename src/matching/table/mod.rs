//! The properties of each code point: its kind, its folded form, and the Latin letter that it resembles.
//!
//! The table is generated from Unicode data and a few manual entries by this module's test. To regenerate it, run
//! `UPDATE_TABLES=1 cargo test --lib the_table_matches_the_data`.

mod data;

use unicode_normalization::char::decompose_canonical;

/// How a code point is folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(super) enum FoldKind {
    /// Punctuation, emoji and the like, which only stand for themselves.
    Other,
    Letter,
    Digit,
    /// A symbol that is used as a letter: `$`, `@`, `€`.
    Symbol,
    Whitespace,
    /// Invisible: zero-width characters, variation selectors, controls.
    Ignorable,
    /// A combining mark without a script of its own.
    Mark,
    /// A letter that may compose with the one before it, such as Hangul vowels.
    Composing,
    /// Folds to several characters.
    Expanding,
    /// A regional indicator: a letter on its own, half of a flag in a pair.
    RegionalIndicator,
    /// Two letters in one character, such as `æ`.
    Ligature,
}

/// The scripts that disguise detection distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(super) enum Script {
    /// Shared by several scripts.
    Common,
    Latin,
    Cyrillic,
    Greek,
    Hebrew,
    Arabic,
    Armenian,
    Georgian,
    Hangul,
    /// Scripts that are written without spaces between words: Han, kana, Thai, Lao, Khmer, Burmese.
    Unspaced,
    /// Other modern scripts.
    Living,
    /// Scripts that occur in messages almost only for their appearance.
    Rare,
}

/// The value of [`CharEntry::latin`] for a character that may be `i` or `l`.
pub(super) const I_OR_L: u8 = b'1';
/// The value of [`CharEntry::latin`] for a character that may be `b` or `g`.
pub(super) const B_OR_G: u8 = b'6';

/// The base letter is out of range; normalization finds it.
const BASE_TOO_FAR: i8 = i8::MIN;

/// The properties of one code point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct CharEntry {
    /// [`FoldKind`] in the lower four bits, [`Script`] in the upper four.
    kind_and_script: u8,
    /// The lower-case Latin letter that it is or resembles, [`I_OR_L`], [`B_OR_G`], or 0.
    pub(super) latin: u8,
    /// A number for the accents that the letter carries; 0 is none.
    pub(super) accent: u8,
    /// Distance from its folded form to its base letter, or [`BASE_TOO_FAR`]; for a ligature, the second letter.
    base_shift: i8,
    /// Distance to its folded form, times four, plus flags.
    shift_and_flags: i32,
}

impl CharEntry {
    const UPPER: i32 = 1;
    const IRREGULAR_CASE: i32 = 2;

    const fn new(what: u8, latin: u8, accent: u8, base: i8, rest: i32) -> Self {
        Self { kind_and_script: what, latin, accent, base_shift: base, shift_and_flags: rest }
    }

    pub(super) const fn kind(self) -> FoldKind {
        match self.kind_and_script & 15 {
            1 => FoldKind::Letter,
            2 => FoldKind::Digit,
            3 => FoldKind::Symbol,
            4 => FoldKind::Whitespace,
            5 => FoldKind::Ignorable,
            6 => FoldKind::Mark,
            7 => FoldKind::Composing,
            8 => FoldKind::Expanding,
            9 => FoldKind::RegionalIndicator,
            10 => FoldKind::Ligature,
            _ => FoldKind::Other,
        }
    }

    pub(super) const fn script(self) -> Script {
        match self.kind_and_script >> 4 {
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

    /// Whether it is an upper-case letter.
    pub(super) const fn is_upper(self) -> bool {
        self.shift_and_flags & Self::UPPER != 0
    }

    /// Whether case folding alone gives a result other than `folded`.
    pub(super) const fn has_irregular_case(self) -> bool {
        self.shift_and_flags & Self::IRREGULAR_CASE != 0
    }

    /// Returns its folded form: compatibility forms, styles and letter case undone, accents kept.
    pub(super) fn folded(self, c: char) -> char {
        if self.is_plain() {
            return char::from(if self.latin == I_OR_L { b'l' } else { self.latin });
        }
        shift(c, self.shift_and_flags >> 2)
    }

    /// Returns its letter without accents, in its own script.
    pub(super) fn base(self, c: char) -> char {
        match self.latin {
            letter @ b'a'..=b'z' if self.script() == Script::Latin => char::from(letter),
            _ if self.base_shift == BASE_TOO_FAR => without_accents(self.folded(c)),
            _ => shift(self.folded(c), self.base_shift.into()),
        }
    }

    /// Whether it is a letter from `a` to `z` in any style.
    const fn is_plain(self) -> bool {
        self.kind_and_script == FoldKind::Letter as u8 | (Script::Latin as u8) << 4
            && self.latin != 0
            && self.accent == 0
    }

    /// Returns the second letter of a ligature.
    pub(super) const fn second(self) -> u8 {
        self.base_shift.cast_unsigned()
    }
}

/// Returns the base letter of a composed one.
fn without_accents(c: char) -> char {
    let mut first = None;
    decompose_canonical(c, |part| {
        first.get_or_insert(part);
    });
    first.unwrap_or(c)
}

fn shift(c: char, by: i32) -> char {
    if by == 0 {
        return c;
    }
    u32::from(c).checked_add_signed(by).and_then(char::from_u32).unwrap_or(c)
}

/// Unified ideographs.
const IDEOGRAPH: CharEntry = CharEntry::new(FoldKind::Letter as u8 | (Script::Unspaced as u8) << 4, 0, 0, 0, 0);
/// Compatibility ideographs, which stand for others.
const COMPATIBILITY: CharEntry = CharEntry::new(FoldKind::Expanding as u8 | (Script::Unspaced as u8) << 4, 0, 0, 0, 0);
const IGNORABLE: CharEntry = CharEntry::new(FoldKind::Ignorable as u8, 0, 0, 0, 0);
const OTHER: CharEntry = CharEntry::new(FoldKind::Other as u8, 0, 0, 0, 0);
/// The first code point beyond the table.
const END: u32 = 0x2_0000;

/// Returns the properties of `c`.
#[inline]
pub(super) fn entry(c: char) -> CharEntry {
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

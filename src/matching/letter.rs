//! One letter of a text, as matching sees it.

use super::table::{self, B_OR_G, CharEntry, FoldKind, I_OR_L, Script};

/// A letter of a text in compact form; its other properties come from the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawLetter {
    /// First byte of the original.
    pub(super) start: u32,
    /// Byte after the last one, including combining marks.
    pub(super) end: u32,
    pub(super) c: char,
    pub(super) flags: LetterFlags,
}

impl RawLetter {
    #[inline]
    pub(super) fn new(c: char, start: u32, end: u32) -> Self {
        Self { start, end, c, flags: LetterFlags::default() }
    }

    /// A space that is not in the text.
    pub(super) fn blank(at: u32) -> Self {
        Self::new(' ', at, at)
    }

    /// Marks a non-Latin letter that resembles a Latin one to be read as that letter. Returns whether it is read so.
    pub(super) fn read_as_latin(&mut self) -> bool {
        let letter = Letter::from(*self);
        self.flags.read_as_latin |= letter.is_foreign() && letter.latin != 0;
        self.flags.read_as_latin
    }
}

/// A letter with its properties. Whitespace and punctuation are "letters" too.
#[derive(Clone, Copy, Debug)]
pub(super) struct Letter {
    /// First byte of the original.
    pub(super) start: u32,
    /// Byte after the last one, including combining marks.
    pub(super) end: u32,
    /// The letter without accents, in its own script.
    pub(super) base: char,
    /// The letter with its accents, as in `Views::clean`; `\0` for the second letter of a ligature.
    pub(super) folded: char,
    /// The Latin letter that it is or may stand for, [`I_OR_L`], [`B_OR_G`], or 0.
    pub(super) latin: u8,
    /// A number for the accents that it carries; 0 is none.
    pub(super) accent: u8,
    pub(super) kind: FoldKind,
    pub(super) script: Script,
    pub(super) flags: LetterFlags,
}

/// Further properties of a letter.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent properties")]
pub(super) struct LetterFlags {
    /// An upper-case letter.
    pub(super) is_upper: bool,
    /// A non-Latin letter that is read as the Latin one that it resembles.
    pub(super) read_as_latin: bool,
    /// Carries a combining mark that is not part of a letter.
    pub(super) has_stray_mark: bool,
    /// The second letter of a ligature.
    pub(super) is_second: bool,
    /// Half of a flag emoji.
    pub(super) is_half_flag: bool,
}

impl From<RawLetter> for Letter {
    #[inline]
    fn from(raw: RawLetter) -> Self {
        let RawLetter { start, end, c, flags } = raw;
        let entry = table::entry(c);
        let mut letter = Self {
            start,
            end,
            base: entry.base(c),
            folded: entry.folded(c),
            latin: entry.latin,
            accent: entry.accent,
            kind: entry.kind(),
            script: entry.script(),
            flags: LetterFlags { is_upper: entry.is_upper(), ..flags },
        };
        match letter.kind {
            FoldKind::RegionalIndicator if flags.is_half_flag => {
                (letter.kind, letter.script, letter.latin) = (FoldKind::Other, Script::Common, 0);
                (letter.base, letter.folded) = (c, c);
            }
            FoldKind::RegionalIndicator => (letter.kind, letter.folded) = (FoldKind::Letter, letter.base),
            FoldKind::Ligature => {
                letter.kind = FoldKind::Letter;
                if flags.is_second {
                    (letter.latin, letter.folded) = (entry.second(), '\0');
                }
                letter.base = char::from(letter.latin);
            }
            _ => {}
        }
        letter
    }
}

impl Letter {
    /// Whether it is, or is read as, a Latin letter.
    pub(super) fn is_read_as_latin(&self) -> bool {
        self.latin != 0 && (self.script == Script::Latin || self.flags.read_as_latin)
    }

    /// Whether it can be part of a word. Underscores are up to the caller.
    pub(super) fn is_word_char(&self) -> bool {
        matches!(self.kind, FoldKind::Letter | FoldKind::Digit | FoldKind::Composing | FoldKind::Expanding)
    }

    /// Whether it is a letter rather than a digit or anything else.
    pub(super) fn is_alphabetic(&self) -> bool {
        self.is_word_char() && self.kind != FoldKind::Digit
    }

    /// Whether it is a letter of a script other than Latin.
    pub(super) fn is_foreign(&self) -> bool {
        self.is_alphabetic() && !matches!(self.script, Script::Latin | Script::Common)
    }

    /// Returns its byte in a coarse text; letters that may stand for each other share one.
    #[inline]
    pub(super) fn coarse(&self) -> u8 {
        coarse_of(self.kind, if self.is_read_as_latin() { Script::Latin } else { self.script }, self.latin, self.base)
    }
}

/// Returns the coarse byte of a character that is read as itself.
#[inline]
pub(super) fn coarse(c: char, entry: CharEntry) -> u8 {
    coarse_of(entry.kind(), entry.script(), entry.latin, entry.base(c))
}

#[inline]
fn coarse_of(kind: FoldKind, script: Script, latin: u8, base: char) -> u8 {
    if latin != 0 && (script == Script::Latin || matches!(kind, FoldKind::Digit | FoldKind::Symbol)) {
        return class(latin);
    }
    match kind {
        FoldKind::Whitespace => b' ',
        // Never a letter, so it cannot collide with a class.
        FoldKind::Other | FoldKind::Symbol | FoldKind::Digit if base.is_ascii() => u8::try_from(base).unwrap_or(b'?'),
        _ => hashed(base),
    }
}

/// Returns the class of a Latin letter: `i` and `l` share one, and so do `b` and `g`, since some signs may be either.
#[inline]
fn class(latin: u8) -> u8 {
    match latin {
        b'l' | I_OR_L => b'i',
        b'g' | B_OR_G => b'b',
        latin => latin,
    }
}

/// Returns one of 128 non-ASCII bytes for a letter of another script. Verification resolves collisions later.
#[inline]
fn hashed(base: char) -> u8 {
    let mixed = u32::from(base).wrapping_mul(0x9e37_79b1) >> 25;
    0x80 | u8::try_from(mixed & 0x7f).unwrap_or(0)
}

/// The coarse byte of each ASCII byte.
pub(super) static ASCII: std::sync::LazyLock<[u8; 128]> = std::sync::LazyLock::new(|| {
    std::array::from_fn(|byte| Letter::from(RawLetter::new(char::from(u8::try_from(byte).unwrap_or(0)), 0, 0)).coarse())
});

impl Letter {
    /// Like [`RawLetter::read_as_latin`], by value.
    pub(super) fn read_as_latin(mut self) -> Self {
        self.flags.read_as_latin |= self.is_foreign() && self.latin != 0;
        self
    }

    /// Returns the character that the clean form shows for it, if any.
    pub(super) fn clean_char(&self) -> Option<char> {
        if !self.flags.read_as_latin {
            return (self.folded != '\0').then_some(self.folded);
        }
        Some(match self.latin {
            I_OR_L if self.flags.is_upper => 'i',
            I_OR_L => 'l',
            letter => char::from(letter),
        })
    }

    /// Returns the character that comparisons use.
    pub(super) fn comparison_char(&self) -> char {
        match self.latin {
            I_OR_L if self.is_read_as_latin() => 'l',
            letter if self.is_read_as_latin() => char::from(letter),
            _ => self.base,
        }
    }
}

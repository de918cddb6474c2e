//! One letter of a text as the fold sees it.

use super::table::{self, B_OR_G, Entry, I_OR_L, Kind, Script};

/// A letter of a text as it is kept: what else is known of it stands in the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Raw {
    /// First byte of the original.
    pub(super) start: u32,
    /// Byte after the last one, combining marks included.
    pub(super) end: u32,
    pub(super) c: char,
    pub(super) marks: Marks,
}

impl Raw {
    #[inline]
    pub(super) fn new(c: char, start: u32, end: u32) -> Self {
        Self { start, end, c, marks: Marks::default() }
    }

    /// A blank that is not in the text.
    pub(super) fn blank(at: u32) -> Self {
        Self::new(' ', at, at)
    }

    /// Lets it be read as the Latin letter that it looks like, if it is of another script and does; whether it is.
    pub(super) fn read(&mut self) -> bool {
        let letter = Letter::from(*self);
        self.marks.read |= letter.is_foreign() && letter.latin != 0;
        self.marks.read
    }
}

/// A letter, or whatever else stands in a text: blanks and punctuation are "letters" too.
#[derive(Clone, Copy, Debug)]
pub(super) struct Letter {
    /// First byte of the original.
    pub(super) start: u32,
    /// Byte after the last one, combining marks included.
    pub(super) end: u32,
    /// The letter without accents, in its own script.
    pub(super) base: char,
    /// The letter with its accents, as `Views::clean` shows it; `\0` for the second part of a pair.
    pub(super) folded: char,
    /// The Latin letter that it is or may stand for, one of those that may be two, or 0.
    pub(super) latin: u8,
    /// Which accents it carries; 0 is none.
    pub(super) accent: u8,
    pub(super) kind: Kind,
    pub(super) script: Script,
    pub(super) marks: Marks,
}

/// What else is known of a letter.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Marks {
    /// It is a capital.
    pub(super) upper: bool,
    /// It is of another script and read as the Latin letter that it looks like.
    pub(super) read: bool,
    /// It carries a combining mark that belongs to no letter.
    pub(super) noise: bool,
    /// It is the second letter of a pair.
    pub(super) second: bool,
    /// It is half of a flag.
    pub(super) flag: bool,
}

impl From<Raw> for Letter {
    #[inline]
    fn from(raw: Raw) -> Self {
        let Raw { start, end, c, marks } = raw;
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
            marks: Marks { upper: entry.is_upper(), ..marks },
        };
        match letter.kind {
            Kind::Regional if marks.flag => {
                (letter.kind, letter.script, letter.latin) = (Kind::Other, Script::Common, 0);
                (letter.base, letter.folded) = (c, c);
            }
            Kind::Regional => (letter.kind, letter.folded) = (Kind::Letter, letter.base),
            Kind::Pair => {
                letter.kind = Kind::Letter;
                if marks.second {
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
    /// Whether it is read as a Latin letter, be it one or not.
    pub(super) fn is_read_as_latin(&self) -> bool {
        self.latin != 0 && (self.script == Script::Latin || self.marks.read)
    }

    /// Whether words are made of it. An underscore is for the caller to look at.
    pub(super) fn is_of_word(&self) -> bool {
        matches!(self.kind, Kind::Letter | Kind::Digit | Kind::Joiner | Kind::Several)
    }

    /// Whether it is a letter proper.
    pub(super) fn is_alphabetic(&self) -> bool {
        self.is_of_word() && self.kind != Kind::Digit
    }

    /// Whether it is a letter of a script other than Latin.
    pub(super) fn is_foreign(&self) -> bool {
        self.is_alphabetic() && !matches!(self.script, Script::Latin | Script::Common)
    }

    /// The byte that stands for it in a coarse text: one for all that may stand for each other.
    #[inline]
    pub(super) fn coarse(&self) -> u8 {
        coarse_of(self.kind, if self.is_read_as_latin() { Script::Latin } else { self.script }, self.latin, self.base)
    }
}

/// The coarse byte of a character that stands for itself.
#[inline]
pub(super) fn coarse(c: char, entry: Entry) -> u8 {
    coarse_of(entry.kind(), entry.script(), entry.latin, entry.base(c))
}

#[inline]
fn coarse_of(kind: Kind, script: Script, latin: u8, base: char) -> u8 {
    if latin != 0 && (script == Script::Latin || matches!(kind, Kind::Digit | Kind::Symbol)) {
        return class(latin);
    }
    match kind {
        Kind::Blank => b' ',
        // Never a letter, so it cannot be taken for a class.
        Kind::Other | Kind::Symbol | Kind::Digit if base.is_ascii() => u8::try_from(base).unwrap_or(b'?'),
        _ => hashed(base),
    }
}

/// The class of a Latin letter: `i` and `l` are one, and so are `b` and `g`, since some signs may be either.
#[inline]
fn class(latin: u8) -> u8 {
    match latin {
        b'l' | I_OR_L => b'i',
        b'g' | B_OR_G => b'b',
        latin => latin,
    }
}

/// One of 128 bytes beyond ASCII for a letter of another script. Letters that share one are told apart later.
#[inline]
fn hashed(base: char) -> u8 {
    let mixed = u32::from(base).wrapping_mul(0x9e37_79b1) >> 25;
    0x80 | u8::try_from(mixed & 0x7f).unwrap_or(0)
}

/// The coarse byte of each byte of ASCII.
pub(super) static ASCII: std::sync::LazyLock<[u8; 128]> = std::sync::LazyLock::new(|| {
    std::array::from_fn(|byte| Letter::from(Raw::new(char::from(u8::try_from(byte).unwrap_or(0)), 0, 0)).coarse())
});

impl Letter {
    /// As [`Raw::read`].
    pub(super) fn read_as_latin(mut self) -> Self {
        self.marks.read |= self.is_foreign() && self.latin != 0;
        self
    }

    /// What a clean text shows of it, if anything.
    pub(super) fn shown(&self) -> Option<char> {
        if !self.marks.read {
            return (self.folded != '\0').then_some(self.folded);
        }
        Some(match self.latin {
            I_OR_L if self.marks.upper => 'i',
            I_OR_L => 'l',
            letter => char::from(letter),
        })
    }

    /// The letter as it is compared.
    pub(super) fn what(&self) -> char {
        match self.latin {
            I_OR_L if self.is_read_as_latin() => 'l',
            letter if self.is_read_as_latin() => char::from(letter),
            _ => self.base,
        }
    }
}

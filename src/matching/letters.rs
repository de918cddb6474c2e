//! How a text is written: capitals, stretched characters, piled marks.

use std::ops::Range;

use super::kinds::Kind;

/// How many marks of its own script a letter may carry before they count: a Burmese syllable has five, a Hebrew letter
/// of a text for chanting four.
const OWN_MARKS: usize = 6;
/// Scripts whose letters are written with marks of their own begin here, with Hebrew. What comes before (Latin, Greek,
/// Cyrillic, Armenian) uses the marks that all scripts share.
const SCRIPTS_WITH_MARKS: char = '\u{590}';
/// Longest run of hexadecimal digits that is a colour or a number, and not stretched writing.
const MAX_HEX: usize = 8;

/// What one pass over a text tells about its writing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Letters {
    /// Letters of all scripts. Code points.
    pub letters: usize,
    /// Letters of scripts that have capitals, such as Latin; not so Arabic or Chinese.
    pub cased: usize,
    /// Capitals among them.
    pub capitals: usize,
    /// How often one character comes in a row, at most. Without regard to case, and marks on it do not count.
    ///
    /// Blanks, digits and what lines are drawn with (`-----`, `=====`, `.....`) are left out, and so are colours and
    /// numbers of the kind `#ffffff` and `0xFFFF`. 0 when nothing is left.
    pub longest_run: usize,
    /// Where that run is: bytes of the text. The first one, should there be several.
    pub run: Range<usize>,
    /// Most marks on one letter.
    ///
    /// Ordinary spelling gives 3 at most (Vietnamese and Greek in decomposed form). Vowel and tone signs of scripts
    /// that are written with them count from the seventh on the same letter. What makes an emoji of a character and
    /// joins emoji is no mark.
    pub most_marks: usize,
    /// Where they are, with their letter: bytes of the text. The first such place.
    pub marks: Range<usize>,
}

impl Letters {
    /// Capitals in per cent of the letters that have case, rounded down. 0 when there are none.
    #[must_use]
    pub fn capital_share(&self) -> u8 {
        let share = (self.capitals * 100).checked_div(self.cased).unwrap_or(0);
        u8::try_from(share).unwrap_or(100)
    }
}

/// Looks at all characters of a text.
#[must_use]
pub fn letters(text: &str) -> Letters {
    let mut found = Letters::default();
    let mut run = Run::default();
    let mut pile = Pile::default();
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        let case = if c.is_ascii() {
            case_of_ascii(c)
        } else {
            let kind = Kind::of(c);
            if is_ignored(c) {
                continue;
            }
            if kind.is_mark() {
                pile.add(c, end, &mut found);
                run.stretch(end);
                continue;
            }
            case(kind)
        };
        found.letters += usize::from(case != Case::NoLetter);
        found.cased += usize::from(matches!(case, Case::Small | Case::Capital));
        found.capitals += usize::from(case == Case::Capital);
        pile.base(c, at);
        run.add(c, case, at..end, text, &mut found);
    }
    run.close(text, &mut found);
    found
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Case {
    Small,
    Capital,
    /// A letter of a script without capitals.
    Neither,
    #[default]
    NoLetter,
}

fn case_of_ascii(c: char) -> Case {
    match c {
        'a'..='z' => Case::Small,
        'A'..='Z' => Case::Capital,
        _ => Case::NoLetter,
    }
}

fn case(kind: Kind) -> Case {
    if kind.is_small() {
        Case::Small
    } else if kind.is_capital() {
        Case::Capital
    } else if kind.is_letter() {
        Case::Neither
    } else {
        Case::NoLetter
    }
}

/// What neither shows nor separates: joiners, selectors of emoji, skin colours.
fn is_ignored(c: char) -> bool {
    matches!(
        c,
        '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{20e3}'
            | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0000}'..='\u{e01ef}'
    )
}

/// Marks that go with letters of any script.
fn is_shared_mark(c: char) -> bool {
    matches!(
        c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
            | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}'
    )
}

/// The marks on the letter at hand.
#[derive(Debug, Default)]
struct Pile {
    start: usize,
    has_own_marks: bool,
    shared: usize,
    own: usize,
}

impl Pile {
    fn base(&mut self, c: char, at: usize) {
        *self = Self { start: at, has_own_marks: c >= SCRIPTS_WITH_MARKS, shared: 0, own: 0 };
    }

    fn add(&mut self, mark: char, end: usize, found: &mut Letters) {
        let shared = !self.has_own_marks || is_shared_mark(mark);
        if shared {
            self.shared += 1;
        } else {
            self.own += 1;
        }
        let marks = self.shared + self.own.saturating_sub(OWN_MARKS);
        if marks > found.most_marks {
            found.most_marks = marks;
            found.marks = self.start..end;
        }
    }
}

/// The run at hand.
#[derive(Debug, Default)]
struct Run {
    /// `None` where nothing that counts has come.
    character: Option<(char, Case)>,
    length: usize,
    bytes: Range<usize>,
}

impl Run {
    fn add(&mut self, c: char, case: Case, bytes: Range<usize>, text: &str, found: &mut Letters) {
        if let Some((last, last_case)) = self.character
            && (c == last || (case != last_case && is_one_letter((c, case), (last, last_case))))
        {
            self.length += 1;
            self.bytes.end = bytes.end;
            return;
        }
        self.close(text, found);
        if case != Case::NoLetter || is_counted(c) {
            *self = Self { character: Some((c, case)), length: 1, bytes };
        }
    }

    /// Takes in a mark on the last character.
    fn stretch(&mut self, end: usize) {
        if self.character.is_some() {
            self.bytes.end = end;
        }
    }

    fn close(&mut self, text: &str, found: &mut Letters) {
        if self.length > found.longest_run && (self.length < 2 || !self.is_hex(text)) {
            found.longest_run = self.length;
            found.run = self.bytes.clone();
        }
        *self = Self::default();
    }

    /// Whether it is part of a colour or number: at most [`MAX_HEX`] digits after `#` or `0x`.
    fn is_hex(&self, text: &str) -> bool {
        if !self.character.is_some_and(|(c, _)| c.is_ascii_hexdigit()) {
            return false;
        }
        let Some((before, after)) = text.split_at_checked(self.bytes.start) else { return false };
        let prefix = before.trim_end_matches(|c: char| c.is_ascii_hexdigit());
        let digits =
            before.len() - prefix.len() + after.bytes().take(MAX_HEX + 1).take_while(u8::is_ascii_hexdigit).count();
        digits <= MAX_HEX && (prefix.ends_with('#') || prefix.ends_with("0x"))
    }
}

fn is_one_letter((c, case): (char, Case), (last, last_case): (char, Case)) -> bool {
    let both =
        (case == Case::Capital && last_case == Case::Small) || (case == Case::Small && last_case == Case::Capital);
    both && c.to_lowercase().eq(last.to_lowercase())
}

/// Whether a character that is no letter counts when it is repeated.
fn is_counted(c: char) -> bool {
    match c {
        '-' | '_' | '=' | '.' | '*' | '#' | '~' | '+' | '|' | '/' | '\\' | ':' | '<' | '>' | '`' => false,
        _ if c.is_ascii() => c.is_ascii_punctuation(),
        // Dashes, dots, lines of boxes, ideographic dash.
        '\u{2010}'..='\u{2015}'
        | '\u{2022}'..='\u{2027}'
        | '\u{2500}'..='\u{259f}'
        | '\u{b7}'
        | '\u{af}'
        | '\u{3030}' => false,
        _ => !Kind::of(c).is_number() && !c.is_whitespace() && !c.is_control(),
    }
}

#[cfg(test)]
mod tests;

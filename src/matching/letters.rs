//! Writing style of a text: capitals, repeated characters, stacked marks.

use std::ops::Range;

use super::char_class::CharClass;

/// Marks of its own script that a letter may carry before they count: a Burmese syllable has five, a Hebrew letter with
/// cantillation four.
const FREE_OWN_MARKS: usize = 6;
/// The first code point, in Hebrew, of the scripts that have marks of their own. The scripts before it (Latin, Greek,
/// Cyrillic, Armenian) use the marks that all scripts share.
const FIRST_SCRIPT_WITH_MARKS: char = '\u{590}';
/// Longest run of hexadecimal digits that counts as a colour or number rather than as repetition.
const MAX_HEX: usize = 8;

/// Statistics about the writing style of a text.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LetterStats {
    /// Letters of all scripts. Code points.
    pub letters: usize,
    /// Letters of scripts that have case, such as Latin, unlike Arabic or Chinese.
    pub cased: usize,
    /// Capitals among them.
    pub capitals: usize,
    /// Length of the longest run of one character, ignoring case and marks.
    ///
    /// Whitespace, digits, drawn lines (`-----`, `=====`, `.....`) and numbers such as `#ffffff` and `0xFFFF` do not
    /// count. 0 when nothing counts.
    pub longest_run: usize,
    /// The bytes of that run; of the first one if there are several.
    pub run: Range<usize>,
    /// Maximum number of marks on one letter.
    ///
    /// Ordinary spelling has at most 3 (decomposed Vietnamese and Greek). Vowel and tone signs of scripts that use them
    /// count from the seventh on one letter. Variation selectors and emoji joiners do not count.
    pub max_marks: usize,
    /// The bytes of these marks with their letter; of the first such place if there are several.
    pub marks: Range<usize>,
}

impl LetterStats {
    /// Returns the percentage of capitals among the letters that have case, rounded down; 0 without such letters.
    #[must_use]
    pub fn uppercase_percent(&self) -> u8 {
        let share = (self.capitals * 100).checked_div(self.cased).unwrap_or(0);
        u8::try_from(share).unwrap_or(100)
    }
}

/// Computes the statistics of a text.
#[must_use]
pub fn letter_stats(text: &str) -> LetterStats {
    let mut stats = LetterStats::default();
    let mut run = Run::default();
    let mut stack = MarkStack::default();
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        let case = if c.is_ascii() {
            case_of_ascii(c)
        } else {
            let class = CharClass::new(c);
            if is_ignored(c) {
                continue;
            }
            if class.is_mark() {
                stack.add(c, end, &mut stats);
                run.extend(end);
                continue;
            }
            case(class)
        };
        stats.letters += usize::from(case != Case::NotALetter);
        stats.cased += usize::from(matches!(case, Case::Lower | Case::Upper));
        stats.capitals += usize::from(case == Case::Upper);
        stack.start(c, at);
        run.add(c, case, at..end, text, &mut stats);
    }
    run.close(text, &mut stats);
    stats
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Case {
    Lower,
    Upper,
    /// A letter of a script without case.
    Uncased,
    #[default]
    NotALetter,
}

fn case_of_ascii(c: char) -> Case {
    match c {
        'a'..='z' => Case::Lower,
        'A'..='Z' => Case::Upper,
        _ => Case::NotALetter,
    }
}

fn case(class: CharClass) -> Case {
    if class.is_lowercase() {
        Case::Lower
    } else if class.is_uppercase() {
        Case::Upper
    } else if class.is_letter() {
        Case::Uncased
    } else {
        Case::NotALetter
    }
}

/// Whether a character is skipped: joiners, variation selectors, skin tones.
fn is_ignored(c: char) -> bool {
    matches!(
        c,
        '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{20e3}'
            | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0000}'..='\u{e01ef}'
    )
}

/// Whether a mark is used with letters of any script.
fn is_shared_mark(c: char) -> bool {
    matches!(
        c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
            | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}'
    )
}

/// Counts the marks on the current letter.
#[derive(Debug, Default)]
struct MarkStack {
    start: usize,
    has_own_marks: bool,
    shared: usize,
    own: usize,
}

impl MarkStack {
    fn start(&mut self, c: char, at: usize) {
        *self = Self { start: at, has_own_marks: c >= FIRST_SCRIPT_WITH_MARKS, shared: 0, own: 0 };
    }

    fn add(&mut self, mark: char, end: usize, stats: &mut LetterStats) {
        let shared = !self.has_own_marks || is_shared_mark(mark);
        if shared {
            self.shared += 1;
        } else {
            self.own += 1;
        }
        let marks = self.shared + self.own.saturating_sub(FREE_OWN_MARKS);
        if marks > stats.max_marks {
            stats.max_marks = marks;
            stats.marks = self.start..end;
        }
    }
}

/// The current run of one character.
#[derive(Debug, Default)]
struct Run {
    /// `None` outside a run.
    character: Option<(char, Case)>,
    length: usize,
    bytes: Range<usize>,
}

impl Run {
    fn add(&mut self, c: char, case: Case, bytes: Range<usize>, text: &str, stats: &mut LetterStats) {
        if let Some((last, last_case)) = self.character
            && (c == last || (case != last_case && is_same_letter((c, case), (last, last_case))))
        {
            self.length += 1;
            self.bytes.end = bytes.end;
            return;
        }
        self.close(text, stats);
        if case != Case::NotALetter || is_counted(c) {
            *self = Self { character: Some((c, case)), length: 1, bytes };
        }
    }

    /// Includes a mark on the last character.
    fn extend(&mut self, end: usize) {
        if self.character.is_some() {
            self.bytes.end = end;
        }
    }

    fn close(&mut self, text: &str, stats: &mut LetterStats) {
        if self.length > stats.longest_run && (self.length < 2 || !self.is_hex(text)) {
            stats.longest_run = self.length;
            stats.run = self.bytes.clone();
        }
        *self = Self::default();
    }

    /// Whether the run is part of a colour or number: at most [`MAX_HEX`] digits after `#` or `0x`.
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

fn is_same_letter((c, case): (char, Case), (last, last_case): (char, Case)) -> bool {
    let both = (case == Case::Upper && last_case == Case::Lower) || (case == Case::Lower && last_case == Case::Upper);
    both && c.to_lowercase().eq(last.to_lowercase())
}

/// Whether a repeated character that is not a letter counts.
fn is_counted(c: char) -> bool {
    match c {
        '-' | '_' | '=' | '.' | '*' | '#' | '~' | '+' | '|' | '/' | '\\' | ':' | '<' | '>' | '`' => false,
        _ if c.is_ascii() => c.is_ascii_punctuation(),
        // Dashes, dots, box drawing, ideographic dash.
        '\u{2010}'..='\u{2015}'
        | '\u{2022}'..='\u{2027}'
        | '\u{2500}'..='\u{259f}'
        | '\u{b7}'
        | '\u{af}'
        | '\u{3030}' => false,
        _ => !CharClass::new(c).is_number() && !c.is_whitespace() && !c.is_control(),
    }
}

#[cfg(test)]
mod tests;

//! The forms of one text.

use std::ops::Range;

use unicode_normalization::char::{compose, decompose_compatible};

use super::letter::{ASCII, Letter};
use super::map::Map;
use super::table::{self, Entry, Kind, PAIRED, Script};
use super::tokens::{Sight, Tokens};

/// Longest text that is read. Bytes. What is beyond is in no form.
const LONGEST: usize = 16 << 20;

/// The forms of one text, for matching; they are never shown to anybody.
///
/// The memory is used again for the next text: keep one for each thread. Nothing is allocated once it has grown to the
/// longest text.
#[derive(Debug, Default)]
pub struct Views {
    /// The text itself if it is plain: ASCII without control characters. Each byte is a letter then.
    plain: String,
    exact: String,
    exact_map: Map,
    /// Empty for a plain text, whose exact form it is.
    clean: String,
    clean_map: Map,
    /// The letters of a text that is not plain, and those of the readings behind the text in any case.
    pub(super) letters: Vec<Letter>,
    /// A byte for each run of letters that may stand for each other; other readings come behind the text, each after a
    /// zero byte.
    coarse: Vec<u8>,
    /// The number of the first letter of each run, and at the end that of all letters.
    starts: Vec<u32>,
    /// How long the coarse text is without other readings.
    main: usize,
    tokens: Tokens,
}

impl Views {
    /// Reads a text and makes its forms; those of the text before are gone.
    ///
    /// Takes time in proportion to the text.
    pub fn read(&mut self, text: &str) {
        let text = text.get(..text.floor_char_boundary(text.len().min(LONGEST))).unwrap_or_default();
        self.clear();
        let sight = if text.bytes().all(is_plain) { self.read_plain(text) } else { self.read_any(text) };
        self.main = self.coarse.len();
        if sight.singles >= super::tokens::FEWEST_SINGLES {
            self.join_spaced();
        }
        self.read_alike(&sight);
        self.starts.push(to_u32(self.count()));
    }

    /// The text with its letter case folded, character by character.
    #[must_use]
    pub fn exact(&self) -> &str {
        &self.exact
    }

    /// The text with what only disguises it undone: letter case, compatibility forms and styles of letters,
    /// zero-width characters, combining marks that belong to no letter. A word of mixed scripts is written with the
    /// Latin letters that it looks like; a word of one script stays as it is, with its accents. Repeated letters stay
    /// repeated, and digits are digits.
    #[must_use]
    pub fn clean(&self) -> &str {
        if self.is_plain() { &self.exact } else { &self.clean }
    }

    /// The bytes of the original that a range of bytes of [`Views::exact`] came from.
    ///
    /// Any range is fine: it is widened to whole characters, and what is beyond the end is left out.
    #[must_use]
    pub fn original_of_exact(&self, bytes: Range<usize>) -> Range<usize> {
        self.exact_map.original(whole(&self.exact, bytes))
    }

    /// The bytes of the original that a range of bytes of [`Views::clean`] came from, as
    /// [`Views::original_of_exact`].
    #[must_use]
    pub fn original_of_clean(&self, bytes: Range<usize>) -> Range<usize> {
        self.clean_map.original(whole(self.clean(), bytes))
    }

    /// The coarse text: see the field.
    pub(super) fn coarse(&self) -> &[u8] {
        &self.coarse
    }

    /// The letters of some runs of the coarse text, by their numbers.
    pub(super) fn letters_of(&self, runs: Range<usize>) -> Option<Range<usize>> {
        Some(*self.starts.get(runs.start)? as usize..*self.starts.get(runs.end)? as usize)
    }

    /// How many letters there are without those of the readings behind the text.
    pub(super) fn letters_of_text(&self) -> usize {
        self.starts.get(self.main).map_or(0, |start| *start as usize)
    }

    /// A letter by its number.
    #[inline]
    pub(super) fn letter(&self, number: usize) -> Option<Letter> {
        match self.plain.as_bytes().get(number) {
            Some(&byte) => Some(Letter::of_ascii(byte, number)),
            None => self.letters.get(number - self.plain.len()).copied(),
        }
    }

    /// How many letters there are, with those of the readings behind the text.
    pub(super) fn count(&self) -> usize {
        self.plain.len() + self.letters.len()
    }

    /// Whether a run of the coarse text belongs to a reading behind the text.
    pub(super) fn is_reading(&self, run: usize) -> bool {
        run >= self.main
    }

    fn is_plain(&self) -> bool {
        self.clean.is_empty()
    }

    fn clear(&mut self) {
        self.plain.clear();
        self.exact.clear();
        self.exact_map.clear();
        self.clean.clear();
        self.clean_map.clear();
        self.letters.clear();
        self.coarse.clear();
        self.starts.clear();
        self.tokens.clear();
    }

    fn read_plain(&mut self, text: &str) -> Sight {
        self.plain.push_str(text);
        self.exact.push_str(text);
        self.exact.make_ascii_lowercase();
        self.coarse.reserve(text.len());
        self.starts.reserve(text.len() + 1);
        let ascii = &*ASCII;
        let (mut last, mut sight) = (0, Sight::default());
        for (at, byte) in (0_u32..).zip(text.bytes()) {
            sight.see(byte.is_ascii_alphanumeric());
            let coarse = ascii.get(usize::from(byte)).copied().unwrap_or(b'?');
            if coarse != last {
                self.coarse.push(coarse);
                self.starts.push(at);
                last = coarse;
            }
        }
        sight.see(false);
        sight
    }

    fn read_any(&mut self, text: &str) -> Sight {
        let mut flag_end = usize::MAX;
        for (at, c) in text.char_indices() {
            let entry = table::entry(c);
            let (start, end) = (to_u32(at), to_u32(at + c.len_utf8()));
            self.push_exact(c, entry, start, end);
            match entry.kind() {
                Kind::Ignorable => {}
                Kind::Mark | Kind::Joiner => self.melt(c, entry, start, end),
                Kind::Several => {
                    decompose_compatible(c, |part| fold_char(part, |c| self.push_part(c, start, end)));
                }
                Kind::Regional => {
                    let next = text.get(end as usize..).and_then(|rest| rest.chars().next());
                    let half = flag_end == at || next.is_some_and(|c| table::entry(c).kind() == Kind::Regional);
                    flag_end = end as usize;
                    let mut letter = Letter::new(c, entry, start, end);
                    if half {
                        (letter.kind, letter.script, letter.latin) = (Kind::Other, Script::Common, 0);
                        (letter.base, letter.folded) = (c, c);
                    } else {
                        letter.kind = Kind::Letter;
                    }
                    self.letters.push(letter);
                }
                Kind::Pair => self.push_pair(c, entry, start, end),
                _ => self.letters.push(Letter::new(c, entry, start, end)),
            }
        }
        self.tokens.find(&mut self.letters);
        self.finish_any()
    }

    /// The coarse and the clean form of the letters.
    fn finish_any(&mut self) -> Sight {
        let (mut last, mut sight) = (0, Sight::default());
        for (number, letter) in (0_u32..).zip(&self.letters) {
            sight.see(letter.is_of_word());
            let coarse = letter.coarse();
            if coarse != last {
                self.coarse.push(coarse);
                self.starts.push(number);
                last = coarse;
            }
            if let Some(c) = letter.shown() {
                self.clean.push(c);
                self.clean_map.push(to_u32(c.len_utf8()), letter.start, letter.end);
            }
        }
        sight.see(false);
        if self.clean.is_empty() {
            // Nothing can be seen of the text. A blank tells it from a plain one.
            self.clean.push(' ');
            self.clean_map.push(1, 0, self.exact_map.text_len());
        }
        sight
    }

    fn push_exact(&mut self, c: char, entry: Entry, start: u32, end: u32) {
        let mut push = |c: char| {
            self.exact.push(c);
            self.exact_map.push(to_u32(c.len_utf8()), start, end);
        };
        if entry.has_odd_case() {
            fold_char(c, push);
        } else {
            push(entry.folded(c));
        }
    }

    fn push_part(&mut self, c: char, start: u32, end: u32) {
        let entry = table::entry(c);
        match entry.kind() {
            Kind::Ignorable => {}
            Kind::Mark | Kind::Joiner => self.melt(c, entry, start, end),
            Kind::Pair => self.push_pair(c, entry, start, end),
            _ => self.letters.push(Letter::new(c, entry, start, end)),
        }
    }

    fn push_pair(&mut self, c: char, entry: Entry, start: u32, end: u32) {
        let first = Letter { base: char::from(entry.latin), kind: Kind::Letter, ..Letter::new(c, entry, start, end) };
        let second = char::from(entry.second());
        let second = Letter { base: second, folded: '\0', latin: entry.second(), accent: PAIRED, ..first };
        self.letters.extend([first, second]);
    }

    /// A mark, or a letter that may belong to the one before.
    fn melt(&mut self, c: char, entry: Entry, start: u32, end: u32) {
        let is_mark = entry.kind() == Kind::Mark;
        if let Some(last) = self.letters.last_mut() {
            if let Some(composed) = compose(last.folded, c) {
                let composed = Letter::new(composed, table::entry(composed), last.start, end);
                if composed.kind != Kind::Mark {
                    *last = Letter { marks: last.marks, ..composed };
                    return;
                }
            }
            if is_mark {
                last.end = end;
                last.marks.noise = true;
            }
        }
        if !is_mark {
            self.letters.push(Letter::new(c, entry, start, end));
        }
    }

    /// Adds what one-letter words make when they are put together.
    fn join_spaced(&mut self) {
        let count = self.count();
        let mut tokens = std::mem::take(&mut self.tokens);
        tokens.find_spaced(count, |number| self.letter(number));
        for chunk in tokens.spaced() {
            self.open_reading();
            let from = self.letters.len();
            for (number, wide) in tokens.singles(chunk) {
                let Some(letter) = self.letter(number) else { continue };
                if wide {
                    self.letters.push(Letter::blank(letter.start));
                }
                self.letters.push(letter);
            }
            if let Some(added) = self.letters.get_mut(from..) {
                super::tokens::read_if_mixed(added);
            }
            self.close_reading(from);
        }
        self.tokens = tokens;
    }

    /// Adds the Latin reading of words of another script that could all be Latin.
    fn read_alike(&mut self, _: &Sight) {
        let tokens = std::mem::take(&mut self.tokens);
        for alike in tokens.alike() {
            self.open_reading();
            let from = self.letters.len();
            for number in alike {
                let Some(letter) = self.letters.get(number).copied() else { continue };
                self.letters.push(letter.read_as_latin());
            }
            self.close_reading(from);
        }
        self.tokens = tokens;
    }

    fn open_reading(&mut self) {
        self.coarse.push(0);
        self.starts.push(to_u32(self.count()));
        self.letters.push(Letter::blank(0));
    }

    fn close_reading(&mut self, from: usize) {
        let mut last = 0;
        for (number, letter) in (to_u32(self.plain.len() + from)..).zip(self.letters.iter().skip(from)) {
            let coarse = letter.coarse();
            if coarse != last {
                self.coarse.push(coarse);
                self.starts.push(number);
                last = coarse;
            }
        }
    }
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' '..=b'~')
}

fn to_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The range widened to whole characters of `text`.
fn whole(text: &str, bytes: Range<usize>) -> Range<usize> {
    let end = bytes.end.min(text.len());
    let start = text.floor_char_boundary(bytes.start.min(end));
    if start == end { start..start } else { start..text.ceil_char_boundary(end) }
}

/// Full case folding of one character: its lower case's upper case's lower case.
///
/// The standard library has no case folding, but its tables are those of the newest Unicode. Compared with the folding
/// of Unicode 16, character by character, this differs in two places: dotless `ı` becomes `i` as well, which suits the
/// search for words, and Cherokee folds to its small letters in place of the capital ones. Both sigmas are one letter,
/// as they should be, since no character sees its neighbours here.
fn fold_char(c: char, mut each: impl FnMut(char)) {
    c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase).for_each(&mut each);
}

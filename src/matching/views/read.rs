//! From a text to its letters and forms.

use unicode_normalization::char::{compose, decompose_compatible, is_combining_mark};

use super::super::letter::{ASCII, Letter, Marks, Raw, coarse};
use super::super::table::{self, Entry, Kind, Script};
use super::super::tokens::Singles;
use super::{Views, is_plain, to_u32};

/// What has been seen of a text, letter by letter.
#[derive(Debug)]
struct Sight {
    singles: Singles,
    /// The scripts of its letters, a bit each.
    scripts: u16,
    /// The clean form is the exact one.
    same: bool,
    /// The coarse text is no longer that of the letters.
    stale: bool,
    /// Where the last regional indicator ends.
    flag_end: usize,
    /// The last byte of the coarse text.
    last: u8,
}

impl Views {
    pub(super) fn read_plain(&mut self, text: &str) -> Singles {
        self.plain.push_str(text);
        self.exact.push_str(text);
        self.exact.make_ascii_lowercase();
        // Written in place and counted on only where a run begins: there is no branch to guess wrong.
        self.coarse.resize(text.len(), 0);
        self.starts.resize(text.len(), 0);
        let ascii = &*ASCII;
        let (mut runs, mut last, mut singles) = (0, 0, Singles::default());
        for (at, byte) in (0_u32..).zip(text.bytes()) {
            singles.see(byte.is_ascii_alphanumeric());
            let here = ascii.get(usize::from(byte)).copied().unwrap_or(b'?');
            if let (Some(coarse), Some(start)) = (self.coarse.get_mut(runs), self.starts.get_mut(runs)) {
                (*coarse, *start) = (here, at);
            }
            runs += usize::from(here != last);
            last = here;
        }
        self.coarse.truncate(runs);
        self.starts.truncate(runs);
        singles.see(false);
        singles
    }

    pub(super) fn read_any(&mut self, text: &str) -> Singles {
        let mut sight =
            Sight { singles: Singles::default(), scripts: 0, same: true, stale: false, flag_end: usize::MAX, last: 0 };
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let plain = rest.bytes().take_while(|byte| is_plain(*byte)).count();
            if let Some(plain) = rest.get(..plain).filter(|plain| !plain.is_empty()) {
                self.push_plain(plain, at, &mut sight);
                at += plain.len();
            } else if let Some(c) = rest.chars().next() {
                self.push_char(c, at, rest, &mut sight);
                at += c.len_utf8();
            }
        }
        let latin = sight.scripts & 1 << Script::Latin as u8 != 0;
        let foreign = sight.scripts & !(1 << Script::Latin as u8 | 1 << Script::Common as u8);
        let rare = foreign & 1 << Script::Rare as u8 != 0;
        if foreign != 0 && (latin || rare || foreign.count_ones() > 1) && self.tokens.find(&mut self.letters) {
            (sight.stale, sight.same) = (true, false);
        }
        if sight.stale {
            self.coarse.clear();
            self.starts.clear();
            self.push_runs(0);
        }
        if !sight.same {
            self.make_clean();
        }
        sight.singles.see(false);
        sight.singles
    }

    /// Adds ASCII that begins at `at`.
    fn push_plain(&mut self, text: &str, at: usize, sight: &mut Sight) {
        let from = self.exact.len();
        self.exact.push_str(text);
        self.exact.get_mut(from..).unwrap_or_default().make_ascii_lowercase();
        self.exact_map.push(to_u32(text.len()), to_u32(at), to_u32(at + text.len()));
        let ascii = &*ASCII;
        self.letters.reserve(text.len());
        let mut alphabetic = false;
        for (at, byte) in (to_u32(at)..).zip(text.bytes()) {
            let coarse = ascii.get(usize::from(byte)).copied().unwrap_or(b'?');
            alphabetic |= byte.is_ascii_alphabetic();
            sight.singles.see(byte.is_ascii_alphanumeric());
            if coarse != sight.last {
                self.coarse.push(coarse);
                self.starts.push(to_u32(self.letters.len()));
                sight.last = coarse;
            }
            self.letters.push(Raw::new(char::from(byte), at, at + 1));
        }
        sight.scripts |= u16::from(alphabetic) << Script::Latin as u8;
    }

    /// Adds the character that `rest` begins with, at `at`.
    fn push_char(&mut self, c: char, at: usize, rest: &str, sight: &mut Sight) {
        let entry = table::entry(c);
        let (start, end) = (to_u32(at), to_u32(at + c.len_utf8()));
        self.push_exact(c, entry, start, end);
        sight.same &= !entry.has_odd_case() || entry.kind() == Kind::Several;
        match entry.kind() {
            Kind::Several => {
                // What letter case alone makes several letters of is the same in both forms.
                if sight.same {
                    decompose_compatible(c, |part| sight.same &= part == c);
                }
                decompose_compatible(c, |part| {
                    let entry = table::entry(part);
                    if entry.has_odd_case() || matches!(entry.kind(), Kind::Several) {
                        fold_char(part, |c| self.push_part(c, table::entry(c), start, end, sight));
                    } else {
                        self.push_part(part, entry, start, end, sight);
                    }
                });
            }
            Kind::Regional => {
                sight.same = false;
                let next = rest.chars().nth(1);
                let half = sight.flag_end == at || next.is_some_and(|c| table::entry(c).kind() == Kind::Regional);
                sight.flag_end = end as usize;
                let mut raw = Raw::new(c, start, end);
                raw.marks.flag = half;
                sight.scripts |= u16::from(!half) << Script::Latin as u8;
                sight.singles.see(!half);
                self.push_raw(raw, Letter::from(raw).coarse(), sight);
            }
            _ => self.push_part(c, entry, start, end, sight),
        }
    }

    fn push_part(&mut self, c: char, entry: Entry, start: u32, end: u32, sight: &mut Sight) {
        match entry.kind() {
            Kind::Ignorable => sight.same = false,
            Kind::Mark | Kind::Joiner => {
                sight.same = false;
                let is_mark = entry.kind() == Kind::Mark || self.is_stray_mark(c, entry);
                self.melt(c, start, end, is_mark, sight);
            }
            Kind::Pair => {
                let first = Raw::new(c, start, end);
                let second = Raw { marks: Marks { second: true, ..first.marks }, ..first };
                for raw in [first, second] {
                    self.push_raw(raw, Letter::from(raw).coarse(), sight);
                }
                sight.scripts |= 1 << Script::Latin as u8;
                sight.singles.see(true);
                sight.singles.see(true);
            }
            Kind::Letter if self.is_stray_mark(c, entry) => {
                sight.same = false;
                self.melt(c, start, end, true, sight);
            }
            kind => {
                let of_word = matches!(kind, Kind::Letter | Kind::Digit | Kind::Several);
                sight.scripts |= u16::from(of_word) << entry.script() as u8;
                sight.singles.see(of_word);
                self.push_raw(Raw::new(c, start, end), coarse(c, entry), sight);
            }
        }
    }

    fn push_raw(&mut self, raw: Raw, coarse: u8, sight: &mut Sight) {
        if coarse != sight.last {
            self.coarse.push(coarse);
            self.starts.push(to_u32(self.letters.len()));
            sight.last = coarse;
        }
        self.letters.push(raw);
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

    /// A mark, or a letter that may belong to the one before.
    fn melt(&mut self, c: char, start: u32, end: u32, is_mark: bool, sight: &mut Sight) {
        if let Some(last) = self.letters.last_mut() {
            let before = Letter::from(*last);
            if let Some(composed) = compose(before.folded, c).filter(|c| table::entry(*c).kind() != Kind::Mark) {
                let upper = if before.marks.upper { capital(composed) } else { composed };
                *last = Raw { c: upper, end, ..*last };
                sight.stale |= Letter::from(*last).coarse() != before.coarse();
                return;
            }
            if is_mark {
                last.end = end;
                last.marks.noise = true;
            }
        }
        if !is_mark {
            let raw = Raw::new(c, start, end);
            sight.scripts |= 1 << table::entry(c).script() as u8;
            sight.singles.see(true);
            self.push_raw(raw, Letter::from(raw).coarse(), sight);
        }
    }

    /// Whether it is a mark of a living script, such as a vowel, that stands over a letter of another one. Some stand
    /// beside it and look like an `o`: those are letters.
    fn is_stray_mark(&self, c: char, entry: Entry) -> bool {
        let may_be = entry.latin == 0 && matches!(entry.script(), Script::Living | Script::Unspaced | Script::Rare);
        let Some(last) = self.letters.last().filter(|_| may_be) else { return false };
        let last = Letter::from(*last);
        last.is_alphabetic() && last.script != Script::Common && last.script != entry.script() && is_combining_mark(c)
    }

    /// Writes the clean form of the letters.
    fn make_clean(&mut self) {
        let mut clean = std::mem::take(&mut self.spare);
        clean.text.clear();
        clean.map.clear();
        for raw in &self.letters {
            // Most are ASCII, also where the form has to be written anew.
            let shown = if raw.c.is_ascii() { Some(raw.c.to_ascii_lowercase()) } else { Letter::from(*raw).shown() };
            if let Some(c) = shown {
                clean.text.push(c);
                clean.map.push(to_u32(c.len_utf8()), raw.start, raw.end);
            }
        }
        self.clean = Some(clean);
    }

    /// Adds the runs of the letters from `from` on, among those that are kept.
    pub(super) fn push_runs(&mut self, from: usize) {
        let (mut last, ascii) = (0, &*ASCII);
        for (number, raw) in (to_u32(self.plain.len() + from)..).zip(self.letters.iter().skip(from)) {
            let plain = u8::try_from(raw.c).ok().and_then(|byte| ascii.get(usize::from(byte)).copied());
            let coarse = plain.unwrap_or_else(|| Letter::from(*raw).coarse());
            if coarse != last {
                self.coarse.push(coarse);
                self.starts.push(number);
                last = coarse;
            }
        }
    }
}

/// The capital of an accented letter, if it has one of its own.
fn capital(c: char) -> char {
    let mut upper = c.to_uppercase();
    upper.next().filter(|_| upper.next().is_none()).unwrap_or(c)
}

/// Full case folding of one character: its lower case's upper case's lower case.
///
/// The standard library has no case folding, but its tables are those of the newest Unicode. Compared with the folding
/// of Unicode 16, character by character, this differs in two places: dotless `ı` becomes `i` as well, which suits the
/// search for words, and Cherokee folds to its small letters in place of the capital ones. Both sigmas are one letter,
/// as they should be, since no character sees its neighbours here.
pub(super) fn fold_char(c: char, mut each: impl FnMut(char)) {
    c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase).for_each(&mut each);
}

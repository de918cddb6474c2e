//! Splits a text into letters and builds its views.

use unicode_normalization::char::{compose, decompose_compatible, is_combining_mark};

use super::super::letter::{ASCII, Letter, LetterFlags, RawLetter, coarse};
use super::super::table::{self, CharEntry, FoldKind, Script};
use super::super::tokens::Singles;
use super::{Views, is_plain, to_u32};

/// State of reading a text letter by letter.
#[derive(Debug)]
struct ReadState {
    singles: Singles,
    /// The scripts seen so far, one bit each.
    scripts: u16,
    /// Whether the clean view still equals the case-folded one.
    is_clean_case_folded: bool,
    /// Whether the coarse text no longer matches the letters.
    is_coarse_stale: bool,
    /// End of the last regional indicator.
    flag_end: usize,
    /// The last byte of the coarse text.
    last: u8,
}

impl Views {
    pub(super) fn read_plain(&mut self, text: &str) -> Singles {
        self.plain.push_str(text);
        self.case_folded.push_str(text);
        self.case_folded.make_ascii_lowercase();
        // Every byte is written, but the index advances only where a run begins: no branch to mispredict.
        self.coarse.resize(text.len(), 0);
        self.starts.resize(text.len(), 0);
        let ascii = &*ASCII;
        let (mut runs, mut last, mut singles) = (0, 0, Singles::default());
        for (at, byte) in (0_u32..).zip(text.bytes()) {
            singles.push(byte.is_ascii_alphanumeric());
            let here = ascii.get(usize::from(byte)).copied().unwrap_or(b'?');
            if let (Some(coarse), Some(start)) = (self.coarse.get_mut(runs), self.starts.get_mut(runs)) {
                (*coarse, *start) = (here, at);
            }
            runs += usize::from(here != last);
            last = here;
        }
        self.coarse.truncate(runs);
        self.starts.truncate(runs);
        singles.push(false);
        singles
    }

    pub(super) fn read_any(&mut self, text: &str) -> Singles {
        let mut state = ReadState {
            singles: Singles::default(),
            scripts: 0,
            is_clean_case_folded: true,
            is_coarse_stale: false,
            flag_end: usize::MAX,
            last: 0,
        };
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let plain = rest.bytes().take_while(|byte| is_plain(*byte)).count();
            if let Some(plain) = rest.get(..plain).filter(|plain| !plain.is_empty()) {
                self.push_plain(plain, at, &mut state);
                at += plain.len();
            } else if let Some(c) = rest.chars().next() {
                self.push_char(c, at, rest, &mut state);
                at += c.len_utf8();
            }
        }
        let latin = state.scripts & 1 << Script::Latin as u8 != 0;
        let foreign = state.scripts & !(1 << Script::Latin as u8 | 1 << Script::Common as u8);
        let rare = foreign & 1 << Script::Rare as u8 != 0;
        if foreign != 0
            && (latin || rare || foreign.count_ones() > 1)
            && self.tokens.resolve_mixed_scripts(&mut self.letters)
        {
            (state.is_coarse_stale, state.is_clean_case_folded) = (true, false);
        }
        if state.is_coarse_stale {
            self.coarse.clear();
            self.starts.clear();
            self.push_runs(0);
        }
        if !state.is_clean_case_folded {
            self.make_clean();
        }
        state.singles.push(false);
        state.singles
    }

    /// Appends ASCII text that begins at `at`.
    fn push_plain(&mut self, text: &str, at: usize, state: &mut ReadState) {
        let from = self.case_folded.len();
        self.case_folded.push_str(text);
        self.case_folded.get_mut(from..).unwrap_or_default().make_ascii_lowercase();
        self.case_folded_map.push(to_u32(text.len()), to_u32(at), to_u32(at + text.len()));
        let ascii = &*ASCII;
        self.letters.reserve(text.len());
        let mut alphabetic = false;
        for (at, byte) in (to_u32(at)..).zip(text.bytes()) {
            let coarse = ascii.get(usize::from(byte)).copied().unwrap_or(b'?');
            alphabetic |= byte.is_ascii_alphabetic();
            state.singles.push(byte.is_ascii_alphanumeric());
            if coarse != state.last {
                self.coarse.push(coarse);
                self.starts.push(to_u32(self.letters.len()));
                state.last = coarse;
            }
            self.letters.push(RawLetter::new(char::from(byte), at, at + 1));
        }
        state.scripts |= u16::from(alphabetic) << Script::Latin as u8;
    }

    /// Appends the character at `at`, which is the first one of `rest`.
    fn push_char(&mut self, c: char, at: usize, rest: &str, state: &mut ReadState) {
        let entry = table::entry(c);
        let (start, end) = (to_u32(at), to_u32(at + c.len_utf8()));
        self.push_case_folded(c, entry, start, end);
        state.is_clean_case_folded &= !entry.has_irregular_case() || entry.kind() == FoldKind::Expanding;
        match entry.kind() {
            FoldKind::Expanding => {
                // If case folding alone expands it, both views agree.
                if state.is_clean_case_folded {
                    decompose_compatible(c, |part| state.is_clean_case_folded &= part == c);
                }
                decompose_compatible(c, |part| {
                    let entry = table::entry(part);
                    if entry.has_irregular_case() || matches!(entry.kind(), FoldKind::Expanding) {
                        fold_char(part, |c| self.push_part(c, table::entry(c), start, end, state));
                    } else {
                        self.push_part(part, entry, start, end, state);
                    }
                });
            }
            FoldKind::RegionalIndicator => {
                state.is_clean_case_folded = false;
                let next = rest.chars().nth(1);
                let is_half_flag =
                    state.flag_end == at || next.is_some_and(|c| table::entry(c).kind() == FoldKind::RegionalIndicator);
                state.flag_end = end as usize;
                let mut raw = RawLetter::new(c, start, end);
                raw.flags.is_half_flag = is_half_flag;
                state.scripts |= u16::from(!is_half_flag) << Script::Latin as u8;
                state.singles.push(!is_half_flag);
                self.push_raw(raw, Letter::from(raw).coarse(), state);
            }
            _ => self.push_part(c, entry, start, end, state),
        }
    }

    fn push_part(&mut self, c: char, entry: CharEntry, start: u32, end: u32, state: &mut ReadState) {
        match entry.kind() {
            FoldKind::Ignorable => state.is_clean_case_folded = false,
            FoldKind::Mark | FoldKind::Composing => {
                state.is_clean_case_folded = false;
                let is_mark = entry.kind() == FoldKind::Mark || self.is_stray_mark(c, entry);
                self.attach(c, start, end, is_mark, state);
            }
            FoldKind::Ligature => {
                let first = RawLetter::new(c, start, end);
                let second = RawLetter { flags: LetterFlags { is_second: true, ..first.flags }, ..first };
                for raw in [first, second] {
                    self.push_raw(raw, Letter::from(raw).coarse(), state);
                }
                state.scripts |= 1 << Script::Latin as u8;
                state.singles.push(true);
                state.singles.push(true);
            }
            FoldKind::Letter if self.is_stray_mark(c, entry) => {
                state.is_clean_case_folded = false;
                self.attach(c, start, end, true, state);
            }
            kind => {
                let is_word_char = matches!(kind, FoldKind::Letter | FoldKind::Digit | FoldKind::Expanding);
                state.scripts |= u16::from(is_word_char) << entry.script() as u8;
                state.singles.push(is_word_char);
                self.push_raw(RawLetter::new(c, start, end), coarse(c, entry), state);
            }
        }
    }

    fn push_raw(&mut self, raw: RawLetter, coarse: u8, state: &mut ReadState) {
        if coarse != state.last {
            self.coarse.push(coarse);
            self.starts.push(to_u32(self.letters.len()));
            state.last = coarse;
        }
        self.letters.push(raw);
    }

    fn push_case_folded(&mut self, c: char, entry: CharEntry, start: u32, end: u32) {
        let mut push = |c: char| {
            self.case_folded.push(c);
            self.case_folded_map.push(to_u32(c.len_utf8()), start, end);
        };
        if entry.has_irregular_case() {
            fold_char(c, push);
        } else {
            push(entry.folded(c));
        }
    }

    /// Composes a mark, or a letter that may combine, with the letter before it.
    fn attach(&mut self, c: char, start: u32, end: u32, is_mark: bool, state: &mut ReadState) {
        if let Some(last) = self.letters.last_mut() {
            let before = Letter::from(*last);
            if let Some(composed) = compose(before.folded, c).filter(|c| table::entry(*c).kind() != FoldKind::Mark) {
                let upper = if before.flags.is_upper { single_uppercase(composed) } else { composed };
                *last = RawLetter { c: upper, end, ..*last };
                state.is_coarse_stale |= Letter::from(*last).coarse() != before.coarse();
                return;
            }
            if is_mark {
                last.end = end;
                last.flags.has_stray_mark = true;
            }
        }
        if !is_mark {
            let raw = RawLetter::new(c, start, end);
            state.scripts |= 1 << table::entry(c).script() as u8;
            state.singles.push(true);
            self.push_raw(raw, Letter::from(raw).coarse(), state);
        }
    }

    /// Whether it is a mark of a modern script, such as a vowel sign, on a letter of another script. Signs that stand
    /// beside the letter and resemble an `o` count as letters.
    fn is_stray_mark(&self, c: char, entry: CharEntry) -> bool {
        let may_be = entry.latin == 0 && matches!(entry.script(), Script::Living | Script::Unspaced | Script::Rare);
        let Some(last) = self.letters.last().filter(|_| may_be) else { return false };
        let last = Letter::from(*last);
        last.is_alphabetic() && last.script != Script::Common && last.script != entry.script() && is_combining_mark(c)
    }

    /// Builds the clean view from the letters.
    fn make_clean(&mut self) {
        let mut clean = std::mem::take(&mut self.spare);
        clean.text.clear();
        clean.map.clear();
        for raw in &self.letters {
            // Fast path: most letters are ASCII.
            let shown =
                if raw.c.is_ascii() { Some(raw.c.to_ascii_lowercase()) } else { Letter::from(*raw).clean_char() };
            if let Some(c) = shown {
                clean.text.push(c);
                clean.map.push(to_u32(c.len_utf8()), raw.start, raw.end);
            }
        }
        self.clean = Some(clean);
    }

    /// Appends the coarse runs of the stored letters from index `from` on.
    pub(super) fn push_runs(&mut self, from: usize) {
        let (mut last, ascii) = (0, &*ASCII);
        for (index, raw) in (to_u32(self.plain.len() + from)..).zip(self.letters.iter().skip(from)) {
            let plain = u8::try_from(raw.c).ok().and_then(|byte| ascii.get(usize::from(byte)).copied());
            let coarse = plain.unwrap_or_else(|| Letter::from(*raw).coarse());
            if coarse != last {
                self.coarse.push(coarse);
                self.starts.push(index);
                last = coarse;
            }
        }
    }
}

/// Returns the upper-case form of a letter if it is a single character, and the letter itself otherwise.
fn single_uppercase(c: char) -> char {
    let mut upper = c.to_uppercase();
    upper.next().filter(|_| upper.next().is_none()).unwrap_or(c)
}

/// Full case folding of one character: lower case, then upper case, then lower case again.
///
/// The standard library has no case folding, but its case tables follow the newest Unicode. This differs from the case
/// folding of Unicode 16 in two places: dotless `ı` becomes `i`, which suits word search, and Cherokee folds to lower
/// case instead of upper case. Both sigmas fold to the same letter.
pub(super) fn fold_char(c: char, mut each: impl FnMut(char)) {
    c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase).for_each(&mut each);
}

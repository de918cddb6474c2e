//! Words with some letters masked by symbols: `f*ck`, `c*sin*`.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};

use super::letter::{Letter, RawLetter};
use super::literal::PatternLetter;
use super::table::FoldKind;
use super::verify::matches_letter;
use super::views::Views;

/// Longest masked word that is found. Letters.
const MAX_LETTERS: usize = 32;
/// Shortest masked word that is found. Letters.
const MIN_LETTERS: usize = 3;

/// Literals whose letters may be masked, indexed by the letters that remain visible.
#[derive(Debug, Default)]
pub(super) struct MaskedWords {
    words: Vec<Word>,
    by_outline: HashMap<Outline, Vec<u32>>,
}

/// An index key that leaves few words to compare: the first letter, the length, and one further letter with its
/// position. A word that is at most half masked shows at least two letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Outline {
    first: u8,
    len: u8,
    place: u8,
    letter: u8,
}

#[derive(Clone, Copy, Debug)]
struct Word {
    index: u32,
    letters: (u32, u32),
    accents: bool,
}

impl MaskedWords {
    /// Adds a literal, unless it is not a single word of letters.
    pub(super) fn add(&mut self, index: u32, letters: &[Letter], place: (u32, u32), accents: bool) {
        let is_word = (MIN_LETTERS..=MAX_LETTERS).contains(&letters.len()) && letters.iter().all(Letter::is_alphabetic);
        let (Some(first), Ok(len)) = (letters.first().map(Letter::coarse), u8::try_from(letters.len())) else { return };
        if !is_word {
            return;
        }
        let word = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        self.words.push(Word { index, letters: place, accents });
        for (place, letter) in (0..len).zip(letters).skip(1) {
            let outline = Outline { first, len, place, letter: letter.coarse() };
            self.by_outline.entry(outline).or_default().push(word);
        }
    }

    /// Calls `report` for each masked word. `letters` holds the letters of all literals.
    pub(super) fn scan(
        &self,
        views: &Views,
        letters: &[PatternLetter],
        report: &mut impl FnMut(u32, Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if self.words.is_empty() || !may_be_masked(views.coarse()) {
            return ControlFlow::Continue(());
        }
        let end = views.letters_of_text();
        let mut start = 0;
        while start < end {
            let token = next_token(views, start..end);
            start = token.end + 1;
            if (MIN_LETTERS..=MAX_LETTERS).contains(&token.len()) {
                self.scan_token(views, letters, token, report)?;
            }
        }
        ControlFlow::Continue(())
    }

    fn scan_token(
        &self,
        views: &Views,
        letters: &[PatternLetter],
        token: Range<usize>,
        report: &mut impl FnMut(u32, Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let at = |index: usize| views.letter(index).unwrap_or_else(|| Letter::from(RawLetter::blank(0)));
        let (first, last) = (at(token.start), at(token.end - 1));
        let masked = token.clone().filter(|index| is_mask(&at(*index))).count();
        if masked == 0 || masked * 2 > token.len() {
            return ControlFlow::Continue(());
        }
        let (first_seen, len) = (first.coarse(), u8::try_from(token.len()).unwrap_or(u8::MAX));
        let mut fewest: Option<&[u32]> = None;
        for (place, letter) in (0..len).zip(token.clone().map(at)).skip(1).filter(|(_, letter)| !is_mask(letter)) {
            let outline = Outline { first: first_seen, len, place, letter: letter.coarse() };
            let Some(words) = self.by_outline.get(&outline) else { return ControlFlow::Continue(()) };
            if fewest.is_none_or(|fewest| words.len() < fewest.len()) {
                fewest = Some(words);
            }
        }
        for index in fewest.unwrap_or_default() {
            let Some(word) = self.words.get(*index as usize) else { continue };
            let Some(wanted) = letters.get(word.letters.0 as usize..word.letters.1 as usize) else { continue };
            let fits = token.clone().zip(wanted).all(|(index, wanted)| {
                let letter = at(index);
                is_mask(&letter) || matches_letter(views, index, &letter, *wanted, word.accents)
            });
            if fits {
                report(word.index, first.start as usize..last.end.max(first.start) as usize)?;
            }
        }
        ControlFlow::Continue(())
    }
}

/// Whether a mask symbol follows a letter anywhere.
fn may_be_masked(coarse: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_lowercase() || *byte >= 0x80;
    coarse.windows(2).any(|two| matches!(two, [letter, sign] if is_letter(letter) && is_mask_byte(*sign)))
}

fn is_mask_byte(byte: u8) -> bool {
    matches!(byte, b'*' | b'#' | b'_' | b'.' | b'-')
}

fn is_mask(letter: &Letter) -> bool {
    letter.kind == FoldKind::Other && u8::try_from(letter.base).is_ok_and(is_mask_byte)
}

/// Returns the next word of letters and mask symbols, which may be empty. It begins with a letter and ends with a
/// letter, `*` or `#`.
fn next_token(views: &Views, within: Range<usize>) -> Range<usize> {
    let letter = |index: usize| views.letter(index).unwrap_or_else(|| Letter::from(RawLetter::blank(0)));
    let start = within.start;
    let (mut end, mut last) = (start, start);
    while end < within.end {
        let here = letter(end);
        let may_end = matches!(here.base, '*' | '#');
        if here.is_alphabetic() || (is_mask(&here) && end > start) {
            end += 1;
            if here.is_alphabetic() || may_end {
                last = end;
            }
            continue;
        }
        if here.is_word_char() {
            // With a digit it is a code.
            last = start;
            while end < within.end && letter(end).is_word_char() {
                end += 1;
            }
        }
        break;
    }
    // `*word*` is emphasis.
    let before = start.checked_sub(1).map(letter).filter(is_mask);
    if before.is_some_and(|sign| last > start && letter(last - 1).base == sign.base) {
        last -= 1;
    }
    if last > start { start..last.max(start) } else { end..end }
}

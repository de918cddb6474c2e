//! Words with some letters hidden behind signs: `f*ck`, `c*sin*`.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};

use super::letter::{Letter, Raw};
use super::table::Kind;
use super::verify::{Wanted, fits_plainly};
use super::views::Views;

/// Longest word that is looked for in this way. Letters.
const LONGEST: usize = 32;
/// Shortest.
const SHORTEST: usize = 3;

/// Literals whose letters may be hidden, by what is still seen of them.
#[derive(Debug, Default)]
pub(super) struct Masks {
    words: Vec<Word>,
    by_outline: HashMap<Outline, Vec<u32>>,
}

/// What words may have in common, so that few are compared: the first letter, the length, and one more letter with its
/// place. Of a word that is at most half hidden, two letters are seen.
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

impl Masks {
    /// Adds a literal; one that is no single word of letters is left out.
    pub(super) fn add(&mut self, index: u32, letters: &[Letter], place: (u32, u32), accents: bool) {
        let suits = (SHORTEST..=LONGEST).contains(&letters.len()) && letters.iter().all(Letter::is_alphabetic);
        let (Some(first), Ok(len)) = (letters.first().map(Letter::coarse), u8::try_from(letters.len())) else { return };
        if !suits {
            return;
        }
        let number = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        self.words.push(Word { index, letters: place, accents });
        for (place, letter) in (0..len).zip(letters).skip(1) {
            let outline = Outline { first, len, place, letter: letter.coarse() };
            self.by_outline.entry(outline).or_default().push(number);
        }
    }

    /// Calls `tell` for each word with hidden letters. `letters` are those of all literals.
    pub(super) fn each(
        &self,
        views: &Views,
        letters: &[Wanted],
        tell: &mut impl FnMut(u32, Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if self.words.is_empty() || !may_hide(views.coarse()) {
            return ControlFlow::Continue(());
        }
        let end = views.letters_of_text();
        let mut start = 0;
        while start < end {
            let token = token(views, start..end);
            start = token.end + 1;
            if (SHORTEST..=LONGEST).contains(&token.len()) {
                self.each_in(views, letters, token, tell)?;
            }
        }
        ControlFlow::Continue(())
    }

    fn each_in(
        &self,
        views: &Views,
        letters: &[Wanted],
        token: Range<usize>,
        tell: &mut impl FnMut(u32, Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let at = |number: usize| views.letter(number).unwrap_or_else(|| Letter::from(Raw::blank(0)));
        let (first, last) = (at(token.start), at(token.end - 1));
        let hidden = token.clone().filter(|number| is_sign(&at(*number))).count();
        if hidden == 0 || hidden * 2 > token.len() {
            return ControlFlow::Continue(());
        }
        let (first_seen, len) = (first.coarse(), u8::try_from(token.len()).unwrap_or(u8::MAX));
        let mut fewest: Option<&[u32]> = None;
        for (place, letter) in (0..len).zip(token.clone().map(at)).skip(1).filter(|(_, letter)| !is_sign(letter)) {
            let outline = Outline { first: first_seen, len, place, letter: letter.coarse() };
            let Some(words) = self.by_outline.get(&outline) else { return ControlFlow::Continue(()) };
            if fewest.is_none_or(|fewest| words.len() < fewest.len()) {
                fewest = Some(words);
            }
        }
        for number in fewest.unwrap_or_default() {
            let Some(word) = self.words.get(*number as usize) else { continue };
            let Some(wanted) = letters.get(word.letters.0 as usize..word.letters.1 as usize) else { continue };
            let fits = token.clone().zip(wanted).all(|(number, wanted)| {
                let letter = at(number);
                is_sign(&letter) || fits_plainly(views, number, &letter, *wanted, word.accents)
            });
            if fits {
                tell(word.index, first.start as usize..last.end.max(first.start) as usize)?;
            }
        }
        ControlFlow::Continue(())
    }
}

/// Whether any sign follows a letter and stands before one or before another sign.
fn may_hide(coarse: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_lowercase() || *byte >= 0x80;
    coarse.windows(2).any(|two| matches!(two, [letter, sign] if is_letter(letter) && is_sign_byte(*sign)))
}

fn is_sign_byte(byte: u8) -> bool {
    matches!(byte, b'*' | b'#' | b'_' | b'.' | b'-')
}

fn is_sign(letter: &Letter) -> bool {
    letter.kind == Kind::Other && u8::try_from(letter.base).is_ok_and(is_sign_byte)
}

/// The next word of letters and signs: it begins with a letter, and ends with one or with a sign that ends nothing
/// else. It may be empty.
fn token(views: &Views, within: Range<usize>) -> Range<usize> {
    let letter = |number: usize| views.letter(number).unwrap_or_else(|| Letter::from(Raw::blank(0)));
    let start = within.start;
    let (mut end, mut last) = (start, start);
    while end < within.end {
        let here = letter(end);
        let closes = matches!(here.base, '*' | '#');
        if here.is_alphabetic() || (is_sign(&here) && end > start) {
            end += 1;
            if here.is_alphabetic() || closes {
                last = end;
            }
            continue;
        }
        if here.is_of_word() {
            // A digit makes a code of it.
            last = start;
            while end < within.end && letter(end).is_of_word() {
                end += 1;
            }
        }
        break;
    }
    // `*word*` is emphasis.
    let before = start.checked_sub(1).map(letter).filter(is_sign);
    if before.is_some_and(|sign| last > start && letter(last - 1).base == sign.base) {
        last -= 1;
    }
    if last > start { start..last.max(start) } else { end..end }
}

//! File names, prefixed numbers and other codes, in which digits do not stand for letters.

use std::ops::Range;

use super::super::letter::Letter;
use super::super::table::FoldKind;
use super::super::views::Views;

/// How far around a hit a file name or code may extend. Letters.
const MAX_DISTANCE: usize = 64;

/// Longest word of letters followed by digits that counts as a code. Letters.
const MAX_LABEL: usize = 5;
/// Longest number with a unit, such as `10am`; a longer one may be a disguise such as `1diot`. Letters.
const MAX_AMOUNT: usize = 4;

/// Whether a hit is a short code such as `SH17` or a number with a unit such as `6in`: all digits are at one end.
pub(super) fn is_label(views: &Views, hit: &Range<usize>) -> bool {
    if hit.len() > MAX_LABEL {
        return false;
    }
    let (mut digits, mut changes, mut first, mut before) = (0, 0, false, None);
    for index in hit.clone() {
        let Some(letter) = views.letter(index).filter(Letter::is_word_char) else { return false };
        let digit = letter.kind == FoldKind::Digit;
        digits += usize::from(digit);
        changes += usize::from(before.is_some_and(|before| before != digit));
        first |= before.is_none() && digit;
        before = Some(digit);
    }
    changes == 1 && if first { hit.len() <= MAX_AMOUNT } else { digits >= 2 }
}

/// Whether a hit lies within a file name, a prefixed number or the like: letters and digits joined by punctuation.
pub(super) fn is_code(views: &Views, hit: &Range<usize>) -> bool {
    let within = |index: &usize| views.letter(*index).is_some_and(|letter| letter.kind != FoldKind::Whitespace);
    let start = (0..hit.start).rev().take(MAX_DISTANCE).take_while(within).last().unwrap_or(hit.start);
    let end =
        (hit.end..hit.end.saturating_add(MAX_DISTANCE)).take_while(within).last().map_or(hit.end, |last| last + 1);
    let (mut joint, mut digit) = (false, false);
    let (mut before, mut waiting) = (false, false);
    for index in start..end {
        let Some(letter) = views.letter(index) else { break };
        let is_word_char = letter.is_word_char();
        digit |= letter.kind == FoldKind::Digit;
        joint |= waiting && is_word_char;
        waiting = before && matches!(letter.base, '_' | '.' | ':' | '/' | '=' | '-' | '\\');
        before = is_word_char || letter.kind == FoldKind::Symbol;
    }
    joint && digit
}

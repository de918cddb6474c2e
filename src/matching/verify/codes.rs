//! Names of files, numbers with a prefix and the like, in which digits are no letters.

use std::ops::Range;

use super::super::letter::Letter;
use super::super::table::Kind;
use super::super::views::Views;

/// How far around a hit the signs of a file name or a code are looked for. Letters.
const AROUND: usize = 64;

/// Longest word of letters and then digits that is taken for a code. Letters.
const LONGEST_LABEL: usize = 5;
/// Longest number that has its unit right behind it, such as `10am`: a longer one may be `1diot`. Letters.
const LONGEST_AMOUNT: usize = 4;

/// Whether a hit is a short code such as `SH17`, or a number with its unit such as `6in`: the digits are all at one end.
pub(super) fn is_label(views: &Views, hit: &Range<usize>) -> bool {
    if hit.len() > LONGEST_LABEL {
        return false;
    }
    let (mut digits, mut changes, mut first, mut before) = (0, 0, false, None);
    for number in hit.clone() {
        let Some(letter) = views.letter(number).filter(Letter::is_of_word) else { return false };
        let digit = letter.kind == Kind::Digit;
        digits += usize::from(digit);
        changes += usize::from(before.is_some_and(|before| before != digit));
        first |= before.is_none() && digit;
        before = Some(digit);
    }
    changes == 1 && if first { hit.len() <= LONGEST_AMOUNT } else { digits >= 2 }
}

/// Whether a hit is within a file name, a number with a prefix or the like: letters and digits with joints between.
pub(super) fn is_code(views: &Views, hit: &Range<usize>) -> bool {
    let within = |number: &usize| views.letter(*number).is_some_and(|letter| letter.kind != Kind::Blank);
    let start = (0..hit.start).rev().take(AROUND).take_while(within).last().unwrap_or(hit.start);
    let end = (hit.end..hit.end.saturating_add(AROUND)).take_while(within).last().map_or(hit.end, |last| last + 1);
    let (mut joint, mut digit) = (false, false);
    let (mut before, mut waiting) = (false, false);
    for number in start..end {
        let Some(letter) = views.letter(number) else { break };
        let of_word = letter.is_of_word();
        digit |= letter.kind == Kind::Digit;
        joint |= waiting && of_word;
        waiting = before && matches!(letter.base, '_' | '.' | ':' | '/' | '=' | '-' | '\\');
        before = of_word || letter.kind == Kind::Symbol;
    }
    joint && digit
}

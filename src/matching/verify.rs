//! Verifies coarse hits: whether the text really contains the literal there.

mod codes;

use std::ops::Range;

use super::letter::Letter;
use super::literal::{Leniency, PatternLetter, PatternLiteral};
use super::table::{B_OR_G, FoldKind, I_OR_L, Script};
use super::views::Views;
use codes::{is_code, is_label};

/// A run this long is deliberate stretching, neither a typo nor a spelling.
const MIN_STRETCH: usize = 3;
/// A word of at least this many letters is found anywhere within a row of spaced-out letters.
const MIN_SPACED_LETTERS: usize = 5;
/// This many accented letters in a word may be more than any language uses.
const MANY_ACCENTS: usize = 3;
/// How far beyond a hit a row of underscores is followed. Letters.
const MAX_DISTANCE: usize = 64;

/// How a letter of a text matches a letter of a literal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LetterMatch {
    /// It is that letter or a lookalike.
    Letter,
    /// It is a digit or symbol that stands for that letter.
    Leet,
}

/// Counts gathered while letters are compared.
#[derive(Default)]
struct MatchCounts {
    letters: usize,
    leet: usize,
    /// Letters with an accent that the literal lacks.
    added: usize,
    /// Letters without an accent that the literal has.
    missing: usize,
    /// Letters with stray marks.
    noisy: usize,
    /// Letters with an added accent or a stray mark.
    marked: usize,
    /// Letters of other scripts that are read as Latin.
    as_latin: usize,
    /// A letter is repeated at least [`MIN_STRETCH`] times.
    stretched: bool,
    /// A letter is repeated more often than in the literal.
    has_extra_letters: bool,
}

impl MatchCounts {
    /// Whether there are too many marks to be the accents of a language.
    fn has_excess_marks(&self) -> bool {
        let noisy = self.noisy > 0 && self.marked * 2 >= self.letters;
        // Ordinary words such as `déjà` and `été` have two.
        let accented = self.added >= MANY_ACCENTS && self.added * 2 > self.letters;
        self.noisy * 2 >= self.letters || (self.missing == 0 && (noisy || accented))
    }
}

/// Returns the bytes of the original text where `runs` of the coarse text contain the literal, if they do.
pub(super) fn verify(views: &Views, runs: Range<usize>, literal: &PatternLiteral<'_>) -> Option<Range<usize>> {
    let hit = trim_symbols(views, runs.clone(), literal)?;
    let (first, last) = (literal.letters.first()?, literal.letters.last()?);
    let anywhere = views.is_spaced(runs.start) && literal.letters.len() >= MIN_SPACED_LETTERS;
    if !anywhere {
        if first.is_word_char() && continues_word(views, hit.start, hit.start.checked_sub(1), |n| n.checked_sub(1)) {
            return None;
        }
        if last.is_word_char() && continues_word(views, hit.end - 1, Some(hit.end), |n| n.checked_add(1)) {
            return None;
        }
    }
    let counts = compare(views, runs, &hit, literal)?;
    let Leniency { accents, doubled, exact_letters, .. } = literal.leniency;
    if counts.has_extra_letters && !counts.stretched && !doubled {
        return None;
    }
    if !accents && (counts.missing > 0 || counts.added > 0) && !counts.has_excess_marks() {
        return None;
    }
    if counts.leet > 0
        && (exact_letters || counts.letters - counts.leet < 2 || is_code(views, &hit) || is_label(views, &hit))
    {
        return None;
    }
    if literal.disguised && (counts.as_latin == 0 || counts.as_latin + counts.leet == counts.letters) {
        return None;
    }
    let (start, end) = (views.letter(hit.start)?.start, views.letter(hit.end - 1)?.end);
    Some(start as usize..end.max(start) as usize)
}

/// Returns the letters of the runs without symbols at the edges that need not be letters: `@` in `@asset`, `!` in
/// `kill!`.
fn trim_symbols(views: &Views, runs: Range<usize>, literal: &PatternLiteral<'_>) -> Option<Range<usize>> {
    let all = views.letters_of(runs.clone())?;
    let (mut start, mut end) = (all.start, all.end);
    let is_sign = |index: usize| views.letter(index).is_some_and(|letter| letter.kind == FoldKind::Symbol);
    if literal.letters.first()?.is_word_char() {
        let first = views.letters_of(runs.start..runs.start + 1)?;
        let wanted = literal.letters.iter().skip(1).take_while(|letter| !letter.starts_run).count() + 1;
        while is_sign(start) && first.end - start > wanted {
            start += 1;
        }
    }
    if literal.letters.last()?.is_word_char() {
        let last = views.letters_of(runs.end.checked_sub(1)?..runs.end)?;
        let wanted = literal.letters.iter().rev().take_while(|letter| !letter.starts_run).count() + 1;
        while end > start + 1 && is_sign(end - 1) && end - last.start.max(start) > wanted {
            end -= 1;
        }
    }
    Some(start..end)
}

/// Whether a word continues beyond the edge of a hit: from its letter `edge` to `beyond`, and on by `step`.
fn continues_word(views: &Views, edge: usize, beyond: Option<usize>, step: impl Fn(usize) -> Option<usize>) -> bool {
    let unspaced = |letter: &Letter| letter.script == Script::Unspaced;
    let Some(mut next) = beyond.and_then(|index| Some((index, views.letter(index)?))) else { return false };
    if views.letter(edge).is_some_and(|letter| unspaced(&letter)) {
        return false;
    }
    // Underscores join words, but also surround emphasized ones.
    for _ in 0..MAX_DISTANCE {
        if next.1.base != '_' {
            break;
        }
        let Some(further) = step(next.0).and_then(|index| Some((index, views.letter(index)?))) else { return false };
        next = further;
    }
    next.1.base == '_' || (next.1.is_word_char() && !unspaced(&next.1))
}

/// Compares the letters of a hit run by run.
fn compare(views: &Views, runs: Range<usize>, hit: &Range<usize>, literal: &PatternLiteral<'_>) -> Option<MatchCounts> {
    let mut counts = MatchCounts::default();
    let mut rest = literal.letters;
    let (first_run, last_run) = (runs.start, runs.end.checked_sub(1)?);
    for run in runs {
        let letters = views.letters_of(run..run + 1)?;
        let letters = letters.start.max(hit.start)..letters.end.min(hit.end);
        let len = rest.iter().skip(1).take_while(|letter| !letter.starts_run).count() + 1;
        let (wanted, after) = rest.split_at_checked(len)?;
        rest = after;
        compare_run(views, letters, wanted, run == first_run || run == last_run, &mut counts)?;
    }
    // A symbol at the end is punctuation rather than a letter.
    let end = views.letter(hit.end - 1)?;
    if end.kind == FoldKind::Symbol && literal.letters.last()?.is_word_char() && matches!(end.base, '!' | '|') {
        return None;
    }
    Some(counts)
}

/// Compares the letters of one run. A run of a literal consists of groups of equal letters, such as `i` and `ll`.
fn compare_run(
    views: &Views,
    letters: Range<usize>,
    mut wanted: &[PatternLetter],
    is_edge: bool,
    counts: &mut MatchCounts,
) -> Option<()> {
    if letters.len() < wanted.len() && !wanted.first().is_some_and(|letter| letter.kind == FoldKind::Whitespace) {
        return None;
    }
    let mut group = *wanted.first()?;
    let (mut needed, mut count) = (group_len(wanted), 0);
    for index in letters {
        let letter = views.letter(index)?;
        if count >= needed
            && let Some(next) = wanted.get(needed)
            && match_letter(views, index, &letter, next.c, next.kind).is_some()
        {
            end_group(group, needed, count, is_edge, counts)?;
            wanted = wanted.get(needed..)?;
            (group, needed, count) = (*next, group_len(wanted), 0);
        }
        let matched = match_letter(views, index, &letter, group.c, group.kind)?;
        let same = wanted.get(count).copied().filter(|_| count < needed).unwrap_or(group);
        count += 1;
        if group.kind == FoldKind::Whitespace {
            continue;
        }
        counts.letters += 1;
        counts.leet += usize::from(matched == LetterMatch::Leet);
        counts.noisy += usize::from(letter.flags.has_stray_mark);
        counts.as_latin += usize::from(letter.flags.read_as_latin);
        let differs = matched == LetterMatch::Letter && letter.accent != same.accent;
        let added = differs && letter.accent != 0;
        counts.added += usize::from(added);
        // Greek capitals are written without accents.
        let bare_capital = letter.flags.is_upper && letter.script == Script::Greek;
        counts.missing += usize::from(differs && !added && !bare_capital);
        counts.marked += usize::from(added || letter.flags.has_stray_mark);
    }
    end_group(group, needed, count, is_edge, counts)?;
    (wanted.len() == needed).then_some(())
}

fn group_len(wanted: &[PatternLetter]) -> usize {
    let first = wanted.first().map(|letter| (letter.c, letter.kind));
    wanted.iter().take_while(|letter| Some((letter.c, letter.kind)) == first).count()
}

fn end_group(group: PatternLetter, needed: usize, count: usize, is_edge: bool, counts: &mut MatchCounts) -> Option<()> {
    match group.kind {
        FoldKind::Whitespace => {}
        _ if count < needed => return None,
        _ if count == needed => {}
        FoldKind::Digit => return None,
        FoldKind::Other | FoldKind::Symbol if !is_edge => return None,
        FoldKind::Other | FoldKind::Symbol => {}
        _ if count >= MIN_STRETCH => counts.stretched = true,
        _ => {}
    }
    counts.has_extra_letters |= count > needed && group.is_word_char();
    Some(())
}

/// Returns how a letter of a text matches a letter of a literal, if it does.
fn match_letter(views: &Views, index: usize, letter: &Letter, wanted: char, kind: FoldKind) -> Option<LetterMatch> {
    match kind {
        FoldKind::Whitespace => return (letter.kind == FoldKind::Whitespace).then_some(LetterMatch::Letter),
        FoldKind::Digit | FoldKind::Symbol | FoldKind::Other => {
            return (letter.base == wanted).then_some(LetterMatch::Letter);
        }
        _ => {}
    }
    let is_i_or_l = matches!(wanted, 'i' | 'l');
    match letter.kind {
        FoldKind::Digit | FoldKind::Symbol => {
            let fits = match letter.latin {
                I_OR_L => is_i_or_l,
                B_OR_G => matches!(wanted, 'b' | 'g'),
                latin => char::from(latin) == wanted,
            };
            return fits.then_some(LetterMatch::Leet);
        }
        _ => {}
    }
    let c = letter.comparison_char();
    if c == wanted || (is_i_or_l && letter.latin == I_OR_L && letter.is_read_as_latin()) {
        return Some(LetterMatch::Letter);
    }
    let passes = is_i_or_l && matches!(c, 'i' | 'l') && passes_for_other(views, index, letter.flags.is_upper);
    passes.then_some(LetterMatch::Letter)
}

/// Whether an `i` or `l` may stand for the other one: `l` among capitals resembles a capital `i`, and vice versa.
fn passes_for_other(views: &Views, index: usize, upper: bool) -> bool {
    // Whether the letter at this distance is a capital; `None` without a letter there.
    let is_upper = |by: isize| {
        let near = index.checked_add_signed(by).and_then(|at| views.letter(at));
        near.filter(Letter::is_alphabetic).map(|near| near.flags.is_upper)
    };
    match (is_upper(-1), is_upper(1)) {
        (before, _) if upper => before == Some(false),
        // A single capital before it starts a name, as in `Alle`.
        (Some(true), Some(true)) => true,
        (Some(true), None) => is_upper(-2) == Some(true),
        _ => false,
    }
}

/// Whether a letter of a text is the letter of a literal, disguised or not. Digits and symbols do not match.
pub(super) fn matches_letter(
    views: &Views,
    index: usize,
    letter: &Letter,
    wanted: PatternLetter,
    any_accent: bool,
) -> bool {
    match_letter(views, index, letter, wanted.c, wanted.kind) == Some(LetterMatch::Letter)
        && (any_accent || letter.accent == wanted.accent)
}

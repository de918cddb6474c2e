//! Whether a place where a coarse text has a literal really shows it.

mod codes;

use std::ops::Range;

use super::letter::Letter;
use super::literals::Leniency;
use super::table::{B_OR_G, I_OR_L, Kind, Script};
use super::views::Views;
use codes::{is_code, is_label};

/// A run this long is no slip of the finger and no spelling: somebody stretches a word.
const STRETCHED: usize = 3;
/// A word with so many letters is found within a row of spaced-out letters wherever it begins and ends.
const LONG_ENOUGH: usize = 5;
/// So many letters with accents in a word may be more than a language has.
const MANY_ACCENTS: usize = 3;
/// How far around a hit a row of signs is followed. Letters.
const AROUND: usize = 64;

/// One letter of a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Wanted {
    pub(super) what: char,
    pub(super) accent: u8,
    pub(super) kind: Kind,
    /// It begins a run of the coarse text.
    pub(super) opens: bool,
}

impl Wanted {
    /// A letter of a literal, given the coarse byte of the one before, which becomes its own.
    pub(super) fn new(letter: &Letter, last: &mut u8) -> Self {
        let coarse = letter.coarse();
        let opens = coarse != *last;
        *last = coarse;
        Self { what: letter.what(), accent: letter.accent, kind: letter.kind, opens }
    }

    pub(super) fn is_of_word(self) -> bool {
        matches!(self.kind, Kind::Letter | Kind::Digit | Kind::Joiner | Kind::Several)
    }
}

/// A literal, as far as one hit of its coarse form needs it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim<'l> {
    pub(super) letters: &'l [Wanted],
    pub(super) leniency: Leniency,
    /// The letters are the Latin ones that those of another script look like: only for words of both scripts.
    pub(super) disguised: bool,
}

/// How a letter of a text fits one of a literal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    Same,
    Leet,
}

/// What has been seen while letters were compared.
#[derive(Default)]
struct Seen {
    letters: usize,
    leet: usize,
    /// Letters with accents that the literal does not have there.
    added: usize,
    /// Letters without accents that the literal has there.
    lacking: usize,
    noisy: usize,
    /// Letters with either: accents added or noise.
    marked: usize,
    /// Letters of other scripts read as Latin ones.
    read: usize,
    stretched: bool,
    longer: bool,
}

impl Seen {
    /// Whether there are so many marks that they are no accents of a language.
    fn is_littered(&self) -> bool {
        let noisy = self.noisy > 0 && self.marked * 2 >= self.letters;
        // Words such as `déjà` and `été` have two by themselves.
        let accented = self.added >= MANY_ACCENTS && self.added * 2 > self.letters;
        self.noisy * 2 >= self.letters || (self.lacking == 0 && (noisy || accented))
    }
}

/// The bytes of the original where `runs` of the coarse text show what is claimed, if they do.
pub(super) fn verify(views: &Views, runs: Range<usize>, claim: &Claim<'_>) -> Option<Range<usize>> {
    let hit = trimmed(views, runs.clone(), claim)?;
    let (first, last) = (claim.letters.first()?, claim.letters.last()?);
    let anywhere = views.is_spaced(runs.start) && claim.letters.len() >= LONG_ENOUGH;
    if !anywhere {
        if first.is_of_word() && is_glued(views, hit.start, hit.start.checked_sub(1), |n| n.checked_sub(1)) {
            return None;
        }
        if last.is_of_word() && is_glued(views, hit.end - 1, Some(hit.end), |n| n.checked_add(1)) {
            return None;
        }
    }
    let seen = compare(views, runs, &hit, claim)?;
    let Leniency { accents, doubled, exact_letters, .. } = claim.leniency;
    if seen.longer && !seen.stretched && !doubled {
        return None;
    }
    if !accents && (seen.lacking > 0 || seen.added > 0) && !seen.is_littered() {
        return None;
    }
    if seen.leet > 0 && (exact_letters || seen.letters - seen.leet < 2 || is_code(views, &hit) || is_label(views, &hit))
    {
        return None;
    }
    if claim.disguised && (seen.read == 0 || seen.read + seen.leet == seen.letters) {
        return None;
    }
    let (start, end) = (views.letter(hit.start)?.start, views.letter(hit.end - 1)?.end);
    Some(start as usize..end.max(start) as usize)
}

/// The letters of the runs, without signs at the edges that need not be letters: `@` in `@asset`, `!` in `kill!`.
fn trimmed(views: &Views, runs: Range<usize>, claim: &Claim<'_>) -> Option<Range<usize>> {
    let all = views.letters_of(runs.clone())?;
    let (mut start, mut end) = (all.start, all.end);
    let is_sign = |number: usize| views.letter(number).is_some_and(|letter| letter.kind == Kind::Symbol);
    if claim.letters.first()?.is_of_word() {
        let first = views.letters_of(runs.start..runs.start + 1)?;
        let wanted = claim.letters.iter().skip(1).take_while(|letter| !letter.opens).count() + 1;
        while is_sign(start) && first.end - start > wanted {
            start += 1;
        }
    }
    if claim.letters.last()?.is_of_word() {
        let last = views.letters_of(runs.end.checked_sub(1)?..runs.end)?;
        let wanted = claim.letters.iter().rev().take_while(|letter| !letter.opens).count() + 1;
        while end > start + 1 && is_sign(end - 1) && end - last.start.max(start) > wanted {
            end -= 1;
        }
    }
    Some(start..end)
}

/// Whether a word goes on beyond the edge of a hit: from its letter `edge` to `beyond` and further by `step`.
fn is_glued(views: &Views, edge: usize, beyond: Option<usize>, step: impl Fn(usize) -> Option<usize>) -> bool {
    let unspaced = |letter: &Letter| letter.script == Script::Unspaced;
    let Some(mut next) = beyond.and_then(|number| Some((number, views.letter(number)?))) else { return false };
    if views.letter(edge).is_some_and(|letter| unspaced(&letter)) {
        return false;
    }
    // Underscores glue words together, and stand around emphasized ones.
    for _ in 0..AROUND {
        if next.1.base != '_' {
            break;
        }
        let Some(further) = step(next.0).and_then(|number| Some((number, views.letter(number)?))) else { return false };
        next = further;
    }
    next.1.base == '_' || (next.1.is_of_word() && !unspaced(&next.1))
}

/// Compares letter by letter, run by run.
fn compare(views: &Views, runs: Range<usize>, hit: &Range<usize>, claim: &Claim<'_>) -> Option<Seen> {
    let mut seen = Seen::default();
    let mut rest = claim.letters;
    let (first_run, last_run) = (runs.start, runs.end.checked_sub(1)?);
    for run in runs {
        let letters = views.letters_of(run..run + 1)?;
        let letters = letters.start.max(hit.start)..letters.end.min(hit.end);
        let len = rest.iter().skip(1).take_while(|letter| !letter.opens).count() + 1;
        let (wanted, after) = rest.split_at_checked(len)?;
        rest = after;
        compare_run(views, letters, wanted, run == first_run || run == last_run, &mut seen)?;
    }
    // A sign at the end closes a sentence; a number of them is no word either.
    let end = views.letter(hit.end - 1)?;
    if end.kind == Kind::Symbol && claim.letters.last()?.is_of_word() && matches!(end.base, '!' | '|') {
        return None;
    }
    Some(seen)
}

/// Compares the letters of one run. Those of a literal's run are groups of equal letters, such as `i` and `ll`.
fn compare_run(
    views: &Views,
    letters: Range<usize>,
    mut wanted: &[Wanted],
    is_edge: bool,
    seen: &mut Seen,
) -> Option<()> {
    if letters.len() < wanted.len() && !wanted.first().is_some_and(|letter| letter.kind == Kind::Blank) {
        return None;
    }
    let mut group = *wanted.first()?;
    let (mut needed, mut count) = (group_len(wanted), 0);
    for number in letters {
        let letter = views.letter(number)?;
        if count >= needed
            && let Some(next) = wanted.get(needed)
            && fit(views, number, &letter, next.what, next.kind).is_some()
        {
            end_group(group, needed, count, is_edge, seen)?;
            wanted = wanted.get(needed..)?;
            (group, needed, count) = (*next, group_len(wanted), 0);
        }
        let fit = fit(views, number, &letter, group.what, group.kind)?;
        let same = wanted.get(count).copied().filter(|_| count < needed).unwrap_or(group);
        count += 1;
        if group.kind == Kind::Blank {
            continue;
        }
        seen.letters += 1;
        seen.leet += usize::from(fit == Fit::Leet);
        seen.noisy += usize::from(letter.marks.noise);
        seen.read += usize::from(letter.marks.read);
        let differs = fit == Fit::Same && letter.accent != same.accent;
        let added = differs && letter.accent != 0;
        seen.added += usize::from(added);
        // Greek capitals are written without accents.
        let bare_capital = letter.marks.upper && letter.script == Script::Greek;
        seen.lacking += usize::from(differs && !added && !bare_capital);
        seen.marked += usize::from(added || letter.marks.noise);
    }
    end_group(group, needed, count, is_edge, seen)?;
    (wanted.len() == needed).then_some(())
}

fn group_len(wanted: &[Wanted]) -> usize {
    let first = wanted.first().map(|letter| (letter.what, letter.kind));
    wanted.iter().take_while(|letter| Some((letter.what, letter.kind)) == first).count()
}

fn end_group(group: Wanted, needed: usize, count: usize, is_edge: bool, seen: &mut Seen) -> Option<()> {
    match group.kind {
        Kind::Blank => {}
        _ if count < needed => return None,
        _ if count == needed => {}
        Kind::Digit => return None,
        Kind::Other | Kind::Symbol if !is_edge => return None,
        Kind::Other | Kind::Symbol => {}
        _ if count >= STRETCHED => seen.stretched = true,
        _ => {}
    }
    seen.longer |= count > needed && group.is_of_word();
    Some(())
}

/// Whether a letter of a text may stand for a letter of a literal.
fn fit(views: &Views, number: usize, letter: &Letter, what: char, kind: Kind) -> Option<Fit> {
    match kind {
        Kind::Blank => return (letter.kind == Kind::Blank).then_some(Fit::Same),
        Kind::Digit | Kind::Symbol | Kind::Other => return (letter.base == what).then_some(Fit::Same),
        _ => {}
    }
    let is_i_or_l = matches!(what, 'i' | 'l');
    match letter.kind {
        Kind::Digit | Kind::Symbol => {
            let fits = match letter.latin {
                I_OR_L => is_i_or_l,
                B_OR_G => matches!(what, 'b' | 'g'),
                latin => char::from(latin) == what,
            };
            return fits.then_some(Fit::Leet);
        }
        _ => {}
    }
    let seen = letter.what();
    if seen == what || (is_i_or_l && letter.latin == I_OR_L && letter.is_read_as_latin()) {
        return Some(Fit::Same);
    }
    let passes = is_i_or_l && matches!(seen, 'i' | 'l') && passes_for_other(views, number, letter.marks.upper);
    passes.then_some(Fit::Same)
}

/// Whether an `i` or `l` may be the other one: `l` among capitals passes for a capital `i`, and the other way round.
fn passes_for_other(views: &Views, number: usize, upper: bool) -> bool {
    // Whether the letter so far away is a capital, if there is one.
    let is_upper = |by: isize| {
        let near = number.checked_add_signed(by).and_then(|at| views.letter(at));
        near.filter(Letter::is_alphabetic).map(|near| near.marks.upper)
    };
    match (is_upper(-1), is_upper(1)) {
        (before, _) if upper => before == Some(false),
        // One capital before it begins a name, as in `Alle`.
        (Some(true), Some(true)) => true,
        (Some(true), None) => is_upper(-2) == Some(true),
        _ => false,
    }
}

/// Whether a letter of a text is that of a literal, be it disguised; but no digit or sign.
pub(super) fn fits_plainly(views: &Views, number: usize, letter: &Letter, wanted: Wanted, any_accent: bool) -> bool {
    fit(views, number, letter, wanted.what, wanted.kind) == Some(Fit::Same)
        && (any_accent || letter.accent == wanted.accent)
}

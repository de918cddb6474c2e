//! Finds many literals in a text in one pass.

use std::collections::{BTreeMap, HashMap};
use std::ops::{ControlFlow, Range};

use regex_syntax::is_word_character;

use super::View;
use super::automaton::{Automaton, TooManyPatterns};
use super::letter::Letter;
use super::literal::{Boundary, Leniency, Literal, PatternLetter, PatternLiteral};
use super::masks::MaskedWords;
use super::table::{self, Script};
use super::verify::verify;
use super::views::Views;

/// A literal that can never match.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct LiteralError {
    /// Its index, from 0.
    pub index: usize,
    reason: &'static str,
}

/// A set of literals that is searched in one pass for each view of a text.
#[derive(Debug, Default)]
pub struct Literals {
    case_folded: FormIndex,
    clean: FormIndex,
    masks: MaskedWords,
    /// The letters of all literals of the clean view.
    letters: Vec<PatternLetter>,
}

/// The distinct forms that literals have in one view, and the literals of each form.
#[derive(Debug, Default)]
struct FormIndex {
    automaton: Automaton,
    /// The index of the first owner of each form, and finally the number of owners.
    first: Vec<u32>,
    owners: Vec<Owner>,
}

/// A literal that has a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Owner {
    index: u32,
    boundary: Boundary,
    leniency: Leniency,
    /// The range of its letters in [`Literals::letters`]; empty in the case-folded view.
    letters: (u32, u32),
    disguised: bool,
}

#[derive(Default)]
struct Builder {
    case_folded: BTreeMap<Vec<u8>, Vec<Owner>>,
    clean: BTreeMap<Vec<u8>, Vec<Owner>>,
    masks: MaskedWords,
    letters: Vec<PatternLetter>,
    /// The range of the letters of each literal, shared by literals that occur more than once.
    known: HashMap<Vec<PatternLetter>, (u32, u32)>,
    views: Views,
}

impl Literals {
    /// Builds the automata. Time and memory are linear in the literals: about a second for the largest lists.
    ///
    /// # Errors
    /// When a literal has no visible character, or there are too many literals.
    pub fn new<'a>(literals: impl IntoIterator<Item = Literal<'a>>) -> Result<Self, LiteralError> {
        let mut builder = Builder::default();
        let mut count = 0;
        for (index, literal) in literals.into_iter().enumerate() {
            let number = u32::try_from(index).map_err(|_| LiteralError { index, reason: TOO_MANY })?;
            builder.add(number, &literal).ok_or(LiteralError { index, reason: NOTHING_VISIBLE })?;
            count = index;
        }
        let too_many = |TooManyPatterns| LiteralError { index: count, reason: TOO_MANY };
        Ok(Self {
            case_folded: FormIndex::new(builder.case_folded).map_err(too_many)?,
            clean: FormIndex::new(builder.clean).map_err(too_many)?,
            masks: builder.masks,
            letters: builder.letters,
        })
    }

    /// Checks that a literal can match, as [`Literals::new`] does for each.
    ///
    /// # Errors
    /// When it cannot match; the index is 0.
    pub fn check(literal: &Literal<'_>) -> Result<(), LiteralError> {
        Builder::default().add(0, literal).map(drop).ok_or(LiteralError { index: 0, reason: NOTHING_VISIBLE })
    }

    /// Calls `on_hit` with the index of the literal and the bytes of the original text for every hit, also where hits
    /// overlap. Hits of one form are ordered by their ends. A hit may be reported twice if the text has several
    /// readings. `on_hit` may end the search.
    ///
    /// `views` must have read `text`.
    pub fn scan(&self, text: &str, views: &Views, mut on_hit: impl FnMut(usize, Range<usize>) -> ControlFlow<()>) {
        let mut report = |index: u32, bytes: Range<usize>| {
            let end = bytes.end.min(text.len());
            on_hit(index as usize, bytes.start.min(end)..end)
        };
        // Stop as soon as the caller breaks.
        let _stopped = self.scan_case_folded_view(views, &mut report).is_break()
            || self.scan_clean_view(views, &mut report).is_break()
            || self.masks.scan(views, &self.letters, &mut report).is_break();
    }

    fn scan_case_folded_view(
        &self,
        views: &Views,
        report: &mut impl FnMut(u32, Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let case_folded = views.case_folded();
        self.case_folded.automaton.for_each_match(case_folded.as_bytes(), |form, hit| {
            let mut is_whole_word = None;
            for owner in self.case_folded.owners(form) {
                if owner.boundary == Boundary::Word
                    && !*is_whole_word.get_or_insert_with(|| {
                        !is_within_word(case_folded, hit.start) && !is_within_word(case_folded, hit.end)
                    })
                {
                    continue;
                }
                report(owner.index, views.original_of_case_folded(hit.clone()))?;
            }
            ControlFlow::Continue(())
        })
    }

    fn scan_clean_view(
        &self,
        views: &Views,
        report: &mut impl FnMut(u32, Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.clean.automaton.for_each_match(views.coarse(), |form, runs| {
            let mut last: Option<(Owner, Option<Range<usize>>)> = None;
            for owner in self.clean.owners(form) {
                let found = match &last {
                    Some((same, found)) if (Owner { index: owner.index, ..*same }) == *owner => found.clone(),
                    _ => self.locate(views, &runs, owner),
                };
                if let Some(bytes) = &found {
                    report(owner.index, bytes.clone())?;
                }
                last = Some((*owner, found));
            }
            ControlFlow::Continue(())
        })
    }

    fn locate(&self, views: &Views, runs: &Range<usize>, owner: &Owner) -> Option<Range<usize>> {
        if owner.boundary == Boundary::Anywhere {
            let letters = views.letters_of(runs.clone())?;
            let (first, last) = (views.letter(letters.start)?, views.letter(letters.end.checked_sub(1)?)?);
            return Some(first.start as usize..last.end.max(first.start) as usize);
        }
        let letters = self.letters.get(owner.letters.0 as usize..owner.letters.1 as usize)?;
        verify(views, runs.clone(), &PatternLiteral { letters, leniency: owner.leniency, disguised: owner.disguised })
    }
}

const TOO_MANY: &str = "there are too many literals";
const NOTHING_VISIBLE: &str = "has no visible characters";

impl Builder {
    /// Adds a literal; returns `None` if it has no visible character.
    fn add(&mut self, index: u32, literal: &Literal<'_>) -> Option<()> {
        let owner =
            Owner { index, boundary: literal.boundary, leniency: literal.leniency, letters: (0, 0), disguised: false };
        let text = if literal.boundary == Boundary::Word { literal.text.trim() } else { literal.text };
        self.views.read(text);
        match literal.view {
            View::CaseFolded => {
                let form = self.views.case_folded().as_bytes().to_vec();
                (!form.is_empty()).then(|| self.case_folded.entry(form).or_default().push(owner))
            }
            View::Clean => self.add_clean(owner),
        }
    }

    fn add_clean(&mut self, owner: Owner) -> Option<()> {
        let views = &self.views;
        let end = views.coarse().iter().position(|byte| *byte == 0).unwrap_or(views.coarse().len());
        let mut runs = 0..end;
        // Without this, surrounding whitespace would be required.
        while views.coarse().get(runs.clone())?.first() == Some(&b' ') {
            runs.start += 1;
        }
        while views.coarse().get(runs.clone())?.last() == Some(&b' ') {
            runs.end -= 1;
        }
        let form = views.coarse().get(runs.clone())?.to_vec();
        if form.is_empty() {
            return None;
        }
        let (mut letters, mut disguised_letters, mut disguised) = (Vec::new(), Vec::new(), Vec::new());
        let (mut last, mut last_disguised) = (0, 0);
        let visible: Vec<Letter> = views.letters_of(runs)?.filter_map(|number| views.letter(number)).collect();
        for letter in &visible {
            letters.push(PatternLetter::new(letter, &mut last));
            let before = last_disguised;
            disguised_letters.push(PatternLetter::new(&letter.read_as_latin(), &mut last_disguised));
            if last_disguised != before {
                disguised.push(last_disguised);
            }
        }
        if disguised != form && owner.boundary == Boundary::Word {
            let letters = self.intern(disguised_letters)?;
            self.clean.entry(disguised).or_default().push(Owner { letters, disguised: true, ..owner });
        }
        let letters = self.intern(letters)?;
        if owner.leniency.masked && owner.boundary == Boundary::Word {
            self.masks.add(owner.index, &visible, letters, owner.leniency.accents);
        }
        self.clean.entry(form).or_default().push(Owner { letters, ..owner });
        Some(())
    }

    /// Stores letters once and returns their range.
    fn intern(&mut self, letters: Vec<PatternLetter>) -> Option<(u32, u32)> {
        if let Some(known) = self.known.get(&letters) {
            return Some(*known);
        }
        let from = u32::try_from(self.letters.len()).ok()?;
        self.letters.extend_from_slice(&letters);
        let range = (from, u32::try_from(self.letters.len()).ok()?);
        self.known.insert(letters, range);
        Some(range)
    }
}

impl FormIndex {
    fn new(forms: BTreeMap<Vec<u8>, Vec<Owner>>) -> Result<Self, TooManyPatterns> {
        let automaton = Automaton::new(forms.keys())?;
        let (mut first, mut owners) = (vec![0], Vec::new());
        for list in forms.into_values() {
            owners.extend(list);
            first.push(u32::try_from(owners.len()).map_err(|_| TooManyPatterns)?);
        }
        Ok(Self { automaton, first, owners })
    }

    fn owners(&self, form: usize) -> &[Owner] {
        let at = |n: usize| self.first.get(n).map_or(0, |first| *first as usize);
        self.owners.get(at(form)..at(form + 1)).unwrap_or_default()
    }
}

/// Whether the characters before and after this byte belong to one word.
fn is_within_word(text: &str, at: usize) -> bool {
    let Some((before, after)) = text.split_at_checked(at) else { return true };
    let is_word_char = |c: char| is_word_character(c) && table::entry(c).script() != Script::Unspaced;
    before.chars().next_back().is_some_and(is_word_char) && after.chars().next().is_some_and(is_word_char)
}

#[cfg(test)]
mod tests;

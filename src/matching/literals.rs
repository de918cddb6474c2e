//! Literals of rules, found in a text all at once.

use std::collections::{BTreeMap, HashMap};
use std::ops::{ControlFlow, Range};

use regex_syntax::is_word_character;

use super::View;
use super::automaton::{Automaton, TooMany};
use super::letter::Letter;
use super::masks::Masks;
use super::table::{self, Script};
use super::verify::{Claim, Wanted, verify};
use super::views::Views;

/// What a literal forgives, beyond the disguises that are always undone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is a wish of its own")]
pub struct Leniency {
    /// Accents do not matter, neither those of the literal nor those of the text.
    pub accents: bool,
    /// Any letter may be doubled.
    pub doubled: bool,
    /// Up to half of the letters may be hidden behind signs: `f*ck`.
    pub masked: bool,
    /// Digits and signs are never letters: no `c4sino`.
    pub exact_letters: bool,
}

/// Where a literal may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Edges {
    /// By itself: where the literal has a letter or digit at its edge, no other one is beside it in the text. Scripts
    /// that are written without blanks have no such edges.
    Word,
    /// Anywhere. Every place is told where the literal occurs in the form of the text, and perhaps others: the caller
    /// looks for itself.
    Anywhere,
}

/// Something to find.
#[derive(Clone, Copy, Debug)]
pub struct Literal<'a> {
    /// The letters, in any case and form.
    pub text: &'a str,
    /// The form of the text that it is found in.
    pub view: View,
    /// Where it may stand.
    pub edges: Edges,
    /// What it forgives in [`View::Folded`].
    pub leniency: Leniency,
}

/// A literal that can never be found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct LiteralFault {
    /// Which one, counted from 0.
    pub index: usize,
    why: &'static str,
}

/// Many literals, found in one pass for each form of a text.
#[derive(Debug, Default)]
pub struct Literals {
    exact: Forms,
    folded: Forms,
    masks: Masks,
    /// The letters of all literals of the folded form.
    letters: Vec<Wanted>,
}

/// The distinct forms of literals, and whose they are.
#[derive(Debug, Default)]
struct Forms {
    automaton: Automaton,
    /// Where the owners of each form begin, and at the end how many there are.
    first: Vec<u32>,
    owners: Vec<Owner>,
}

/// A literal of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Owner {
    index: u32,
    edges: Edges,
    leniency: Leniency,
    /// Its letters among those of all; none in the exact form.
    letters: (u32, u32),
    disguised: bool,
}

#[derive(Default)]
struct Builder {
    exact: BTreeMap<Vec<u8>, Vec<Owner>>,
    folded: BTreeMap<Vec<u8>, Vec<Owner>>,
    masks: Masks,
    letters: Vec<Wanted>,
    /// Where the letters of each literal are: many a word is in several lists.
    known: HashMap<Vec<Wanted>, (u32, u32)>,
    views: Views,
}

impl Literals {
    /// Builds the automata. Takes time and memory in proportion to the literals: a second for the largest lists.
    ///
    /// # Errors
    /// When a literal has no letter or sign, so that it can never be found, or there are too many to number.
    pub fn new<'a>(literals: impl IntoIterator<Item = Literal<'a>>) -> Result<Self, LiteralFault> {
        let mut builder = Builder::default();
        let mut count = 0;
        for (index, literal) in literals.into_iter().enumerate() {
            let number = u32::try_from(index).map_err(|_| LiteralFault { index, why: TOO_MANY })?;
            builder.add(number, &literal).ok_or(LiteralFault { index, why: NOTHING_SEEN })?;
            count = index;
        }
        let too_many = |TooMany| LiteralFault { index: count, why: TOO_MANY };
        Ok(Self {
            exact: Forms::new(builder.exact).map_err(too_many)?,
            folded: Forms::new(builder.folded).map_err(too_many)?,
            masks: builder.masks,
            letters: builder.letters,
        })
    }

    /// Whether a literal can be found at all, which [`Literals::new`] asks of each.
    ///
    /// # Errors
    /// When it cannot; the index is 0.
    pub fn check(literal: &Literal<'_>) -> Result<(), LiteralFault> {
        Builder::default().add(0, literal).map(drop).ok_or(LiteralFault { index: 0, why: NOTHING_SEEN })
    }

    /// Calls `each` with the index of a literal and the bytes of the original, for every hit: also for those that
    /// overlap, in the order of their ends for each form. A hit may be told twice where the text can be read in several
    /// ways. `each` may end the search.
    ///
    /// `views` has read `text`.
    pub fn scan(&self, text: &str, views: &Views, mut each: impl FnMut(usize, Range<usize>) -> ControlFlow<()>) {
        let mut tell = |index: u32, bytes: Range<usize>| {
            let end = bytes.end.min(text.len());
            each(index as usize, bytes.start.min(end)..end)
        };
        // Each ends the rest if the caller has heard enough.
        let _ended = self.scan_exact(views, &mut tell).is_break()
            || self.scan_folded(views, &mut tell).is_break()
            || self.masks.each(views, &self.letters, &mut tell).is_break();
    }

    fn scan_exact(
        &self,
        views: &Views,
        tell: &mut impl FnMut(u32, Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let exact = views.exact();
        self.exact.automaton.each(exact.as_bytes(), |form, hit| {
            let mut by_itself = None;
            for owner in self.exact.owners(form) {
                if owner.edges == Edges::Word
                    && !*by_itself
                        .get_or_insert_with(|| !is_within_word(exact, hit.start) && !is_within_word(exact, hit.end))
                {
                    continue;
                }
                tell(owner.index, views.original_of_exact(hit.clone()))?;
            }
            ControlFlow::Continue(())
        })
    }

    fn scan_folded(
        &self,
        views: &Views,
        tell: &mut impl FnMut(u32, Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.folded.automaton.each(views.coarse(), |form, runs| {
            let mut last: Option<(Owner, Option<Range<usize>>)> = None;
            for owner in self.folded.owners(form) {
                let found = match &last {
                    Some((same, found)) if (Owner { index: owner.index, ..*same }) == *owner => found.clone(),
                    _ => self.found(views, &runs, owner),
                };
                if let Some(bytes) = &found {
                    tell(owner.index, bytes.clone())?;
                }
                last = Some((*owner, found));
            }
            ControlFlow::Continue(())
        })
    }

    fn found(&self, views: &Views, runs: &Range<usize>, owner: &Owner) -> Option<Range<usize>> {
        if owner.edges == Edges::Anywhere {
            let letters = views.letters_of(runs.clone())?;
            let (first, last) = (views.letter(letters.start)?, views.letter(letters.end.checked_sub(1)?)?);
            return Some(first.start as usize..last.end.max(first.start) as usize);
        }
        let letters = self.letters.get(owner.letters.0 as usize..owner.letters.1 as usize)?;
        verify(views, runs.clone(), &Claim { letters, leniency: owner.leniency, disguised: owner.disguised })
    }
}

const TOO_MANY: &str = "there are too many literals";
const NOTHING_SEEN: &str = "nothing is left of it when case, blanks and invisible characters are folded";

impl Builder {
    /// Adds a literal; `None` if nothing can be seen of it.
    fn add(&mut self, index: u32, literal: &Literal<'_>) -> Option<()> {
        let owner =
            Owner { index, edges: literal.edges, leniency: literal.leniency, letters: (0, 0), disguised: false };
        let text = if literal.edges == Edges::Word { literal.text.trim() } else { literal.text };
        self.views.read(text);
        match literal.view {
            View::Exact => {
                let form = self.views.exact().as_bytes().to_vec();
                (!form.is_empty()).then(|| self.exact.entry(form).or_default().push(owner))
            }
            View::Folded => self.add_folded(owner),
        }
    }

    fn add_folded(&mut self, owner: Owner) -> Option<()> {
        let views = &self.views;
        let end = views.coarse().iter().position(|byte| *byte == 0).unwrap_or(views.coarse().len());
        let mut runs = 0..end;
        // Blanks around it would be asked for otherwise.
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
        let seen: Vec<Letter> = views.letters_of(runs)?.filter_map(|number| views.letter(number)).collect();
        for letter in &seen {
            letters.push(Wanted::new(letter, &mut last));
            let before = last_disguised;
            disguised_letters.push(Wanted::new(&letter.read_as_latin(), &mut last_disguised));
            if last_disguised != before {
                disguised.push(last_disguised);
            }
        }
        if disguised != form && owner.edges == Edges::Word {
            let letters = self.intern(disguised_letters)?;
            self.folded.entry(disguised).or_default().push(Owner { letters, disguised: true, ..owner });
        }
        let letters = self.intern(letters)?;
        if owner.leniency.masked && owner.edges == Edges::Word {
            self.masks.add(owner.index, &seen, letters, owner.leniency.accents);
        }
        self.folded.entry(form).or_default().push(Owner { letters, ..owner });
        Some(())
    }

    /// Where letters are among those of all.
    fn intern(&mut self, letters: Vec<Wanted>) -> Option<(u32, u32)> {
        if let Some(known) = self.known.get(&letters) {
            return Some(*known);
        }
        let from = u32::try_from(self.letters.len()).ok()?;
        self.letters.extend_from_slice(&letters);
        let place = (from, u32::try_from(self.letters.len()).ok()?);
        self.known.insert(letters, place);
        Some(place)
    }
}

impl Forms {
    fn new(forms: BTreeMap<Vec<u8>, Vec<Owner>>) -> Result<Self, TooMany> {
        let automaton = Automaton::new(forms.keys())?;
        let (mut first, mut owners) = (vec![0], Vec::new());
        for list in forms.into_values() {
            owners.extend(list);
            first.push(u32::try_from(owners.len()).map_err(|_| TooMany)?);
        }
        Ok(Self { automaton, first, owners })
    }

    fn owners(&self, form: usize) -> &[Owner] {
        let at = |n: usize| self.first.get(n).map_or(0, |first| *first as usize);
        self.owners.get(at(form)..at(form + 1)).unwrap_or_default()
    }
}

/// Whether the characters before and after this place both belong to one word.
fn is_within_word(text: &str, at: usize) -> bool {
    let Some((before, after)) = text.split_at_checked(at) else { return true };
    let of_word = |c: char| is_word_character(c) && table::entry(c).script() != Script::Unspaced;
    before.chars().next_back().is_some_and(of_word) && after.chars().next().is_some_and(of_word)
}

#[cfg(test)]
mod tests;

//! The words of a text: their scripts, and words of a single letter.

use std::ops::Range;

use super::letter::{Letter, RawLetter};
use super::table::{FoldKind, Script};

/// This many one-letter words in a row may be one spaced-out word.
pub(super) const MIN_SINGLES: u32 = 3;
/// Maximum number of separators between two letters of a spaced-out word.
const MAX_GAP: usize = 3;
/// Maximum number of alternative readings of each kind; a text with more is not a disguise.
const MAX_READINGS: usize = 64;

/// Counts consecutive one-letter words while the text is read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Singles {
    /// Whether each previous character was part of a word; the latest is the lowest bit.
    history: u32,
    /// Length of the current row.
    row: u32,
    /// Length of the longest row.
    pub(super) longest: u32,
}

impl Singles {
    #[inline]
    pub(super) fn push(&mut self, is_word_char: bool) {
        self.history = self.history << 1 | u32::from(is_word_char);
        self.row += u32::from(self.history & 7 == 2);
        if self.history & 3 == 3 {
            self.row = 0;
        }
        self.longest = self.longest.max(self.row);
    }
}

/// The words of one text that may be disguised.
#[derive(Debug, Default)]
pub(super) struct TextTokens {
    /// Words of one non-Latin script whose letters all resemble Latin ones, with that script.
    lookalikes: Vec<(Range<usize>, Script)>,
    latin: usize,
    foreign: usize,
    /// Indices of one-letter words in order, each with the number of separators before it.
    singles: Vec<(usize, usize)>,
    /// Ranges of `singles`, each read as one word, and also as several words where the gaps differ.
    spaced: Vec<SpacedRow>,
}

/// Spaced-out letters that may form one word or several.
#[derive(Debug)]
pub(super) struct SpacedRow {
    singles: Range<usize>,
    /// Number of separators between two letters of a word; `None` reads all as one word.
    gap: Option<usize>,
}

impl TextTokens {
    pub(super) fn clear(&mut self) {
        self.lookalikes.clear();
        self.singles.clear();
        self.spaced.clear();
        (self.latin, self.foreign) = (0, 0);
    }

    /// Finds words of mixed scripts and reads their letters as the Latin ones that they resemble. Returns whether any
    /// letter changed.
    pub(super) fn resolve_mixed_scripts(&mut self, letters: &mut [RawLetter]) -> bool {
        let (mut start, mut scripts, mut changed) = (0, WordScripts::default(), false);
        for index in 0..=letters.len() {
            let letter = letters.get(index).map(|raw| Letter::from(*raw));
            if let Some(letter) = letter.filter(Letter::is_word_char) {
                scripts.push(&letter);
                continue;
            }
            if scripts.latin > 0 || scripts.foreign > 0 {
                changed |= self.end_word(letters, start..index, &scripts);
                scripts = WordScripts::default();
            }
            start = index + 1;
        }
        changed
    }

    fn end_word(&mut self, letters: &mut [RawLetter], word: Range<usize>, scripts: &WordScripts) -> bool {
        self.latin += scripts.latin;
        self.foreign += scripts.foreign;
        if scripts.foreign == 0 {
            return false;
        }
        if scripts.is_mixed() {
            let word = letters.get_mut(word).unwrap_or_default();
            let mut changed = false;
            for raw in word {
                changed |= raw.read_as_latin();
            }
            return changed;
        }
        if scripts.latin == 0 && scripts.lookalikes == scripts.foreign && self.lookalikes.len() < MAX_READINGS {
            self.lookalikes.push((word, scripts.script));
        }
        false
    }

    /// Whether no word of another script resembles a Latin one.
    pub(super) fn has_no_lookalikes(&self) -> bool {
        self.lookalikes.is_empty()
    }

    /// Returns the non-Latin words that are likely meant to be Latin: the rest of the text is Latin, or the script is
    /// rarely used.
    pub(super) fn lookalikes(&self) -> impl Iterator<Item = Range<usize>> {
        self.lookalikes.iter().filter_map(|(word, script)| {
            let rest = self.foreign.saturating_sub(word.len());
            let fits = *script == Script::Rare || (self.latin >= 3 && self.latin >= 2 * rest);
            fits.then(|| word.clone())
        })
    }

    /// Finds rows of one-letter words.
    pub(super) fn find_spaced(&mut self, count: usize, letter: impl Fn(usize) -> Option<Letter>) {
        self.singles.clear();
        let is_alnum = |index: Option<usize>| index.and_then(&letter).is_some_and(|letter| letter.is_word_char());
        // A lone symbol stands for a letter; a symbol beside a letter is a separator.
        let is_word_char = |index: usize| {
            letter(index).is_some_and(|letter| {
                letter.is_word_char()
                    || (letter.kind == FoldKind::Symbol
                        && !is_alnum(index.checked_sub(1))
                        && !is_alnum(index.checked_add(1)))
            })
        };
        let (mut before, mut here, mut gap) = (false, is_word_char(0), 0);
        for index in 0..count {
            let after = is_word_char(index + 1);
            if here && !before && !after {
                self.singles.push((index, gap));
            }
            gap = if here { 0 } else { gap + 1 };
            if here && (before || after) {
                // A longer word lies between; this value exceeds every permitted gap.
                gap = MAX_GAP;
            }
            (before, here) = (here, after);
        }
        let mut start = 0;
        for end in 1..=self.singles.len() {
            if self.singles.get(end).is_some_and(|(_, gap)| *gap <= MAX_GAP) {
                continue;
            }
            let row = self.singles.get(start..end).unwrap_or_default();
            let alphabetic = row.iter().filter(|(n, _)| letter(*n).is_some_and(|l| l.is_alphabetic())).count();
            if row.len() >= MIN_SINGLES as usize && alphabetic >= 2 && self.spaced.len() < MAX_READINGS {
                let count = |wanted: usize| row.iter().skip(1).filter(|(_, gap)| *gap == wanted).count();
                let usual = (1..=MAX_GAP).max_by_key(|gap| count(*gap)).unwrap_or(1);
                self.spaced.push(SpacedRow { singles: start..end, gap: None });
                if count(usual) + 1 < row.len() {
                    // Also read it as several words.
                    self.spaced.push(SpacedRow { singles: start..end, gap: Some(usual) });
                }
            }
            start = end;
        }
    }

    /// Returns the rows found by [`TextTokens::find_spaced`].
    pub(super) fn spaced(&self) -> impl Iterator<Item = &SpacedRow> {
        self.spaced.iter()
    }

    /// Returns the letters of a row, each with whether it starts a new word.
    pub(super) fn singles(&self, row: &SpacedRow) -> impl Iterator<Item = (usize, bool)> {
        let singles = self.singles.get(row.singles.clone()).unwrap_or_default();
        let usual = row.gap;
        let begins = move |nth: usize, gap: usize| nth > 0 && usual.is_some_and(|usual| gap != usual);
        singles.iter().enumerate().map(move |(nth, (index, gap))| (*index, begins(nth, *gap)))
    }
}

/// Reads all letters as the Latin ones that they resemble, if they are of mixed scripts.
pub(super) fn read_mixed_as_latin(letters: &mut [RawLetter]) {
    let mut scripts = WordScripts::default();
    letters.iter().map(|raw| Letter::from(*raw)).filter(Letter::is_word_char).for_each(|letter| scripts.push(&letter));
    if scripts.is_mixed() {
        for raw in letters {
            raw.read_as_latin();
        }
    }
}

/// Counts the letters of one word by script.
#[derive(Debug)]
struct WordScripts {
    /// Latin letters.
    latin: usize,
    /// Letters of other scripts.
    foreign: usize,
    /// Those of `foreign` that resemble Latin letters.
    lookalikes: usize,
    script: Script,
    /// Several non-Latin scripts occur that are not used together.
    has_several_scripts: bool,
}

impl Default for WordScripts {
    fn default() -> Self {
        Self { latin: 0, foreign: 0, lookalikes: 0, script: Script::Common, has_several_scripts: false }
    }
}

impl WordScripts {
    fn push(&mut self, letter: &Letter) {
        if letter.kind == FoldKind::Digit {
            return;
        }
        match letter.script {
            Script::Latin => self.latin += 1,
            Script::Common => {}
            script => {
                self.foreign += 1;
                self.lookalikes += usize::from(letter.latin != 0);
                if !matches!(script, Script::Unspaced | Script::Hangul) {
                    self.has_several_scripts |= self.script != Script::Common && self.script != script;
                    self.script = script;
                }
            }
        }
    }

    fn is_mixed(&self) -> bool {
        self.foreign > 0 && (self.latin > 0 || self.has_several_scripts)
    }
}

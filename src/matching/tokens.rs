//! The words of a text: of which scripts they are, and which of them are one letter each.

use std::ops::Range;

use super::letter::{Letter, Raw};
use super::table::{Kind, Script};

/// So many words of one letter in a row may be one word with blanks in it.
pub(super) const FEWEST_SINGLES: u32 = 3;
/// Most signs between two letters of a word with blanks in it.
const WIDEST_GAP: usize = 3;
/// Most readings of each sort beside the text: more are no disguise.
const MOST_READINGS: usize = 64;

/// Counts letters that stand by themselves and in a row, as they go by.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Singles {
    /// Whether each of those before was of a word, the last in the lowest bit.
    history: u32,
    /// How many there are in a row up to here.
    row: u32,
    /// How many there are in the longest row.
    pub(super) longest: u32,
}

impl Singles {
    #[inline]
    pub(super) fn see(&mut self, of_word: bool) {
        self.history = self.history << 1 | u32::from(of_word);
        self.row += u32::from(self.history & 7 == 2);
        if self.history & 3 == 3 {
            self.row = 0;
        }
        self.longest = self.longest.max(self.row);
    }
}

/// What is remembered of the words of one text.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    /// Words of one script that is not Latin, all letters of which look Latin, and whether they may be read so.
    alike: Vec<(Range<usize>, Script)>,
    latin: usize,
    foreign: usize,
    /// Numbers of letters that stand by themselves, in order, with how many signs are before them.
    singles: Vec<(usize, usize)>,
    /// Ranges of `singles`, each as one word, and as several where its gaps differ.
    spaced: Vec<Spaced>,
}

/// Letters with blanks between that may be one word, or several.
#[derive(Debug)]
pub(super) struct Spaced {
    singles: Range<usize>,
    /// How many signs are between two letters of one word; `None` takes all for one word.
    gap: Option<usize>,
}

impl Tokens {
    pub(super) fn clear(&mut self) {
        self.alike.clear();
        self.singles.clear();
        self.spaced.clear();
        (self.latin, self.foreign) = (0, 0);
    }

    /// Looks at the scripts of all words. In those of mixed scripts, letters are read as the Latin ones they look like;
    /// whether there is one.
    pub(super) fn find(&mut self, letters: &mut [Raw]) -> bool {
        let (mut start, mut seen, mut read) = (0, Seen::default(), false);
        for number in 0..=letters.len() {
            let letter = letters.get(number).map(|raw| Letter::from(*raw));
            if let Some(letter) = letter.filter(Letter::is_of_word) {
                seen.see(&letter);
                continue;
            }
            if seen.latin > 0 || seen.foreign > 0 {
                read |= self.end_word(letters, start..number, &seen);
                seen = Seen::default();
            }
            start = number + 1;
        }
        read
    }

    fn end_word(&mut self, letters: &mut [Raw], word: Range<usize>, seen: &Seen) -> bool {
        self.latin += seen.latin;
        self.foreign += seen.foreign;
        if seen.foreign == 0 {
            return false;
        }
        if seen.is_mixed() {
            let word = letters.get_mut(word).unwrap_or_default();
            let mut read = false;
            for raw in word {
                read |= raw.read();
            }
            return read;
        }
        if seen.latin == 0 && seen.alike == seen.foreign && self.alike.len() < MOST_READINGS {
            self.alike.push((word, seen.script));
        }
        false
    }

    /// Whether no word of another script looks Latin.
    pub(super) fn has_none_alike(&self) -> bool {
        self.alike.is_empty()
    }

    /// Words of another script that may well be Latin ones: the rest of the text is, or nobody writes that script.
    pub(super) fn alike(&self) -> impl Iterator<Item = Range<usize>> {
        self.alike.iter().filter_map(|(word, script)| {
            let rest = self.foreign.saturating_sub(word.len());
            let fits = *script == Script::Rare || (self.latin >= 3 && self.latin >= 2 * rest);
            fits.then(|| word.clone())
        })
    }

    /// Finds words of one letter each that stand in a row.
    pub(super) fn find_spaced(&mut self, count: usize, letter: impl Fn(usize) -> Option<Letter>) {
        self.singles.clear();
        let is_alnum = |number: Option<usize>| number.and_then(&letter).is_some_and(|letter| letter.is_of_word());
        // A sign by itself stands for a letter, one beside a letter only keeps letters apart.
        let of_word = |number: usize| {
            letter(number).is_some_and(|letter| {
                letter.is_of_word()
                    || (letter.kind == Kind::Symbol
                        && !is_alnum(number.checked_sub(1))
                        && !is_alnum(number.checked_add(1)))
            })
        };
        let (mut before, mut here, mut gap) = (false, of_word(0), 0);
        for number in 0..count {
            let after = of_word(number + 1);
            if here && !before && !after {
                self.singles.push((number, gap));
            }
            gap = if here { 0 } else { gap + 1 };
            if here && (before || after) {
                // A longer word comes between: no gap is that wide.
                gap = WIDEST_GAP;
            }
            (before, here) = (here, after);
        }
        let mut start = 0;
        for end in 1..=self.singles.len() {
            if self.singles.get(end).is_some_and(|(_, gap)| *gap <= WIDEST_GAP) {
                continue;
            }
            let chunk = self.singles.get(start..end).unwrap_or_default();
            let alphabetic = chunk.iter().filter(|(n, _)| letter(*n).is_some_and(|l| l.is_alphabetic())).count();
            if chunk.len() >= FEWEST_SINGLES as usize && alphabetic >= 2 && self.spaced.len() < MOST_READINGS {
                let count = |wanted: usize| chunk.iter().skip(1).filter(|(_, gap)| *gap == wanted).count();
                let usual = (1..=WIDEST_GAP).max_by_key(|gap| count(*gap)).unwrap_or(1);
                self.spaced.push(Spaced { singles: start..end, gap: None });
                if count(usual) + 1 < chunk.len() {
                    // It may be several words just as well.
                    self.spaced.push(Spaced { singles: start..end, gap: Some(usual) });
                }
            }
            start = end;
        }
    }

    /// The chunks that [`Tokens::find_spaced`] found.
    pub(super) fn spaced(&self) -> impl Iterator<Item = &Spaced> {
        self.spaced.iter()
    }

    /// The letters of a chunk, and whether a word begins with each.
    pub(super) fn singles(&self, chunk: &Spaced) -> impl Iterator<Item = (usize, bool)> {
        let singles = self.singles.get(chunk.singles.clone()).unwrap_or_default();
        let usual = chunk.gap;
        let begins = move |nth: usize, gap: usize| nth > 0 && usual.is_some_and(|usual| gap != usual);
        singles.iter().enumerate().map(move |(nth, (number, gap))| (*number, begins(nth, *gap)))
    }
}

/// Lets letters of several words be read as Latin ones if they are of mixed scripts.
pub(super) fn read_if_mixed(letters: &mut [Raw]) {
    let mut seen = Seen::default();
    letters.iter().map(|raw| Letter::from(*raw)).filter(Letter::is_of_word).for_each(|letter| seen.see(&letter));
    if seen.is_mixed() {
        for raw in letters {
            raw.read();
        }
    }
}

/// The letters of one word so far.
#[derive(Debug)]
struct Seen {
    /// How many are Latin.
    latin: usize,
    /// How many are of other scripts.
    foreign: usize,
    /// How many of those look Latin.
    alike: usize,
    script: Script,
    /// There are several scripts beside Latin that do not go together.
    several: bool,
}

impl Default for Seen {
    fn default() -> Self {
        Self { latin: 0, foreign: 0, alike: 0, script: Script::Common, several: false }
    }
}

impl Seen {
    fn see(&mut self, letter: &Letter) {
        if letter.kind == Kind::Digit {
            return;
        }
        match letter.script {
            Script::Latin => self.latin += 1,
            Script::Common => {}
            script => {
                self.foreign += 1;
                self.alike += usize::from(letter.latin != 0);
                if !matches!(script, Script::Unspaced | Script::Hangul) {
                    self.several |= self.script != Script::Common && self.script != script;
                    self.script = script;
                }
            }
        }
    }

    fn is_mixed(&self) -> bool {
        self.foreign > 0 && (self.latin > 0 || self.several)
    }
}

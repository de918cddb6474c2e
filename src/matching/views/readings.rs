//! Alternative readings of a text, which follow it in its coarse view.

use super::super::letter::RawLetter;
use super::super::tokens::read_mixed_as_latin;
use super::{Views, to_u32};

impl Views {
    /// Adds the words that spaced-out letters form.
    pub(super) fn join_spaced(&mut self) {
        let count = self.count();
        let mut tokens = std::mem::take(&mut self.tokens);
        tokens.find_spaced(count, |index| self.letter(index));
        for row in tokens.spaced() {
            self.open_reading();
            let from = self.letters.len();
            for (index, starts_word) in tokens.singles(row) {
                let Some(raw) = self.raw(index) else { continue };
                if starts_word {
                    self.letters.push(RawLetter::blank(raw.start));
                }
                self.letters.push(raw);
            }
            if let Some(added) = self.letters.get_mut(from..) {
                read_mixed_as_latin(added);
            }
            self.push_runs(from);
        }
        self.tokens = tokens;
    }

    /// Adds the Latin readings of non-Latin words whose letters all resemble Latin ones.
    pub(super) fn read_lookalikes(&mut self) {
        if self.tokens.has_no_lookalikes() {
            return;
        }
        let tokens = std::mem::take(&mut self.tokens);
        for word in tokens.lookalikes() {
            self.open_reading();
            let from = self.letters.len();
            for index in word {
                let Some(mut raw) = self.letters.get(index).copied() else { continue };
                raw.read_as_latin();
                self.letters.push(raw);
            }
            self.push_runs(from);
        }
        self.tokens = tokens;
    }

    fn open_reading(&mut self) {
        self.coarse.push(0);
        self.starts.push(to_u32(self.count()));
        self.letters.push(RawLetter::blank(0));
    }
}

//! Other readings of a text, which come behind it in its coarse form.

use super::super::letter::Raw;
use super::super::tokens::read_if_mixed;
use super::{Views, to_u32};

impl Views {
    /// Adds what one-letter words make when they are put together.
    pub(super) fn join_spaced(&mut self) {
        let count = self.count();
        let mut tokens = std::mem::take(&mut self.tokens);
        tokens.find_spaced(count, |number| self.letter(number));
        for chunk in tokens.spaced() {
            self.open_reading();
            let from = self.letters.len();
            for (number, wide) in tokens.singles(chunk) {
                let Some(raw) = self.raw(number) else { continue };
                if wide {
                    self.letters.push(Raw::blank(raw.start));
                }
                self.letters.push(raw);
            }
            if let Some(added) = self.letters.get_mut(from..) {
                read_if_mixed(added);
            }
            self.push_runs(from);
        }
        self.tokens = tokens;
    }

    /// Adds the Latin reading of words of another script that could all be Latin.
    pub(super) fn read_alike(&mut self) {
        if self.tokens.has_none_alike() {
            return;
        }
        let tokens = std::mem::take(&mut self.tokens);
        for alike in tokens.alike() {
            self.open_reading();
            let from = self.letters.len();
            for number in alike {
                let Some(mut raw) = self.letters.get(number).copied() else { continue };
                raw.read();
                self.letters.push(raw);
            }
            self.push_runs(from);
        }
        self.tokens = tokens;
    }

    fn open_reading(&mut self) {
        self.coarse.push(0);
        self.starts.push(to_u32(self.count()));
        self.letters.push(Raw::blank(0));
    }
}

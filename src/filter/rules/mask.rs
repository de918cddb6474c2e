//! Characters put in place of what a rule hit.

use std::ops::Range;

/// A text of which places are being covered. What is covered once stays as it is.
pub(super) struct Mask<'t> {
    text: &'t str,
    /// For each code point, what stands in its place.
    cover: Vec<Option<char>>,
}

impl<'t> Mask<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, cover: vec![None; text.chars().count()] }
    }

    /// Covers a range of code points.
    pub(super) fn cover(&mut self, chars: Range<usize>, with: char) {
        for place in self.cover.get_mut(chars).unwrap_or_default() {
            place.get_or_insert(with);
        }
    }

    pub(super) fn into_text(self) -> String {
        self.text.chars().zip(self.cover).map(|(c, cover)| cover.unwrap_or(c)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_cover_of_a_place_stays() {
        let mut mask = Mask::new("añbcd");
        mask.cover(1..3, '*');
        mask.cover(2..4, '#');
        assert_eq!(mask.into_text(), "a**#d");
    }

    #[test]
    fn a_range_outside_of_the_text_covers_nothing() {
        let mut mask = Mask::new("ab");
        mask.cover(1..9, '*');
        assert_eq!(mask.into_text(), "ab");
    }
}

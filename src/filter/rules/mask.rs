//! Masks the parts of a text that rules hit.

use std::ops::Range;

/// A text with masked code points. The first mask of a code point stays.
pub(super) struct Mask<'t> {
    text: &'t str,
    /// For each code point, the character that replaces it.
    covers: Vec<Option<char>>,
}

impl<'t> Mask<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, covers: vec![None; text.chars().count()] }
    }

    /// Covers a range of code points.
    pub(super) fn cover(&mut self, chars: Range<usize>, with: char) {
        for place in self.covers.get_mut(chars).unwrap_or_default() {
            place.get_or_insert(with);
        }
    }

    pub(super) fn into_text(self) -> String {
        self.text.chars().zip(self.covers).map(|(c, cover)| cover.unwrap_or(c)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_mask_of_a_character_stays() {
        let mut mask = Mask::new("añbcd");
        mask.cover(1..3, '*');
        mask.cover(2..4, '#');
        assert_eq!(mask.into_text(), "a**#d");
    }

    #[test]
    fn a_range_beyond_the_text_masks_nothing() {
        let mut mask = Mask::new("ab");
        mask.cover(1..9, '*');
        assert_eq!(mask.into_text(), "ab");
    }
}

//! Literals between word boundaries.

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError};
use regex_syntax::is_word_character;

/// Words and phrases, found where they stand by themselves: `cat` in `a cat!`, not in `category`.
///
/// A boundary is asked for only where a word has a letter, a digit or another character that words are made of (what a
/// regex calls `\w`) at its edge: nothing can be glued to the `+` of `c++`.
///
/// Text and words are compared as they are: who wants them folded, folds both.
#[derive(Debug)]
pub struct Words {
    automaton: AhoCorasick,
}

impl Words {
    /// Builds the automaton. Empty words are left out.
    ///
    /// # Errors
    /// When there are more words than the automaton can number (some two thousand millions of bytes).
    pub fn new<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> Result<Self, BuildError> {
        let words =
            words.into_iter().filter(|word| !word.as_ref().is_empty()).map(|word| word.as_ref().as_bytes().to_vec());
        // A DFA would be faster and is out of proportion for long lists: a kilobyte and more for each byte of a word.
        let automaton = AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(words)?;
        Ok(Self { automaton })
    }

    /// Where words stand in `text`, in bytes: all of them, also those that overlap, in the order of their ends.
    pub fn find_all<'t>(&self, text: &'t str) -> impl Iterator<Item = Range<usize>> + use<'_, 't> {
        self.automaton
            .find_overlapping_iter(text)
            .map(|hit| hit.range())
            .filter(move |hit| !is_within_word(text, hit.start) && !is_within_word(text, hit.end))
    }
}

/// Whether the characters before and after this place both belong to a word.
fn is_within_word(text: &str, at: usize) -> bool {
    let Some((before, after)) = text.split_at_checked(at) else { return true };
    before.chars().next_back().is_some_and(is_word_character) && after.chars().next().is_some_and(is_word_character)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hits<'t>(words: &[&str], text: &'t str) -> Vec<&'t str> {
        let words = Words::new(words).unwrap();
        words.find_all(text).map(|hit| &text[hit]).collect()
    }

    #[test]
    fn a_word_inside_of_another_is_no_hit() {
        assert_eq!(hits(&["cat"], "a cat! category, tomcat cat_1 cat2 (cat)"), ["cat", "cat"]);
        assert_eq!(hits(&["glied"], "Mitglied, Glied, ein glied"), ["glied"]);
        assert_eq!(hits(&["мир"], "мир мирный Владимир"), ["мир"]);
        assert_eq!(hits(&["no"], "no\u{301}n año nо"), [""; 0]);
    }

    #[test]
    fn an_edge_that_is_no_letter_needs_no_boundary() {
        assert_eq!(hits(&["c++"], "c++ c++11 c++, (c++) ac++"), ["c++"; 4]);
        assert_eq!(hits(&["#win"], "x#win #win #winner"), ["#win", "#win"]);
        assert_eq!(hits(&["🎰"], "a🎰b"), ["🎰"]);
        assert_eq!(hits(&["+"], "a++b"), ["+", "+"]);
    }

    #[test]
    fn words_that_overlap_are_all_found() {
        assert_eq!(hits(&["buy now", "now or never", "now"], "buy now or never"), ["buy now", "now", "now or never"]);
    }

    #[test]
    fn no_words_hit_nothing() {
        assert_eq!(hits(&[], "text"), [""; 0]);
        assert_eq!(hits(&[""], "text"), [""; 0]);
    }

    proptest! {
        #[test]
        fn a_word_of_letters_is_found_where_a_regex_with_boundaries_finds_it(text in "[a-cé _.!]{0,20}", word in "[a-cé]{1,3}") {
            let regex = regex::Regex::new(&format!(r"\b{word}\b")).unwrap();
            let expected: Vec<_> = regex.find_iter(&text).map(|m| m.range()).collect();
            let found: Vec<_> = Words::new([&word]).unwrap().find_all(&text).collect();
            prop_assert_eq!(found, expected);
        }
    }
}

//! Rewrites texts shouted in capitals in lower case.
//!
//! A text counts as shouted if most of its letters are capitals. Its words are then converted to lower case, except for
//! the first letter of each sentence. Known abbreviations, words with a digit (`WGS84`), links, paths and names with an
//! underscore are neither counted nor changed.

mod words;

use std::collections::HashSet;

use gischat_filter::{Filter, Message, Sender, Verdict, export};
use serde::Deserialize;

use words::{Part, parts};

/// Abbreviations from the mapping domain, in upper case. Includes the English `I`.
const KNOWN: &str = include_str!("abbreviations.txt");

/// The `[settings]` of plugin.toml.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// A text with a larger share of capitals counts as shouted.
    share: f64,
    /// Texts with fewer letters never count as shouted.
    min_letters: u32,
    /// Words that keep their capitals.
    words: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { share: 0.7, min_letters: 12, words: Vec::new() }
    }
}

/// The filter.
#[derive(Debug)]
pub struct CalmCaps {
    share: f64,
    min_letters: u32,
    /// In upper case.
    known: HashSet<String>,
}

impl Filter for CalmCaps {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, String> {
        let Settings { share, min_letters, words } = settings;
        if !(0.0..1.0).contains(&share) {
            return Err(format!("`share` is {share}; it must be at least 0 and less than 1"));
        }
        let known = KNOWN.split_whitespace().map(str::to_owned).chain(words.iter().map(|word| word.to_uppercase()));
        Ok(Self { share, min_letters, known: known.collect() })
    }

    fn check(&mut self, message: &Message, _: &Sender) -> Verdict {
        if !self.is_shouted(&message.text) {
            return Verdict::pass();
        }
        let calm = self.calm(&message.text);
        if calm == message.text {
            return Verdict::pass();
        }
        Verdict::replace(calm).reason("Your capitals were put in small letters: they read as shouting.").label("caps")
    }
}

impl CalmCaps {
    fn is_shouted(&self, text: &str) -> bool {
        // Most texts have too few capitals, whichever of them count.
        let max = text.chars().filter(|c| c.is_uppercase()).count();
        if u32::try_from(max).is_ok_and(|max| f64::from(max) <= self.share * f64::from(self.min_letters)) {
            return false;
        }
        let (mut capitals, mut letters) = (0_u32, 0_u32);
        for word in parts(text).filter_map(|part| self.plain_word(part)) {
            for c in word.chars() {
                capitals += u32::from(c.is_uppercase());
                letters += u32::from(c.is_uppercase() || c.is_lowercase());
            }
        }
        letters >= self.min_letters && f64::from(capitals) > self.share * f64::from(letters)
    }

    fn calm(&self, text: &str) -> String {
        let mut calm = String::with_capacity(text.len());
        let mut place = Place::Begin;
        for part in parts(text) {
            match self.plain_word(part) {
                Some(word) if place == Place::Begin => {
                    let rest = word.char_indices().nth(1).map_or(word.len(), |(at, _)| at);
                    let (first, rest) = word.split_at(rest);
                    calm.push_str(first);
                    calm.push_str(&rest.to_lowercase());
                }
                Some(word) => calm.push_str(&word.to_lowercase()),
                None => calm.push_str(part.text()),
            }
            place = match part {
                Part::Word(_) | Part::Technical(_) => Place::Within,
                Part::Between(between) => between.chars().fold(place, Place::after),
            };
        }
        calm
    }

    /// Returns the word if it is not one that is always written in capitals.
    fn plain_word<'t>(&self, part: Part<'t>) -> Option<&'t str> {
        match part {
            Part::Word(word) => {
                let keeps_capitals = word.contains(char::is_numeric) || self.known.contains(&word.to_uppercase());
                (!keeps_capitals).then_some(word)
            }
            Part::Technical(_) | Part::Between(_) => None,
        }
    }
}

/// A position in a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// At the start.
    Begin,
    /// Within the sentence.
    Within,
    /// After a punctuation mark that ends the sentence if whitespace follows.
    Mark,
}

impl Place {
    /// The position after a character that is not part of a word.
    fn after(self, c: char) -> Self {
        match (self, c) {
            (Self::Begin, _) | (_, '\n' | '。' | '！' | '？') => Self::Begin,
            // Brackets and quotes may come between the mark and the whitespace.
            (_, '.' | '!' | '?' | '…') | (Self::Mark, ')' | ']' | '"' | '\'' | '”' | '’' | '»') => Self::Mark,
            (Self::Mark, c) if c.is_whitespace() => Self::Begin,
            _ => Self::Within,
        }
    }
}

export!(CalmCaps);

#[cfg(test)]
mod tests;

//! Generates any number of different harmless texts.

use std::collections::HashSet;

use super::dice::Dice;

const SENTENCES: &str = include_str!("texts.txt");
/// Approximate length of a text in bytes.
const BYTES: usize = 110;
/// Prefixes of some texts.
const PREFIXES: [&str; 8] = [
    "https://docs.qgis.org/3.34/en/docs/user_manual/",
    "communes_2024.gpkg",
    "EPSG:2154",
    "@anna_b",
    "v3.28.1 🙂",
    "roads.shp + roads.dbf",
    "www.openstreetmap.org/node/240109189",
    "WGS 84 / UTM zone 31N",
];
/// One in this many texts has a prefix.
const PREFIX_RATE: usize = 4;
/// Consecutive words taken from a sentence.
const WORDS_PER_PIECE: usize = 3;

/// Sentences by language, split into words. In a language without blanks, a word is four characters.
#[derive(Debug)]
pub(crate) struct Texts(Vec<Language>);

#[derive(Debug)]
struct Language {
    blank: &'static str,
    sentences: Vec<Vec<String>>,
}

impl Texts {
    pub(crate) fn new() -> Self {
        let mut languages: Vec<Language> = Vec::new();
        for line in SENTENCES.lines().filter(|line| !line.starts_with('#')) {
            if line.starts_with('[') {
                let blank = if line == "[ja]" { "" } else { " " };
                languages.push(Language { blank, sentences: Vec::new() });
            } else if let Some(language) = languages.last_mut() {
                let words: Vec<String> = if language.blank.is_empty() {
                    let letters: Vec<char> = line.chars().collect();
                    letters.chunks(4).map(|letters| letters.iter().collect()).collect()
                } else {
                    line.split(' ').map(str::to_owned).collect()
                };
                language.sentences.push(words);
            }
        }
        Self(languages)
    }

    /// Returns `count` texts in alternating languages: pieces of sentences, some with a link, a file name or a mention.
    pub(crate) fn mixed(&self, count: usize) -> Vec<String> {
        let mut dice = Dice(1);
        self.0.iter().cycle().take(count).map(|language| language.text(&mut dice)).collect()
    }

    /// Returns all words, in lower case and without punctuation.
    pub(crate) fn words(&self) -> HashSet<String> {
        let words = self.0.iter().flat_map(|language| &language.sentences).flatten();
        words.flat_map(|word| word.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase)).collect()
    }
}

impl Language {
    fn text(&self, dice: &mut Dice) -> String {
        let mut text = String::new();
        if dice.once_in(PREFIX_RATE) {
            text.push_str(dice.of::<&str>(&PREFIXES));
            text.push(' ');
        }
        while text.len() < BYTES - 8 {
            let sentence = dice.of(&self.sentences);
            let at = dice.below(sentence.len());
            for word in sentence.iter().skip(at).take(WORDS_PER_PIECE) {
                text.push_str(word);
                text.push_str(self.blank);
            }
        }
        text.truncate(text.trim_end().len());
        text
    }
}

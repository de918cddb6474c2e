//! Generates rule sets of any size.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::dice::Dice;
use super::texts::Texts;

/// Rules without words, like those of the starter set, in enforce mode.
const CONDITIONS: &str = r#"
[[rule]]
id = "links-denied"
links = { deny = ["casino.example", "watches.example", "pills.example", "cheap.example", "lucky.example", "t.me"] }
verdict = "reject"
[[rule]]
id = "links-of-newcomers"
sender = { registered = false, connected_under = "5m", accepted_under = 3 }
links = { min = 1, allow = ["qgis.org", "openstreetmap.org", "osgeo.org", "gdal.org", "github.com", "epsg.io"] }
verdict = "reject"
[[rule]]
id = "capitals"
capitals = { share = 85, letters = 24 }
verdict = "reject"
[[rule]]
id = "stretched"
repeated = 12
verdict = "reject"
[[rule]]
id = "marks"
marks = 5
verdict = "reject"
[[rule]]
id = "flooding"
repetition = { by = "sender", times = 4, within = "60s", letters = 8 }
verdict = "reject"
[[rule]]
id = "raid"
repetition = { by = "room", times = 5, within = "60s", letters = 24 }
verdict = "reject"
[[rule]]
id = "mentions"
mentions = 6
verdict = "reject"
"#;
/// Number of rules in [`CONDITIONS`].
const OTHERS: usize = 8;
/// Most rules in a file.
const MAX_RULES: usize = 1_000;
/// Patterns per rule, unless that makes too many rules.
const PATTERNS_PER_RULE: usize = 5;
/// Of this many patterns,
const CYCLE: usize = 20;
/// this many are words, those up to `PHRASES_END` phrases, and the others regexes.
const WORDS: usize = 15;
const PHRASES_END: usize = 17;
/// Most regexes in a file. Further ones are replaced by words.
const MAX_REGEXES: usize = 500;

/// A rules file, and the texts that its patterns match.
#[derive(Debug)]
pub(crate) struct Set {
    pub(crate) text: String,
    pub(crate) words: Vec<String>,
    /// The beginning of a match of each regex.
    pub(crate) beginnings: Vec<String>,
}

/// The patterns of one rule.
#[derive(Clone, Debug, Default)]
struct Patterns {
    words: Vec<String>,
    any: Vec<String>,
}

/// Generates rules with this many patterns in total, and the rules without words. The same in each run.
pub(crate) fn set(patterns: usize, texts: &Texts) -> Set {
    let mut rules = vec![Patterns::default(); (patterns / PATTERNS_PER_RULE).min(MAX_RULES) - OTHERS];
    let mut generator = Generator { dice: Dice(2), taken: texts.words() };
    let mut set = Set { text: CONDITIONS.to_owned(), words: Vec::new(), beginnings: Vec::new() };
    let many = rules.len();
    for at in 0..patterns {
        // The step spreads the kinds of patterns over all rules.
        let rule = rules.get_mut(at * 7 % many).expect("the index is in range");
        match at % CYCLE {
            kind if kind < WORDS || (kind >= PHRASES_END && set.beginnings.len() == MAX_REGEXES) => {
                set.words.push(generator.word());
                rule.words.extend(set.words.last().cloned());
            }
            ..PHRASES_END => {
                set.words.push(format!("{} {}", generator.word(), generator.word()));
                rule.words.extend(set.words.last().cloned());
            }
            _ => {
                let (regex, beginning) = generator.regex();
                rule.any.push(regex);
                set.beginnings.push(beginning);
            }
        }
    }
    for (number, rule) in rules.iter().enumerate().filter(|(_, rule)| !rule.words.is_empty() || !rule.any.is_empty()) {
        write(&mut set.text, number, rule);
    }
    set
}

fn write(text: &mut String, number: usize, rule: &Patterns) {
    let verdict = ["reject", "replace", "shadow", "label"][number % 4];
    let more = match number % 20 {
        1 | 11 => "view = \"exact\"\n",
        5 | 15 => "view = \"folded\"\n",
        7 => "accents = true\ndoubled = true\n",
        9 => "capitals = { share = 70, letters = 12 }\n",
        13 => "links = { min = 1 }\n",
        _ => "",
    };
    writeln!(text, "[[rule]]\nid = \"made-up-{number}\"\nverdict = \"{verdict}\"\n{more}")
        .expect("writing to a string");
    for (key, list) in [("words", &rule.words), ("any", &rule.any)] {
        // The debug form of a list of strings is valid TOML.
        if !list.is_empty() {
            writeln!(text, "{key} = {list:?}").expect("writing to a string");
        }
    }
}

/// Generates unique words that occur in no harmless text.
struct Generator {
    dice: Dice,
    taken: HashSet<String>,
}

impl Generator {
    fn word(&mut self) -> String {
        loop {
            let (firsts, vowels, lasts): (&[&str], &[&str], &[&str]) = match self.dice.below(8) {
                0 => (&["б", "в", "г", "д", "к", "пр", "ст", "т"], &["а", "е", "и", "о", "у"], &["й", "к", "н", "ть"]),
                1 => (&["β", "γ", "δ", "κ", "λ", "πρ", "στ", "τ"], &["α", "ε", "ι", "ο", "ου"], &["ρ", "ν", "μα"]),
                _ => (
                    &["b", "br", "c", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "st", "t", "v", "w"],
                    &["a", "e", "i", "o", "u", "ea", "ou"],
                    &["", "n", "r", "s", "t", "ck", "ng"],
                ),
            };
            let mut word = String::new();
            for _ in 0..self.dice.below(2) + 2 {
                word.push_str(self.dice.of::<&str>(firsts));
                word.push_str(self.dice.of::<&str>(vowels));
            }
            word.push_str(self.dice.of::<&str>(lasts));
            if word.chars().count() >= 5 && self.taken.insert(word.clone()) {
                return word;
            }
        }
    }

    /// Returns a regex and the beginning of its matches.
    fn regex(&mut self) -> (String, String) {
        let [a, b, c] = [self.word(), self.word(), self.word()];
        let regex = match self.dice.below(4) {
            0 => format!(r"\b{a}(?:s|es)?\s+{b}\b"),
            1 => format!(r"{a}[\s._-]*{b}"),
            2 => format!(r"\b(?:{a}|{b}|{c})\s+\d{{2,5}}\b"),
            _ => format!(r"\b{a}\s+(?:\w+\s+)?{b}\b"),
        };
        (regex, a)
    }
}

//! How many disguised words are found, by the sort of disguise. `docs/matching/evasion.md` shows it.

use std::fmt::Write as _;
use std::path::Path;

use gischat_relay::matching::{Leniency, Literals};

use crate::dice::Dice;
use crate::disguise::{Disguise, WORDS, message};
use crate::support::{STRICT, found, words};

/// Disguises of each word.
const VARIANTS: usize = 40;

struct Figures {
    disguise: Disguise,
    name: &'static str,
    flag: &'static str,
    leniency: Leniency,
    /// Fewest that must be found, in percent; `None` for what is only tried.
    goal: Option<usize>,
}

fn rows() -> Vec<Figures> {
    let accents = Leniency { accents: true, ..STRICT };
    let doubled = Leniency { doubled: true, ..STRICT };
    let masked = Leniency { masked: true, ..STRICT };
    let row = |disguise, name, flag, leniency, goal| Figures { disguise, name, flag, leniency, goal };
    vec![
        row(Disguise::ZeroWidth, "invisible characters between letters", "", STRICT, Some(99)),
        row(Disguise::Combining, "combining marks", "", STRICT, Some(99)),
        row(Disguise::FullWidth, "full-width letters", "", STRICT, Some(99)),
        row(Disguise::Mathematical, "mathematical letters", "", STRICT, Some(99)),
        row(Disguise::Enclosed, "letters in circles, squares, parentheses, flags", "", STRICT, Some(99)),
        row(Disguise::Spaced, "letters with blanks or signs between", "", STRICT, Some(98)),
        row(Disguise::Stretched, "stretched letters", "", STRICT, Some(98)),
        row(Disguise::Leetspeak, "digits and signs for letters", "", STRICT, Some(95)),
        row(Disguise::Homoglyphs, "letters of other scripts that look alike", "", STRICT, Some(92)),
        row(Disguise::Mixed, "two of these at once", "", STRICT, Some(90)),
        row(Disguise::Accents, "accents added or left away", "", STRICT, None),
        row(Disguise::Accents, "accents added or left away", "accents", accents, Some(97)),
        row(Disguise::Doubled, "one letter doubled", "", STRICT, None),
        row(Disguise::Doubled, "one letter doubled", "doubled", doubled, Some(97)),
        row(Disguise::Masked, "up to half of the letters hidden", "", STRICT, None),
        row(Disguise::Masked, "up to half of the letters hidden", "masked", masked, None),
        row(Disguise::Split, "a blank within the word", "", STRICT, None),
    ]
}

/// How many disguises there are and how many are found, with some of those that are not.
fn measure(literals: &Literals, disguise: Disguise) -> (usize, usize, Vec<String>) {
    let mut dice = Dice::new(2024);
    let (mut all, mut caught, mut missed) = (0, 0, Vec::new());
    for word in 0..WORDS.len() {
        for _ in 0..VARIANTS {
            let Some((text, place)) = message(word, disguise, &mut dice) else { continue };
            all += 1;
            let is_it = |(index, hit): &(usize, &str)| {
                let start = hit.as_ptr().addr() - text.as_ptr().addr();
                *index == word && place.start <= start && start + hit.len() <= place.end
            };
            if found(literals, &text).iter().any(is_it) {
                caught += 1;
            } else {
                missed.push(text);
            }
        }
    }
    (all, caught, missed)
}

#[test]
fn disguised_words_are_found_as_often_as_the_documentation_says() {
    let mut table = String::from(
        "# Disguised words\n\n\
         How many disguised words are found: 54 words of six languages in messages of their language, 40 disguises of \
         each\nthat a sort suits, drawn by a seeded generator (`tests/matching/disguise.rs`). Made by a test; \
         `make tables` writes it\nanew.\n\n\
         | disguise | flag of the rule | tried | found |\n|---|---|---|---|\n",
    );
    let mut short = String::new();
    for Figures { disguise, name, flag, leniency, goal } in rows() {
        let literals = words(WORDS.map(|(word, _)| word), leniency);
        let (all, caught, missed) = measure(&literals, disguise);
        let tenths = caught * 1000 / all;
        let flag = if flag.is_empty() { String::new() } else { format!("`{flag}`") };
        writeln!(table, "| {name} | {flag} | {all} | {}.{} % |", tenths / 10, tenths % 10).unwrap();
        if goal.is_some_and(|goal| tenths < goal * 10) {
            writeln!(short, "{name}: {caught} of {all}, not {goal:?} %; missed {:?}", &missed[..missed.len().min(25)])
                .unwrap();
        }
    }
    assert!(short.is_empty(), "{table}\n{short}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/matching/evasion.md");
    if std::env::var_os("UPDATE_TABLES").is_some() {
        std::fs::write(path, table).unwrap();
        return;
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), table, "renew it with UPDATE_TABLES=1");
}

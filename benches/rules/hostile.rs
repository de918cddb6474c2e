//! Worst-case texts for rules, of the longest allowed length.

use super::LONGEST;
use super::dice::Dice;
use super::sets::Set;

/// Number of texts of each kind.
const TEXTS_PER_KIND: usize = 32;

/// The name of a kind, and its texts.
pub(crate) type MessageKind = (&'static str, Vec<String>);

/// Generates a part of a text.
type Part<'a> = &'a dyn Fn(&mut Dice) -> String;

/// Returns all kinds of texts for this set of rules.
pub(crate) fn all(set: &Set) -> Vec<MessageKind> {
    let parts: [(&str, Part<'_>); 15] = [
        ("words of many rules", &|dice| format!("{} ", dice.of(&set.words))),
        ("words with a letter more", &|dice| format!("{}x ", dice.of(&set.words))),
        ("words, letter by letter", &|dice| dice.of(&set.words).chars().flat_map(|c| [c, ' ']).chain([' ']).collect()),
        ("words without blanks", &|dice| dice.of(&set.words).clone()),
        ("beginnings of regexes, an emoji", &|dice| {
            let emoji = if dice.once_in(8) { "🎰 " } else { "" };
            format!("{} {emoji}", dice.of(&set.beginnings))
        }),
        ("one beginning over and over", &|dice| {
            // Uses the seed without advancing it, so that all parts of a text are the same.
            format!("{}é ", Dice(dice.0).of(&set.beginnings))
        }),
        ("combining marks", &|dice| char::from_u32(0x300 + u32::from(dice.below(0x6f) as u8)).into_iter().collect()),
        ("alternating scripts", &|dice| {
            ["аp", "сa", "еs", "оh", "ρi", "υx "].map(str::to_owned)[dice.below(6)].clone()
        }),
        ("mathematical letters", &|dice| {
            char::from_u32(0x1d400 + u32::from(dice.below(200) as u8)).into_iter().collect()
        }),
        ("emoji", &|dice| char::from_u32(0x1f600 + u32::from(dice.below(60) as u8)).into_iter().collect()),
        ("ligatures that unfold", &|dice| ["ﷺ", "㍿", "ﬃ", "㎒"].map(str::to_owned)[dice.below(4)].clone()),
        ("links", &|dice| format!("{}{}.de ", char::from(b'a' + dice.below(26) as u8), dice.below(10))),
        ("mentions", &|dice| format!("@{}{} ", char::from(b'a' + dice.below(26) as u8), dice.below(10))),
        ("signs for letters", &|dice| {
            ["4", "3", "1", "0", "$", "@", "!", "|", "."].map(str::to_owned)[dice.below(9)].clone()
        }),
        ("letters apart", &|dice| {
            ["a\u{200b}", "e.", "i-", "o ", "u_", "s*"].map(str::to_owned)[dice.below(6)].clone()
        }),
    ];
    parts.into_iter().map(|(name, part)| (name, (0..TEXTS_PER_KIND).map(|seed| fill(seed, part)).collect())).collect()
}

/// Generates a text of the longest length from parts.
fn fill(seed: usize, part: Part<'_>) -> String {
    let mut dice = Dice(seed as u64);
    let mut text = String::new();
    while text.chars().count() < LONGEST {
        text.push_str(&part(&mut dice));
    }
    text.chars().take(LONGEST).collect()
}

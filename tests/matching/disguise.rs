//! Disguises words the way people do to evade filters. Seeded, so that every run generates the same disguises.

use std::collections::HashMap;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;

use crate::dice::Dice;

/// Typical forbidden words, each with the index of its language in [`CONTEXTS`].
pub(crate) const WORDS: [(&str, usize); 54] = [
    ("casino", 0),
    ("poker", 0),
    ("bitcoin", 0),
    ("lottery", 0),
    ("viagra", 0),
    ("jackpot", 0),
    ("roulette", 0),
    ("betting", 0),
    ("payday", 0),
    ("crypto", 0),
    ("giveaway", 0),
    ("pharmacy", 0),
    ("replica", 0),
    ("escort", 0),
    ("idiot", 0),
    ("loser", 0),
    ("stupid", 0),
    ("rubbish", 0),
    ("moron", 0),
    ("follower", 0),
    ("loterie", 1),
    ("crédit", 1),
    ("gagner", 1),
    ("argent", 1),
    ("rencontre", 1),
    ("bêtise", 1),
    ("imbécile", 1),
    ("voyance", 1),
    ("gewinn", 2),
    ("glücksspiel", 2),
    ("kredit", 2),
    ("wetten", 2),
    ("dummkopf", 2),
    ("trottel", 2),
    ("gutschein", 2),
    ("lotería", 3),
    ("apuesta", 3),
    ("dinero", 3),
    ("ganador", 3),
    ("préstamo", 3),
    ("estúpido", 3),
    ("scommessa", 4),
    ("prestito", 4),
    ("vincita", 4),
    ("cretino", 4),
    ("guadagno", 4),
    ("aposta", 3),
    ("sorteo", 3),
    ("казино", 5),
    ("ставки", 5),
    ("кредит", 5),
    ("лотерея", 5),
    ("дурак", 5),
    ("выигрыш", 5),
];

/// Messages with a placeholder for the word, by language.
const CONTEXTS: [&[&str]; 6] = [
    &["{}", "Try our {} today", "has anybody seen the {} near the river layer?", "so much {}, for free!"],
    &["{}", "un {} pour tous", "venez voir le {} ce soir, c'est gratuit", "quel {} !"],
    &["{}", "Jetzt {} sichern", "ein {} für die neue Karte von Köln", "was für ein {}, oder?"],
    &["{}", "el mejor {} de la ciudad", "mira este {} aquí", "¡{} gratis!"],
    &["{}", "il tuo {} di oggi", "guarda questo {} subito, è gratis", "che {}!"],
    &["{}", "Лучшее {} в городе", "смотрите новое {} здесь, на карте", "какой {}!"],
];

/// Kinds of disguise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Disguise {
    ZeroWidth,
    Combining,
    FullWidth,
    Mathematical,
    Enclosed,
    Spaced,
    Stretched,
    Leetspeak,
    Homoglyphs,
    Mixed,
    Accents,
    Doubled,
    Masked,
    Split,
}

/// Returns a message with a disguised word, and its byte range. `None` if the disguise does not apply to the word.
pub(crate) fn message(word: usize, disguise: Disguise, dice: &mut Dice) -> Option<(String, std::ops::Range<usize>)> {
    let (word, language) = WORDS[word];
    let disguised = disguised(word, disguise, dice)?;
    let context = *dice.pick(CONTEXTS[language]);
    let start = context.find("{}").unwrap();
    let end = start + disguised.len();
    Some((context.replace("{}", &disguised), start..end))
}

fn disguised(word: &str, disguise: Disguise, dice: &mut Dice) -> Option<String> {
    let word = match dice.below(4) {
        0 => word.to_uppercase(),
        1 => word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect(),
        _ => word.to_owned(),
    };
    let chars: Vec<char> = word.chars().collect();
    let latin = chars.iter().any(char::is_ascii);
    match disguise {
        Disguise::ZeroWidth => Some(zero_width(&chars, dice)),
        Disguise::Combining => Some(combining(&chars, dice)),
        Disguise::FullWidth => latin.then(|| each(&chars, |c| shifted(c, '！', '!'))),
        Disguise::Mathematical => latin.then(|| mathematical(&chars, dice)),
        Disguise::Enclosed => latin.then(|| enclosed(&chars, dice)),
        Disguise::Spaced => Some(spaced(&chars, dice)),
        Disguise::Stretched => Some(stretched(&chars, dice)),
        Disguise::Leetspeak => leetspeak(&chars, dice),
        Disguise::Homoglyphs => homoglyphs(&chars, dice),
        Disguise::Mixed => mixed(&chars, dice),
        Disguise::Accents => accented(&chars, dice),
        Disguise::Doubled => {
            let at = dice.below(chars.len());
            Some(chars.iter().enumerate().flat_map(|(n, c)| vec![*c; 1 + usize::from(n == at)]).collect())
        }
        Disguise::Masked => Some(masked(&chars, dice)),
        Disguise::Split => {
            let at = 2 + dice.below(chars.len() - 3);
            Some(chars[..at].iter().chain([&' ']).chain(&chars[at..]).collect())
        }
    }
}

/// Selects some of `len` positions, at least one.
fn places(dice: &mut Dice, len: usize, chance: usize) -> Vec<bool> {
    let mut places: Vec<bool> = (0..len).map(|_| dice.percent(chance)).collect();
    let one = dice.below(len);
    places[one] = true;
    places
}

fn each(chars: &[char], form: impl Fn(char) -> Option<char>) -> String {
    chars.iter().map(|c| form(*c).unwrap_or(*c)).collect()
}

/// Shifts an ASCII character from the range that begins at `from` to the one that begins at `to`.
fn shifted(c: char, to: char, from: char) -> Option<char> {
    if !c.is_ascii_graphic() {
        return None;
    }
    char::from_u32(u32::from(to) + (u32::from(c) - u32::from(from)))
}

fn zero_width(chars: &[char], dice: &mut Dice) -> String {
    const INVISIBLE: [char; 10] = [
        '\u{200b}',
        '\u{200c}',
        '\u{200d}',
        '\u{2060}',
        '\u{feff}',
        '\u{ad}',
        '\u{34f}',
        '\u{180e}',
        '\u{fe0f}',
        '\u{e0061}',
    ];
    let places = places(dice, chars.len() - 1, 40);
    let mut out = String::new();
    for (n, c) in chars.iter().enumerate() {
        out.push(*c);
        if places.get(n) == Some(&true) {
            (0..=dice.below(2)).for_each(|_| out.push(*dice.pick(&INVISIBLE)));
        }
    }
    out
}

/// Adds marks that no alphabet uses: strokes through letters, circles around them, or stacks above and below.
fn combining(chars: &[char], dice: &mut Dice) -> String {
    const THROUGH: [char; 8] =
        ['\u{334}', '\u{335}', '\u{336}', '\u{337}', '\u{338}', '\u{20d2}', '\u{20dd}', '\u{489}'];
    let mark = |nth: usize| ('\u{300}'..='\u{36f}').nth(nth).unwrap();
    let stacked = dice.percent(50);
    let mut out = String::new();
    for c in chars {
        out.push(*c);
        if stacked {
            (0..=dice.below(5)).for_each(|_| out.push(mark(dice.below(0x70))));
        } else if dice.percent(70) {
            out.push(*dice.pick(&THROUGH));
        }
    }
    out
}

fn mathematical(chars: &[char], dice: &mut Dice) -> String {
    // Alphabets without gaps: bold, bold italic, bold script, bold fraktur, sans-serif and its variants, monospace.
    const ALPHABETS: [char; 9] = ['𝐀', '𝑨', '𝓐', '𝕬', '𝖠', '𝗔', '𝘈', '𝘼', '𝙰'];
    let alphabet = *dice.pick(&ALPHABETS);
    each(chars, |c| match c {
        'A'..='Z' => shifted(c, alphabet, 'A'),
        'a'..='z' => shifted(c, char::from_u32(u32::from(alphabet) + 26)?, 'a'),
        _ => None,
    })
}

fn enclosed(chars: &[char], dice: &mut Dice) -> String {
    let (capitals, small) =
        *dice.pick(&[('Ⓐ', 'ⓐ'), ('🄰', '🄰'), ('🅐', '🅐'), ('🅰', '🅰'), ('⒜', '⒜'), ('🄐', '⒜'), ('🇦', '🇦')]);
    let mut out = String::new();
    for c in chars {
        let to = match c {
            'A'..='Z' => shifted(*c, capitals, 'A'),
            'a'..='z' => shifted(*c, small, 'a'),
            _ => None,
        };
        out.push(to.unwrap_or(*c));
        if capitals == '🇦' {
            // Without it, two in a row would form a flag.
            out.push('\u{200b}');
        }
    }
    out
}

fn spaced(chars: &[char], dice: &mut Dice) -> String {
    let between =
        *dice.pick(&[" ", ".", "-", "_", "*", " . ", "  ", "·", "/", "~", "\u{a0}", " - ", ",", "•", "\u{2009}", "|"]);
    chars.iter().map(char::to_string).collect::<Vec<_>>().join(between)
}

fn stretched(chars: &[char], dice: &mut Dice) -> String {
    let places = places(dice, chars.len(), 25);
    let times = |stretched: &bool, dice: &mut Dice| if *stretched { 3 + dice.below(5) } else { 1 };
    chars.iter().zip(&places).flat_map(|(c, stretched)| vec![*c; times(stretched, dice)]).collect()
}

fn leetspeak(chars: &[char], dice: &mut Dice) -> Option<String> {
    let signs = |c: char| -> &[char] {
        match c.to_ascii_lowercase() {
            'a' => &['4', '@', '4', '@'],
            'b' => &['8', '8', '8', '6'],
            'c' => &['(', '¢', '©'],
            'e' => &['3', '3', '3', '€'],
            'g' => &['9', '6'],
            'i' => &['1', '!', '1', '|'],
            'l' => &['1', '1', '|', '£'],
            'o' => &['0'],
            's' => &['5', '$'],
            't' => &['7', '7', '+'],
            'z' => &['2'],
            _ => &[],
        }
    };
    let able: Vec<usize> = (0..chars.len()).filter(|n| !signs(chars[*n]).is_empty()).collect();
    if able.is_empty() || chars.iter().any(|c| !c.is_ascii()) {
        return None;
    }
    let chance = *dice.pick(&[30, 60]);
    let mut places = places(dice, able.len(), chance);
    // At least two letters stay, so that the word remains readable. A `c` is rarely replaced.
    let mut left = chars.len();
    for (place, at) in places.iter_mut().zip(&able) {
        *place &= left > 2 && (!matches!(chars[*at], 'c' | 'C') || dice.percent(15));
        left -= usize::from(*place);
    }
    if !places.contains(&true) {
        return None;
    }
    let taken = |n: usize| able.iter().position(|at| *at == n).is_some_and(|at| places[at]);
    Some((0..chars.len()).map(|n| if taken(n) { *dice.pick(signs(chars[n])) } else { chars[n] }).collect())
}

/// Unicode confusables of each letter, without styles of that letter: Cyrillic, Greek, other scripts.
static CONFUSABLE: LazyLock<HashMap<char, [Vec<char>; 3]>> = LazyLock::new(|| {
    let skeleton_of = |c: char| skeleton(c.encode_utf8(&mut [0; 4])).collect::<String>();
    let mut by_skeleton: HashMap<String, Vec<char>> = HashMap::new();
    for c in ('\u{80}'..'\u{20000}').filter(|c| c.is_alphabetic()) {
        by_skeleton.entry(skeleton_of(c)).or_default().push(c);
    }
    let mut found: HashMap<char, [Vec<char>; 3]> = HashMap::new();
    for c in ('a'..='z').chain('A'..='Z') {
        for other in by_skeleton.get(&skeleton_of(c)).into_iter().flatten() {
            if other.nfkc().next().is_some_and(|plain| plain.is_ascii()) {
                continue;
            }
            let script = match other {
                '\u{400}'..='\u{52f}' => 0,
                '\u{370}'..='\u{3ff}' => 1,
                _ => 2,
            };
            found.entry(c).or_default()[script].push(*other);
            // The reverse direction, for Cyrillic words.
            if script == 0 {
                found.entry(*other).or_default()[0].push(c);
            }
        }
    }
    found
});

fn homoglyphs(chars: &[char], dice: &mut Dice) -> Option<String> {
    let able: Vec<usize> = (0..chars.len()).filter(|n| CONFUSABLE.contains_key(&chars[*n])).collect();
    if able.is_empty() {
        return None;
    }
    let chance = *dice.pick(&[15, 40, 100]);
    let places = places(dice, able.len(), chance);
    // People mostly use letters of a single keyboard.
    let usual = match dice.below(10) {
        0..6 => 0,
        6..8 => 1,
        _ => 2,
    };
    let mut out = chars.to_vec();
    for at in able.iter().zip(&places).filter(|(_, place)| **place).map(|(at, _)| *at) {
        let scripts = &CONFUSABLE[&chars[at]];
        let from = [usual, 0, 1, 2].into_iter().map(|n| &scripts[n]).find(|list| !list.is_empty());
        out[at] = *dice.pick(from?);
    }
    Some(out.into_iter().collect())
}

fn mixed(chars: &[char], dice: &mut Dice) -> Option<String> {
    let again = |text: String| text.chars().collect::<Vec<char>>();
    Some(match dice.below(6) {
        0 => zero_width(&again(homoglyphs(chars, dice)?), dice),
        1 => zero_width(&again(leetspeak(chars, dice)?), dice),
        2 => stretched(&again(homoglyphs(chars, dice)?), dice),
        3 => spaced(&again(homoglyphs(chars, dice)?), dice),
        4 => spaced(&again(leetspeak(chars, dice)?), dice),
        _ => stretched(&again(leetspeak(chars, dice)?), dice),
    })
}

fn accented(chars: &[char], dice: &mut Dice) -> Option<String> {
    let forms = |c: char| -> &str {
        match c {
            'a' => "áàâäãå",
            'c' => "çćč",
            'e' => "éèêëě",
            'i' => "íìîï",
            'n' => "ñń",
            'o' => "óòôöõ",
            's' => "šś",
            'u' => "úùûü",
            'y' => "ýÿ",
            'z' => "žż",
            _ => "",
        }
    };
    // Either adds accents or removes them.
    let bare: String = chars.iter().collect::<String>().nfd().filter(char::is_ascii).collect();
    if bare.chars().count() == chars.len() && chars.iter().any(|c| !c.is_ascii()) && dice.percent(50) {
        return Some(bare);
    }
    let able: Vec<usize> = (0..chars.len()).filter(|n| !forms(chars[*n]).is_empty()).collect();
    if able.is_empty() {
        return None;
    }
    let places = places(dice, able.len(), 30);
    let mut out = chars.to_vec();
    for at in able.iter().zip(&places).filter(|(_, place)| **place).map(|(at, _)| *at) {
        let forms: Vec<char> = forms(chars[at]).chars().collect();
        out[at] = *dice.pick(&forms);
    }
    Some(out.into_iter().collect())
}

/// Masks at most half of the letters, never the first.
fn masked(chars: &[char], dice: &mut Dice) -> String {
    let sign = *dice.pick(&['*', '*', '*', '#', '_', '.', '-']);
    let mut out = chars.to_vec();
    for _ in 0..=dice.below(chars.len() / 2) {
        let at = 1 + dice.below(chars.len() - 2);
        out[at] = sign;
    }
    out.into_iter().collect()
}

//! Generates the table over all code points.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use unicode_normalization::char::{compose, decompose_compatible, is_combining_mark};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use unicode_script::{Script as Of, UnicodeScript};
use unicode_security::confusable_detection::skeleton;

use super::*;

/// Lookalikes that the confusables data lack: the data only list characters that are nearly identical, and people use
/// weaker resemblances. Small capitals, phonetic letters, turned letters and letters with a bar or hook, and letters of
/// other scripts that replace a Latin one.
const LOOK_ALIKES: [(char, &str); 26] = [
    ('a', "ᴀɐɒᶏꬰΛΔ∆Дд@"),
    ('b', "ʙƀɃƁƂƃвъЪБбßβ฿₿ც"),
    ('c', "ᴄɕƈȻȼ¢©₵ҫҪ"),
    ('d', "ᴅɖƉƌƋδ∂ժԀ"),
    ('e', "ᴇɘɜɆɇƎǝєЄэЭεξΣ∑€ℇЗз℈"),
    ('f', "ꜰƒғҒ"),
    ('g', "ɢɠǤǥƓ"),
    ('h', "ʜɦɥнћЋђЂԋӉӊҢңҺԊ"),
    ('i', "ɪƗɨıᴉιɩ¡Ɪ"),
    ('j', "ᴊʝɟɈɉ"),
    ('k', "ᴋʞкκĸқҚҝҜҟҞҡҠӄӃԟԞ₭"),
    ('l', "ʟɫɭɬƚⱠⱡⱢ£₤"),
    ('m', "ᴍɱⱮмʍ₥Ӎӎ"),
    ('n', "ɴɲɳƝƞΠηпПиИћѝлЛՌ₦"),
    ('o', "ᴏɵƟөӨθΘΩФфѲѳ○◯⭕ʘ⊙"),
    ('p', "ᴘƥƤᵽⱣ₱"),
    ('q', "ʠɊɋϙϘ"),
    ('r', "ʀʁɹɾɽɼɍɺяЯГΓᴙ®ⱤґҐ"),
    ('s', "ꜱʂƨƧ§ȿⱾ$"),
    ('t', "ᴛʇʈƬƭƮȾⱦт†₮ҬҭτŦ+"),
    ('u', "ᴜʉɄцЦμ⊔Մ"),
    ('v', "ᴠʌɅ√Ѵѵ"),
    ('w', "ᴡωϢщЩψΨɰ₩ա"),
    ('x', "жЖχҳҲӽӼ✕✖✗⨉"),
    ('y', "ʏƳƴɎɏ¥чЧўϓұҰ"),
    ('z', "ᴢʐʑƵƶȤȥʒζ"),
];

/// Letters of modern alphabets that resemble others: they are distinguished like letters with accents.
const ALPHABETS: [(char, &str); 13] = [
    ('a', "ə"),
    ('b', "ɓ"),
    ('d', "đðɗ"),
    ('e', "əɛ"),
    ('h', "ħ"),
    ('k', "ƙ"),
    ('l', "ł"),
    ('n', "ŋ"),
    ('o', "øɔ"),
    ('p', "þ"),
    ('t', "ŧ"),
    ('u', "ʊ"),
    ('y', "ɣ"),
];

/// The accent of a letter in a ligature.
const LIGATURE_ACCENT: u8 = 255;

/// Letters that decompose but count as letters of their own rather than as accented ones.
const UNACCENTED: [char; 3] = ['й', 'ї', 'ў'];

/// The letters that digits and signs stand for.
const SIGNS: [(char, u8); 12] = [
    ('0', b'o'),
    ('1', I_OR_L),
    ('2', b'z'),
    ('3', b'e'),
    ('4', b'a'),
    ('5', b's'),
    ('6', B_OR_G),
    ('7', b't'),
    ('8', b'b'),
    ('9', b'g'),
    ('!', I_OR_L),
    ('|', I_OR_L),
];

fn fold_case(c: char) -> String {
    c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// Returns the lower-case letter if a text is a single ASCII letter.
fn letter(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [one] if one.is_ascii_alphabetic() => Some(one.to_ascii_lowercase()),
        _ => None,
    }
}

fn only(text: &str) -> Option<char> {
    let mut chars = text.chars();
    chars.next().filter(|_| chars.next().is_none())
}

fn listed(list: &[(char, &str)], c: char) -> Option<u8> {
    list.iter().find(|(_, chars)| chars.contains(c)).and_then(|(letter, _)| u8::try_from(*letter).ok())
}

/// Returns the letter in a circle, square or parentheses that normalization keeps or expands.
fn enclosed(c: char) -> Option<u8> {
    let from = match c {
        '⒜'..='⒵' => '⒜',
        '🄐'..='🄩' => '🄐',
        '🅐'..='🅩' => '🅐',
        '🅰'..='🆉' => '🅰',
        '🇦'..='🇿' => '🇦',
        _ => return None,
    };
    u8::try_from(u32::from(c) - u32::from(from)).ok().map(|n| b'a' + n)
}

fn compatible(c: char) -> String {
    let decomposed: String = {
        let mut out = String::new();
        decompose_compatible(c, |part| out.push_str(&fold_case(part)));
        out
    };
    decomposed.nfkc().collect()
}

/// Returns a number for accents: 0 without accents, never [`LIGATURE_ACCENT`].
fn accents(marks: &[char]) -> u8 {
    if marks.is_empty() {
        return 0;
    }
    let sum = marks.iter().fold(0_u32, |sum, c| sum.wrapping_mul(31).wrapping_add(u32::from(*c)));
    u8::try_from(sum % 251 + 1).unwrap()
}

fn script(c: char) -> Script {
    match c.script() {
        Of::Latin => Script::Latin,
        Of::Cyrillic => Script::Cyrillic,
        Of::Greek => Script::Greek,
        Of::Hebrew => Script::Hebrew,
        Of::Arabic => Script::Arabic,
        Of::Armenian => Script::Armenian,
        Of::Georgian => Script::Georgian,
        Of::Hangul => Script::Hangul,
        Of::Han | Of::Hiragana | Of::Katakana | Of::Thai | Of::Lao | Of::Khmer | Of::Myanmar | Of::Bopomofo => {
            Script::Unspaced
        }
        Of::Devanagari
        | Of::Bengali
        | Of::Gurmukhi
        | Of::Gujarati
        | Of::Oriya
        | Of::Tamil
        | Of::Telugu
        | Of::Kannada
        | Of::Malayalam
        | Of::Sinhala
        | Of::Ethiopic
        | Of::Mongolian
        | Of::Tibetan
        | Of::Syriac
        | Of::Thaana
        | Of::Nko
        | Of::Tifinagh => Script::Living,
        Of::Common | Of::Inherited | Of::Unknown => Script::Common,
        _ => Script::Rare,
    }
}

/// Returns the Latin letter that `c` resembles, and its accents if they distinguish it.
fn reading(c: char, depth: usize) -> (u8, u8) {
    if let Some(&(_, letter)) = SIGNS.iter().find(|(sign, _)| *sign == c) {
        return (letter, 0);
    }
    if let Some(letter) = letter(&compatible(c)).or(enclosed(c)) {
        return (letter, 0);
    }
    let lower = only(&fold_case(c)).unwrap_or(c);
    if let Some(letter) = listed(&ALPHABETS, lower) {
        return (letter, accents(&[lower]));
    }
    if let Some(letter) = listed(&LOOK_ALIKES, c) {
        return (letter, 0);
    }
    if depth > 4 {
        return (0, 0);
    }
    let mut parts = Vec::new();
    decompose_canonical(c, |part| parts.push(part));
    if let [base, marks @ ..] = &parts[..]
        && !marks.is_empty()
        && marks.iter().all(|mark| is_combining_mark(*mark))
        && !UNACCENTED.contains(&lower)
    {
        return (reading(*base, depth + 1).0, accents(marks));
    }
    let alike: String = skeleton(c.encode_utf8(&mut [0; 4])).collect();
    if alike == "rn" {
        return (b'm', 0);
    }
    if let Some(letter) = letter(&alike) {
        return (if letter == b'l' { I_OR_L } else { letter }, 0);
    }
    let mut alike_chars = alike.chars();
    if let Some(first) = alike_chars.next()
        && alike_chars.all(is_combining_mark)
        && first != c
    {
        let (letter, _) = reading(first, depth + 1);
        if letter != 0 {
            return (letter, 0);
        }
    }
    // Its other letter case may resemble a Latin letter; a lower-case letter is often a small capital.
    if c.is_alphabetic() {
        for other in [only(&fold_case(c)), only(&c.to_uppercase().collect::<String>())].into_iter().flatten() {
            if other != c {
                let (letter, _) = reading(other, depth + 3);
                return (letter, 0);
            }
        }
    }
    let one = only(&compatible(c)).filter(|one| *one != c);
    one.map_or((0, 0), |one| reading(one, depth + 1))
}

fn is_ignorable(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}')
}

/// Whether `c` looks like a space without being whitespace: the empty Braille pattern, Hangul fillers.
fn is_empty(c: char) -> bool {
    matches!(c, '\u{2800}' | '\u{115f}' | '\u{3164}' | '\u{ffa0}')
}

/// Whether normalization finds the folded form of `c` at run time: Arabic presentation forms, compatibility ideographs,
/// and characters too rare for the table.
fn is_normalized_later(c: char, folded: &str) -> bool {
    let script = script(c);
    letter(folded).is_none()
        && (matches!(script, Script::Arabic | Script::Hebrew | Script::Unspaced | Script::Hangul | Script::Living)
            || (script == Script::Common
                && c >= '\u{3000}'
                && folded.chars().all(|c| c.is_alphanumeric() || is_combining_mark(c))))
}

fn kind(c: char, folded: &str, latin: u8) -> FoldKind {
    let mark = |script| matches!(script, Of::Inherited | Of::Hebrew | Of::Arabic | Of::Syriac);
    if c.is_whitespace() || is_empty(c) {
        FoldKind::Whitespace
    } else if is_ignorable(c) {
        FoldKind::Ignorable
    } else if is_combining_mark(c) && (mark(c.script()) || matches!(c, '\u{483}'..='\u{489}')) {
        FoldKind::Mark
    } else if matches!(c, '🇦'..='🇿') {
        FoldKind::RegionalIndicator
    } else if matches!(c, 'æ' | 'Æ' | 'œ' | 'Œ') {
        FoldKind::Ligature
    } else if matches!(c, '™' | '℠' | '№') {
        FoldKind::Other
    } else if enclosed(c).is_some() {
        FoldKind::Letter
    } else if folded.chars().count() != 1 || (folded != c.to_string() && is_normalized_later(c, folded)) {
        FoldKind::Expanding
    } else if is_nfc_quick(std::iter::once(c)) != IsNormalized::Yes && compose_last(c) {
        FoldKind::Composing
    } else if c.is_alphabetic() || is_combining_mark(c) || folded.chars().all(char::is_alphabetic) {
        FoldKind::Letter
    } else if c.is_numeric() {
        FoldKind::Digit
    } else if latin != 0 {
        FoldKind::Symbol
    } else {
        FoldKind::Other
    }
}

/// Whether any character composes with a following `c`.
fn compose_last(c: char) -> bool {
    matches!(c, '\u{1161}'..='\u{1175}' | '\u{11a8}'..='\u{11c2}')
        || ('\0'..='\u{11fff}').any(|first| compose(first, c).is_some())
}

fn make(c: char) -> CharEntry {
    let (mut latin, mut accent) = reading(c, 0);
    let folded = compatible(c);
    // A mathematical alpha counts as Greek.
    let own = Some(script(c)).filter(|own| *own != Script::Common).or_else(|| only(&folded).map(script));
    let own = own.unwrap_or(Script::Common);
    // Both cases of an accented Latin letter are read alike: `Ǯ` resembles `3` and `ǯ` resembles `z`.
    if accent != 0
        && own == Script::Latin
        && let Some(lower) = only(&folded).filter(|lower| *lower != c)
    {
        (latin, accent) = reading(lower, 0);
    }
    let kind = kind(c, &folded, latin);
    let mut script = if letter(&folded).is_some() || enclosed(c).is_some() { Script::Latin } else { own };
    let mut one = match kind {
        FoldKind::Expanding => c,
        _ if is_empty(c) => ' ',
        _ => only(&folded).unwrap_or(c),
    };
    let mut base = 0;
    // It is often printed without its dots.
    if one == 'ё' {
        base = i8::try_from(i64::from(u32::from('е')) - i64::from(u32::from(one))).unwrap();
        accent = 0;
    }
    match kind {
        FoldKind::Ligature => {
            (latin, accent) = (if matches!(c, 'æ' | 'Æ') { b'a' } else { b'o' }, LIGATURE_ACCENT);
            base = b'e'.cast_signed();
        }
        FoldKind::Letter | FoldKind::Composing if accent != 0 && own != Script::Latin => {
            let mut parts = Vec::new();
            decompose_canonical(one, |part| parts.push(part));
            let distance = i64::from(u32::from(parts[0])) - i64::from(u32::from(one));
            base = i8::try_from(distance).unwrap_or(BASE_TOO_FAR);
        }
        FoldKind::Letter | FoldKind::Digit | FoldKind::Symbol | FoldKind::RegionalIndicator => {}
        FoldKind::Composing => (latin, accent) = (0, 0),
        _ => (latin, accent, script) = (0, 0, if kind == FoldKind::Expanding { own } else { Script::Common }),
    }
    if matches!(kind, FoldKind::Digit | FoldKind::Symbol) {
        (accent, script) = (0, Script::Common);
        // A digit in another style is read as that digit.
        latin = if one == c { latin } else { reading(one, 0).0 };
    }
    if kind == FoldKind::Letter && script == Script::Latin && accent == 0 && latin != 0 {
        // `latin` holds its folded form.
        one = c;
    }
    if matches!(c, '\u{10000}'..'\u{1d000}') && latin == 0 && kind != FoldKind::Expanding && one == c {
        // One entry for all of them, so that their blocks are shared.
        return CharEntry::new(FoldKind::Letter as u8 | (Script::Rare as u8) << 4, 0, 0, 0, 0);
    }
    let upper = c.is_uppercase() || matches!(c, '🅐'..='🆉' | '🄐'..='🄩');
    let odd = !c.is_ascii()
        && fold_case(c)
            != CharEntry::new(kind as u8 | (script as u8) << 4, latin, accent, base, 0).folded(one).to_string();
    let distance = i64::from(u32::from(one)) - i64::from(u32::from(c));
    let rest = i32::try_from(distance * 4).unwrap() + i32::from(upper) + 2 * i32::from(odd);
    CharEntry::new(kind as u8 | (script as u8) << 4, latin, accent, base, rest)
}

/// Formats numbers in lines of at most 120 columns.
fn rows<T: ToString>(numbers: impl IntoIterator<Item = T>) -> String {
    let (mut out, mut line) = (String::new(), String::from("   "));
    for number in numbers {
        let number = number.to_string();
        if line.len() + number.len() + 2 > 120 {
            writeln!(out, "{line}").unwrap();
            line = String::from("   ");
        }
        write!(line, " {number},").unwrap();
    }
    writeln!(out, "{line}").unwrap();
    out
}

fn generated() -> String {
    let (mut entries, mut numbers, mut blocks) = (Vec::new(), Vec::<u16>::new(), Vec::<u16>::new());
    let (mut known, mut known_blocks) = (HashMap::new(), HashMap::new());
    for start in (0..END).step_by(64) {
        let block: Vec<u16> = (start..start + 64)
            .map(|code| {
                let entry = char::from_u32(code).map_or(OTHER, make);
                *known.entry(entry).or_insert_with(|| {
                    entries.push(entry);
                    u16::try_from(entries.len() - 1).unwrap()
                })
            })
            .collect();
        let number = *known_blocks.entry(block).or_insert_with_key(|block| {
            numbers.extend(block);
            u16::try_from(numbers.len() / 64 - 1).unwrap()
        });
        blocks.push(number);
    }
    let shown = entries.iter().map(|e| {
        format!("e({}, {}, {}, {}, {})", e.kind_and_script, e.latin, e.accent, e.base_shift, e.shift_and_flags)
    });
    format!(
        "//! Generated from Unicode data by the tests of this module; do not edit.\n\n\
         #![allow(clippy::unreadable_literal, reason = \"generated\")]\n\n\
         use super::CharEntry;\n\n\
         /// The block of `NUMBERS` for each 64 code points.\n\
         #[rustfmt::skip]\n\
         pub(super) static BLOCKS: [u16; {}] = [\n{}];\n\n\
         /// The index in `ENTRIES` of each code point of a block.\n\
         #[rustfmt::skip]\n\
         pub(super) static NUMBERS: [u16; {}] = [\n{}];\n\n\
         const fn e(what: u8, latin: u8, accent: u8, base: i8, rest: i32) -> CharEntry {{\n    \
         CharEntry::new(what, latin, accent, base, rest)\n}}\n\n\
         /// All distinct entries.\n\
         #[rustfmt::skip]\n\
         pub(super) static ENTRIES: [CharEntry; {}] = [\n{}];\n",
        blocks.len(),
        rows(&blocks),
        numbers.len(),
        rows(&numbers),
        entries.len(),
        rows(shown),
    )
}

/// Regenerates the table when `UPDATE_TABLES` is set.
#[test]
fn the_table_matches_the_data() {
    let made = generated();
    if std::env::var_os("UPDATE_TABLES").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/matching/table/data.rs");
        std::fs::write(path, made).unwrap();
        return;
    }
    assert!(
        made == include_str!("data.rs"),
        "the table is outdated; regenerate it with\n\
         UPDATE_TABLES=1 cargo test --lib the_table_matches_the_data"
    );
}

#[test]
fn an_accented_latin_letter_is_read_as_its_folded_form_is() {
    let letters = ('\u{80}'..'\u{20000}').map(|c| (c, entry(c)));
    let is_latin = |entry: CharEntry| entry.kind() == FoldKind::Letter && entry.script() == Script::Latin;
    for (c, one) in letters.filter(|(_, entry)| is_latin(*entry) && entry.accent != 0) {
        let folded = one.folded(c);
        let other = entry(folded);
        assert_eq!((one.latin, one.accent), (other.latin, other.accent), "{c} and {folded}");
    }
}

#[test]
fn the_table_takes_less_than_64_kib() {
    let size = size_of_val(&data::BLOCKS) + size_of_val(&data::NUMBERS) + size_of_val(&data::ENTRIES);
    assert!(size <= 64 << 10, "{size} bytes");
}

#[test]
fn lookalikes_of_latin_letters_in_the_data_are_in_the_table() {
    let mut missing = String::new();
    for small in 'a'..='z' {
        for shown in [small, small.to_ascii_uppercase()] {
            let target: String = skeleton(shown.encode_utf8(&mut [0; 4])).collect();
            for c in ('\u{80}'..'\u{20000}').filter(|c| skeleton(c.encode_utf8(&mut [0; 4])).eq(target.chars())) {
                let stays = compatible(c) == fold_case(c);
                if stays
                    && entry(c).latin == 0
                    && !matches!(
                        entry(c).kind(),
                        FoldKind::Mark | FoldKind::Ligature | FoldKind::Expanding | FoldKind::Composing
                    )
                {
                    missing.push(c);
                }
            }
        }
    }
    assert_eq!(missing, "");
}

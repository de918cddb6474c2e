//! A form of texts and regexes in which two bytes decide about a word boundary.
//!
//! A regex engine is fast while it decides byte by byte. It cannot do so for `\b` once a text has an emoji or an
//! accent: it takes a table to tell that `é` is part of a word, and the search becomes 10 to 50 times slower. So the
//! text is rewritten: each non-ASCII letter, digit or mark is put between two `Z`, and ASCII letters are in lower case,
//! which frees the capitals for this use. To an ASCII-only engine `Z` is part of a word, and nothing between two `Z` is
//! a boundary. The regex is rewritten in the same way and has the same matches.
//!
//! Requires a regex that ignores case wherever it has letters.

use std::borrow::Cow;
use std::ops::Range;

use regex_syntax::hir::{Capture, Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look, Repetition};

use super::char_class::CharClass;

const MARKER: char = 'Z';
/// Maximum nesting of a regex.
const MAX_DEPTH: usize = 200;

/// A text in the form for regexes with word boundaries.
#[derive(Debug)]
pub struct MarkedText<'t> {
    text: &'t str,
    marked: Cow<'t, str>,
}

impl<'t> MarkedText<'t> {
    /// Rewrites a text. Borrows it if it is ASCII without capitals.
    #[must_use]
    pub fn new(text: &'t str) -> Self {
        let marked = if !text.is_ascii() {
            let mut marked = String::with_capacity(text.len() * 2);
            for c in text.chars() {
                if is_marked(c) {
                    marked.push(MARKER);
                    marked.push(c);
                    marked.push(MARKER);
                } else {
                    marked.push(c.to_ascii_lowercase());
                }
            }
            Cow::Owned(marked)
        } else if text.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        };
        Self { text, marked }
    }

    /// Returns the original text.
    #[must_use]
    pub fn text(&self) -> &'t str {
        self.text
    }

    pub(super) fn marked(&self) -> &str {
        &self.marked
    }

    /// Returns a map from offsets in the marked text to offsets in the original one.
    pub(super) fn offsets(&self) -> MarkedOffsets<'_> {
        MarkedOffsets { marked: &self.marked, from: 0, to: 0 }
    }
}

/// Maps offsets of a marked text back to the original text. Offsets must be queried in ascending order.
#[derive(Clone, Debug)]
pub(super) struct MarkedOffsets<'m> {
    marked: &'m str,
    /// The last offset queried, and the original one.
    from: usize,
    to: usize,
}

impl MarkedOffsets<'_> {
    /// Returns the bytes of the original text that a range of the marked text stands for.
    pub(super) fn original(&mut self, marked: &Range<usize>) -> Range<usize> {
        self.advance(marked.start)..self.advance(marked.end)
    }

    fn advance(&mut self, place: usize) -> usize {
        let passed = self.marked.as_bytes().get(self.from..place).unwrap_or_default();
        // Every capital is a marker here.
        self.to += passed.iter().filter(|b| **b != MARKER as u8).count();
        self.from = self.from.max(place);
        self.to
    }
}

/// Whether a character is a non-ASCII word character.
fn is_marked(c: char) -> bool {
    !c.is_ascii() && CharClass::new(c).is_word_char()
}

/// Returns the regex for marked texts, or `None` if it has no Unicode word boundary or is case-sensitive.
pub(super) fn rewrite_for_marked(parsed: &Hir) -> Option<Hir> {
    parsed.properties().look_set().contains_word_unicode().then(|| rewrite(parsed, 0)).flatten()
}

fn rewrite(hir: &Hir, depth: usize) -> Option<Hir> {
    if depth > MAX_DEPTH {
        return None;
    }
    let all = |parts: &[Hir]| parts.iter().map(|part| rewrite(part, depth + 1)).collect::<Option<Vec<_>>>();
    Some(match hir.kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).ok()?;
            if text.bytes().any(|b| b.is_ascii_alphabetic()) {
                return None;
            }
            Hir::literal(MarkedText::new(text).marked().as_bytes())
        }
        HirKind::Class(Class::Unicode(class)) => rewrite_class(class)?,
        HirKind::Class(Class::Bytes(class)) => {
            class.is_ascii().then_some(())?;
            let ranges = class
                .ranges()
                .iter()
                .map(|range| ClassUnicodeRange::new(char::from(range.start()), char::from(range.end())));
            rewrite_class(&ClassUnicode::new(ranges))?
        }
        HirKind::Look(look) => Hir::look(match look {
            Look::WordUnicode => Look::WordAscii,
            Look::WordUnicodeNegate => Look::WordAsciiNegate,
            Look::WordStartUnicode => Look::WordStartAscii,
            Look::WordEndUnicode => Look::WordEndAscii,
            Look::WordStartHalfUnicode => Look::WordStartHalfAscii,
            Look::WordEndHalfUnicode => Look::WordEndHalfAscii,
            Look::Start | Look::End | Look::StartLF | Look::EndLF | Look::StartCRLF | Look::EndCRLF => *look,
            // ASCII boundaries treat `é` as a non-word character, which a marked text cannot express.
            _ => return None,
        }),
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            min: repetition.min,
            max: repetition.max,
            greedy: repetition.greedy,
            sub: Box::new(rewrite(&repetition.sub, depth + 1)?),
        }),
        // Captures are never read.
        HirKind::Capture(Capture { sub, .. }) => rewrite(sub, depth + 1)?,
        HirKind::Concat(parts) => Hir::concat(all(parts)?),
        HirKind::Alternation(branches) => Hir::alternation(all(branches)?),
    })
}

/// Rewrites a class for marked texts. Returns `None` if it has an ASCII letter in one case only.
fn rewrite_class(class: &ClassUnicode) -> Option<Hir> {
    let range = |start, end| ClassUnicode::new([ClassUnicodeRange::new(start, end)]);
    let mut small = class.clone();
    small.intersect(&range('a', 'z'));
    let mut capital = class.clone();
    capital.intersect(&range('A', 'Z'));
    let lowered = capital
        .ranges()
        .iter()
        .map(|range| ClassUnicodeRange::new(range.start().to_ascii_lowercase(), range.end().to_ascii_lowercase()));
    if ClassUnicode::new(lowered) != small {
        return None;
    }
    let mut marked = class.clone();
    marked.intersect(word_chars());
    marked.difference(&range('\0', '\u{7f}'));
    let mut plain = class.clone();
    plain.difference(&marked);
    plain.difference(&capital);
    let mut branches = Vec::with_capacity(2);
    if !plain.ranges().is_empty() {
        branches.push(Hir::class(Class::Unicode(plain)));
    }
    if !marked.ranges().is_empty() {
        let sign = || Hir::literal([MARKER as u8]);
        branches.push(Hir::concat(vec![sign(), Hir::class(Class::Unicode(marked)), sign()]));
    }
    Some(Hir::alternation(branches))
}

/// Returns the class of `\w`.
fn word_chars() -> &'static ClassUnicode {
    static CLASS: std::sync::LazyLock<ClassUnicode> = std::sync::LazyLock::new(|| {
        let parsed = regex_syntax::parse(r"\w");
        match parsed.as_ref().map(Hir::kind) {
            Ok(HirKind::Class(Class::Unicode(class))) => class.clone(),
            _ => ClassUnicode::empty(),
        }
    });
    &CLASS
}

#[cfg(test)]
mod tests {
    use super::super::BoundedRegex;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn non_ascii_letters_are_marked() {
        assert_eq!(MarkedText::new("aB é🗺Zß_").marked(), "ab ZéZ🗺zZßZ_");
        assert_eq!(MarkedText::new("plain 1").marked(), "plain 1");
    }

    #[test]
    fn ranges_map_back_to_the_text() {
        let text = MarkedText::new("é ÄB x");
        assert_eq!(text.marked(), "ZéZ ZÄZb x");
        assert_eq!(text.offsets().original(&(5..10)), 3..6);
        assert_eq!(text.offsets().original(&(0..12)), 0..8);
        let mut offsets = text.offsets();
        assert_eq!([0..4, 5..9, 11..12].map(|range| offsets.original(&range)), [0..2, 3..5, 7..8]);
    }

    #[test]
    fn case_sensitive_regexes_are_not_rewritten() {
        let marked = |pattern: &str| BoundedRegex::new(pattern).unwrap().needs_marked();
        assert!(marked(r"\bcat\b") && marked(r"\b{start}мир\w+") && marked(r"\bcat(?-i:1)\b"));
        assert!(!marked(r"\b(?-i)cat\b") && !marked("cat") && !marked(r"(?-u:\b)cat\b"));
    }

    const PARTS: &[&str] = &[
        r"\b",
        r"\b",
        r"\B",
        r"\w",
        r"\W",
        "a",
        "z",
        "Z",
        "é",
        "Ж",
        "漢",
        ".",
        "[^a]",
        r"\b{start}",
        r"\b{end}",
        "[zé🗺]",
        "[^zé]",
        r"\s",
        r"\d",
        "^",
        "$",
        "|",
        "(a|é)+",
        r"\w*?",
        "k",
        "(?-i:1)",
        r"(?:\b|x)",
        r"\b{start-half}",
        "(?-i:z)",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn marked_regexes_match_like_plain_ones(
            parts in proptest::collection::vec(proptest::sample::select(PARTS), 1..8),
            text in "[aAzZéÉЖж漢🗺 .1\u{301}kK\n]{0,16}",
        ) {
            let pattern = parts.concat();
            let Ok(regex) = BoundedRegex::new(&pattern) else { return Ok(()) };
            let plain = regex::RegexBuilder::new(&pattern).case_insensitive(true).build().unwrap();
            let expected: Vec<_> = plain.find_iter(&text).map(|hit| hit.range()).collect();
            prop_assert_eq!(regex.find_iter(&text).collect::<Vec<_>>(), expected.clone());
            prop_assert_eq!(regex.find(&text), expected.first().cloned());
            prop_assert_eq!(regex.is_match(&text), !expected.is_empty());
        }
    }
}

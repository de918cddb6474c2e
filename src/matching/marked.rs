//! Texts and regexes in a form in which the boundary of a word can be told from two bytes.
//!
//! A regex engine is quick as long as it decides byte by byte, and it cannot do that for `\b` once a text has an emoji or
//! an accent: whether `é` is part of a word takes a table. It then is ten to fifty times as slow. So the text is written
//! otherwise: each letter, digit or mark beyond ASCII between two `Z`, and the letters of ASCII all small, which leaves
//! the capitals free for that. For an engine that knows ASCII only, `Z` is part of a word, and what comes between two of
//! them is never looked at for a boundary. The regex is rewritten in the same way; both then agree as before.
//!
//! That takes a regex that is blind to case wherever it has letters.

use std::borrow::Cow;
use std::ops::Range;

use regex_syntax::hir::{Capture, Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look, Repetition};

use super::kinds::Kind;

const SIGN: char = 'Z';
/// How deep a regex may be nested.
const MAX_DEPTH: usize = 200;

/// A text as regexes with boundaries see it.
#[derive(Debug)]
pub struct MarkedText<'t> {
    text: &'t str,
    marked: Cow<'t, str>,
}

impl<'t> MarkedText<'t> {
    /// Rewrites a text; one of small letters of ASCII is taken as it is.
    #[must_use]
    pub fn of(text: &'t str) -> Self {
        let marked = if !text.is_ascii() {
            let mut marked = String::with_capacity(text.len() * 2);
            for c in text.chars() {
                if is_marked(c) {
                    marked.push(SIGN);
                    marked.push(c);
                    marked.push(SIGN);
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

    /// The text itself.
    #[must_use]
    pub fn text(&self) -> &'t str {
        self.text
    }

    pub(super) fn marked(&self) -> &str {
        &self.marked
    }

    /// Leads places of the marked text back.
    pub(super) fn places(&self) -> Places<'_> {
        Places { marked: &self.marked, from: 0, to: 0 }
    }
}

/// Places of a marked text, asked for in rising order.
#[derive(Clone, Debug)]
pub(super) struct Places<'m> {
    marked: &'m str,
    /// The place asked for last, and where it is in the text.
    from: usize,
    to: usize,
}

impl Places<'_> {
    /// The bytes of the text that bytes of the marked text stand for.
    pub(super) fn original(&mut self, marked: &Range<usize>) -> Range<usize> {
        self.forward(marked.start)..self.forward(marked.end)
    }

    fn forward(&mut self, place: usize) -> usize {
        let passed = self.marked.as_bytes().get(self.from..place).unwrap_or_default();
        // A capital is nothing but a sign here.
        self.to += passed.iter().filter(|b| **b != SIGN as u8).count();
        self.from = self.from.max(place);
        self.to
    }
}

/// Whether a character beyond ASCII is what words are made of.
fn is_marked(c: char) -> bool {
    !c.is_ascii() && Kind::of(c).is_of_word()
}

/// The regex for marked texts; `None` when it asks for no boundary of a word beyond ASCII, or looks at case.
pub(super) fn rewritten(parsed: &Hir) -> Option<Hir> {
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
            Hir::literal(MarkedText::of(text).marked().as_bytes())
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
            // Those of ASCII take `é` for no part of a word, which a marked text does not tell.
            _ => return None,
        }),
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            min: repetition.min,
            max: repetition.max,
            greedy: repetition.greedy,
            sub: Box::new(rewrite(&repetition.sub, depth + 1)?),
        }),
        // Which group matched what is never asked.
        HirKind::Capture(Capture { sub, .. }) => rewrite(sub, depth + 1)?,
        HirKind::Concat(parts) => Hir::concat(all(parts)?),
        HirKind::Alternation(branches) => Hir::alternation(all(branches)?),
    })
}

/// Characters of a class as they are in a marked text; `None` if it has a letter of ASCII in one case only.
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
    marked.intersect(word_characters());
    marked.difference(&range('\0', '\u{7f}'));
    let mut plain = class.clone();
    plain.difference(&marked);
    plain.difference(&capital);
    let mut branches = Vec::with_capacity(2);
    if !plain.ranges().is_empty() {
        branches.push(Hir::class(Class::Unicode(plain)));
    }
    if !marked.ranges().is_empty() {
        let sign = || Hir::literal([SIGN as u8]);
        branches.push(Hir::concat(vec![sign(), Hir::class(Class::Unicode(marked)), sign()]));
    }
    Some(Hir::alternation(branches))
}

/// What `\w` matches.
fn word_characters() -> &'static ClassUnicode {
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
    fn letters_beyond_ascii_are_marked() {
        assert_eq!(MarkedText::of("aB é🗺Zß_").marked(), "ab ZéZ🗺zZßZ_");
        assert_eq!(MarkedText::of("plain 1").marked(), "plain 1");
    }

    #[test]
    fn ranges_lead_back_to_the_text() {
        let text = MarkedText::of("é ÄB x");
        assert_eq!(text.marked(), "ZéZ ZÄZb x");
        assert_eq!(text.places().original(&(5..10)), 3..6);
        assert_eq!(text.places().original(&(0..12)), 0..8);
        let mut places = text.places();
        assert_eq!([0..4, 5..9, 11..12].map(|range| places.original(&range)), [0..2, 3..5, 7..8]);
    }

    #[test]
    fn what_looks_at_case_is_not_rewritten() {
        let marked = |pattern: &str| BoundedRegex::new(pattern).unwrap().wants_marked();
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
        fn marked_regexes_match_as_plain_ones(
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

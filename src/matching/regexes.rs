//! Regexes with limits, and the literals that they cannot match without.

use std::ops::Range;
use std::time::{Duration, Instant};

use regex_automata::meta;
use regex_automata::nfa::thompson::WhichCaptures;
use regex_syntax::hir::Hir;
use thiserror::Error;

use super::marked::{self, MarkedText};
use super::required::{self, Part};
use super::samples;

/// Longest regex. Bytes.
const MAX_BYTES: usize = 1_000;
/// What one regex may take once compiled, in bytes.
const SIZE: usize = 256 << 10;
/// What one regex may take for its cache while it runs, in bytes.
const CACHE: usize = 1 << 20;
const NESTING: u32 = 32;

/// Why a regex is not taken. Each text goes after the name of the regex: "pattern "(a" does not compile: ...".
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum RegexFault {
    /// It has more than 1 000 bytes.
    #[error("is {length} bytes; the limit is {MAX_BYTES}")]
    TooLong {
        /// Bytes that it has.
        length: usize,
    },
    /// It is no regex.
    #[error("does not compile: {what} (at byte {at})")]
    Syntax {
        /// What is wrong with it.
        what: String,
        /// Byte of the regex.
        at: usize,
    },
    /// No text matches it, like `[a&&b]`.
    #[error("can never match")]
    NeverMatches,
    /// The empty text matches it, so every text does.
    #[error("matches the empty text, so every message")]
    MatchesEmpty,
    /// It is too large once compiled, by many repetitions of large classes for example.
    #[error("needs more than {limit} bytes once compiled")]
    TooBig {
        /// Bytes that it may take.
        limit: usize,
    },
    /// Refused without a reason that could be told.
    #[error("does not compile")]
    Refused,
}

/// A regex that is within limits: 1 000 bytes written, 256 KB compiled, 1 MB for its cache, 32 levels of nesting.
///
/// It is blind to case unless it says `(?-i)`, and never matches the empty text.
#[derive(Clone, Debug)]
pub struct BoundedRegex {
    pattern: Box<str>,
    regex: meta::Regex,
    /// Whether it is made for marked texts.
    marked: bool,
    parsed: Hir,
    required: Option<Vec<String>>,
    required_letters: Option<Vec<String>>,
}

impl BoundedRegex {
    /// Compiles a regex.
    ///
    /// # Errors
    /// What is wrong with it, or which limit it breaks.
    pub fn new(pattern: &str) -> Result<Self, RegexFault> {
        if pattern.len() > MAX_BYTES {
            return Err(RegexFault::TooLong { length: pattern.len() });
        }
        // Parsed by itself first: the errors name the place, and what it can match is known.
        let mut parser = regex_syntax::ParserBuilder::new().case_insensitive(true).nest_limit(NESTING).build();
        let parsed = parser.parse(pattern).map_err(|e| match &e {
            regex_syntax::Error::Parse(e) => syntax(e.kind(), e.span()),
            regex_syntax::Error::Translate(e) => syntax(e.kind(), e.span()),
            _ => RegexFault::Refused,
        })?;
        match parsed.properties().minimum_len() {
            None => return Err(RegexFault::NeverMatches),
            Some(0) => return Err(RegexFault::MatchesEmpty),
            Some(_) => {}
        }
        let rewritten = marked::rewritten(&parsed);
        let config = meta::Regex::config()
            .nfa_size_limit(Some(SIZE))
            .hybrid_cache_capacity(CACHE)
            .which_captures(WhichCaptures::Implicit);
        let regex = meta::Regex::builder()
            .configure(config)
            .build_from_hir(rewritten.as_ref().unwrap_or(&parsed))
            .map_err(|e| e.size_limit().map_or(RegexFault::Refused, |limit| RegexFault::TooBig { limit }))?;
        let required = required::of(&parsed, Part::Whole);
        let required_letters = required::of(&parsed, Part::Letters);
        Ok(Self { pattern: pattern.into(), regex, marked: rewritten.is_some(), parsed, required, required_letters })
    }

    /// Literals of which every text that matches has at least one, once its case is folded: at most 32, of at least
    /// three characters each. `None` where there are none.
    ///
    /// They are folded character by character: lower case, its upper case, its lower case.
    #[must_use]
    pub fn required(&self) -> Option<&[String]> {
        self.required.as_deref()
    }

    /// The same with literals of letters only.
    #[must_use]
    pub fn required_letters(&self) -> Option<&[String]> {
        self.required_letters.as_deref()
    }

    /// Whether it looks at the marked form of a text. If several regexes look at one text, it pays to make that form
    /// once, for [`find_marked`](Self::find_marked).
    #[must_use]
    pub fn wants_marked(&self) -> bool {
        self.marked
    }

    /// The first match: bytes of the text, never empty.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<Range<usize>> {
        if self.marked { self.find_marked(&MarkedText::of(text)) } else { self.regex.find(text).map(|hit| hit.range()) }
    }

    /// The first match: bytes of the text as it was before it was marked, never empty.
    #[must_use]
    pub fn find_marked(&self, text: &MarkedText<'_>) -> Option<Range<usize>> {
        if !self.marked {
            return self.regex.find(text.text()).map(|hit| hit.range());
        }
        self.regex.find(text.marked()).map(|hit| text.places().original(&hit.range()))
    }

    /// All matches that do not overlap, from left to right: bytes of the text, none empty.
    pub fn find_iter(&self, text: &str) -> impl Iterator<Item = Range<usize>> + use<> {
        // Collected, since the marked text does not outlive this; whoever asks for all matches is about to mask them.
        let all: Vec<_> = if self.marked {
            self.find_iter_marked(&MarkedText::of(text)).collect()
        } else {
            self.regex.find_iter(text).map(|hit| hit.range()).collect()
        };
        all.into_iter()
    }

    /// The same: bytes of the text as it was before it was marked.
    pub fn find_iter_marked<'s>(&'s self, text: &'s MarkedText<'_>) -> impl Iterator<Item = Range<usize>> + use<'s> {
        let haystack = if self.marked { text.marked() } else { text.text() };
        let matches = self.regex.find_iter(haystack).map(|hit| hit.range());
        let mut places = text.places();
        matches.map(move |range| if self.marked { places.original(&range) } else { range })
    }

    /// Whether it matches anywhere.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        if self.marked { self.regex.is_match(MarkedText::of(text).marked()) } else { self.regex.is_match(text) }
    }

    /// The regex as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.pattern
    }

    /// How long it takes for texts of two kilobytes that are made to keep it busy: what it looks for with the end
    /// missing, its classes over and over, an emoji among them. The longest time of the texts; for each text the
    /// shortest of three tries, since a machine has other things to do.
    #[must_use]
    pub fn trial(&self) -> Duration {
        let time = |text: &str| {
            let text = MarkedText::of(text);
            let tries = (0..3).map(|_| {
                let begin = Instant::now();
                std::hint::black_box(self.find_iter_marked(std::hint::black_box(&text)).count());
                begin.elapsed()
            });
            tries.min().unwrap_or_default()
        };
        samples::hostile(&self.parsed).iter().map(|text| time(text)).max().unwrap_or_default()
    }
}

fn syntax(kind: &impl std::fmt::Display, span: &regex_syntax::ast::Span) -> RegexFault {
    RegexFault::Syntax { what: kind.to_string(), at: span.start.offset }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(pattern: &str) -> String {
        BoundedRegex::new(pattern).unwrap_err().to_string()
    }

    #[test]
    fn case_makes_no_difference_unless_asked_for() {
        let regex = BoundedRegex::new(r"\bstraße\b|(?-i)NO").unwrap();
        assert_eq!(regex.find("x STRAßE"), Some(2..9));
        assert_eq!(regex.find_iter("NO no strasse NO").collect::<Vec<_>>(), [0..2, 14..16]);
        assert!(regex.is_match("Straße!") && !regex.is_match("Straßen"));
        assert_eq!(regex.as_str(), r"\bstraße\b|(?-i)NO");
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(fault("ab(c"), "does not compile: unclosed group (at byte 2)");
        assert_eq!(fault("x[a&&b]"), "can never match");
        assert_eq!(fault("(spam)?"), "matches the empty text, so every message");
        assert_eq!(fault(r"\w{200}"), "needs more than 262144 bytes once compiled");
        assert_eq!(fault(&"é".repeat(501)), "is 1002 bytes; the limit is 1000");
        assert_eq!(
            fault(&format!("{}a{}", "(".repeat(40), ")".repeat(40))),
            "does not compile: exceed the maximum number of nested parentheses/brackets (32) (at byte 32)"
        );
    }

    #[test]
    fn a_trial_takes_time() {
        assert!(BoundedRegex::new(r"\bbuy\s+\w+\s+now\b").unwrap().trial() > Duration::ZERO);
    }
}

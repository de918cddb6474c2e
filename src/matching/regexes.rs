//! Regexes with limits, and the literals that their matches require.

use std::ops::Range;
use std::time::{Duration, Instant};

use regex_automata::meta;
use regex_automata::nfa::thompson::WhichCaptures;
use regex_syntax::hir::Hir;
use thiserror::Error;

use super::marked::{self, MarkedText};
use super::required::{self, LiteralPart};
use super::samples;

/// Longest regex. Bytes.
const MAX_BYTES: usize = 1_000;
/// Largest compiled regex. Bytes.
const MAX_COMPILED_BYTES: usize = 256 << 10;
/// Largest cache of one regex during a search. Bytes.
const MAX_CACHE_BYTES: usize = 1 << 20;
const MAX_NESTING: u32 = 32;

/// The reason why a regex is rejected. The text follows the name of the regex: `pattern "(a" does not compile: …`.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum RegexError {
    /// The pattern has more than 1 000 bytes.
    #[error("is {length} bytes; the limit is {MAX_BYTES}")]
    TooLong {
        /// Length of the pattern. Bytes.
        length: usize,
    },
    /// The pattern is not a valid regex.
    #[error("does not compile: {message} (at byte {at})")]
    Syntax {
        /// The error of the parser.
        message: String,
        /// Byte of the pattern.
        at: usize,
    },
    /// No text matches it, like `[a&&b]`.
    #[error("can never match")]
    NeverMatches,
    /// It matches the empty text, and so every text.
    #[error("matches the empty text, so every message")]
    MatchesEmpty,
    /// It is too large once compiled, for example by repeating large classes.
    #[error("needs more than {limit} bytes once compiled")]
    TooBig {
        /// The limit. Bytes.
        limit: usize,
    },
    /// Any other error of the compiler.
    #[error("does not compile")]
    Other,
}

/// A regex within limits: a pattern of 1 000 bytes, 256 KiB compiled, 1 MiB of cache, 32 levels of nesting.
///
/// Ignores case unless it says `(?-i)`, and never matches the empty text.
#[derive(Clone, Debug)]
pub struct BoundedRegex {
    pattern: Box<str>,
    regex: meta::Regex,
    /// Whether it is compiled for marked texts.
    marked: bool,
    parsed: Hir,
    required: Option<Vec<String>>,
    required_letters: Option<Vec<String>>,
}

impl BoundedRegex {
    /// Compiles a regex.
    ///
    /// # Errors
    /// [`RegexError`] if it is invalid or exceeds a limit.
    pub fn new(pattern: &str) -> Result<Self, RegexError> {
        if pattern.len() > MAX_BYTES {
            return Err(RegexError::TooLong { length: pattern.len() });
        }
        // A separate parse gives errors with positions, and tells what the regex can match.
        let mut parser = regex_syntax::ParserBuilder::new().case_insensitive(true).nest_limit(MAX_NESTING).build();
        let parsed = parser.parse(pattern).map_err(|e| match &e {
            regex_syntax::Error::Parse(e) => syntax(e.kind(), e.span()),
            regex_syntax::Error::Translate(e) => syntax(e.kind(), e.span()),
            _ => RegexError::Other,
        })?;
        match parsed.properties().minimum_len() {
            None => return Err(RegexError::NeverMatches),
            Some(0) => return Err(RegexError::MatchesEmpty),
            Some(_) => {}
        }
        let rewritten = marked::rewrite_for_marked(&parsed);
        let config = meta::Regex::config()
            .nfa_size_limit(Some(MAX_COMPILED_BYTES))
            .hybrid_cache_capacity(MAX_CACHE_BYTES)
            .which_captures(WhichCaptures::Implicit);
        let regex = meta::Regex::builder()
            .configure(config)
            .build_from_hir(rewritten.as_ref().unwrap_or(&parsed))
            .map_err(|e| e.size_limit().map_or(RegexError::Other, |limit| RegexError::TooBig { limit }))?;
        let required = required::required_literals(&parsed, LiteralPart::Whole);
        let required_letters = required::required_literals(&parsed, LiteralPart::Letters);
        Ok(Self { pattern: pattern.into(), regex, marked: rewritten.is_some(), parsed, required, required_letters })
    }

    /// Returns literals of which every match contains at least one, once its case is folded: at most 32, of at least
    /// three characters each. `None` without such literals.
    ///
    /// The literals are case-folded character by character: lower case, then upper case, then lower case again.
    #[must_use]
    pub fn required(&self) -> Option<&[String]> {
        self.required.as_deref()
    }

    /// Like [`required`](Self::required), but returns literals that consist of letters only.
    #[must_use]
    pub fn required_letters(&self) -> Option<&[String]> {
        self.required_letters.as_deref()
    }

    /// Whether it searches the marked form of a text. If several regexes search one text, build that form once, for
    /// [`find_marked`](Self::find_marked).
    #[must_use]
    pub fn needs_marked(&self) -> bool {
        self.marked
    }

    /// Returns the first match: bytes of the text, never empty.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<Range<usize>> {
        if self.marked {
            self.find_marked(&MarkedText::new(text))
        } else {
            self.regex.find(text).map(|hit| hit.range())
        }
    }

    /// Returns the first match: bytes of the unmarked text, never empty.
    #[must_use]
    pub fn find_marked(&self, text: &MarkedText<'_>) -> Option<Range<usize>> {
        if !self.marked {
            return self.regex.find(text.text()).map(|hit| hit.range());
        }
        self.regex.find(text.marked()).map(|hit| text.offsets().original(&hit.range()))
    }

    /// Returns all non-overlapping matches from left to right: bytes of the text, never empty.
    pub fn find_iter(&self, text: &str) -> impl Iterator<Item = Range<usize>> + use<> {
        // Collected, since the marked text does not outlive this function.
        let all: Vec<_> = if self.marked {
            self.find_iter_marked(&MarkedText::new(text)).collect()
        } else {
            self.regex.find_iter(text).map(|hit| hit.range()).collect()
        };
        all.into_iter()
    }

    /// Like [`find_iter`](Self::find_iter), for a text that is already marked: bytes of the unmarked text.
    pub fn find_iter_marked<'s>(&'s self, text: &'s MarkedText<'_>) -> impl Iterator<Item = Range<usize>> + use<'s> {
        let haystack = if self.marked { text.marked() } else { text.text() };
        let matches = self.regex.find_iter(haystack).map(|hit| hit.range());
        let mut offsets = text.offsets();
        matches.map(move |range| if self.marked { offsets.original(&range) } else { range })
    }

    /// Whether it matches anywhere.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        if self.marked { self.regex.is_match(MarkedText::new(text).marked()) } else { self.regex.is_match(text) }
    }

    /// Returns the pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.pattern
    }

    /// Measures the search time for adversarial texts of two kilobytes, such as incomplete matches and repeated
    /// classes. Returns the longest time of any text; the time of a text is the shortest of three runs, to exclude
    /// noise.
    #[must_use]
    pub fn worst_case_time(&self) -> Duration {
        let time = |text: &str| {
            let text = MarkedText::new(text);
            let tries = (0..3).map(|_| {
                let begin = Instant::now();
                std::hint::black_box(self.find_iter_marked(std::hint::black_box(&text)).count());
                begin.elapsed()
            });
            tries.min().unwrap_or_default()
        };
        samples::adversarial_texts(&self.parsed).iter().map(|text| time(text)).max().unwrap_or_default()
    }
}

fn syntax(kind: &impl std::fmt::Display, span: &regex_syntax::ast::Span) -> RegexError {
    RegexError::Syntax { message: kind.to_string(), at: span.start.offset }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(pattern: &str) -> String {
        BoundedRegex::new(pattern).unwrap_err().to_string()
    }

    #[test]
    fn case_is_ignored_by_default() {
        let regex = BoundedRegex::new(r"\bstraße\b|(?-i)NO").unwrap();
        assert_eq!(regex.find("x STRAßE"), Some(2..9));
        assert_eq!(regex.find_iter("NO no strasse NO").collect::<Vec<_>>(), [0..2, 14..16]);
        assert!(regex.is_match("Straße!") && !regex.is_match("Straßen"));
        assert_eq!(regex.as_str(), r"\bstraße\b|(?-i)NO");
    }

    #[test]
    fn errors_name_the_problem() {
        assert_eq!(error("ab(c"), "does not compile: unclosed group (at byte 2)");
        assert_eq!(error("x[a&&b]"), "can never match");
        assert_eq!(error("(spam)?"), "matches the empty text, so every message");
        assert_eq!(error(r"\w{200}"), "needs more than 262144 bytes once compiled");
        assert_eq!(error(&"é".repeat(501)), "is 1002 bytes; the limit is 1000");
        assert_eq!(
            error(&format!("{}a{}", "(".repeat(40), ")".repeat(40))),
            "does not compile: exceed the maximum number of nested parentheses/brackets (32) (at byte 32)"
        );
    }

    #[test]
    fn the_worst_case_takes_time() {
        assert!(BoundedRegex::new(r"\bbuy\s+\w+\s+now\b").unwrap().worst_case_time() > Duration::ZERO);
    }
}

//! Regular expressions of plugins, limited so that every search is short: a search cannot be interrupted.
//!
//! An expression has one cache of its own for searches. (Those of the crate `regex` keep one for each thread.) So the
//! memory that it takes is known at any time.

use std::ops::Range;

use regex_automata::meta::{BuildError, Cache, Regex};
use regex_automata::nfa::thompson::State;
use regex_automata::util::captures::Captures;
use regex_automata::util::iter::Searcher;
use regex_automata::{Input, Span};

/// Longest expression, in bytes.
const MAX_EXPRESSION_BYTES: usize = 8 * 1024;
/// Limits of the size of a compiled expression and of the text it may search, in bytes. The running time of a search is
/// proportional to the product of both.
const SIZE_TIERS: [(usize, usize); 3] = [(16 * 1024, 32 * 1024), (64 * 1024, 8 * 1024), (256 * 1024, 2 * 1024)];
/// The slowest search keeps the bounds of all groups for every state, twice. They may take this many times as much as
/// the compiled expression.
const GROUPS_FACTOR: usize = 16;

/// Size of each of the two lazy DFAs' caches, in bytes. A search is many times slower if it is too small.
const DFA_BYTES: usize = 256 * 1024;

/// A compiled expression.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "generated code re-exports it")]
pub struct Pattern {
    regex: Regex,
    cache: Cache,
    /// Longest text that it may search, in bytes.
    max_text_bytes: usize,
    /// The memory that is reserved for it, in bytes.
    pub(super) reserved: usize,
}

impl Pattern {
    /// Compiles an expression.
    ///
    /// # Errors
    /// The reason why it does not compile.
    pub(super) fn compile(expression: &str) -> Result<Self, String> {
        // The builder limits the compiled expression; parsing it takes memory before that.
        if expression.len() > MAX_EXPRESSION_BYTES {
            return Err(format!("the expression has {} bytes; the limit is {MAX_EXPRESSION_BYTES}", expression.len()));
        }
        let mut error = String::new();
        for (size, max_text_bytes) in SIZE_TIERS {
            match build(expression, size) {
                Ok(regex) if groups_bytes(&regex) <= GROUPS_FACTOR * size => {
                    let cache = regex.create_cache();
                    return Ok(Self { regex, cache, max_text_bytes, reserved: 0 });
                }
                Ok(regex) => {
                    let groups = regex.group_info().explicit_slot_len() / 2;
                    error = format!("the expression has {groups} groups, which is too many for its size");
                }
                Err(too_big) if too_big.size_limit().is_some() => {
                    error = format!("the compiled expression exceeds the size limit of {size} bytes");
                }
                Err(other) => {
                    return Err(other.syntax_error().map_or_else(|| other.to_string(), ToString::to_string));
                }
            }
        }
        Err(error)
    }

    /// The memory that it takes now, in bytes.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + self.regex.memory_usage() + self.cache.memory_usage()
    }

    /// Drops what searches have cached. The next search takes longer.
    pub(super) fn clear_cache(&mut self) {
        self.cache = self.regex.create_cache();
    }

    /// Checks that a text is short enough for a search.
    ///
    /// # Errors
    /// If it is too long.
    pub(super) fn check_length(&self, text: &str) -> wasmtime::Result<()> {
        if text.len() > self.max_text_bytes {
            wasmtime::bail!(
                "the text to search has {} bytes; the limit for this expression is {}",
                text.len(),
                self.max_text_bytes
            );
        }
        Ok(())
    }

    /// Whether the text has a match.
    pub(super) fn is_match(&mut self, text: &str) -> bool {
        self.regex.search_half_with(&mut self.cache, &Input::new(text).earliest(true)).is_some()
    }

    /// The first match, in bytes.
    pub(super) fn find(&mut self, text: &str) -> Option<Range<usize>> {
        self.find_iter(text).next()
    }

    /// All matches, in bytes.
    pub(super) fn find_iter(&mut self, text: &str) -> impl Iterator<Item = Range<usize>> {
        let Self { regex, cache, .. } = self;
        let mut searcher = Searcher::new(Input::new(text));
        std::iter::from_fn(move || {
            let found = searcher.advance(|input| Ok(regex.search_with(cache, input)));
            found.map(|found| found.range())
        })
    }

    /// All matches with their groups.
    pub(super) fn captures_iter(&mut self, text: &str) -> impl Iterator<Item = Groups> {
        let Self { regex, cache, .. } = self;
        let mut searcher = Searcher::new(Input::new(text));
        let mut captures = regex.create_captures();
        std::iter::from_fn(move || {
            let found = searcher.advance(|input| {
                regex.search_captures_with(cache, input, &mut captures);
                Ok(captures.get_match())
            });
            found.map(|found| Groups { whole: found.span(), captures: captures.clone() })
        })
    }
}

/// The groups of a match.
#[derive(Debug)]
pub(super) struct Groups {
    /// The whole match, in bytes.
    pub(super) whole: Span,
    captures: Captures,
}

impl Groups {
    /// Appends `replacement`, in which `$1` and `$name` stand for groups of this match in `text`.
    pub(super) fn expand(&self, text: &str, replacement: &str, onto: &mut String) {
        self.captures.interpolate_string_into(text, replacement, onto);
    }
}

/// Compiles an expression that may have `size` bytes.
fn build(expression: &str, size: usize) -> Result<Regex, Box<BuildError>> {
    let config =
        Regex::config().nfa_size_limit(Some(size)).onepass_size_limit(Some(size)).hybrid_cache_capacity(DFA_BYTES);
    Regex::builder().configure(config).build(expression).map_err(Box::new)
}

/// The most memory that the bounds of groups take during a search, in bytes.
fn groups_bytes(regex: &Regex) -> usize {
    let most_states = regex.memory_usage() / size_of::<State>();
    2 * most_states.saturating_mul(regex.group_info().slot_len()).saturating_mul(size_of::<usize>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn larger_expressions_may_only_search_shorter_texts() {
        for (expression, max_text_bytes) in
            [("casino", 32 * 1024), ("(?-u)[ab]{300}", 8 * 1024), ("(?-u)[ab]{1000}", 2 * 1024)]
        {
            let pattern = Pattern::compile(expression).unwrap();
            assert_eq!(pattern.max_text_bytes, max_text_bytes, "{expression}");
            assert!(pattern.check_length(&"x".repeat(max_text_bytes)).is_ok());
            assert!(pattern.check_length(&"x".repeat(max_text_bytes + 1)).is_err());
        }
    }

    #[test]
    fn invalid_and_oversized_expressions_are_rejected() {
        assert!(Pattern::compile("(").unwrap_err().contains("unclosed group"));
        assert!(Pattern::compile(r"\w{5000}").unwrap_err().contains("exceeds the size limit"));
        assert!(Pattern::compile(&"x".repeat(8_193)).unwrap_err().contains("8193 bytes; the limit is 8192"));
    }

    #[test]
    fn an_expression_of_which_a_search_would_take_hundreds_of_mebibytes_is_rejected() {
        let refused = Pattern::compile(&"(a|b)".repeat(1_600)).unwrap_err();
        assert_eq!(refused, "the expression has 1600 groups, which is too many for its size");
        assert!(Pattern::compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d))?").is_ok());
    }

    #[test]
    fn no_expression_takes_more_than_three_mebibytes() {
        let words = "Füßing größe xing ж".repeat(80);
        for expression in [r"(?i)\b\w+ing\s+(\pL+)\b", "(?-u)[ab]{1000}", "(?:(a|b)(b|a)){400}", "(.)(.)(.)(.)x*"] {
            let mut pattern = Pattern::compile(expression).unwrap();
            let compiled = pattern.size();
            for text in ["ab".repeat(1_000), words.clone()] {
                pattern.is_match(&text);
                assert!(pattern.captures_iter(&text).count() <= text.len(), "{expression}");
            }
            assert!(pattern.size() <= 3 * 1024 * 1024, "{expression}: {} bytes", pattern.size());
            pattern.clear_cache();
            assert!(pattern.size() <= compiled, "{expression}");
        }
    }

    #[test]
    fn matches_and_replacements_are_those_of_the_crate_regex() {
        for (expression, text) in [("", "ab"), ("a*", "baac"), (r"(\w)(?<last>\w)?", "größe x"), ("^|$", "a\nb")] {
            let reference = regex::Regex::new(expression).unwrap();
            let mut pattern = Pattern::compile(expression).unwrap();
            let expected: Vec<_> = reference.find_iter(text).map(|found| found.range()).collect();
            assert_eq!(pattern.find_iter(text).collect::<Vec<_>>(), expected, "{expression}");
            assert_eq!(pattern.find(text), expected.first().cloned(), "{expression}");
            assert_eq!(pattern.is_match(text), reference.is_match(text), "{expression}");
            let expand = |groups: Groups| {
                let mut expanded = String::new();
                groups.expand(text, "<$1 ${last} $$ $9>", &mut expanded);
                expanded
            };
            let expected: Vec<_> = reference
                .captures_iter(text)
                .map(|groups| {
                    let mut expanded = String::new();
                    groups.expand("<$1 ${last} $$ $9>", &mut expanded);
                    expanded
                })
                .collect();
            assert_eq!(pattern.captures_iter(text).map(expand).collect::<Vec<_>>(), expected, "{expression}");
        }
    }
}

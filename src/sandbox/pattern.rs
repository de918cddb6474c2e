//! Regular expressions of plugins, limited so that every search is short: a search cannot be interrupted.

use regex::{Regex, RegexBuilder};

/// Longest expression, in bytes.
const MAX_EXPRESSION_BYTES: usize = 8 * 1024;
/// Limits of the size of a compiled expression and of the text it may search, in bytes. The running time of a search is
/// proportional to the product of both.
const SIZE_TIERS: [(usize, usize); 3] = [(16 * 1024, 32 * 1024), (64 * 1024, 8 * 1024), (256 * 1024, 2 * 1024)];

/// Size of the lazy DFA's cache, in bytes. A search is many times slower if it is too small.
const DFA_BYTES: usize = 256 * 1024;

/// A compiled expression.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "generated code re-exports it")]
pub struct Pattern {
    regex: Regex,
    /// Most memory that it may take, in bytes.
    pub(super) size: usize,
    /// Longest text that it may search, in bytes.
    max_text_bytes: usize,
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
            match RegexBuilder::new(expression).size_limit(size).dfa_size_limit(DFA_BYTES).build() {
                Ok(regex) => return Ok(Self { regex, size: size + DFA_BYTES, max_text_bytes }),
                Err(regex::Error::CompiledTooBig(_)) => {
                    error = format!("the compiled expression exceeds the size limit of {size} bytes");
                }
                Err(other) => return Err(other.to_string()),
            }
        }
        Err(error)
    }

    /// Returns the expression for a search in `text`.
    ///
    /// # Errors
    /// If the text is too long.
    pub(super) fn regex_for(&self, text: &str) -> wasmtime::Result<&Regex> {
        if text.len() > self.max_text_bytes {
            wasmtime::bail!(
                "the text to search has {} bytes; the limit for this expression is {}",
                text.len(),
                self.max_text_bytes
            );
        }
        Ok(&self.regex)
    }
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
            assert!(pattern.regex_for(&"x".repeat(max_text_bytes)).is_ok());
            assert!(pattern.regex_for(&"x".repeat(max_text_bytes + 1)).is_err());
        }
    }

    #[test]
    fn invalid_and_oversized_expressions_are_rejected() {
        assert!(Pattern::compile("(").unwrap_err().contains("unclosed group"));
        assert!(Pattern::compile(r"\w{5000}").unwrap_err().contains("exceeds the size limit"));
        assert!(Pattern::compile(&"x".repeat(8_193)).unwrap_err().contains("8193 bytes; the limit is 8192"));
    }
}

//! A regular expression of a plugin, bounded so that one search in it ends soon: a search is not interrupted.

use regex::{Regex, RegexBuilder};

/// Longest expression, in bytes.
const EXPRESSION_BYTES: usize = 8 * 1024;
/// How large a compiled expression may be, in bytes, and how long a text it may then be looked for in. A search takes
/// time by the product of both.
const BOUNDS: [(usize, usize); 3] = [(16 * 1024, 32 * 1024), (64 * 1024, 8 * 1024), (256 * 1024, 2 * 1024)];

/// What a search may remember of what it has worked out, in bytes: with too little of that it takes many times longer.
const DFA_BYTES: usize = 256 * 1024;

/// A compiled expression.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "generated code gives it another name, as public as its own")]
pub struct Pattern {
    regex: Regex,
    /// What it may take of memory, in bytes.
    pub(super) size: usize,
    /// The longest text that it may be looked for in, in bytes.
    longest: usize,
}

impl Pattern {
    /// Compiles an expression.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn compile(expression: &str) -> Result<Self, String> {
        // The bounds of the builder are for what comes of an expression; reading it takes memory before that.
        if expression.len() > EXPRESSION_BYTES {
            return Err(format!("the expression has {} bytes, of {EXPRESSION_BYTES}", expression.len()));
        }
        let mut fault = String::new();
        for (size, longest) in BOUNDS {
            match RegexBuilder::new(expression).size_limit(size).dfa_size_limit(DFA_BYTES).build() {
                Ok(regex) => return Ok(Self { regex, size: size + DFA_BYTES, longest }),
                Err(regex::Error::CompiledTooBig(_)) => {
                    fault = format!("the expression is too large: compiled, it exceeds the size limit of {size} bytes");
                }
                Err(other) => return Err(other.to_string()),
            }
        }
        Err(fault)
    }

    /// The expression, for a search in `text`.
    ///
    /// # Errors
    /// When the text is too long for it.
    pub(super) fn for_text(&self, text: &str) -> wasmtime::Result<&Regex> {
        if text.len() > self.longest {
            wasmtime::bail!(
                "a text of {} bytes was to be searched, of {} for this expression",
                text.len(),
                self.longest
            );
        }
        Ok(&self.regex)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_larger_an_expression_the_shorter_the_text() {
        for (expression, longest) in
            [("casino", 32 * 1024), ("(?-u)[ab]{300}", 8 * 1024), ("(?-u)[ab]{1000}", 2 * 1024)]
        {
            let pattern = Pattern::compile(expression).unwrap();
            assert_eq!(pattern.longest, longest, "{expression}");
            assert!(pattern.for_text(&"x".repeat(longest)).is_ok());
            assert!(pattern.for_text(&"x".repeat(longest + 1)).is_err());
        }
    }

    #[test]
    fn what_is_no_expression_or_too_large_a_one_is_said() {
        assert!(Pattern::compile("(").unwrap_err().contains("unclosed group"));
        assert!(Pattern::compile(r"\w{5000}").unwrap_err().contains("exceeds the size limit"));
        assert!(Pattern::compile(&"x".repeat(8_193)).unwrap_err().contains("8193 bytes, of 8192"));
    }
}

//! Regular expressions that run outside of the sandbox at native speed.
//!
//! Syntax and running time are those of the crate `regex`: Unicode throughout, no look-around, no back-references,
//! linear time.

#[cfg(target_arch = "wasm32")]
use crate::component::bindings::gischat::filter::regex as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::native::regex as host;

/// A compiled expression. Compile it in [`Filter::configure`](crate::Filter::configure), not for each message.
#[derive(Debug)]
pub struct Pattern(host::Pattern);

/// A part of a text, in code points, end exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first code point.
    pub start: u32,
    /// The code point after the last one.
    pub end: u32,
}

impl Span {
    /// Returns this part of `text`; an empty string if `text` is too short.
    #[must_use]
    pub fn of(self, text: &str) -> &str {
        let byte = |point: u32| {
            // Most texts are ASCII, where byte and code point offsets are the same.
            let point = point as usize;
            if text.is_ascii() {
                return point.min(text.len());
            }
            text.char_indices().nth(point).map_or(text.len(), |(at, _)| at)
        };
        text.get(byte(self.start)..byte(self.end)).unwrap_or_default()
    }
}

impl From<host::Span> for Span {
    fn from(host::Span { start, end }: host::Span) -> Self {
        Self { start, end }
    }
}

impl Pattern {
    /// Compiles an expression.
    ///
    /// # Errors
    ///
    /// The reason why it does not compile.
    pub fn compile(expression: &str) -> Result<Self, String> {
        host::Pattern::compile(expression).map(Self)
    }

    /// Whether the text has a match.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// The first match.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<Span> {
        self.0.find(text).map(Span::from)
    }

    /// All matches, in order and without overlaps; at most 1000.
    #[must_use]
    pub fn find_all(&self, text: &str) -> Vec<Span> {
        self.0.find_all(text).into_iter().map(Span::from).collect()
    }

    /// The text with each match replaced. `$1` and `$name` in the replacement stand for groups, `$$` for `$`.
    #[must_use]
    pub fn replace_all(&self, text: &str, replacement: &str) -> String {
        self.0.replace_all(text, replacement)
    }
}

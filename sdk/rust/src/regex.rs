//! Regular expressions that run outside of the sandbox, at full speed.
//!
//! Syntax and running time are those of Rust's crate `regex`: Unicode throughout, no look-around, no back-references,
//! never more than linear time.

#[cfg(target_arch = "wasm32")]
use crate::component::bindings::gischat::filter::regex as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::native::regex as host;

/// A compiled expression. Compile in [`Filter::configure`](crate::Filter::configure), not for each message.
#[derive(Debug)]
pub struct Pattern(host::Pattern);

/// A part of a text, in code points, end exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The number of code points before it.
    pub start: u32,
    /// The number of code points up to its end.
    pub end: u32,
}

impl Span {
    /// That part of `text`. Empty where `text` is too short.
    #[must_use]
    pub fn of(self, text: &str) -> &str {
        let byte = |point: u32| {
            // Most texts are ASCII, where byte and code point have one number.
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
    /// What is wrong with it.
    pub fn compile(expression: &str) -> Result<Self, String> {
        host::Pattern::compile(expression).map(Self)
    }

    /// Whether it occurs in a text.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// Where it occurs first.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<Span> {
        self.0.find(text).map(Span::from)
    }

    /// Where it occurs, in order and without overlaps, at most a thousand times.
    #[must_use]
    pub fn find_all(&self, text: &str) -> Vec<Span> {
        self.0.find_all(text).into_iter().map(Span::from).collect()
    }

    /// The text with each occurrence replaced; `$1` or `$name` in the replacement stand for groups, `$$` for `$`.
    #[must_use]
    pub fn replace_all(&self, text: &str, replacement: &str) -> String {
        self.0.replace_all(text, replacement)
    }
}

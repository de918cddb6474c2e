//! Splits a text into words and the parts between them.

/// A part of a text. The concatenation of all parts is the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part<'t> {
    /// Letters, digits and combining marks.
    Word(&'t str),
    /// A case-sensitive part: a link, a path, an identifier.
    Technical(&'t str),
    /// Whitespace and punctuation.
    Between(&'t str),
}

impl<'t> Part<'t> {
    /// The text of the part.
    pub(crate) fn text(self) -> &'t str {
        match self {
            Self::Word(text) | Self::Technical(text) | Self::Between(text) => text,
        }
    }
}

/// The parts of a text, in order.
pub(crate) fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    chunks(text, char::is_whitespace).flat_map(|(blank, chunk)| {
        let technical = !blank && is_technical(chunk);
        let whole = match (blank, technical) {
            (true, _) => Some(Part::Between(chunk)),
            (_, true) => Some(Part::Technical(chunk)),
            _ => None,
        };
        let inside = if whole.is_some() { "" } else { chunk };
        let words =
            chunks(inside, is_of_word).map(|(word, part)| if word { Part::Word(part) } else { Part::Between(part) });
        whole.into_iter().chain(words)
    })
}

fn is_technical(token: &str) -> bool {
    token.contains("://")
        || token.contains(['\\', '_', '=', '@'])
        || token.starts_with('/')
        || token.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("www."))
}

/// Whether a character is a letter, a digit, or a combining accent.
fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '\u{300}'..='\u{36f}')
}

/// Splits a text into the longest parts whose characters all match, or all do not.
fn chunks(text: &str, such: impl Fn(char) -> bool + Copy) -> impl Iterator<Item = (bool, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let is_such = such(rest.chars().next()?);
        let end = rest.find(|c| such(c) != is_such).unwrap_or(rest.len());
        let (chunk, after) = rest.split_at(end);
        rest = after;
        Some((is_such, chunk))
    })
}

//! Helpers that search texts for literals.

use std::ops::ControlFlow;

use gischat_relay::matching::{Boundary, Leniency, Literal, Literals, View, Views};

/// No deviation is permitted.
pub(crate) const STRICT: Leniency = Leniency { accents: false, doubled: false, masked: false, exact_letters: false };

/// Builds literals from words of the folded view.
pub(crate) fn words<'w>(words: impl IntoIterator<Item = &'w str>, leniency: Leniency) -> Literals {
    let literal = |text| Literal { text, view: View::Clean, boundary: Boundary::Word, leniency };
    Literals::new(words.into_iter().map(literal)).unwrap()
}

/// Returns the hits in `text`: the index of each literal, and the matching part of the text.
pub(crate) fn found<'t>(literals: &Literals, text: &'t str) -> Vec<(usize, &'t str)> {
    let mut views = Views::default();
    views.read(text);
    let mut found = Vec::new();
    literals.scan(text, &views, |index, bytes| {
        found.push((index, &text[bytes]));
        ControlFlow::Continue(())
    });
    found
}

/// Returns the hits of one word.
pub(crate) fn hits<'t>(word: &str, text: &'t str) -> Vec<&'t str> {
    hits_with(word, text, STRICT)
}

/// Returns the hits of one word with some leniency.
pub(crate) fn hits_with<'t>(word: &str, text: &'t str, leniency: Leniency) -> Vec<&'t str> {
    found(&words([word], leniency), text).into_iter().map(|(_, hit)| hit).collect()
}

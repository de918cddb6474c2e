//! Short ways to ask what is found.

use std::ops::ControlFlow;

use gischat_relay::matching::{Edges, Leniency, Literal, Literals, View, Views};

/// What nothing is forgiven in.
pub(crate) const STRICT: Leniency = Leniency { accents: false, doubled: false, masked: false, exact_letters: false };

/// Words of the folded view.
pub(crate) fn words<'w>(words: impl IntoIterator<Item = &'w str>, leniency: Leniency) -> Literals {
    let literal = |text| Literal { text, view: View::Folded, edges: Edges::Word, leniency };
    Literals::new(words.into_iter().map(literal)).unwrap()
}

/// What is found in `text`: each literal's index, and the part of the text.
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

/// What is found of one word.
pub(crate) fn hits<'t>(word: &str, text: &'t str) -> Vec<&'t str> {
    hits_with(word, text, STRICT)
}

/// What is found of one word that forgives something.
pub(crate) fn hits_with<'t>(word: &str, text: &'t str, leniency: Leniency) -> Vec<&'t str> {
    found(&words([word], leniency), text).into_iter().map(|(_, hit)| hit).collect()
}

//! Any text in all of its forms: nothing panics, every place that is told lies on characters of the text, and a word that
//! is taken from the text's own forms is found there.

#![no_main]

use std::ops::ControlFlow;
use std::sync::LazyLock;

use gischat_relay::matching::{Edges, Leniency, Literal, Literals, View, Views};
use libfuzzer_sys::fuzz_target;

/// Words that inputs come close to by and by.
const WORDS: [&str; 8] = ["casino", "café", "ass", "c++", "online poker", "казино", "ill", "一二"];
/// Most hits of one text: each literal and view, at each byte.
const MOST_HITS: usize = 32;

static LITERALS: LazyLock<Literals> = LazyLock::new(|| {
    let leniency = Leniency { accents: true, doubled: true, masked: true, exact_letters: false };
    let literal = |text, view, edges| Literal { text, view, edges, leniency };
    let all = WORDS.into_iter().flat_map(|word| {
        [
            literal(word, View::Exact, Edges::Word),
            literal(word, View::Exact, Edges::Anywhere),
            literal(word, View::Folded, Edges::Word),
            literal(word, View::Folded, Edges::Anywhere),
        ]
    });
    Literals::new(all).expect("all can be found")
});

/// Whether a literal that may be anywhere in a form is found.
fn is_found(part: &str, view: View, text: &str, views: &Views) -> bool {
    let literal = Literal { text: part, view, edges: Edges::Anywhere, leniency: Leniency::default() };
    let mut found = false;
    Literals::new([literal]).expect("it can be found").scan(text, views, |_, _| {
        found = true;
        ControlFlow::Break(())
    });
    found
}

fuzz_target!(|text: &str| {
    let mut views = Views::default();
    views.read(text);
    for (form, original) in [
        (views.exact(), &(|range| views.original_of_exact(range)) as &dyn Fn(_) -> _),
        (views.clean(), &|range| views.original_of_clean(range)),
    ] {
        let mut last = 0;
        for (at, c) in form.char_indices() {
            let span: std::ops::Range<usize> = original(at..at + c.len_utf8());
            assert!(span.start < span.end && span.start >= last, "the map goes back");
            assert!(text.get(span.clone()).is_some(), "{span:?} is within a character");
            last = span.start;
        }
    }
    let mut hits = 0;
    LITERALS.scan(text, &views, |_, span| {
        assert!(text.get(span.clone()).is_some(), "{span:?} is within a character");
        hits += 1;
        ControlFlow::Continue(())
    });
    assert!(hits <= MOST_HITS * (2 * text.len() + 1), "{hits} hits");
    let part: String = views.exact().chars().take(4).collect();
    assert!(part.is_empty() || is_found(&part, View::Exact, text, &views), "{part:?} is not found");
    let part: String = views.clean().chars().take(3).collect();
    if part.chars().count() == 3 && part.chars().all(char::is_alphabetic) {
        assert!(is_found(&part, View::Folded, text, &views), "{part:?} is not found");
    }
});

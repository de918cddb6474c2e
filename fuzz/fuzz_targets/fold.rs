//! Converts any text to all of its forms. Nothing panics, every span is on character boundaries of the text, and a word
//! taken from a form is found in the text.

#![no_main]

use std::ops::ControlFlow;
use std::sync::LazyLock;

use gischat_relay::matching::{Boundary, Leniency, Literal, Literals, View, Views};
use libfuzzer_sys::fuzz_target;

/// Words that mutated inputs may resemble.
const WORDS: [&str; 8] = ["casino", "café", "ass", "c++", "online poker", "казино", "ill", "一二"];
/// Most hits per byte of a text: one for each literal and view.
const MAX_HITS: usize = 32;

static LITERALS: LazyLock<Literals> = LazyLock::new(|| {
    let leniency = Leniency { accents: true, doubled: true, masked: true, exact_letters: false };
    let literal = |text, view, boundary| Literal { text, view, boundary, leniency };
    let all = WORDS.into_iter().flat_map(|word| {
        [
            literal(word, View::CaseFolded, Boundary::Word),
            literal(word, View::CaseFolded, Boundary::Anywhere),
            literal(word, View::Clean, Boundary::Word),
            literal(word, View::Clean, Boundary::Anywhere),
        ]
    });
    Literals::new(all).expect("valid literals")
});

/// Whether a part of a form is found as a literal, anywhere in the text.
fn is_found(part: &str, view: View, text: &str, views: &Views) -> bool {
    let literal = Literal { text: part, view, boundary: Boundary::Anywhere, leniency: Leniency::default() };
    let mut found = false;
    Literals::new([literal]).expect("a valid literal").scan(text, views, |_, _| {
        found = true;
        ControlFlow::Break(())
    });
    found
}

fuzz_target!(|text: &str| {
    let mut views = Views::default();
    views.read(text);
    for (form, original) in [
        (views.case_folded(), &(|range| views.original_of_case_folded(range)) as &dyn Fn(_) -> _),
        (views.clean(), &|range| views.original_of_clean(range)),
    ] {
        let mut last = 0;
        for (at, c) in form.char_indices() {
            let span: std::ops::Range<usize> = original(at..at + c.len_utf8());
            assert!(span.start < span.end && span.start >= last, "the map is not monotonic");
            assert!(text.get(span.clone()).is_some(), "{span:?} is not on character boundaries");
            last = span.start;
        }
    }
    let mut hits = 0;
    LITERALS.scan(text, &views, |_, span| {
        assert!(text.get(span.clone()).is_some(), "{span:?} is not on character boundaries");
        hits += 1;
        ControlFlow::Continue(())
    });
    assert!(hits <= MAX_HITS * (2 * text.len() + 1), "{hits} hits");
    let part: String = views.case_folded().chars().take(4).collect();
    assert!(part.is_empty() || is_found(&part, View::CaseFolded, text, &views), "{part:?} is not found");
    let part: String = views.clean().chars().take(3).collect();
    if part.chars().count() == 3 && part.chars().all(char::is_alphabetic) {
        assert!(is_found(&part, View::Clean, text, &views), "{part:?} is not found");
    }
});

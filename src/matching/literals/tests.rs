use super::*;
use proptest::prelude::*;

fn literal(text: &str, view: View, boundary: Boundary) -> Literal<'_> {
    Literal { text, view, boundary, leniency: Leniency::default() }
}

fn found<'t>(literals: &Literals, text: &'t str) -> Vec<(usize, &'t str)> {
    let mut views = Views::default();
    views.read(text);
    let mut found = Vec::new();
    literals.scan(text, &views, |index, bytes| {
        found.push((index, &text[bytes]));
        ControlFlow::Continue(())
    });
    found
}

fn hits<'t>(words: &[&str], view: View, text: &'t str) -> Vec<&'t str> {
    let literals = Literals::new(words.iter().map(|word| literal(word, view, Boundary::Word))).unwrap();
    found(&literals, text).into_iter().map(|(_, hit)| hit).collect()
}

#[test]
fn a_word_inside_another_is_not_a_hit() {
    for view in [View::CaseFolded, View::Clean] {
        assert_eq!(hits(&["cat"], view, "a cat! category, tomcat cat_1 cat2 (cat)"), ["cat", "cat"]);
        assert_eq!(hits(&["glied"], view, "Mitglied, Glied, ein glied"), ["Glied", "glied"]);
        assert_eq!(hits(&["мир"], view, "мир мирный Владимир"), ["мир"]);
    }
    assert_eq!(hits(&["no"], View::CaseFolded, "no\u{301}n año nо"), [""; 0]);
}

#[test]
fn a_literal_that_ends_in_a_symbol_needs_no_boundary() {
    assert_eq!(hits(&["c++"], View::CaseFolded, "c++ c++11 c++, (c++) ac++"), ["c++"; 4]);
    assert_eq!(hits(&["c++"], View::Clean, "c++ c++11 c++, (c++) ac++"), ["c++"; 4]);
    for view in [View::CaseFolded, View::Clean] {
        assert_eq!(hits(&["#win"], view, "x#win #win #winner"), ["#win", "#win"]);
        assert_eq!(hits(&["🎰"], view, "a🎰b"), ["🎰"]);
        assert_eq!(hits(&["t.me/"], view, "see t.me/abc at.me/x"), ["t.me/"]);
    }
    assert_eq!(hits(&["+"], View::CaseFolded, "a++b"), ["+", "+"]);
}

#[test]
fn scripts_without_spaces_have_no_boundaries() {
    for view in [View::CaseFolded, View::Clean] {
        assert_eq!(hits(&["赌场"], view, "我们在赌场玩"), ["赌场"]);
        assert_eq!(hits(&["casino"], view, "これはcasinoです"), ["casino"]);
    }
}

#[test]
fn overlapping_words_are_all_found() {
    for view in [View::CaseFolded, View::Clean] {
        let found = hits(&["buy now", "now or never", "now"], view, "buy now or never");
        assert_eq!(found.len(), 3, "{found:?}");
    }
}

#[test]
fn a_space_in_a_phrase_matches_any_whitespace_in_the_clean_view() {
    assert_eq!(hits(&["online poker"], View::Clean, "Online \u{a0}\u{200b} p0ker"), ["Online \u{a0}\u{200b} p0ker"]);
    assert_eq!(hits(&["online poker"], View::Clean, "online-poker onlinepoker"), [""; 0]);
}

#[test]
fn a_duplicate_literal_is_reported_for_each_index() {
    let twice = [literal("casino", View::Clean, Boundary::Word); 2];
    assert_eq!(found(&Literals::new(twice).unwrap(), "a casino"), [(0, "casino"), (1, "casino")]);
}

#[test]
fn the_search_ends_when_the_caller_breaks() {
    let literals = Literals::new([literal("a", View::CaseFolded, Boundary::Word)]).unwrap();
    let (mut views, mut count) = (Views::default(), 0);
    views.read("a a a a");
    literals.scan("a a a a", &views, |_, _| {
        count += 1;
        if count == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(count, 2);
}

#[test]
fn an_invisible_literal_is_an_error_with_its_index() {
    for text in ["", " ", "\u{200b}", "\u{301}"] {
        let error =
            Literals::new([literal("ok", View::Clean, Boundary::Word), literal(text, View::Clean, Boundary::Word)]);
        assert_eq!(error.unwrap_err().index, 1, "{text:?}");
    }
}

#[test]
fn no_literals_find_nothing() {
    assert_eq!(found(&Literals::new([]).unwrap(), "text"), []);
    assert_eq!(found(&Literals::default(), "text"), []);
}

#[test]
fn two_thousand_literals_of_a_thousand_bytes_are_built_and_found() {
    let texts: Vec<String> = (0..2_000).map(|n| format!("{n} {}", "word ".repeat(195))).collect();
    let literals = Literals::new(texts.iter().map(|text| literal(text, View::Clean, Boundary::Word))).unwrap();
    assert_eq!(found(&literals, &texts[1234])[0].0, 1234);
}

/// Letters and symbols of several scripts whose forms differ.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-cé _.!]{0,20}", "[abсаeеilIoо01ßﬁéЖжéÉ\u{301}\u{200b} .@$!]{0,30}", any::<String>(), "\\PC{0,40}",]
}

proptest! {
    #[test]
    fn the_case_folded_view_agrees_with_a_regex_with_boundaries(
        text in "[a-cé _.!]{0,20}", word in "[a-cé]{1,3}",
    ) {
        let regex = regex::Regex::new(&format!(r"\b{word}\b")).unwrap();
        let expected: Vec<_> = regex.find_iter(&text).map(|m| m.as_str().as_ptr()).collect();
        let found: Vec<_> = hits(&[&word], View::CaseFolded, &text).into_iter().map(str::as_ptr).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn an_undisguised_whole_word_is_found_in_the_clean_view(
        word in "[a-zéñüа-яά-ώ]{1,8}", before in "[a-z.,!()\" ]{0,10}", after in "[.,?!)\" a-z]{0,10}",
    ) {
        let text = format!("{before} {word} {after}");
        prop_assert!(!hits(&[&word], View::Clean, &text).is_empty());
    }

    #[test]
    fn a_literal_without_boundaries_is_never_missed(text in text(), from in 0..30usize, len in 3..6usize) {
        let mut views = Views::default();
        views.read(&text);
        for (view, form) in [(View::CaseFolded, views.case_folded()), (View::Clean, views.clean())] {
            let part: String = form.chars().skip(from).take(len).collect();
            if view == View::Clean && (part.chars().count() < 3 || !part.chars().all(char::is_alphabetic)) {
                continue;
            }
            if part.is_empty() {
                continue;
            }
            let literals = Literals::new([literal(&part, view, Boundary::Anywhere)]).unwrap();
            prop_assert!(!found(&literals, &text).is_empty(), "{:?} of {:?}", part, form);
        }
    }

    #[test]
    fn every_hit_lies_on_character_boundaries(text in text(), words in prop::collection::vec("[abcсаilо]{1,3}", 1..5)) {
        let leniency = Leniency { accents: true, doubled: true, masked: true, exact_letters: false };
        for view in [View::CaseFolded, View::Clean] {
            for boundary in [Boundary::Word, Boundary::Anywhere] {
                let list = words.iter().map(|word| Literal { leniency, ..literal(word, view, boundary) });
                // Slicing panics if a span is wrong.
                found(&Literals::new(list).unwrap(), &text);
            }
        }
    }
}

use super::*;
use proptest::prelude::*;

fn folded(text: &str) -> String {
    Folded::of(text).text().to_owned()
}

/// The original's characters behind the first hit of `needle` in the form.
fn source(text: &str, needle: &str) -> Option<Vec<char>> {
    let form = Folded::of(text);
    let at = form.text().find(needle)?;
    let span = form.original_chars(at..at + needle.len());
    Some(text.chars().skip(span.start).take(span.len()).collect())
}

#[test]
fn letter_case_and_compatibility_forms_are_undone() {
    for (text, form) in [
        ("QGIS", "qgis"),
        ("Straße STRASSE STRAẞE", "strasse strasse strasse"),
        ("ﬁne", "fine"),
        ("Ｃａｓｉｎｏ", "casino"),
        ("ΟΔΟΣ οδος", "οδοσ οδοσ"),
        ("İstanbul", "i̇stanbul"),
        ("cafe\u{301}", "café"),
        ("Й И\u{306}", "й й"),
        ("①½", "11⁄2"),
        ("\u{1112}\u{1161}\u{11ab}글", "한글"),
        ("ｶﾞ", "ガ"),
        ("ᾼ ᾳ ΑΙ", "αι αι αι"),
        ("ǆ ǅ Ǆ", "dž dž dž"),
        ("\u{fdfa}", "صلى الله عليه وسلم"),
        ("\u{301}a", "\u{301}a"),
    ] {
        assert_eq!(folded(text), form, "{text}");
    }
}

#[test]
fn a_range_leads_back_to_every_character_it_came_from_and_to_no_other() {
    for (text, needle, original) in [
        ("xﬁy", "i", "ﬁ"),
        ("xﬁy", "iy", "ﬁy"),
        ("Straße!", "se!", "ße!"),
        ("un cafe\u{301}.", "café", "cafe\u{301}"),
        ("un cafe\u{301}.", "é", "e\u{301}"),
        ("a\u{1112}\u{1161}\u{11ab}b", "한", "\u{1112}\u{1161}\u{11ab}"),
        ("e\u{316}\u{301}x", "x", "x"),
        ("1½2", "⁄", "½"),
        ("Ｃａｓｉｎｏ", "sin", "ｓｉｎ"),
    ] {
        assert_eq!(source(text, needle), Some(original.chars().collect()), "{needle} in {text}");
    }
}

#[test]
fn an_empty_range_and_one_beyond_the_end_stay_within_the_text() {
    for text in ["", "abc", "añc", "ﬁﬁ"] {
        let form = Folded::of(text);
        let chars = text.chars().count();
        assert_eq!(form.original_chars(0..0), 0..0, "{text}");
        assert_eq!(form.original_chars(0..999), 0..chars, "{text}");
        assert!(form.original_chars(500..999).is_empty(), "{text}");
    }
}

#[test]
fn case_alone_leaves_compatibility_forms_as_they_are() {
    let form = Folded::case_of("Ｇ ﬁ É ẞ");
    assert_eq!(form.text(), "ｇ fi é ss");
    assert_eq!(form.original_chars(8..9), 4..5);
}

/// The form without segments and without short cuts.
fn folded_as_a_whole(text: &str) -> String {
    let mut whole = String::new();
    text.nfkd().for_each(|c| fold_char(c, &mut whole));
    whole.nfkc().collect()
}

#[test]
fn every_character_folds_once_and_for_all_and_without_its_neighbours() {
    for c in '\0'..=char::MAX {
        let text = format!("e{c}a");
        let once = folded(&text);
        assert_eq!(once, folded_as_a_whole(&text), "U+{:04X}", u32::from(c));
        assert_eq!(folded(&once), once, "U+{:04X}", u32::from(c));
        assert_eq!(folded(&c.to_string()), folded_as_a_whole(&c.to_string()), "U+{:04X}", u32::from(c));
    }
}

/// Strings in which normalization has something to do.
fn text() -> impl Strategy<Value = String> {
    let odd = "[\u{300}-\u{345}\u{1100}-\u{11ff}\u{ac00}-\u{ac30}ﬀ-ﬆİıßẞΣσς\u{9be}\u{9c7}\u{ff61}-\u{ff9f}Ａ-Ｚa-cA-C ᾀ-ᾼ\u{fdfa}\u{1d15e}]{0,24}";
    prop_oneof![any::<String>(), odd, "\\PC{0,40}"]
}

proptest! {
    #[test]
    fn folding_twice_is_folding_once(text in text()) {
        let once = folded(&text);
        prop_assert_eq!(folded(&once), once);
    }

    #[test]
    fn folding_by_segments_is_folding_the_whole(text in text()) {
        prop_assert_eq!(folded(&text), folded_as_a_whole(&text));
    }

    #[test]
    fn every_range_lies_within_the_original(text in text(), a in 0..200usize, b in 0..200usize) {
        for form in [Folded::of(&text), Folded::case_of(&text)] {
            let span = form.original_chars(a.min(b)..a.max(b));
            prop_assert!(span.start <= span.end && span.end <= text.chars().count());
            prop_assert_eq!(form.original_chars(b.max(a)..a.min(b)).len(), 0);
        }
    }

    #[test]
    fn the_map_rises_without_a_gap(text in text()) {
        for form in [Folded::of(&text), Folded::case_of(&text)] {
            let mut last = 0..0;
            for byte in 0..form.text().len() {
                let span = form.original_chars(byte..byte + 1);
                prop_assert!(span.start < span.end);
                prop_assert!(span == last || span.start == last.end, "{:?} after {:?}", span, last);
                last = span;
            }
            prop_assert_eq!(last.end, text.chars().count());
        }
    }
}

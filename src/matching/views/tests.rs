use super::read::fold_char;
use super::*;
use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

fn read(text: &str) -> Views {
    let mut views = Views::default();
    views.read(text);
    views
}

fn clean(text: &str) -> String {
    read(text).clean().to_owned()
}

/// Returns the original text of the first occurrence of `needle` in the clean view.
fn source<'t>(text: &'t str, needle: &str) -> Option<&'t str> {
    let views = read(text);
    let at = views.clean().find(needle)?;
    text.get(views.original_of_clean(at..at + needle.len()))
}

#[test]
fn letter_case_styles_and_invisible_characters_are_undone() {
    for (text, form) in [
        ("QGIS", "qgis"),
        ("Straße STRASSE STRAẞE", "strasse strasse strasse"),
        ("ﬁne", "fine"),
        ("Ｃａｓｉｎｏ", "casino"),
        ("𝐂𝒶𝔰𝕚𝗻𝚘", "casino"),
        ("Ⓒⓐ🅂🅘🅽⒪", "casino"),
        ("ᴄᴀꜱɪɴᴏ", "casino"),
        ("ca\u{200b}si\u{ad}no", "casino"),
        ("c\u{338}a\u{20dd}sin\u{489}o", "casino"),
        ("ΟΔΟΣ οδος", "οδοσ οδοσ"),
        ("cafe\u{301}", "café"),
        ("Й И\u{306} и", "й й и"),
        ("\u{1112}\u{1161}\u{11ab}글", "한글"),
        ("ｶﾞ", "ガ"),
        ("ǆ ǅ Ǆ", "dž dž dž"),
        ("\u{fdfa}", "صلى الله عليه وسلم"),
        ("Œuvre Æther", "œuvre æther"),
        ("año Ångström", "año ångström"),
        ("c4sino caaasino", "c4sino caaasino"),
        ("🇩🇪 🏳\u{fe0f}", "🇩🇪 🏳"),
        ("🇨\u{200b}🇦\u{200b}🇸", "cas"),
        ("", ""),
        ("\u{200b}", ""),
    ] {
        assert_eq!(clean(text), form, "{text}");
    }
}

#[test]
fn a_word_of_mixed_scripts_becomes_latin_and_others_are_unchanged() {
    for (text, form) in [
        ("саsinо", "casino"),
        ("роkеr, покер", "poker, покер"),
        ("ᏟᎪsino", "casino"),
        ("ӏ🇩о", "ldo"),
        ("Привет, Москва", "привет, москва"),
        ("QGIS-проект", "qgis-проект"),
        ("Ευχαριστώ πολύ", "ευχαριστώ πολύ"),
        ("QGISで地図", "qgisで地図"),
    ] {
        assert_eq!(clean(text), form, "{text}");
    }
}

#[test]
fn a_range_maps_back_to_exactly_the_characters_it_came_from() {
    for (text, needle, original) in [
        ("xﬁy", "i", "ﬁ"),
        ("xﬁy", "iy", "ﬁy"),
        ("Straße!", "se!", "ße!"),
        ("un cafe\u{301}.", "café", "cafe\u{301}"),
        ("un cafe\u{301}.", "é", "e\u{301}"),
        ("a\u{1112}\u{1161}\u{11ab}b", "한", "\u{1112}\u{1161}\u{11ab}"),
        ("e\u{316}\u{301}x", "x", "x"),
        ("Ｃａｓｉｎｏ", "sin", "ｓｉｎ"),
        ("a c\u{200b}a\u{200b}t b", "cat", "c\u{200b}a\u{200b}t"),
        ("xсat!", "cat", "сat"),
    ] {
        assert_eq!(source(text, needle), Some(original), "{needle} in {text}");
    }
}

#[test]
fn the_case_folded_view_only_folds_case() {
    let views = read("Ｇ ﬁ É ẞ с\u{200b}A");
    assert_eq!(views.case_folded(), "ｇ fi é ss с\u{200b}a");
    assert_eq!(views.original_of_case_folded(8..9), 8..10);
}

#[test]
fn ranges_beyond_the_end_or_inside_characters_are_clamped() {
    for text in ["", "abc", "añc", "ﬁﬁ", "сa"] {
        let views = read(text);
        assert_eq!(views.original_of_clean(0..999), 0..text.len(), "{text}");
        assert!(views.original_of_clean(500..999).is_empty(), "{text}");
        assert!(views.original_of_case_folded(500..999).is_empty(), "{text}");
        assert_eq!(views.original_of_case_folded(0..0), 0..0, "{text}");
    }
    assert_eq!(read("añc").original_of_case_folded(2..3), 1..3);
}

#[test]
fn reading_again_clears_the_previous_text() {
    let mut views = Views::default();
    for text in ["сasino c a s i n o", "plain", "", "сосо abcdef"] {
        views.read(text);
        let once = read(text);
        assert_eq!((views.case_folded(), views.clean()), (once.case_folded(), once.clean()));
        assert_eq!((&views.coarse, &views.starts, views.text_end), (&once.coarse, &once.starts, once.text_end));
    }
}

#[test]
fn reading_a_similar_text_again_allocates_nothing() {
    let texts = ["c a s i n o for сasino, сосо", "e\u{301}\u{fdfa} xﬁy \u{200b}", "plain a b c d", "сор ԛ ａ"];
    let mut views = Views::default();
    let capacities = |views: &Views| {
        let clean = views.clean.as_ref().map_or(0, |clean| clean.text.capacity()).max(views.spare.text.capacity());
        [
            views.plain.capacity(),
            views.case_folded.capacity(),
            clean,
            views.letters.capacity(),
            views.coarse.capacity(),
            views.starts.capacity(),
        ]
    };
    for text in texts {
        views.read(text);
    }
    let before = capacities(&views);
    for _ in 0..3 {
        for text in texts {
            views.read(text);
        }
        assert_eq!(capacities(&views), before);
    }
}

/// Strings with something to fold.
fn text() -> impl Strategy<Value = String> {
    let odd = "[\u{300}-\u{345}\u{1100}-\u{11ff}\u{ac00}-\u{ac30}ﬀ-ﬆİıßẞΣσς\u{9be}\u{9c7}\u{ff61}-\u{ff9f}Ａ-Ｚa-cA-C ᾀ-ᾼ\u{fdfa}\u{1d15e}æŒ🇦-🇿\u{200b}а-яЀ-Я.*_@!1]{0,24}";
    prop_oneof![any::<String>(), odd, "\\PC{0,40}", "[a-cA-C \t._\\-@1!*é]{0,30}"]
}

proptest! {
    #[test]
    fn every_range_lies_on_character_boundaries_of_the_original(text in text(), a in 0..200usize, b in 0..200usize) {
        let views = read(&text);
        for span in [views.original_of_case_folded(a.min(b)..a.max(b)), views.original_of_clean(a.min(b)..a.max(b))] {
            prop_assert!(text.get(span.clone()).is_some(), "{:?}", span);
        }
        prop_assert!(views.original_of_clean(a.max(b)..a.min(b)).is_empty());
    }

    #[test]
    fn the_map_of_the_case_folded_view_ascends_without_gaps(text in text()) {
        let views = read(&text);
        let mut last = 0..0;
        for (at, c) in views.case_folded().char_indices() {
            let span = views.original_of_case_folded(at..at + c.len_utf8());
            prop_assert!(span.start < span.end);
            prop_assert!(span == last || span.start == last.end, "{:?} after {:?}", span, last);
            last = span;
        }
        prop_assert_eq!(last.end, text.len());
    }

    #[test]
    fn the_map_of_the_clean_form_never_descends(text in text()) {
        let views = read(&text);
        let mut last = 0..0;
        for (at, c) in views.clean().char_indices() {
            let span = views.original_of_clean(at..at + c.len_utf8());
            prop_assert!(span.start < span.end);
            prop_assert!(span.start >= last.start && span.end >= last.end, "{:?} after {:?}", span, last);
            last = span;
        }
    }

    #[test]
    fn the_case_folded_view_is_full_case_folding(text in text()) {
        let mut folded = String::new();
        text.chars().for_each(|c| fold_char(c, |c| folded.push(c)));
        prop_assert_eq!(read(&text).case_folded().to_owned(), folded);
    }

    #[test]
    fn letters_lie_on_character_boundaries_of_the_original(text in text()) {
        let views = read(&text);
        for number in 0..views.count() {
            let letter = views.letter(number).unwrap();
            prop_assert!(text.get(letter.start as usize..letter.end as usize).is_some());
        }
        prop_assert_eq!(views.coarse().len() + 1, views.starts.len());
        prop_assert!(views.starts.is_sorted());
    }

    #[test]
    fn composed_and_decomposed_letters_are_equal(text in "[a-zéèñüöçёйíÅžệ가힣 ]{0,20}") {
        let decomposed: String = text.nfd().collect();
        prop_assert_eq!(clean(&text), clean(&decomposed));
        prop_assert_eq!(read(&text).coarse.clone(), read(&decomposed).coarse.clone());
    }

    #[test]
    fn cleaning_twice_is_stable(text in text()) {
        let once = clean(&text);
        let twice = clean(&once);
        prop_assert_eq!(clean(&twice), twice);
    }
}

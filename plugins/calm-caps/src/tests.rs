use gischat_filter::Action;
use gischat_filter::testing::{Harness, json};

use super::*;

/// The replacement of a text; `None` if it passes.
fn calmed(text: &str) -> Option<String> {
    match Harness::<CalmCaps>::new(json!({})).check(text).action {
        Action::Replace(text) => Some(text),
        Action::Pass => None,
        other => panic!("{text}: {other:?}"),
    }
}

#[track_caller]
fn becomes(shouted: &str, calm: &str) {
    assert_eq!(calmed(shouted).as_deref(), Some(calm));
}

#[test]
fn capitals_become_small_letters() {
    becomes("WHY DOES NOBODY ANSWER", "Why does nobody answer");
    becomes("POURQUOI ÇA NE MARCHE PAS À L'ÉCHELLE", "Pourquoi ça ne marche pas à l'échelle");
    becomes("ПОЧЕМУ НИЧЕГО НЕ РАБОТАЕТ", "Почему ничего не работает");
    becomes("ΓΙΑΤΙ ΑΡΓΕΙ Ο ΧΑΡΤΗΣ", "Γιατι αργει ο χαρτης");
}

#[test]
fn each_sentence_keeps_its_first_capital() {
    becomes("IT CRASHED. AGAIN! (WHY?) WHO KNOWS", "It crashed. Again! (Why?) Who knows");
    becomes("FIRST LINE\nSECOND LINE", "First line\nSecond line");
    becomes("¿POR QUÉ NO FUNCIONA? \"NADIE LO SABE\"", "¿Por qué no funciona? \"Nadie lo sabe\"");
}

#[test]
fn a_sentence_that_starts_in_lower_case_stays_so() {
    becomes("why DOES NOBODY ANSWER", "why does nobody answer");
}

#[test]
fn a_period_within_a_word_does_not_end_a_sentence() {
    becomes("WHO OPENED ROADS.GEOPACKAGE HERE", "Who opened roads.geopackage here");
}

#[test]
fn abbreviations_keep_their_capitals() {
    becomes("MY QGIS LOST THE WFS LAYER IN EPSG:3857, HELP", "My QGIS lost the WFS layer in EPSG:3857, help");
    becomes("I THINK I'M LOST BETWEEN PROJECTIONS", "I think I'm lost between projections");
}

#[test]
fn abbreviations_are_not_shouted() {
    assert_eq!(calmed("QGIS WMS WFS WMTS GDAL OGR EPSG CRS"), None);
    assert_eq!(calmed("WMS or WFS, GDAL or OGR, in QGIS"), None);
}

#[test]
fn words_with_digits_links_paths_and_identifiers_stay() {
    becomes(
        "PLEASE LOOK AT HTTPS://X.EXAMPLE/WMS?A=B AND C:\\DATA\\DEM AND LAYER_NAME IN WGS84",
        "Please look at HTTPS://X.EXAMPLE/WMS?A=B and C:\\DATA\\DEM and LAYER_NAME in WGS84",
    );
    assert_eq!(calmed("HTTPS://SERVER.EXAMPLE/GEOSERVER/OWS"), None);
}

#[test]
fn a_short_text_is_not_shouted() {
    assert_eq!(calmed("HELLO WORLD"), None);
    assert_eq!(calmed("THANKS A LOT!!!"), None);
    becomes("HELLO WORLDSS", "Hello worldss");
}

#[test]
fn the_share_must_be_exceeded() {
    // 14 of 20, then 15 of 20.
    assert_eq!(calmed("ABCDEFGHIJKLMN opqrst"), None);
    becomes("ABCDEFGHIJKLMNO pqrst", "Abcdefghijklmno pqrst");
}

#[test]
fn letters_without_case_do_not_count() {
    assert_eq!(calmed("漢字漢字漢字漢字漢字漢字漢字"), None);
    assert_eq!(calmed("1234 5678 9012 !!!! ????"), None);
    assert_eq!(calmed(""), None);
}

#[test]
fn the_settings_add_words() {
    let mut filter = Harness::<CalmCaps>::new(json!({ "words": ["IgnFi"] }));
    assert_eq!(filter.check("WHO KNOWS IGNFI HERE?").action, Action::Replace("Who knows IGNFI here?".to_owned()));
}

#[test]
fn a_share_must_be_at_least_0_and_less_than_1() {
    for share in [-0.1, 1.0, 70.0] {
        assert!(Harness::<CalmCaps>::try_new(json!({ "share": share })).is_err(), "{share}");
    }
}

#[test]
fn the_parts_add_up_to_the_text() {
    for text in ["", " A b,C\n", "x://Y é\u{301}— 1", "\u{301}"] {
        assert_eq!(parts(text).map(Part::text).collect::<String>(), text);
    }
}

//! Texts that are not disguises and must not be hits.

use crate::support::{STRICT, hits, hits_with};
use gischat_relay::matching::Leniency;

#[test]
fn harmless_words_and_codes_are_not_hits() {
    for (word, text) in [
        ("as", "ass"),
        ("ass", "as a class, in Bassano, ass1gned"),
        ("cunt", "Scunthorpe"),
        ("cock", "Hancock, Cockermouth"),
        ("sex", "Essex, Middlesex, sextant"),
        ("penis", "the pen is here"),
        ("glied", "Mitglied"),
        ("lick", "Click here"),
        ("merc", "Merci"),
        ("asss", "EPSG:4555"),
        ("ass", "A55 EPSG:4555 a55_01.tif"),
        ("layerol", "layer_01.gpkg"),
        ("tool", "t001.tif too1_b.gpkg"),
        ("shit", "sheet SH17"),
        ("hell", "HE11"),
        ("gin", "6in"),
        ("bin", "6in"),
        ("sam", "5am"),
        ("nob", "№8"),
        ("lol", "101 1O1 v1.0.1"),
        ("soil", "501L s01l.tif s0_1l.shp"),
        ("ano", "año"),
        ("año", "ano"),
        ("pokemon", "pokémon"),
        ("deja", "déjà vu"),
        ("cree", "créé"),
        ("ete", "l'été"),
        ("do", "đó"),
        ("mop", "мор"),
        ("porno", "thanks a lot for the map проглотил"),
        ("power", "thanks for the map, all of it, хорошего"),
        ("cop", "Привет, сор и мусор"),
        ("kill", "kil kilo"),
        ("kil", "kill!"),
        ("casi", "cas! cas|"),
        ("poker", "pokker"),
        ("bitte", "bite"),
        ("all", "ail"),
        ("ail", "all"),
        ("ion", "lon"),
        ("place", "Piace"),
        ("aile", "Alle"),
        ("eile", "Elle ELlE"),
        ("plus", "Pius"),
        ("flat", "Fiat 500"),
        ("los", "iOS"),
        ("mail", "Mali"),
        ("class", "c l a s p s"),
        ("ass", "c l a s s"),
        ("defr", "🇩🇪🇫🇷"),
        ("us", "🇺🇸"),
        ("и", "й"),
        ("qgis", "QGIS3"),
        ("cat", "cat_1 cat2 category"),
    ] {
        assert_eq!(hits(word, text), [""; 0], "{word} in {text}");
    }
}

#[test]
fn each_leniency_flag_finds_only_what_it_allows() {
    let accents = Leniency { accents: true, ..STRICT };
    let doubled = Leniency { doubled: true, ..STRICT };
    let masked = Leniency { masked: true, ..STRICT };
    for (word, text, leniency) in [
        ("ano", "el año", accents),
        ("crédit", "un credit", accents),
        ("pokemon", "le pokémon", accents),
        ("poker", "pokker!", doubled),
        ("casino", "caasiino", doubled),
        ("fuck", "f*ck", masked),
        ("fuck", "f**k!", masked),
        ("casino", "a c*sin*, or", masked),
        ("casino", "ca#i_o.", masked),
    ] {
        assert_eq!(hits(word, text), [""; 0], "{word} in {text}");
        assert_eq!(hits_with(word, text, leniency).len(), 1, "{word} in {text}");
    }
}

#[test]
fn emphasis_and_file_names_are_not_masked_words() {
    let masked = Leniency { masked: true, ..STRICT };
    for (word, text) in [
        ("words", "*word* _word_"),
        ("word", "w*** ***d"),
        ("coop", "co-op"),
        ("layers", "layer_01.gpkg layer."),
        ("endx", "the end. x"),
    ] {
        assert_eq!(hits_with(word, text, masked), [""; 0], "{word} in {text}");
    }
}

#[test]
fn with_exact_letters_a_digit_is_not_a_letter() {
    let exact_letters = Leniency { exact_letters: true, ..STRICT };
    assert_eq!(hits("casino", "c4s1n0"), ["c4s1n0"]);
    assert_eq!(hits_with("casino", "c4s1n0", exact_letters), [""; 0]);
    assert_eq!(hits_with("casino", "саsino", exact_letters), ["саsino"]);
}

#[test]
fn a_word_of_another_script_is_read_as_latin_only_in_a_latin_text() {
    assert_eq!(hits("cop", "the сор is here"), ["сор"]);
    assert_eq!(hits("cop", "Привет, сор и мусор"), [""; 0]);
    assert_eq!(hits("сор", "Привет, сор и мусор"), ["сор"]);
    assert_eq!(hits("казино", "лучшее кaзинo"), ["кaзинo"]);
    assert_eq!(hits("мир", "миp, мир"), ["миp", "мир"]);
}

#[test]
fn a_hit_covers_exactly_the_disguised_word() {
    for (word, text, hit) in [
        ("casino", "a c.a.s.i.n.o!", "c.a.s.i.n.o"),
        (
            "casino",
            "(c\u{200b}a\u{200b}s\u{200b}i\u{200b}n\u{200b}o)",
            "c\u{200b}a\u{200b}s\u{200b}i\u{200b}n\u{200b}o",
        ),
        ("asset", "@asset, ok", "asset"),
        ("kill", "kill!!!", "kill"),
        ("casino", "_casino_ *x*", "casino"),
        ("casino", "💰caaasinooo💰", "caaasinooo"),
        ("casino", "Ｃａｓｉｎｏ．", "Ｃａｓｉｎｏ"),
        ("straße", "die STRASSE", "STRASSE"),
        ("class", "cla$$ $ex", "cla$$"),
        ("casino", "CASlNO", "CASlNO"),
        ("mail", "MAIl", "MAIl"),
        ("casino", "buyㅤcasino\u{ffa0}now", "casino"),
        ("poker", "p̂ókér", "p̂ókér"),
        ("casino", "c\u{e49}asino", "c\u{e49}asino"),
        ("casino", "cas\u{93c}i\u{93c}\u{e49}no", "cas\u{93c}i\u{93c}\u{e49}no"),
        ("नमस्ते", "नमस्ते", "नमस्ते"),
        ("μαλάκας", "ΜΑΛΑΚΑΣ", "ΜΑΛΑΚΑΣ"),
        ("ёлка", "елка ЁЛКИ", "елка"),
        ("елка", "а ёлка", "ёлка"),
        ("casino", "p l a y  c a s i n o", "c a s i n o"),
    ] {
        let mut hits = hits(word, text);
        hits.dedup();
        assert_eq!(hits, [hit], "{word} in {text}");
    }
}

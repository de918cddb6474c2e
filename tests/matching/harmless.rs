//! What is no disguise, and must not be taken for one.

use crate::support::{STRICT, hits, hits_with};
use gischat_relay::matching::Leniency;

#[test]
fn harmless_words_and_codes_are_no_hits() {
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
        ("lol", "101 1O1 v1.0.1"),
        ("soil", "501L s01l.tif s0_1l.shp"),
        ("ano", "año"),
        ("año", "ano"),
        ("pokemon", "pokémon"),
        ("mop", "мор"),
        ("cop", "Привет, сор и мусор"),
        ("kill", "kil kilo"),
        ("kil", "kill!"),
        ("casi", "cas! cas|"),
        ("poker", "pokker"),
        ("bitte", "bite"),
        ("all", "ail"),
        ("ail", "all"),
        ("ion", "lon"),
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

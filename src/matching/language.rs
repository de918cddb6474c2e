//! Language detection.

use std::sync::LazyLock;

use whatlang::{Detector, Lang, Script};

/// Minimum letters of a text in an alphabet that many languages share. Code points.
const MIN_SHARED_ALPHABET: usize = 24;
/// Minimum letters of a text in a script that few languages use: Greek, Georgian, Chinese, Thai. Code points.
const MIN_OWN_SCRIPT: usize = 8;
/// Minimum share of letters in the script of the language, in percent. Names in another script are common.
const MIN_SCRIPT_PERCENT: usize = 80;

/// The languages of chats about maps. Languages that short texts are often mistaken for are left out: Esperanto, Latin,
/// Uzbek, Akan and the like.
const KNOWN: &[(Lang, &str)] = &[
    (Lang::Ara, "ar"),
    (Lang::Bel, "be"),
    (Lang::Bul, "bg"),
    (Lang::Cat, "ca"),
    (Lang::Ces, "cs"),
    (Lang::Cmn, "zh"),
    (Lang::Dan, "da"),
    (Lang::Deu, "de"),
    (Lang::Ell, "el"),
    (Lang::Eng, "en"),
    (Lang::Est, "et"),
    (Lang::Fin, "fi"),
    (Lang::Fra, "fr"),
    (Lang::Heb, "he"),
    (Lang::Hin, "hi"),
    (Lang::Hrv, "hr"),
    (Lang::Hun, "hu"),
    (Lang::Hye, "hy"),
    (Lang::Ind, "id"),
    (Lang::Ita, "it"),
    (Lang::Jpn, "ja"),
    (Lang::Kat, "ka"),
    (Lang::Kor, "ko"),
    (Lang::Lav, "lv"),
    (Lang::Lit, "lt"),
    (Lang::Mkd, "mk"),
    (Lang::Nld, "nl"),
    (Lang::Nob, "no"),
    (Lang::Pes, "fa"),
    (Lang::Pol, "pl"),
    (Lang::Por, "pt"),
    (Lang::Ron, "ro"),
    (Lang::Rus, "ru"),
    (Lang::Slk, "sk"),
    (Lang::Slv, "sl"),
    (Lang::Spa, "es"),
    (Lang::Srp, "sr"),
    (Lang::Swe, "sv"),
    (Lang::Tha, "th"),
    (Lang::Tur, "tr"),
    (Lang::Ukr, "uk"),
    (Lang::Vie, "vi"),
];

/// The languages that [`detect_language`] recognises, as ISO 639-1 codes in alphabetical order.
pub const LANGUAGES: &[&str] = &[
    "ar", "be", "bg", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hi", "hr", "hu", "hy",
    "id", "it", "ja", "ka", "ko", "lt", "lv", "mk", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sr", "sv", "th",
    "tr", "uk", "vi", "zh",
];

/// Detects the language of a text. Returns one of [`LANGUAGES`], or `None` when uncertain.
///
/// Most texts of a few words are uncertain, and so are half of those with forty letters: "bonjour" alone could be many
/// languages. Fewer than one answer in a hundred is wrong; names in other languages are the usual cause.
///
/// Takes about 50 µs per message, so check cheaper conditions first.
#[must_use]
pub fn detect_language(text: &str) -> Option<&'static str> {
    static DETECTOR: LazyLock<Detector> =
        LazyLock::new(|| Detector::with_allowlist(KNOWN.iter().map(|(lang, _)| *lang).collect()));
    let (letters, latin) = count(text);
    if letters < MIN_OWN_SCRIPT {
        return None;
    }
    let info = DETECTOR.detect(text).filter(whatlang::Info::is_reliable)?;
    let (min_letters, in_script) = match info.script() {
        Script::Latin => (MIN_SHARED_ALPHABET, latin),
        Script::Cyrillic | Script::Arabic | Script::Devanagari => (MIN_SHARED_ALPHABET, letters - latin),
        _ => (MIN_OWN_SCRIPT, letters - latin),
    };
    let certain = letters >= min_letters && in_script * 100 >= letters * MIN_SCRIPT_PERCENT;
    // A common confusion: Bulgarian does not use these letters.
    let certain = certain && (info.lang() != Lang::Bul || !text.contains(['ы', 'Ы', 'э', 'Э', 'ё', 'Ё']));
    KNOWN.iter().find(|(lang, _)| certain && *lang == info.lang()).map(|(_, code)| *code)
}

/// Returns the number of letters of a text, and the number of Latin ones.
fn count(text: &str) -> (usize, usize) {
    let letters = text.chars().filter(|c| c.is_alphabetic());
    letters.fold((0, 0), |(letters, latin), c| {
        let is_latin = matches!(c, '\0'..='\u{24f}' | '\u{1e00}'..='\u{1eff}');
        (letters + 1, latin + usize::from(is_latin))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sentences_of_many_languages_are_detected() {
        for (code, text) in [
            ("en", "I have tried to export the layer with all of its attributes, but the file that I get is empty."),
            ("fr", "Bonjour à tous, est-ce que quelqu'un sait comment exporter la couche avec tous ses attributs ?"),
            ("de", "Ich habe versucht, die Ebene mit allen Attributen zu speichern, aber die Datei ist danach leer."),
            ("es", "Hola a todos, he intentado exportar la capa con todos los atributos, pero el archivo está vacío."),
            ("it", "Ho provato a esportare il livello con tutti gli attributi, ma il file che ottengo è vuoto."),
            ("pt", "Olá a todos, tentei exportar a camada com todos os atributos, mas não consigo abrir o arquivo."),
            ("nl", "Ik heb geprobeerd om de laag met alle kenmerken op te slaan, maar het bestand is daarna leeg."),
            ("pl", "Próbowałem wyeksportować warstwę ze wszystkimi atrybutami, ale plik jest zupełnie pusty."),
            ("ru", "Я попробовал сохранить слой со всеми атрибутами, но файл, который получается, пустой."),
            ("uk", "Я спробував зберегти шар з усіма атрибутами, але файл, який виходить, завжди порожній."),
            ("el", "Προσπάθησα να εξαγάγω το επίπεδο"),
            ("ja", "レイヤーを書き出したいのですが、ファイルが空になります。"),
            ("zh", "我想导出图层，但是文件是空的。"),
            ("ko", "레이어를 내보내려고 하는데 파일이 비어 있습니다"),
        ] {
            assert_eq!(detect_language(text), Some(code), "{text}");
        }
    }

    #[test]
    fn words_codes_and_mixtures_are_uncertain() {
        for text in [
            "bonjour",
            "hello",
            "Привет всем",
            "ok thanks a lot",
            "EPSG:4326 layer.shp roads.gpkg QGIS 3.28.1",
            "Καλημέρα σε όλους and thank you for all the help",
            "😂😂😂",
            "",
        ] {
            assert_eq!(detect_language(text), None, "{text}");
        }
    }

    #[test]
    fn the_list_has_each_language_once_in_order() {
        let mut codes: Vec<_> = KNOWN.iter().map(|(_, code)| *code).collect();
        codes.sort_unstable();
        assert_eq!(codes, LANGUAGES);
    }

    proptest! {
        #[test]
        fn every_answer_is_listed(text in "\\PC{0,80}|[a-zа-я ]{0,80}") {
            prop_assert!(detect_language(&text).is_none_or(|code| LANGUAGES.contains(&code)));
        }
    }
}

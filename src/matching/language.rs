//! Which language a text is in.

use std::sync::LazyLock;

use whatlang::{Detector, Lang, Script};

/// Letters that a text needs where many languages share an alphabet. Code points.
const SHARED: usize = 24;
/// Letters that a text needs where the script alone tells most of it: Greek, Georgian, Chinese, Thai. Code points.
const OWN: usize = 8;
/// Letters of the language's script, in per cent of all: names in another script are common, half a text is not.
const SCRIPT_SHARE: usize = 80;

/// Those that people meet in chats about maps. Left out are languages that short texts of others are taken for:
/// Esperanto, Latin, Uzbek, Akan and the like.
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

/// The languages that [`language`] can tell, as codes of ISO 639-1 in the order of the alphabet.
pub const LANGUAGES: &[&str] = &[
    "ar", "be", "bg", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hi", "hr", "hu", "hy",
    "id", "it", "ja", "ka", "ko", "lt", "lv", "mk", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sr", "sv", "th",
    "tr", "uk", "vi", "zh",
];

/// The language of a text, one of [`LANGUAGES`], or `None` where that is not certain.
///
/// Most texts of a few words are not certain, and half of those with forty letters: "bonjour" alone could be many
/// languages. Of the answers, fewer than one in a hundred is wrong; names in other languages are the usual cause.
///
/// It takes some 50 microseconds for a message: look at other facts first.
#[must_use]
pub fn language(text: &str) -> Option<&'static str> {
    static DETECTOR: LazyLock<Detector> =
        LazyLock::new(|| Detector::with_allowlist(KNOWN.iter().map(|(lang, _)| *lang).collect()));
    let (letters, latin) = count(text);
    if letters < OWN {
        return None;
    }
    let info = DETECTOR.detect(text).filter(whatlang::Info::is_reliable)?;
    let (enough, of_script) = match info.script() {
        Script::Latin => (SHARED, latin),
        Script::Cyrillic | Script::Arabic | Script::Devanagari => (SHARED, letters - latin),
        _ => (OWN, letters - latin),
    };
    let certain = letters >= enough && of_script * 100 >= letters * SCRIPT_SHARE;
    // The usual confusion: Bulgarian does without these letters.
    let certain = certain && (info.lang() != Lang::Bul || !text.contains(['ы', 'Ы', 'э', 'Э', 'ё', 'Ё']));
    KNOWN.iter().find(|(lang, _)| certain && *lang == info.lang()).map(|(_, code)| *code)
}

/// How many letters a text has, and how many of them are Latin.
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
    fn sentences_of_many_languages_are_told() {
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
            assert_eq!(language(text), Some(code), "{text}");
        }
    }

    #[test]
    fn words_codes_and_mixtures_are_in_no_language() {
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
            assert_eq!(language(text), None, "{text}");
        }
    }

    #[test]
    fn the_list_names_each_language_once_and_in_order() {
        let mut codes: Vec<_> = KNOWN.iter().map(|(_, code)| *code).collect();
        codes.sort_unstable();
        assert_eq!(codes, LANGUAGES);
    }

    proptest! {
        #[test]
        fn an_answer_is_on_the_list(text in "\\PC{0,80}|[a-zа-я ]{0,80}") {
            prop_assert!(language(&text).is_none_or(|code| LANGUAGES.contains(&code)));
        }
    }
}

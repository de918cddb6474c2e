//! Optional settings and lists.

use super::{Quotes, SettingValue};

/// Longest list that is written on one line, in columns.
const ONE_LINE: usize = 80;

/// An optional setting.
impl<T: SettingValue> SettingValue for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    const EXAMPLE: &'static str = T::EXAMPLE;
    const QUOTES: Quotes = T::QUOTES;

    fn from_text(text: &str) -> Result<Self, String> {
        T::from_text(text).map(Some)
    }

    fn from_toml(value: &toml::Value) -> Result<Self, String> {
        T::from_toml(value).map(Some)
    }

    fn to_toml(&self) -> String {
        self.as_ref().map_or_else(|| T::EXAMPLE.to_owned(), T::to_toml)
    }

    fn names() -> Option<String> {
        T::names()
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

/// A list. In a text, items are separated by commas; whitespace around items and empty items are ignored. A text that
/// begins with `[` is a list in brackets.
impl<T: SettingValue> SettingValue for Vec<T> {
    const EXPECTED: &'static str = "a list";
    const EXAMPLE: &'static str = "[]";
    const QUOTES: Quotes = Quotes::List(&T::QUOTES);

    fn from_text(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let only_closed = text.ends_with(']') && !text.contains('[');
        if text.starts_with('[') || (only_closed && T::QUOTES == Quotes::Never) {
            let items = bracketed(text).ok_or(BROKEN_LIST)?;
            return each(&items, |item| item.as_str().map_or_else(|| T::from_toml(item), T::from_text));
        }
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        each(items, T::from_text)
    }

    fn from_toml(value: &toml::Value) -> Result<Self, String> {
        match value {
            toml::Value::Array(items) => each(items, T::from_toml),
            toml::Value::String(text) => Self::from_text(text),
            _ => Err(super::value::is_not::<Self>()),
        }
    }

    fn to_toml(&self) -> String {
        let items: Vec<String> = self.iter().map(T::to_toml).collect();
        let line = format!("[{}]", items.join(", "));
        if line.len() <= ONE_LINE {
            return line;
        }
        format!("[\n    {},\n]", items.join(",\n    "))
    }

    fn names() -> Option<String> {
        T::names().map(|names| format!("each item is {names}"))
    }
}

/// Parses each item.
fn each<I, T>(items: impl IntoIterator<Item = I>, read: impl Fn(I) -> Result<T, String>) -> Result<Vec<T>, String> {
    let numbered = items.into_iter().enumerate();
    numbered
        .map(|(at, item)| read(item).map_err(|why| format!("holds an item, number {}, that {why}", at + 1)))
        .collect()
}

const BROKEN_LIST: &str = "is not a complete list; write it as [\"first\", \"second\"], or as first,second";

/// Parses a list in brackets, in JSON, Python or TOML syntax.
fn bracketed(text: &str) -> Option<Vec<toml::Value>> {
    if let Ok(items) = serde_json::from_str(text) {
        return Some(items);
    }
    // Python prints lists with single quotes, which TOML accepts.
    let mut table: toml::Table = format!("list = {text}").parse().ok()?;
    match (table.remove("list")?, table.is_empty()) {
        (toml::Value::Array(items), true) => Some(items),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_file(text: &str) -> toml::Value {
        format!("a = {text}").parse::<toml::Table>().expect(text).remove("a").expect("a value")
    }

    #[test]
    fn whitespace_around_commas_and_empty_items_are_ignored() {
        let names = ["QGIS", "Living room"].map(str::to_owned).to_vec();
        assert_eq!(Vec::from_text(" QGIS ,, Living room, "), Ok(names.clone()));
        assert_eq!(Vec::from_toml(&in_file("\"QGIS, Living room\"")), Ok(names.clone()));
        assert_eq!(Vec::from_toml(&in_file("['QGIS', 'Living room']")), Ok(names));
    }

    #[test]
    fn a_list_in_brackets_keeps_the_commas_of_its_items() {
        let names = ["QGIS", "Living room, 1st", "it's"].map(str::to_owned).to_vec();
        for text in [
            r#"["QGIS","Living room, 1st","it's"]"#,
            r#" [ "QGIS" , "Living room, 1st", "it's", ] "#,
            r#"['QGIS', 'Living room, 1st', "it's"]"#,
            "[\n\"QGIS\",\n\"Living room, 1st\",\n\"it\\u0027s\"]",
        ] {
            assert_eq!(Vec::from_text(text), Ok(names.clone()), "{text}");
            assert_eq!(Vec::from_toml(&toml::Value::String(text.to_owned())), Ok(names.clone()), "{text}");
        }
        assert_eq!(Vec::from_text("[]"), Ok(Vec::<String>::new()));
        assert_eq!(Vec::from_text("[1, \"2\"]"), Ok(vec![1_u32, 2]));
    }

    #[test]
    fn an_invalid_list_is_an_error() {
        for text in ["[\"1\",\"2\"", "[1", "1]", "[1]2", "[1] [2]", "[1,,2]", "[one]", "[", "[1]\nx = 2", "[null]"] {
            assert_eq!(Vec::<u32>::from_text(text), Err(BROKEN_LIST.into()), "{text}");
        }
        assert!(Vec::<u32>::from_text(&"[".repeat(100_000)).is_err());
        assert_eq!(Vec::<u32>::from_text("[[1]]"), Err("holds an item, number 1, that is not a whole number".into()));
        assert_eq!(Vec::from_text("a [b],c]"), Ok(vec!["a [b]".to_owned(), "c]".to_owned()]));
    }

    #[test]
    fn the_error_of_an_item_names_its_number() {
        let error = "holds an item, number 2, that is not a whole number";
        assert_eq!(Vec::<u32>::from_text("1,x"), Err(error.into()));
        assert_eq!(Vec::<u32>::from_toml(&in_file("[1, true]")), Err(error.into()));
        assert_eq!(Vec::<u32>::from_toml(&in_file("1")), Err("is not a list".into()));
    }

    #[test]
    fn lists_of_any_length_survive_a_round_trip() {
        for length in [0, 3, 50] {
            let list: Vec<u32> = (0..length).collect();
            assert_eq!(Vec::from_toml(&in_file(&list.to_toml())), Ok(list));
        }
    }

    #[test]
    fn an_absent_value_shows_an_example() {
        assert_eq!((None::<u32>.to_toml(), None::<u32>.is_absent()), ("1".to_owned(), true));
        assert_eq!((Some(5_u32).to_toml(), Some(5_u32).is_absent()), ("5".to_owned(), false));
        assert_eq!(Option::<u32>::from_text("5"), Ok(Some(5)));
    }
}

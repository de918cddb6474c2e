//! Settings that may be absent, and settings of several values.

use super::Value;

/// Longest list that stands in one line. Columns.
const ONE_LINE: usize = 80;

/// Absent by default, usually.
impl<T: Value> Value for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    const EXAMPLE: &'static str = T::EXAMPLE;

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

/// In a text, items stand between commas; blanks around them and empty items do not count.
impl<T: Value> Value for Vec<T> {
    const EXPECTED: &'static str = "a list";
    const EXAMPLE: &'static str = "[]";

    fn from_text(text: &str) -> Result<Self, String> {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        items.enumerate().map(|(at, item)| T::from_text(item).map_err(|why| of_item(at, &why))).collect()
    }

    fn from_toml(value: &toml::Value) -> Result<Self, String> {
        match value {
            toml::Value::Array(items) => {
                items.iter().enumerate().map(|(at, item)| T::from_toml(item).map_err(|why| of_item(at, &why))).collect()
            }
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

fn of_item(at: usize, why: &str) -> String {
    format!("holds an item, number {}, that {why}", at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_file(text: &str) -> toml::Value {
        format!("a = {text}").parse::<toml::Table>().expect(text).remove("a").expect("a value")
    }

    #[test]
    fn blanks_around_commas_and_empty_items_do_not_count() {
        let names = ["QGIS", "Living room"].map(str::to_owned).to_vec();
        assert_eq!(Vec::from_text(" QGIS ,, Living room, "), Ok(names.clone()));
        assert_eq!(Vec::from_toml(&in_file("\"QGIS, Living room\"")), Ok(names.clone()));
        assert_eq!(Vec::from_toml(&in_file("['QGIS', 'Living room']")), Ok(names));
    }

    #[test]
    fn the_fault_of_an_item_tells_its_number() {
        let fault = "holds an item, number 2, that is not a whole number";
        assert_eq!(Vec::<u32>::from_text("1,x"), Err(fault.into()));
        assert_eq!(Vec::<u32>::from_toml(&in_file("[1, true]")), Err(fault.into()));
        assert_eq!(Vec::<u32>::from_toml(&in_file("1")), Err("is not a list".into()));
    }

    #[test]
    fn a_list_reads_as_it_was_written_long_or_short() {
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

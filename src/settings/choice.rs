//! Settings whose value is one of several names.

use super::SettingValue;
use crate::names::Named;

impl<T: Named> SettingValue for T {
    const EXPECTED: &'static str = "one of the names that it may be";

    fn from_text(text: &str) -> Result<Self, String> {
        let found = T::NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim()));
        found.map(|(_, choice)| *choice).ok_or_else(|| format!("is not one of {}", quoted_names::<T>()))
    }

    fn from_toml(value: &toml::Value) -> Result<Self, String> {
        Self::from_text(value.as_str().unwrap_or_default())
    }

    fn to_toml(&self) -> String {
        format!("\"{self}\"")
    }

    fn names() -> Option<String> {
        Some(format!("one of {}", quoted_names::<T>()))
    }
}

fn quoted_names<T: Named>() -> String {
    let names: Vec<String> = T::NAMES.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::names::named! {
        enum Colour {
            Red = "red",
            Blue = "blue",
        }
    }

    #[test]
    fn the_error_of_a_choice_lists_the_names() {
        assert_eq!(Colour::from_text("Blue"), Ok(Colour::Blue));
        assert_eq!(Colour::from_toml(&toml::Value::Integer(1)), Err("is not one of \"red\", \"blue\"".into()));
        assert_eq!(Colour::from_toml(&toml::Value::String(Colour::Red.to_toml().replace('"', ""))), Ok(Colour::Red));
    }
}

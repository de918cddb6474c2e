//! Settings whose value is one of several names.

use super::SettingValue;

/// A closed set of names.
pub trait Choice: Copy + PartialEq + 'static {
    /// Each name with its value.
    const NAMES: &'static [(&'static str, Self)];

    /// Returns the name of the value.
    #[must_use]
    fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, choice)| *choice == self).map_or("", |(name, _)| name)
    }

    /// Returns the value with this name.
    #[must_use]
    fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, choice)| *choice)
    }
}

impl<T: Choice> SettingValue for T {
    const EXPECTED: &'static str = "one of the names that it may be";

    fn from_text(text: &str) -> Result<Self, String> {
        let found = T::NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim()));
        found.map(|(_, choice)| *choice).ok_or_else(|| format!("is not one of {}", quoted_names::<T>()))
    }

    fn from_toml(value: &toml::Value) -> Result<Self, String> {
        Self::from_text(value.as_str().unwrap_or_default())
    }

    fn to_toml(&self) -> String {
        format!("\"{}\"", self.name())
    }

    fn names() -> Option<String> {
        Some(format!("one of {}", quoted_names::<T>()))
    }
}

fn quoted_names<T: Choice>() -> String {
    let names: Vec<String> = T::NAMES.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Colour {
        Red,
        Blue,
    }

    impl Choice for Colour {
        const NAMES: &'static [(&'static str, Self)] = &[("red", Self::Red), ("blue", Self::Blue)];
    }

    #[test]
    fn the_error_of_a_choice_lists_the_names() {
        assert_eq!(Colour::from_text("Blue"), Ok(Colour::Blue));
        assert_eq!(Colour::from_toml(&toml::Value::Integer(1)), Err("is not one of \"red\", \"blue\"".into()));
        assert_eq!(Colour::from_toml(&toml::Value::String(Colour::Red.to_toml().replace('"', ""))), Ok(Colour::Red));
    }
}

//! A value before parsing.

use super::Quotes;
use super::quotes::{self, Unquoted};
use super::text::{quote, shorten};

/// A value before parsing, by its source.
#[derive(Debug)]
pub(super) enum RawValue {
    /// From the environment.
    Environment(String),
    /// From `.env`.
    Dotenv(String),
    /// From the settings file.
    Toml(toml::Value),
}

impl RawValue {
    /// Returns the complete value as text.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Environment(text) | Self::Dotenv(text) => text.clone(),
            Self::Toml(value) => value.to_string(),
        }
    }

    /// Removes quotes around the value or around the items of a list, and returns the warning to show; `None` if there
    /// are no quotes. Outside of the environment, quotes around anything but a list are intentional and kept.
    pub(super) fn without_quotes(&self, quotes: Quotes) -> Result<Option<(Self, &'static str)>, String> {
        let unquoted = match (self, quotes) {
            (Self::Environment(text), _) => quotes::strip_from_value(text, quotes)?,
            (Self::Dotenv(text) | Self::Toml(toml::Value::String(text)), Quotes::List(items)) => {
                quotes::strip_from_list(text, *items)?
            }
            _ => None,
        };
        Ok(unquoted.map(|Unquoted { text, warning }| (Self::Environment(text), warning)))
    }

    /// Returns the value as shown in an error.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Environment(text) | Self::Dotenv(text) | Self::Toml(toml::Value::String(text)) => quote(text),
            Self::Toml(value) => shorten(&value.to_string()),
        }
    }
}

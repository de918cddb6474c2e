//! Declares, reads and validates settings. This module contains no settings; each part of the relay declares its own.
//!
//! A setting is declared once, with its key, type, default, bounds, documentation and environment variables. The
//! declaration is used to read its value, to report an invalid one, and to list all settings:
//!
//! ```ignore
//! pub struct Config {
//!     pub max_message_length: u32,
//! }
//!
//! impl Config {
//!     pub fn declare(section: &mut Section<'_>) -> Self {
//!         Self {
//!             max_message_length: section.read(
//!                 Setting::new("max_message_length", 255)
//!                     .doc("Longest text of a message, in code points.")
//!                     .env(&["MAX_MESSAGE_LENGTH"])
//!                     .within(1..=65_536),
//!             ),
//!         }
//!     }
//! }
//! ```
//!
//! This module also reads the other TOML files of operators, such as rules and tokens: [`TomlFile`] parses them,
//! [`TomlReader`] or [`from_toml`] reads their values, and [`FileErrors`] collects their errors.
//!
//! A [`SettingsSource`] holds the settings file, `.env` and the environment. The environment takes precedence over
//! `.env`, `.env` over the file, and the file over the default. An error does not stop reading: it is recorded, the
//! default is used, and [`SettingsSource::finish`] returns all errors together, with warnings about values that were
//! repaired or have no effect.

mod choice;
mod declared;
mod dotenv;
mod duration;
mod error;
mod file_errors;
mod listing;
mod lookalike;
mod quotes;
mod raw_value;
mod section;
mod setting;
mod snapshot;
mod source;
mod swap;
mod text;
mod toml_file;
mod toml_reader;
mod tree;
mod value;
mod value_list;
mod variables;

pub use duration::{format_duration, parse_duration};
pub use error::{ConfigError, ConfigWarning, Diagnostics, Location};
pub use file_errors::FileErrors;
pub use quotes::Quotes;
pub use section::Section;
pub use setting::Setting;
pub use snapshot::{SettingChanges, SettingsSnapshot};
pub use source::SettingsSource;
pub use swap::Swap;
pub use text::{MAX_FILE_BYTES, backticked, did_you_mean, quote, read_text};
pub use toml_file::{LineIndex, TomlFile, TomlKey, TomlValue, from_toml, type_name};
pub use toml_reader::{KeyedValue, Located, TomlReader};
pub use value::SettingValue;
pub use variables::UnsupportedVariable;

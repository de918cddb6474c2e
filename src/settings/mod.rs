//! How a setting is declared, read and checked. Knows no part of the relay and no setting of it.
//!
//! One declaration gives a setting's key, type, default, bounds, explanation and environment names. Out of it come its
//! value, the faults of whatever was given instead, and its entry in the listing of all settings:
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
//! A [`Source`] holds what was given: the environment wins over `.env`, that over the file, that over the default. A
//! fault never ends the reading: it is noted, the default stands in, and [`Source::finish`] tells all of them together,
//! with warnings about values that were repaired or have no effect.

mod choice;
mod dotenv;
mod fault;
mod listing;
mod lookalike;
mod quotes;
mod section;
mod setting;
mod source;
mod swap;
mod text;
mod tree;
mod value;
mod value_list;
mod values;
mod variables;

pub use choice::Choice;
pub use fault::{Fault, Findings, Place, Warning};
pub use quotes::Quotes;
pub use section::{RefusedVariable, Section};
pub use setting::Setting;
pub use source::Source;
pub use swap::Swap;
pub use text::{Lines, MAX_FILE_BYTES, nearest, quote, read_text};
pub use value::Value;
pub use values::{Changes, Values};
